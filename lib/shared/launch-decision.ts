/** What mosrun's command line asks for, as the daemon needs it; lib/commands/launch.ts makes it from the table of options. */

export interface Launch {
  /** Where to start: here, on the best node, or on one named. */
  start: { at: 'home' } | { at: 'best' } | { at: 'node'; node: string };
  /** -F: do not fail when that node is down or refuses. */
  fallBack: boolean;
  /** -r and -h lock unless -l says otherwise. null: nothing said; then as the outer job, else not. */
  locked: boolean | null;
  clock: 'home' | 'host' | null;
  jobId: string | null;
  programIndex: number;
  argumentsStartAtName: boolean;
}

export type LaunchDecision =
  | { kind: 'launch'; launch: Launch }
  /** --help, --version, or a usage error: something to print, and an exit code. */
  | { kind: 'answer'; output: string; error: string; exitCode: number };

export type InterpretLaunch = (argv: readonly string[]) => LaunchDecision;
