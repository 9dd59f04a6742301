/** Makes and checks a cluster's files: the authority's key stays with the node that made it. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import path from 'node:path';
import { makeAuthority, makeNodeCertificate } from '../cluster/certificates.js';
import { type Configuration, configurationFile, parseConfiguration, readConfiguration } from '../daemon/configuration.js';
import { MosrunError, systemCode } from '../shared/errors.js';
import { makeDirectory, namesIn, removeFile, writeAtomically } from '../shared/files.js';
import { isSigned, readList } from '../cluster/index.js';
import { count } from './format.js';
import {
  checkIsFree,
  directoryOf,
  invitationsFor,
  join,
  numberOf,
  portOf,
  remove,
  shortName,
  startMosd,
  usage,
} from './mosconf-join.js';
import { partner } from './mosconf-partner.js';
import { makeTool } from './mosconf-tool.js';
import type { Parsed } from './options.js';
import type { CommandBody } from './run.js';

interface NewNode {
  name: string;
  number: number;
  address: string;
  controlPort: number | null;
  dataPort: number | null;
}

function required(options: Parsed, name: string): string {
  const value = options.get(name);
  if (value === undefined) throw usage(`--${name} is missing`);
  return value;
}

function newNode(options: Parsed, name: string): NewNode {
  return {
    name,
    number: numberOf(required(options, 'number'), '--number'),
    address: required(options, 'address'),
    controlPort: portOf(options, 'control-port'),
    dataPort: portOf(options, 'data-port'),
  };
}

/** This machine's only address; there is no guessing among several. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const own = all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
  if (own.length === 1 && own[0] !== undefined) return own[0];
  throw usage(
    own.length === 0 ? 'this machine has no IPv4 address: give one with --address' : `choose with --address: ${own.join(', ')}`,
  );
}

/** An entry of the list of nodes; it can be put at the end of any configuration. */
function nodeEntry(node: NewNode): string {
  const lines = [
    '',
    '[[nodes]]',
    `name = ${JSON.stringify(node.name)}`,
    `number = ${node.number}`,
    `address = ${JSON.stringify(node.address)}`,
  ];
  if (node.controlPort !== null) lines.push(`control_port = ${node.controlPort}`);
  if (node.dataPort !== null) lines.push(`data_port = ${node.dataPort}`);
  return `${lines.join('\n')}\n`;
}

function newConfiguration(cluster: string, node: string, nodes: readonly NewNode[]): string {
  const head = [
    '# mosrun: every key and its default is explained in docs/configuration.md',
    `cluster = ${JSON.stringify(cluster)}`,
    '# which of the nodes this one is',
    `node = ${JSON.stringify(node)}`,
    '',
    '# the nodes; where there is a nodes.json, since a machine has joined, that stands for them',
  ];
  return `${head.join('\n')}\n${nodes.map(nodeEntry).join('')}`;
}

const known = (configuration: Configuration): NewNode[] =>
  configuration.nodes.map((node) => ({
    name: node.name,
    number: node.number,
    address: node.address,
    controlPort: node.control_port,
    dataPort: node.data_port,
  }));

async function writeNode(
  directory: string,
  configuration: string,
  authority: { certificate: string; key: string },
  name: string,
): Promise<void> {
  const file = path.join(directory, 'mosrun.toml');
  // What is written is checked as the daemon will: a wrong name or address is found now.
  parseConfiguration(configuration, file);
  const { certificate, key } = await makeNodeCertificate(authority, name);
  makeDirectory(directory);
  writeAtomically(path.join(directory, 'ca.pem'), authority.certificate, 0o644);
  writeAtomically(path.join(directory, 'node.pem'), certificate, 0o644);
  writeAtomically(path.join(directory, 'node.key'), key, 0o600);
  writeAtomically(file, configuration, 0o644);
}

async function init(options: Parsed, print: (text: string) => void): Promise<number> {
  const directory = directoryOf(options);
  const file = checkIsFree(options);
  const cluster = options.get('cluster') ?? 'mosrun';
  const node: NewNode = {
    name: options.get('node') ?? shortName(hostname()),
    number: numberOf(options.get('number') ?? '1', '--number'),
    address: options.get('address') ?? ownAddress(),
    controlPort: portOf(options, 'control-port'),
    dataPort: portOf(options, 'data-port'),
  };
  const authority = await makeAuthority(cluster);
  await writeNode(directory, newConfiguration(cluster, node.name, [node]), authority, node.name);
  writeAtomically(path.join(directory, 'ca.key'), authority.key, 0o600);
  removeFile(path.join(directory, 'nodes.json'));
  print(`${file}: cluster ${cluster} with node ${node.name}; the key of its authority is ${path.join(directory, 'ca.key')}\n`);
  startMosd(options, print);
  const invited = options.get('invite');
  if (invited !== undefined) print(invitationsFor(options, numberOf(invited, '--invite')));
  return 0;
}

