/**
 * CPU time is counted where it is used: at home by the home process, away by the node of each stay. That node tells what a stay has used so
 * far, and for some time after it ended what it used in all; what was told is kept with the process's history.
 */
import { type SessionUsage } from '../shared/wire.js';
import { asMosrunError } from '../shared/errors.js';
import type { Clock } from '../shared/clock.js';
import type { HistoryBook } from './history.js';
import { FROZEN } from '../shared/frozen.js';
import type { Finder } from './whereabouts.js';

export interface StayPorts {
  history: HistoryBook;
  finder: Finder;
  clock: Clock;
  /** Asks a node what a stay there has used; rejects with `not-found` when it does not know it. */
  askUsage: (node: string, session: string) => Promise<Pick<SessionUsage, 'running' | 'cpu_seconds'>>;
}

/** A guest that is told to end takes a moment. */
const AGAIN_SECONDS = [0.2, 1, 5];

export interface NodeTime {
  node: string;
  cpu_seconds: number;
  /** False: it may have been more. */
  complete: boolean;
}

export class Stays {
  constructor(private readonly ports: StayPorts) {}

  /** To be called when a process has been moved: its stay, if it is away now, has begun, and another may have ended. */
  async moved(pid: number): Promise<void> {
    const { finder, history } = this.ports;
    await this.ask(pid);
    for (const pause of AGAIN_SECONDS) {
      if (!history.read(pid)?.stays.some((stay) => stay.session !== finder.find(pid).session)) return;
      await new Promise<void>((resolve) => void this.ports.clock.after(pause, resolve));
      await this.ask(pid);
    }
  }

  /** CPU time on each node the process has been to, its home not among them. */
  async times(pid: number): Promise<NodeTime[]> {
    const unheard = await this.ask(pid);
    const record = this.ports.history.read(pid);
    const times = new Map<string, NodeTime>();
    const add = (node: string, seconds: number, complete: boolean): void => {
      const before = times.get(node) ?? { node, cpu_seconds: 0, complete: true };
      times.set(node, { node, cpu_seconds: before.cpu_seconds + seconds, complete: before.complete && complete });
    };
    for (const one of record?.away_times ?? []) add(one.node, one.cpu_seconds, one.complete);
    for (const stay of record?.stays ?? []) add(stay.node, stay.cpu_seconds, !unheard.has(stay.session));
    return [...times.values()];
  }

  /** Gives the sessions whose nodes could not be asked. */
  private async ask(pid: number): Promise<Set<string>> {
    const { history, finder, askUsage } = this.ports;
    // A move that nobody here followed has begun one too.
    const { node: present, session: stay } = finder.find(pid);
    if (present !== null && present !== FROZEN && stay !== null) history.beginStay(pid, present, stay);
    const unheard = new Set<string>();
    const asked = (history.read(pid)?.stays ?? []).map(async ({ node, session }) => {
      try {
        const { running, cpu_seconds: seconds } = await askUsage(node, session);
        history.tellStay(pid, session, seconds, !running);
      } catch (error) {
        unheard.add(session);
        // Nobody will ever know more of one that its node has forgotten.
        if (asMosrunError(error).code === 'not-found') history.tellStay(pid, session, null, true);
      }
    });
    await Promise.all(asked);
    return unheard;
  }
}
