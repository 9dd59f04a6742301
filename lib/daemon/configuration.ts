/** /etc/mosrun/mosrun.toml: one schema, from which defaults, checks and messages come. */
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import path from 'node:path';
import { TomlError, parse } from 'smol-toml';
import { z } from 'zod';
import { MosrunError, systemCode } from '../shared/errors.js';
import { lineOf } from './toml-lines.js';

export const DEFAULT_CONFIGURATION = '/etc/mosrun/mosrun.toml';

const port = z.int().min(1).max(65535);
const seconds = z.number().positive();
const nodeName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/, 'a host name is wanted: letters, digits, dots and dashes')
  .refine((name) => !['home', 'out'].includes(name), 'home and out are words of migrate, no node can be called so');
// The data port speaks IPv4 only.
const address = z.string().refine(isIPv4, 'an IPv4 address is wanted');

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const memory = z
  .union([z.int().nonnegative(), z.string().regex(/^\d+ ?([KMGT](i?B)?)?$/, 'an amount like 512M or 2GiB is wanted')])
  .transform((amount) => {
    if (typeof amount === 'number') return amount;
    const [, number = '0', unit = ''] = /^(\d+) ?([KMGT]?)/.exec(amount) ?? [];
    return Number(number) * (units[unit] ?? 1);
  });

const node = z.strictObject({
  name: nodeName,
  number: z.int().min(1).max(65535),
  address,
  control_port: port.default(7070),
  data_port: port.default(7071),
});

const schema = z
  .strictObject({
    cluster: z.string().min(1),
    node: nodeName,
    nodes: z.array(node).min(1),
    cgroup: z.string().default(''),
    log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
    paths: z
      .strictObject({
        runtime: z.string().startsWith('/').default('/run/mosrun'),
        state: z.string().startsWith('/').default('/var/lib/mosrun'),
        certificates: z.string().default('.'),
        libexec: z.string().default(''),
      })
      .prefault({}),
    migration: z.strictObject({ timeout_seconds: seconds.default(30), connect_timeout_seconds: seconds.default(3) }).prefault({}),
    hosting: z
      .strictObject({
        blocked: z.boolean().default(false),
        max_guests: z.int().nonnegative().default(1000),
        reserve_memory: memory.default(64 * 2 ** 20),
      })
      .prefault({}),
    heartbeat: z.strictObject({ interval_seconds: seconds.default(1), timeout_seconds: seconds.default(2) }).prefault({}),
  })
  .superRefine((value, context) => {
    for (const field of ['name', 'number', 'address'] as const) {
      const seen = new Set<string | number>();
      for (const [index, one] of value.nodes.entries()) {
        // Several nodes may share an address when their ports differ.
        const key = field === 'address' ? `${one.address} ${one.control_port}` : one[field];
        if (seen.has(key)) {
          context.addIssue({
            code: 'custom',
            path: ['nodes', index, field],
            message: `another node has ${field} ${one[field]} already`,
          });
        }
        seen.add(key);
      }
    }
    if (!value.nodes.some(({ name }) => name === value.node)) {
      context.addIssue({ code: 'custom', path: ['node'], message: `no [[nodes]] entry is called ${value.node}` });
    }
  });

export type Configuration = z.output<typeof schema> & { file: string };

/** The text of a configuration, checked; throws a MosrunError that names file, line, key and what is accepted. */
export function parseConfiguration(text: string, file: string): Configuration {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    throw new MosrunError('configuration', `${file}:${error.line}: ${what}: correct the line`, { cause: error });
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) {
    const certificates = path.resolve(path.dirname(file), parsed.data.paths.certificates);
    return { ...parsed.data, paths: { ...parsed.data.paths, certificates }, file };
  }
  const complaints = parsed.error.issues.map((issue) => {
    // A key that should not be there is the place, not the table it is in.
    const extra = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const where = [...issue.path, ...extra];
    const line = lineOf(text, where);
    return `${file}${line ? `:${line}` : ''}: ${where.join('.') || 'the file'}: ${issue.message}`;
  });
  throw new MosrunError('configuration', `${complaints.join('\nmosrun: ')}: see docs/configuration.md`);
}

export function readConfiguration(file: string): Configuration {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const advice = systemCode(error) === 'ENOENT' ? 'make one with mosconf init' : 'check its permissions';
    throw new MosrunError('configuration', `${file} cannot be read (${systemCode(error)}): ${advice}`, { cause: error });
  }
  return parseConfiguration(text, path.resolve(file));
}

/** Which file: the one named on the command line, else by MOSRUN_CONFIG, else the usual one. */
export function configurationFile(named: string | undefined): string {
  return named ?? process.env.MOSRUN_CONFIG ?? DEFAULT_CONFIGURATION;
}
