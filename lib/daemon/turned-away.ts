/** Who came to the control port and was not answered: counted, and told of now and then, however often it comes. */
import type { Peer } from '../cluster/index.js';
import type { Clock } from '../shared/clock.js';
import type { TurnedAwayDocument } from '../shared/documents.js';

/** Of those that came last. */
const MOST_KEPT = 32;
/** One that comes again and again is told of no more often. */
const TOLD_SECONDS = 60;
/** And of all together: who makes one authority after another does not fill the log. */
const MOST_TOLD_A_MINUTE = 30;

interface Entry extends Omit<TurnedAwayDocument, 'last_seconds'> {
  last: number;
  told: number;
}

export class TurnedAway {
  private readonly entries = new Map<string, Entry>();
  /** Of all that ever came. */
  total = 0;
  private minute = 0;
  private toldInMinute = 0;

  /** @param tell of each, at most once a minute. */
  constructor(
    private readonly clock: Clock,
    private readonly tell: (entry: Omit<TurnedAwayDocument, 'last_seconds'>) => void,
  ) {}

  note(peer: Peer, address: string, why: string): void {
    this.total++;
    const now = this.clock.seconds();
    const isForeign = peer.kind === 'foreign';
    const key = isForeign ? peer.fingerprint : `${address} ${why}`;
    const before = this.entries.get(key) ?? { count: 0, told: Number.NEGATIVE_INFINITY };
    const who = {
      cluster: isForeign ? peer.cluster : null,
      node: isForeign ? peer.node : null,
      fingerprint: isForeign ? peer.fingerprint : null,
    };
    const isDue = now - before.told >= TOLD_SECONDS && this.mayTell(now);
    const entry: Entry = { ...who, address, why, count: before.count + 1, last: now, told: isDue ? now : before.told };
    // The newest is the last of the map.
    this.entries.delete(key);
    this.entries.set(key, entry);
    const [oldest] = this.entries.keys();
    if (this.entries.size > MOST_KEPT && oldest !== undefined) this.entries.delete(oldest);
    if (isDue) this.tell({ ...who, address, why, count: entry.count });
  }

  private mayTell(now: number): boolean {
    const minute = Math.floor(now / TOLD_SECONDS);
    if (minute !== this.minute) Object.assign(this, { minute, toldInMinute: 0 });
    return this.toldInMinute++ < MOST_TOLD_A_MINUTE;
  }

  /** The newest first. */
  list(): TurnedAwayDocument[] {
    const now = this.clock.seconds();
    return [...this.entries.values()]
      .toReversed()
      .map(({ last, told: _told, ...entry }) => ({ ...entry, last_seconds: now - last }));
  }
}
