/** What the laboratory and its worker on the home-node say to each other. */

/** `before`: at each point, before the call. `during`: ordered as the call is made. `random`: the one, the other or none, over three nodes. */
export type Mode = 'plain' | 'before' | 'during' | 'random';

export interface Run {
  program: string;
  /** Its working directory, empty. */
  directory: string;
  mode: Mode;
  /** Whether it starts away. */
  away: boolean;
  seed: number;
  /** After so many it is killed. */
  seconds: number;
  /** For mosrun. */
  options: string[];
}

export interface Failure {
  code: string | null;
  message: string;
  point: string;
}

export interface Ran {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** It was killed, for it took too long. */
  late: boolean;
  /** Moves that were made. */
  moves: number;
  points: number;
  during: number;
  failures: Failure[];
  seconds: number;
}
