/** One file for each mover at work, so that a daemon that died in the middle still learns how the migration ended. */
import path from 'node:path';
import * as z from 'zod';
import { namesIn, readJson, removeFile, writeAtomically } from '../shared/files.js';
import { identity } from './identity.js';

const moverRecord = identity.extend({
  version: z.literal(1),
  /** null: the daemon died before it knew. */
  mover_pid: z.int().nullable(),
  kind: z.enum(['out', 'on', 'home']),
  from: z.string(),
  to: z.string(),
  reason: z.string(),
  began: z.number(),
});
export type MoverRecord = z.infer<typeof moverRecord>;

export class MoverRecords {
  constructor(private readonly directory: string) {}

  /** Where the mover of this process writes its lines. */
  output(pid: number): string {
    return path.join(this.directory, `${pid}.lines`);
  }

  write(record: MoverRecord): void {
    writeAtomically(path.join(this.directory, `${record.pid}.json`), JSON.stringify(record));
  }

  remove(pid: number): void {
    removeFile(path.join(this.directory, `${pid}.json`));
    removeFile(this.output(pid));
  }

  all(): MoverRecord[] {
    return namesIn(this.directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => moverRecord.safeParse(readJson(path.join(this.directory, name))))
      .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
  }
}
