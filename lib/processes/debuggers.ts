/**
 * Whoever traces a process that is away (gdb, strace) would see its deputy, not the program: the process is brought home. There the tracer has
 * the program itself, and while it has, the process stays (native/engine/inspect.cc).
 */
import type { Glance } from '../engine/index.js';

export interface DebuggerPorts {
  /** The process that traces one whose first thread has ended, or null. */
  tracerOf: (pid: number) => number | null;
  /** Orders it home; settles when that has succeeded or failed. */
  bringHome: (pid: number, reason: string) => Promise<void>;
}

export class Debuggers {
  private readonly ordered = new Set<number>();

  constructor(private readonly ports: DebuggerPorts) {}

  /** At every look; what failed is tried again at the next. */
  look(pid: number, glance: Glance | null): void {
    if (glance?.state !== 'away' || this.ordered.has(pid)) return;
    const tracer = glance.letter === 'Z' ? this.ports.tracerOf(pid) : glance.tracer || null;
    if (tracer === null) return;
    this.ordered.add(pid);
    void this.ports.bringHome(pid, `traced by process ${tracer}`).finally(() => this.ordered.delete(pid));
  }
}
