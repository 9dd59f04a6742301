/** /etc/mosrun/mosrun.toml and what is beside it: one schema, from which defaults, checks and messages come. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { type NodeList, type Partner, conflicts, listedNode, nodeName, readList } from '../cluster/index.js';
import { MosrunError, systemCode } from '../shared/errors.js';
import { readIfThere } from '../shared/files.js';
import { type FreezeSettings, parseFreezeSettings, readFreezeSettings } from './freeze-settings.js';
import { readPartners } from './partner-files.js';
import { parseToml } from './toml-text.js';

export const DEFAULT_CONFIGURATION = '/etc/mosrun/mosrun.toml';

const seconds = z.number().positive();

/** A node, a label of nodes, or @ and a cluster: all of its nodes. */
const place = z.string().regex(/^[A-Za-z0-9@._-]{1,130}$/, 'a node, a label, or @CLUSTER is wanted');

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const memory = z
  .union([z.int().nonnegative(), z.string().regex(/^\d+ ?([KMGT](i?B)?)?$/, 'an amount like 512M or 2GiB is wanted')])
  .transform((amount) => {
    if (typeof amount === 'number') return amount;
    const [, number = '0', unit = ''] = /^(\d+) ?([KMGT]?)/.exec(amount) ?? [];
    return Number(number) * (units[unit] ?? 1);
  });

const schema = z
  .strictObject({
    cluster: z.string().min(1),
    node: nodeName,
    nodes: z.array(listedNode).min(1),
    cgroup: z.string().default(''),
    labels: z
      .array(
        z
          .string()
          .regex(
            /^[A-Za-z][A-Za-z0-9._-]{0,62}$/,
            'a label is wanted: a letter, then letters, digits, dots and dashes, 63 at most',
          ),
      )
      .max(32)
      .default([]),
    log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
    paths: z
      .strictObject({
        runtime: z.string().startsWith('/').default('/run/mosrun'),
        state: z.string().startsWith('/').default('/var/lib/mosrun'),
        certificates: z.string().default('.'),
        libexec: z.string().default(''),
      })
      .prefault({}),
    migration: z
      .strictObject({
        timeout_seconds: seconds.default(30),
        connect_timeout_seconds: seconds.default(3),
        compress: z.boolean().default(true),
        keep: z.boolean().default(true),
      })
      .prefault({}),
    hosting: z
      .strictObject({
        blocked: z.boolean().default(false),
        max_guests: z.int().nonnegative().default(1000),
        reserve_memory: memory.default(64 * 2 ** 20),
        speed: z.number().nonnegative().default(0),
        keep_files: z.boolean().default(true),
      })
      .prefault({}),
    guests: z
      .strictObject({ leave: z.enum(['always', 'when-needed']).default('always'), public: z.boolean().default(false) })
      .prefault({}),
    placement: z
      .strictObject({
        automatic: z.boolean().default(true),
        interval_seconds: seconds.default(1),
        residence_seconds: seconds.default(1),
        allow: z.array(place).default([]),
        deny: z.array(place).default([]),
      })
      .prefault({}),
    security: z.strictObject({ encrypt: z.boolean().default(false) }).prefault({}),
    jobs: z
      .strictObject({
        fast_start: z.boolean().default(false),
        read_ahead: z.boolean().default(true),
        write_behind: z.boolean().default(true),
        awake: z.boolean().default(true),
        lazy: z.boolean().default(false),
      })
      .prefault({}),
    heartbeat: z.strictObject({ interval_seconds: seconds.default(1), timeout_seconds: seconds.default(2) }).prefault({}),
  })
  .superRefine((value, context) => {
    for (const { field, index } of conflicts(value.nodes)) {
      context.addIssue({
        code: 'custom',
        path: ['nodes', index, field],
        message: `another node has ${field} ${value.nodes[index]?.[field]} already`,
      });
    }
    if (!value.nodes.some(({ name }) => name === value.node)) {
      context.addIssue({ code: 'custom', path: ['node'], message: `no [[nodes]] entry is called ${value.node}` });
    }
    const { interval_seconds: interval, timeout_seconds: timeout } = value.heartbeat;
    if (timeout <= interval) {
      const message = `every node would be down between two signs of life: it must be more than interval_seconds, ${interval}`;
      context.addIssue({ code: 'custom', path: ['heartbeat', 'timeout_seconds'], message });
    }
  });

export type Configuration = z.output<typeof schema> & {
  file: string;
  /** Of the list of nodes that the cluster keeps; 0: there is none, the nodes are in the file. */
  revision: number;
  freezing: FreezeSettings;
  /** The clusters that this one knows, from the files beside. */
  partners: readonly Partner[];
};

/**
 * The text of a configuration, checked; throws a MosrunError that names file, line, key and what is accepted.
 * @param list takes the place of the nodes in the text.
 */
export function parseConfiguration(
  text: string,
  file: string,
  list: NodeList | null = null,
  freezing = parseFreezeSettings('', ''),
): Configuration {
  const data = parseToml(schema, text, file, list ? { nodes: list.nodes } : {});
  const directory = path.dirname(file);
  const certificates = path.resolve(directory, data.paths.certificates);
  return { ...data, paths: { ...data.paths, certificates }, file, revision: list?.revision ?? 0, freezing, partners: [] };
}

export function readConfiguration(file: string): Configuration {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const advice = systemCode(error) === 'ENOENT' ? 'make one with mosconf init' : 'check its permissions';
    throw new MosrunError('configuration', `${file} cannot be read (${systemCode(error)}): ${advice}`, { cause: error });
  }
  const directory = path.dirname(path.resolve(file));
  const read = parseConfiguration(text, path.resolve(file), readList(directory), readFreezeSettings(directory));
  const ca = readIfThere(path.join(read.paths.certificates, 'ca.pem'));
  return { ...read, partners: readPartners(directory, { cluster: read.cluster, ca }) };
}

/** Which file: the one named on the command line, else by MOSRUN_CONFIG, else the usual one. */
export function configurationFile(named: string | undefined): string {
  return named ?? process.env.MOSRUN_CONFIG ?? DEFAULT_CONFIGURATION;
}

/** For what is frozen. */
export const imagesOf = ({ freezing, paths }: Configuration): string => freezing.directory ?? path.join(paths.state, 'frozen');

/** Open invitations are beside the authority's key. */
export const invitationsIn = ({ paths }: Configuration): string => path.join(paths.certificates, 'invitations');
