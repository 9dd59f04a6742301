/** How machines come into a cluster and leave it: invitations, joining, removal; and what all of mosconf shares. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { makeRequest } from '../cluster/certificates.js';
import { Invitations, askToJoin, isSigned, nodeList, parseToken, signList, writeList } from '../cluster/index.js';
import { type Configuration, invitationsIn, parseConfiguration, readConfiguration } from '../daemon/configuration.js';
import { MosrunError } from '../shared/errors.js';
import { count } from './format.js';
import { makeDirectory, readIfThere, writeAtomically } from '../shared/files.js';
import type { Parsed } from './options.js';

const USUAL_DIRECTORY = '/etc/mosrun';
const CONTROL_PORT = 7070;
const DATA_PORT = 7071;

type Print = (text: string) => void;

export const usage = (what: string): MosrunError => new MosrunError('usage', `${what}: see mosconf --help`);

/** @param what it is the number of, as the user wrote it. */
export function numberOf(text: string, what: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 65535) throw usage(`${what} wants a number from 1 to 65535, not "${text}"`);
  return number;
}

export function portOf(options: Parsed, name: string): number | null {
  const text = options.get(name);
  return text === undefined ? null : numberOf(text, `--${name}`);
}

export const directoryOf = (options: Parsed): string => options.get('directory') ?? USUAL_DIRECTORY;

export const shortName = (host: string): string => host.split('.')[0] ?? host;

/** The configuration file to be made. */
export function checkIsFree(options: Parsed): string {
  const file = path.join(directoryOf(options), 'mosrun.toml');
  if (!existsSync(file) || options.has('force')) return file;
  throw new MosrunError('failed', `${file} is there already: use --force to make a new one in its place`);
}

/** Has the service manager do so where there is one (sd_booted(3), and process 1 of this very namespace) and this is the machine's own configuration. */
export function bySystemd(options: Parsed, ...words: string[]): boolean {
  const isThere = existsSync('/run/systemd/system') && readIfThere('/proc/1/comm')?.trim() === 'systemd';
  if (!isThere || options.has('no-start') || path.resolve(directoryOf(options)) !== USUAL_DIRECTORY) return false;
  const { status, stderr } = spawnSync('systemctl', words, { encoding: 'utf8' });
  if (status === 0) return true;
  throw new MosrunError(
    'failed',
    `systemctl ${words.join(' ')}: ${(stderr || `status ${status}`).trim()}: see journalctl -u mosd`,
  );
}

export function startMosd(options: Parsed, print: Print): void {
  print(bySystemd(options, 'enable', '--now', 'mosd') ? 'mosd was started\n' : 'start mosd here, as root\n');
}

function authorityOf(configuration: Configuration): { certificate: string; key: string } {
  const read = (name: string): string => {
    const file = path.join(configuration.paths.certificates, name);
    const text = readIfThere(file);
    if (text === null) throw new MosrunError('failed', `${file} is not here: do this on the node that made the cluster`);
    return text;
  };
  return { certificate: read('ca.pem'), key: read('ca.key') };
}

/** One command line each, to be given to whoever administers the other machine. */
export function invitationsFor(options: Parsed, count: number): string {
  const configuration = readConfiguration(path.join(directoryOf(options), 'mosrun.toml'));
  const hours = numberOf(options.get('hours') ?? '24', '--hours');
  const own = configuration.nodes.find(({ name }) => name === configuration.node);
  const invitations = new Invitations(invitationsIn(configuration), () => Date.now() / 1000);
  const { certificate } = authorityOf(configuration);
  const port = own?.control_port === CONTROL_PORT ? '' : `:${own?.control_port}`;
  const lines = Array.from(
    { length: count },
    () => `mosconf join ${own?.address}${port} --token ${invitations.create(certificate, hours * 3600)}`,
  );
  return `each of these lets one machine in, once, within ${hours} h; run it there, as root:\n${lines.join('\n')}\n`;
}

function hostAndPort(text: string): { host: string; port: number } {
  const [, host = '', port] = /^([^:]+)(?::(\d+))?$/.exec(text) ?? [];
  if (host === '') throw usage(`"${text}" is no address of a node`);
  return { host, port: port === undefined ? CONTROL_PORT : numberOf(port, 'the port of the other node') };
}

export async function join(options: Parsed, print: Print): Promise<number> {
  const [, where] = options.words;
  const tokenText = options.get('token');
  if (where === undefined) throw usage('join by which node?');
  if (tokenText === undefined) throw usage('--token is missing');
  const { host, port } = hostAndPort(where);
  const file = checkIsFree(options);
  const number = options.get('number');
  const name = options.get('node') ?? shortName(hostname());
  const { key, request } = await makeRequest(name);
  const answer = await askToJoin(host, port, parseToken(tokenText), (ownAddress) => ({
    name,
    number: number === undefined ? null : numberOf(number, '--number'),
    address: options.get('address') ?? ownAddress.replace(/^::ffff:/, ''),
    control_port: portOf(options, 'control-port') ?? CONTROL_PORT,
    data_port: portOf(options, 'data-port') ?? DATA_PORT,
    request,
  }));
  const list = nodeList.safeParse(answer.list);
  if (!list.success || !isSigned(answer.ca, list.data)) {
    throw new MosrunError(
      'protocol',
      `${where} sent no list of nodes that its authority has signed: compare the versions of mosrun`,
    );
  }
  const text = [
    '# mosrun: every key and its default is explained in docs/configuration.md',
    `cluster = ${JSON.stringify(answer.cluster)}`,
    '# which of the nodes in nodes.json this one is; the cluster keeps that list itself',
    `node = ${JSON.stringify(name)}`,
    '',
  ].join('\n');
  parseConfiguration(text, file, list.data);
  const directory = directoryOf(options);
  makeDirectory(directory);
  writeAtomically(path.join(directory, 'ca.pem'), answer.ca, 0o644);
  writeAtomically(path.join(directory, 'node.pem'), answer.certificate, 0o644);
  writeAtomically(path.join(directory, 'node.key'), key, 0o600);
  writeList(directory, list.data);
  writeAtomically(file, text, 0o644);
  const own = list.data.nodes.find((one) => one.name === name);
  print(
    `${file}: node ${name} (number ${own?.number}, ${own?.address}) of cluster ${answer.cluster}, ${count(list.data.nodes.length, 'node')}\n`,
  );
  startMosd(options, print);
  return 0;
}

export async function remove(options: Parsed, print: Print): Promise<number> {
  const [, name] = options.words;
  if (name === undefined) throw usage('which node?');
  const directory = directoryOf(options);
  const configuration = readConfiguration(path.join(directory, 'mosrun.toml'));
  const { key } = authorityOf(configuration);
  if (name === configuration.node) throw new MosrunError('refused', `${name} holds the authority's key: it cannot be removed`);
  const nodes = configuration.nodes.filter((one) => one.name !== name);
  if (nodes.length === configuration.nodes.length)
    throw new MosrunError('unknown-node', `no node is called ${name}: see mosctl nodes`);
  writeList(directory, signList(key, configuration.cluster, configuration.revision + 1, nodes));
  print(`${name} is no longer a node of ${configuration.cluster}\n`);
  if (!bySystemd(options, 'reload', 'mosd')) print('send mosd here a SIGHUP; it tells the others\n');
  return 0;
}
