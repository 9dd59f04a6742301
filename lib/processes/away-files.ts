/** The movers' state files: one for each process that is away or moving. Written before the commit, removed when it is home again. */
import path from 'node:path';
import * as z from 'zod';
import { namesIn, readJson, removeFile } from '../shared/files.js';
import { identity, identityOf, isPresent } from './identity.js';

const awayFile = identity.extend({
  version: z.number(),
  session: z.string(),
  node: z.string(),
  address: z.string(),
  port: z.int(),
  control: z.string(),
  since: z.number(),
});
export type AwayState = z.infer<typeof awayFile>;

export class AwayFiles {
  constructor(private readonly directory: string) {}

  /** What its mover wrote; null when it wrote nothing, or about another process. */
  read(pid: number): AwayState | null {
    const parsed = awayFile.safeParse(readJson(path.join(this.directory, `${pid}.json`)));
    return parsed.success && isPresent(parsed.data) ? parsed.data : null;
  }

  /**
   * A process that ended away, or came home by itself, has nobody who removes its file; what its movers know of waits goes when it ends.
   * @param keep true for a process that is away, or whose mover may be writing the file.
   * @returns the processes of which something was kept.
   */
  sweep(keep: (pid: number) => boolean): number[] {
    const kept: number[] = [];
    for (const name of namesIn(this.directory)) {
      const [, number = '', kind] = /^(\d+)\.(json|json\.new|waits)$/.exec(name) ?? [];
      if (!kind) continue;
      const pid = Number(number);
      if (keep(pid) || (kind === 'waits' && identityOf(pid) !== null)) kept.push(pid);
      else removeFile(path.join(this.directory, name));
    }
    return kept;
  }
}
