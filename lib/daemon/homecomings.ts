/**
 * Processes that are away and come home by themselves, for a call that is not served there: each is told while home has no memory for it, and waits
 * where it is. One that has waited for too long goes to disk, from where it comes home when there is room.
 */
import type { Clock } from '../shared/clock.js';
import type { Inspection } from '../engine/index.js';

export interface HomecomingPorts {
  clock: Clock;
  /** False: it is not away any more. */
  tell: (pid: number, seconds: number) => boolean;
  freeze: (pid: number, reason: string) => void;
}

/** A daemon that is no more says nothing: then a process comes home as if there were room. */
const GOOD_FOR_SECONDS = 10;
const PATIENCE_SECONDS = 5;

export class Homecomings {
  private readonly lacking = new Set<number>();
  private readonly waiting = new Map<number, number>();

  constructor(private readonly ports: HomecomingPorts) {}

  /** At every look at a process that is away. @param lacks home has no memory for it now. */
  look(pid: number, inspection: Inspection | null, lacks: boolean): void {
    const { clock, tell, freeze } = this.ports;
    if (!lacks && !this.lacking.has(pid)) return;
    if (!tell(pid, lacks ? GOOD_FOR_SECONDS : 0) || !lacks) {
      this.forget(pid);
      return;
    }
    this.lacking.add(pid);
    const call = inspection?.waitsFor ?? null;
    if (call === null) {
      this.waiting.delete(pid);
      return;
    }
    const since = this.waiting.get(pid) ?? clock.seconds();
    this.waiting.set(pid, since);
    if (clock.seconds() - since < PATIENCE_SECONDS) return;
    this.forget(pid);
    freeze(pid, `it has to come home for ${call}, and there is no memory for it`);
  }

  /** Forgets all but these: they have ended, or need not wait any more. */
  keep(present: ReadonlySet<number>): void {
    for (const pid of this.lacking) {
      if (present.has(pid)) continue;
      this.ports.tell(pid, 0);
      this.forget(pid);
    }
  }

  private forget(pid: number): void {
    this.lacking.delete(pid);
    this.waiting.delete(pid);
  }
}
