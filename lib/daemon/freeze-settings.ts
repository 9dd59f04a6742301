/** freeze.toml, beside mosrun.toml: when processes are frozen, and where they are kept then. Without it nothing is frozen but by order, or for want of memory. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { MosrunError, systemCode } from '../shared/errors.js';
import { parseToml } from './toml-text.js';

const mark = z.int().nonnegative().default(0);

const freezeClass = z
  .strictObject({
    /** More than so many at home: the others are frozen; 0: there is no mark. */
    red: mark,
    /** Fewer than so many at home: frozen ones are thawed; 0: whenever there is room. */
    blue: mark,
    /** As red, for those that come home. */
    returning: mark,
    /** So many stay running, whatever the marks and the memory. */
    minimum: z.int().nonnegative().default(1),
    /** Never more than so many at home; 0: as many as come. */
    maximum: mark,
    /** How long one runs while others wait frozen. */
    slice_minutes: z.number().positive().default(20),
    /** May be frozen where memory is short. */
    memory: z.boolean().default(true),
  })
  .refine(({ red, blue }) => red === 0 || blue <= red, {
    path: ['blue'],
    message: 'above it processes would be thawed and frozen in turn: it must not be more than red',
  });
export type FreezeClass = z.output<typeof freezeClass>;

const schema = z.strictObject({
  directory: z.string().startsWith('/').optional(),
  class: z.record(z.string().regex(/^[\w.-]{1,32}$/), freezeClass).default({}),
});
export interface FreezeSettings {
  /** null: within the state directory. */
  directory: string | null;
  classes: ReadonlyMap<string, FreezeClass>;
}

/** Of a process that was given none. */
export const DEFAULT_CLASS = 'default';

export function parseFreezeSettings(text: string, file: string): FreezeSettings {
  const { directory, class: classes } = parseToml(schema, text, file);
  const all = new Map(Object.entries(classes));
  if (!all.has(DEFAULT_CLASS)) all.set(DEFAULT_CLASS, freezeClass.parse({}));
  return { directory: directory ?? null, classes: all };
}

/** @param directory that of mosrun.toml. */
export function readFreezeSettings(directory: string): FreezeSettings {
  const file = path.join(directory, 'freeze.toml');
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      throw new MosrunError('configuration', `${file} cannot be read (${systemCode(error)}): check its permissions`, {
        cause: error,
      });
  }
  return parseFreezeSettings(text, file);
}
