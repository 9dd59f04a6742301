import { MosrunError } from '../shared/errors.js';

/** A process id from the command line. */
export function pidOf(text: string, command: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new MosrunError('usage', `"${text}" is no process id: see ${command} --help`);
  return Number(text);
}