async function add(options: Parsed, print: (text: string) => void): Promise<number> {
  const name = options.words[1];
  if (name === undefined) throw usage('which node?');
  const directory = directoryOf(options);
  const file = path.join(directory, 'mosrun.toml');
  const configuration = readConfiguration(file);
  if (readList(directory)) {
    throw new MosrunError(
      'failed',
      'nodes have joined this cluster, which keeps its own list since: add others with mosconf invite',
    );
  }
  const keyFile = path.join(directory, 'ca.key');
  if (!existsSync(keyFile)) {
    throw new MosrunError('failed', `${keyFile} is not here: run mosconf add where the cluster was made`);
  }
  const authority = { certificate: readFileSync(path.join(directory, 'ca.pem'), 'utf8'), key: readFileSync(keyFile, 'utf8') };
  const node = newNode(options, name);
  const output = options.get('output') ?? path.join(directory, 'nodes', name);
  const text = newConfiguration(configuration.cluster, name, [...known(configuration), node]);
  await writeNode(output, text, authority, name);

  // Everybody made here before hears of the new one; entries at the end leave what an administrator wrote as it is.
  const others = namesIn(path.join(directory, 'nodes')).map((other) => path.join(directory, 'nodes', other, 'mosrun.toml'));
  const changed = [file, ...others].filter(
    (other) => existsSync(other) && path.resolve(other) !== path.resolve(output, 'mosrun.toml'),
  );
  for (const other of changed) appendFileSync(other, nodeEntry(node));
  print(`${output}: copy it to /etc/mosrun on ${name}\n`);
  for (const other of changed) print(`${other}: ${name} added; send mosd there a SIGHUP to read it again\n`);
  return 0;
}

function check(options: Parsed, print: (text: string) => void): number {
  const directory = options.get('directory');
  const file =
    options.get('config') ?? (directory === undefined ? configurationFile(undefined) : path.join(directory, 'mosrun.toml'));
  const configuration = readConfiguration(file);
  const at = (name: string): string => path.join(configuration.paths.certificates, name);
  const wrong = (what: string): MosrunError => new MosrunError('configuration', `${what}: make it again with mosconf`);
  const read = (name: string): string => {
    if (!existsSync(at(name))) throw wrong(`${at(name)} is missing`);
    return readFileSync(at(name), 'utf8');
  };
  const authority = new X509Certificate(read('ca.pem'));
  const certificate = new X509Certificate(read('node.pem'));
  if (!certificate.verify(authority.publicKey)) throw wrong(`${at('node.pem')} is not signed by ${at('ca.pem')}`);
  if (!certificate.checkPrivateKey(createPrivateKey(read('node.key'))))
    throw wrong(`${at('node.key')} does not belong to ${at('node.pem')}`);
  if (certificate.subject !== `CN=${configuration.node}`)
    throw wrong(`${at('node.pem')} is for ${certificate.subject}, not for ${configuration.node}`);
  for (const name of ['node.key', 'ca.key']) {
    if (!existsSync(at(name)) || (statSync(at(name)).mode & 0o077) === 0) continue;
    throw new MosrunError('configuration', `${at(name)} can be read by others than its owner: chmod 600 ${at(name)}`);
  }
  const list = readList(path.dirname(configuration.file));
  if (list && !isSigned(read('ca.pem'), list)) {
    const nodes = path.join(path.dirname(configuration.file), 'nodes.json');
    throw new MosrunError(
      'configuration',
      `${nodes} is not as the authority signed it: remove it to get it from another node again`,
    );
  }
  if (Date.parse(certificate.validTo) < Date.now()) throw wrong(`${at('node.pem')} has expired`);
  const partners = configuration.partners.length > 0 ? `, ${count(configuration.partners.length, 'partner')}` : '';
  print(
    `${configuration.file}: correct; node ${configuration.node} of cluster ${configuration.cluster}, ${count(configuration.nodes.length, 'node')}${partners}\n`,
  );
  return 0;
}

/** Nearly all of its files are root's, and each of its words meets one of them first. */
async function asRoot(work: Promise<number>): Promise<number> {
  try {
    return await work;
  } catch (error) {
    const file = (error as NodeJS.ErrnoException).path;
    if (!['EACCES', 'EPERM'].includes(systemCode(error)) || file === undefined) throw error;
    throw new MosrunError('not-permitted', `${file}: permission denied: run mosconf as root`, { cause: error });
  }
}

export const mosconf: CommandBody = (options, print) => asRoot(order(options, print));

const order: CommandBody = async (options, print) => {
  // Node 20.19 calls Ed25519 experimental in its WebCrypto, on standard error: nothing that the user could do something about.
  process.removeAllListeners('warning');
  const [verb] = options.words;
  const most = verb === 'partner' ? 4 : ['add', 'tool', 'invite', 'join', 'remove'].includes(verb ?? '') ? 2 : 1;
  if (options.words.length > most) throw usage(`"${options.words[most]}" is too much`);
  if (verb === 'init') return init(options, print);
  if (verb === 'add') return add(options, print);
  if (verb === 'tool') return makeTool(options, print);
  if (verb === 'invite') {
    print(invitationsFor(options, numberOf(options.words[1] ?? '1', 'mosconf invite')));
    return 0;
  }
  if (verb === 'join') return join(options, print);
  if (verb === 'remove') return remove(options, print);
  if (verb === 'partner') return partner(options, print);
  if (verb === 'check') return check(options, print);
  throw usage(verb ? `"${verb}" is not understood` : 'what shall be done?');
};
