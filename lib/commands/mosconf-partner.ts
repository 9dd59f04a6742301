/** Makes other clusters partners: what they have to know of this one, and what this one keeps of them. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';
import { type Partner, fingerprintText, partnerName, partnerPriority, whyNoAuthority } from '../cluster/index.js';
import { readConfiguration } from '../daemon/configuration.js';
import { parsePartner, partnerFileOf, partnersIn, readPartners } from '../daemon/partner-files.js';
import { MosrunError, systemCode } from '../shared/errors.js';
import { makeDirectory, readIfThere, removeFile, writeAtomically } from '../shared/files.js';
import { type Column, tableText } from './format.js';
import { bySystemd, directoryOf, usage } from './mosconf-join.js';
import type { Parsed } from './options.js';

type Print = (text: string) => void;

/** A node to knock at is enough; of a large cluster a few more, should some be down. */
const MOST_EXPORTED = 8;

const own = (directory: string) => {
  const configuration = readConfiguration(path.join(directory, 'mosrun.toml'));
  const file = path.join(configuration.paths.certificates, 'ca.pem');
  const ca = readIfThere(file);
  if (ca === null) throw new MosrunError('failed', `${file} is not here: make the cluster first, with mosconf init`);
  return { configuration, ca };
};

function exportOwn(options: Parsed, print: Print): number {
  const { configuration, ca } = own(directoryOf(options));
  const nodes = configuration.nodes.slice(0, MOST_EXPORTED).map(({ address, control_port: port }) => `${address}:${port}`);
  const text = [
    `# What a partner of cluster ${configuration.cluster} has to know of it, nothing of which is secret:`,
    '# mosconf partner add NAME FILE, on each node of the partner. Compare the fingerprint by another way than this file came:',
    `# ${fingerprintText(ca)}`,
    `nodes = ${JSON.stringify(nodes)}`,
    `ca = """\n${ca.trim()}\n"""`,
    '',
  ].join('\n');
  const output = options.get('output');
  if (output === undefined) print(text);
  else {
    writeAtomically(output, text, 0o644);
    print(`${output}: give it to the administrators of the clusters that are to be partners\n`);
  }
  return 0;
}

/** What a partner exported; anything else it might say there of what it may is not taken over. */
function readExport(file: string): { nodes: unknown; ca: string } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new MosrunError('failed', `${file} cannot be read (${systemCode(error)}): name the file that the partner exported`, {
      cause: error,
    });
  }
  let raw: Record<string, unknown>;
  try {
    raw = parse(text);
  } catch (error) {
    const [what] = error instanceof Error ? error.message.split('\n') : [''];
    throw new MosrunError('failed', `${file} is not what mosconf partner export prints (${what}): export it again`, {
      cause: error,
    });
  }
  const { nodes, ca } = raw;
  if (nodes === undefined || typeof ca !== 'string')
    throw new MosrunError('failed', `${file} has no nodes or no ca: it is not what mosconf partner export prints`);
  return { nodes, ca };
}

function reloaded(options: Parsed, print: Print): void {
  if (!bySystemd(options, 'reload', 'mosd')) print('send mosd here a SIGHUP to read it again\n');
}

