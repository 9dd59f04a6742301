/** Makes and checks a cluster's files: the authority's key stays with the node that made it, each node gets a directory of its own. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makeAuthority, makeNodeCertificate } from '../cluster/certificates.js';
import { type Configuration, configurationFile, parseConfiguration, readConfiguration } from '../daemon/configuration.js';
import { MosrunError } from '../shared/errors.js';
import { makeDirectory, namesIn, writeAtomically } from '../shared/files.js';
import type { Parsed } from './options.js';
import type { CommandBody } from './run.js';

const usage = (what: string): MosrunError => new MosrunError('usage', `${what}: see mosconf --help`);

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

function numberOf(text: string, name: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 65535) throw usage(`--${name} wants a number from 1 to 65535, not "${text}"`);
  return number;
}

function newNode(options: Parsed, name: string): NewNode {
  const port = (option: string): number | null => {
    const text = options.get(option);
    return text === undefined ? null : numberOf(text, option);
  };
  return {
    name,
    number: numberOf(required(options, 'number'), 'number'),
    address: required(options, 'address'),
    controlPort: port('control-port'),
    dataPort: port('data-port'),
  };
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
    '# which of the nodes below this one is',
    `node = ${JSON.stringify(node)}`,
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
  const directory = options.get('directory') ?? '/etc/mosrun';
  const file = path.join(directory, 'mosrun.toml');
  if (existsSync(file) && !options.has('force')) {
    throw new MosrunError('failed', `${file} is there already: use --force to make a new cluster in its place`);
  }
  const cluster = required(options, 'cluster');
  const node = newNode(options, required(options, 'node'));
  const authority = await makeAuthority(cluster);
  await writeNode(directory, newConfiguration(cluster, node.name, [node]), authority, node.name);
  writeAtomically(path.join(directory, 'ca.key'), authority.key, 0o600);
  print(`${file}: cluster ${cluster} with node ${node.name}; the key of its authority is ${path.join(directory, 'ca.key')}\n`);
  return 0;
}

async function add(options: Parsed, print: (text: string) => void): Promise<number> {
  const name = options.words[1];
  if (name === undefined) throw usage('which node?');
  const directory = options.get('directory') ?? '/etc/mosrun';
  const file = path.join(directory, 'mosrun.toml');
  const configuration = readConfiguration(file);
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
  if (Date.parse(certificate.validTo) < Date.now()) throw wrong(`${at('node.pem')} has expired`);
  print(
    `${configuration.file}: correct; node ${configuration.node} of cluster ${configuration.cluster}, ${configuration.nodes.length} nodes\n`,
  );
  return 0;
}

export const mosconf: CommandBody = async (options, print) => {
  const [verb] = options.words;
  const most = verb === 'add' ? 2 : 1;
  if (options.words.length > most) throw usage(`"${options.words[most]}" is too much`);
  if (verb === 'init') return init(options, print);
  if (verb === 'add') return add(options, print);
  if (verb === 'check') return check(options, print);
  throw usage(verb ? `"${verb}" is not understood` : 'what shall be done?');
};
