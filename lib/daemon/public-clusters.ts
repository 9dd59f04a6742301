/**
 * Clusters that nobody has configured and that may come all the same (`[guests] public`). Such a cluster is its authority: whoever holds a certificate
 * of that is one of its nodes, and nobody else. The name it is shown by, the beginning of the authority's fingerprint, is pinned to the whole of it when
 * it first comes, so that none can take another's.
 */
import * as z from 'zod';
import type { Clock } from '../shared/clock.js';
import { readJson, writeAtomically } from '../shared/files.js';

const pinned = z.object({
  version: z.literal(1),
  clusters: z.array(
    z.object({
      name: z.string(),
      fingerprint: z.string(),
      ca: z.string(),
      address: z.string(),
      /** Seconds since 1970. */
      first_seen: z.number(),
    }),
  ),
});
type Pin = z.infer<typeof pinned>['clusters'][number];

/** Whoever makes authority after authority fills no more than this. */
export const MOST_PUBLIC_CLUSTERS = 256;

export class PublicClusters {
  private readonly pins: Pin[];

  constructor(
    private readonly file: string,
    private readonly clock: Clock,
  ) {
    const parsed = pinned.safeParse(readJson(file));
    this.pins = parsed.success ? parsed.data.clusters : [];
  }

  list(): readonly Omit<Pin, 'ca'>[] {
    return this.pins;
  }

  /** Certificate of the authority of that name, PEM; null: nobody of that name has come. */
  authorityOf(name: string): string | null {
    return this.pins.find((pin) => pin.name === name)?.ca ?? null;
  }

  /** Why that cluster may not come; null: it may, and is remembered. */
  whyNot(
    { cluster: name, fingerprint, ca }: { cluster: string; fingerprint: string; ca: string },
    address: string,
  ): string | null {
    const known = this.pins.find((pin) => pin.name === name);
    if (known) {
      if (known.fingerprint === fingerprint) return null;
      return `another cluster came first that is called ${name} here: ask the administrator here to make yours a partner`;
    }
    if (this.pins.length >= MOST_PUBLIC_CLUSTERS)
      return `${MOST_PUBLIC_CLUSTERS} clusters that nobody has configured have come already, and no more may: ask the administrator here`;
    this.pins.push({ name, fingerprint, ca, address, first_seen: this.clock.wallSeconds() });
    writeAtomically(this.file, JSON.stringify({ version: 1, clusters: this.pins }));
    return null;
  }
}
