/** How far other nodes are: what connections to them, and moves there, have shown. */
import type { Link } from './profile.js';

/** Until more is known: a local network. */
const UNKNOWN: Link = { roundTripSeconds: 200e-6, bytesPerSecond: 100e6 };
/** Smaller moves tell of everything but the link. */
const LEAST_BYTES = 4 << 20;
/** Weight of what was measured last. */
const NEWEST = 0.3;

export class Links {
  private readonly links = new Map<string, Link>();

  linkTo(node: string): Link {
    return this.links.get(node) ?? UNKNOWN;
  }

  /** @param seconds as the kernel has measured it. */
  roundTrip(node: string, seconds: number): void {
    if (seconds > 0) this.links.set(node, { ...this.linkTo(node), roundTripSeconds: seconds });
  }

  /** A move has sent so much in that time. */
  sent(node: string, bytes: number, seconds: number): void {
    if (bytes < LEAST_BYTES || seconds <= 0) return;
    const rate = bytes / seconds;
    const known = this.links.get(node);
    const bytesPerSecond =
      known && known.bytesPerSecond !== UNKNOWN.bytesPerSecond ? known.bytesPerSecond * (1 - NEWEST) + rate * NEWEST : rate;
    this.links.set(node, { ...this.linkTo(node), bytesPerSecond });
  }
}
