import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { MigrationDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import type { Cluster, MigrateOptions } from './cluster.js';

const LOOK_SECONDS = 0.02;

/** How a program ended: with a status, or by a signal. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A program started by {@link Cluster.run}: a child of the caller like any other, which can move. */
export class Program {
  readonly pid: number;
  readonly stdin: ChildProcess['stdin'];
  readonly stdout: ChildProcess['stdout'];
  readonly stderr: ChildProcess['stderr'];
  readonly stdio: ChildProcess['stdio'];
  /** Settles when the program has ended; never rejects. */
  readonly exit: Promise<Exit>;

  constructor(
    private readonly cluster: Cluster,
    private readonly child: ChildProcess & { pid: number },
  ) {
    ({ pid: this.pid, stdin: this.stdin, stdout: this.stdout, stderr: this.stderr, stdio: this.stdio } = child);
    this.exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
    });
  }

  /** As {@link Cluster.migrate}; a program that is just being started is waited for. */
  async migrate(to: string, options: MigrateOptions = {}): Promise<MigrationDocument> {
    await this.isKnown(options.signal);
    return this.cluster.migrate(this.pid, to, options);
  }

  /** Sends it a signal, SIGTERM unless said otherwise; false: it has ended. */
  kill(signal?: NodeJS.Signals): boolean {
    return this.child.kill(signal);
  }

  /** The launcher is a process before the daemon has heard of it. */
  private async isKnown(signal: AbortSignal | undefined): Promise<void> {
    while (this.child.exitCode === null && this.child.signalCode === null) {
      try {
        await this.cluster.process(this.pid, signal ? { signal } : {});
        return;
      } catch (error) {
        if (!(error instanceof MosrunError) || error.code !== 'not-found') throw error;
      }
      await pause(LOOK_SECONDS * 1000, undefined, signal ? { signal } : {});
    }
  }
}
