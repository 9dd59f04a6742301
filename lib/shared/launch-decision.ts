/** What the command line of mosrun and its kin asks for, as the daemon needs it; lib/commands/launch.ts makes it from the table of options. */
import type { LaunchExplanationDocument, Unserved } from './documents.js';

export interface Launch {
  /** Where to start: here, on the best node, on one named or on one of several. */
  start:
    | { at: 'unsaid' }
    | { at: 'home' }
    | { at: 'best' }
    | { at: 'node'; node: string }
    | { at: 'some'; nodes: readonly string[] };
  /** -F: do not fail when that node is down or refuses. */
  fallBack: boolean;
  /** -r and -h lock unless -l says otherwise. null: nothing said; then as the outer job, else not. */
  locked: boolean | null;
  clock: 'home' | 'host' | null;
  /** -e, -w, -u; null: nothing said. */
  unserved: Unserved | null;
  /** --read-ahead, --no-read-ahead; null: nothing said. */
  readAhead: boolean | null;
  /** --write-behind, --no-write-behind; null: nothing said. */
  writeBehind: boolean | null;
  /** --awake, --no-awake; null: nothing said. */
  awake: boolean | null;
  /** --lazy, --no-lazy; null: nothing said. */
  lazy: boolean | null;
  /** -d, -c, -m; null: nothing said. */
  decay: number | null;
  pure: boolean | null;
  memoryBytes: number | null;
  /** -G: it may go to other clusters; null: nothing said. */
  abroad: boolean | null;
  /** -GCLASS: when it is frozen; null: nothing said. */
  freezingClass: string | null;
  jobId: string | null;
  programIndex: number;
  argumentsStartAtName: boolean;
  /** Variables set for the program. */
  environment: Readonly<Record<string, string>>;
}

export type LaunchDecision =
  | { kind: 'launch'; launch: Launch }
  /** --explain: nothing is run; `present` makes the answer's text. */
  | { kind: 'explain'; launch: Launch; present: (explanation: LaunchExplanationDocument) => string }
  /** mosnative: out of the job, and run there. */
  | { kind: 'native'; programIndex: number }
  /** --help, --version, or a usage error: something to print, and an exit code. */
  | { kind: 'answer'; output: string; error: string; exitCode: number };

/** @param argv the first word is the command's own name: mosrun, mosenv or mosnative. */
export type InterpretLaunch = (argv: readonly string[]) => LaunchDecision;
