/** A configuration file's text, checked by its schema; what is wrong is said with file, line, key and what is accepted. */
import { TomlError, parse } from 'smol-toml';
import type * as z from 'zod';
import { complaint } from '../shared/complaints.js';
import { MosrunError } from '../shared/errors.js';
import { lineOf } from './toml-lines.js';

/** @param instead takes the place of keys of the same name in the text. */
export function parseToml<S extends z.ZodType>(schema: S, text: string, file: string, instead: object = {}): z.output<S> {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    throw new MosrunError('configuration', `${file}:${error.line}: ${what}: correct the line`, { cause: error });
  }
  const parsed = schema.safeParse({ ...(raw as object), ...instead });
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => {
    // A key that should not be there is the place, not the table it is in.
    const extra = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const where = [...issue.path, ...extra];
    const line = lineOf(text, where);
    return `${file}${line ? `:${line}` : ''}: ${where.join('.') || 'the file'}: ${complaint(issue)}`;
  });
  throw new MosrunError('configuration', `${complaints.join('\n')}: see docs/configuration.md`);
}
