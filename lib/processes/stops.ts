/**
 * Processes that are away and were stopped by SIGSTOP, which nothing at home can catch: their guests are told to stand still. That a process
 * goes on again it says itself, unless it blocks SIGCONT: then this does.
 */
import type { Glance } from '../engine/index.js';

export interface StopPorts {
  /** Asked of one whose first thread has ended. */
  isStopped: (pid: number) => boolean;
  tell: (pid: number, stopped: boolean) => boolean;
}

export class Stops {
  private readonly told = new Map<number, boolean>();

  constructor(private readonly ports: StopPorts) {}

  /** At every look. An earlier life of the daemon may have told it anything: the first look tells it what is true. */
  look(pid: number, glance: Glance | null): void {
    if (glance?.state !== 'away') {
      this.told.delete(pid);
      return;
    }
    const stopped = glance.letter === 'Z' ? this.ports.isStopped(pid) : glance.letter === 'T';
    // A stop is told again at every look: the process may have gone on and been stopped again since the last.
    if ((stopped || this.told.get(pid) !== false) && this.ports.tell(pid, stopped)) this.told.set(pid, stopped);
  }

  /** Forgets those that are gone. */
  keep(isThere: (pid: number) => boolean): void {
    for (const pid of this.told.keys()) if (!isThere(pid)) this.told.delete(pid);
  }
}
