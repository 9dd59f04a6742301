/** --format: chosen fields of a document's rows, one row a line, for scripts and completion. */
import { MosrunError } from '../shared/errors.js';
import { printable } from './format.js';

/** @param fields names of the document's own fields, apart by commas; on a line they are apart by tabs, and what is not known is empty. */
export function fieldsText(rows: readonly object[], fields: string): string {
  const names = fields.split(',');
  const known = Object.keys(rows[0] ?? {});
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined && rows.length > 0) {
    throw new MosrunError('usage', `there is no field "${unknown}": choose from ${known.join(', ')}`);
  }
  const text = (value: unknown): string => (typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));
  const line = (row: object): string => {
    const values = new Map<string, unknown>(Object.entries(row));
    return names.map((name) => printable(text(values.get(name) ?? null))).join('\t');
  };
  return rows.map((row) => `${line(row)}\n`).join('');
}