function add(options: Parsed, print: Print): number {
  const [, , name, file] = options.words;
  if (name === undefined || file === undefined)
    throw usage('mosconf partner add wants a name and the file that the partner exported');
  const named = partnerName.safeParse(name);
  if (!named.success) throw usage(`"${name}" is no name for a partner: ${named.error.issues[0]?.message}`);
  const priority = Number(options.get('priority') ?? '100');
  if (!partnerPriority.safeParse(priority).success)
    throw usage(`--priority wants a number from 1 to 65534, lower is better, not "${options.get('priority')}"`);
  const directory = directoryOf(options);
  const { configuration, ca: ownCa } = own(directory);
  const target = partnerFileOf(directory, name);
  const isThere = existsSync(target);
  if (isThere && !options.has('force'))
    throw new MosrunError('failed', `${target} is there already: use --force to make a new one in its place`);
  const { nodes, ca } = readExport(file);
  const why = whyNoAuthority(ca) ?? (Date.parse(new X509Certificate(ca).validTo) < Date.now() ? 'it has expired' : null);
  if (why !== null) throw new MosrunError('failed', `${file}: ca: ${why}: have the partner export it again`);
  const text = [
    `# Partner ${name} of cluster ${configuration.cluster}: every key is explained in docs/configuration.md`,
    `# Its authority has the fingerprint ${fingerprintText(ca)}`,
    `description = ${JSON.stringify(options.get('description') ?? '')}`,
    '# of its processes here, 1 to 65534: lower is better',
    `priority = ${priority}`,
    '# its processes may come here; ours may be sent there; it may pass ours on to other clusters',
    'may_come = true',
    'may_be_sent_to = true',
    'may_pass_on = true',
    '# also processes with more than the rights of an ordinary user, both ways',
    'privileged = false',
    '# where to knock; it tells of its other nodes itself',
    `nodes = ${JSON.stringify(nodes)}`,
    `ca = """\n${ca.trim()}\n"""`,
    '',
  ].join('\n');
  // What is written is checked as the daemon will: together with the others.
  const partner = parsePartner(text, target);
  makeDirectory(partnersIn(directory));
  const before = readIfThere(target);
  writeAtomically(target, text, 0o644);
  try {
    readPartners(directory, { cluster: configuration.cluster, ca: ownCa });
  } catch (error) {
    if (before === null) removeFile(target);
    else writeAtomically(target, before, 0o644);
    throw error;
  }
  print(
    `${target}: ${name} is a partner, of priority ${partner.priority}; its authority has the fingerprint\n${fingerprintText(ca)}\n`,
  );
  reloaded(options, print);
  return 0;
}

function remove(options: Parsed, print: Print): number {
  const [, , name, tooMuch] = options.words;
  if (name === undefined) throw usage('mosconf partner remove wants the name of a partner');
  if (tooMuch !== undefined) throw usage(`"${tooMuch}" is too much`);
  const file = partnerFileOf(directoryOf(options), name);
  if (!partnerName.safeParse(name).success || !existsSync(file))
    throw new MosrunError('not-found', `there is no partner ${name}: see mosconf partner list`);
  removeFile(file);
  print(`${file}: ${name} is no partner any more\n`);
  reloaded(options, print);
  return 0;
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');

const columns: readonly Column<Partner>[] = [
  { head: 'NAME', text: ({ name }) => name },
  { head: 'PRIORITY', right: true, text: ({ priority }) => `${priority}` },
  { head: 'COMES', text: ({ may_come }) => yes(may_come) },
  { head: 'IS SENT TO', text: ({ may_be_sent_to }) => yes(may_be_sent_to) },
  { head: 'PASSES ON', text: ({ may_pass_on }) => yes(may_pass_on) },
  { head: 'PRIVILEGED', text: ({ privileged }) => yes(privileged) },
  { head: 'NODES', text: ({ nodes }) => nodes.map(({ address, port }) => `${address}:${port}`).join(',') },
  { head: 'FINGERPRINT', text: ({ ca }) => fingerprintText(ca) },
  { head: 'DESCRIPTION', text: ({ description }) => description },
];

export function partner(options: Parsed, print: Print): number {
  const [, verb, ...rest] = options.words;
  if (verb === 'add') return add(options, print);
  if (verb === 'remove') return remove(options, print);
  if (verb !== undefined && !['export', 'list'].includes(verb)) throw usage(`"partner ${verb}" is not understood`);
  if (rest[0] !== undefined) throw usage(`"${rest[0]}" is too much`);
  if (verb === 'export') return exportOwn(options, print);
  if (verb === undefined) throw usage('what of partners: export, add, remove or list?');
  const { configuration } = own(directoryOf(options));
  print(tableText([...configuration.partners], columns, true));
  return 0;
}
