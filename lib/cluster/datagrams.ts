/**
 * How nodes tell each other what they know: one datagram, signed by its sender. Little-endian:
 *
 *     magic "MOSG", version 1, kind (1 news, 2 heard; 3, 4: the same to a node of another cluster), size of an entry u16
 *     from u16, to u16: numbers of nodes;  life u64, sequence u32;  number of entries u16
 *     kinds 3 and 4: the clusters of both, 8 bytes each (beginnings of their authorities' fingerprints)
 *     entries of news: node u16, flags u8, gone u8, age u32 (ms), facts; and, if they are so long,
 *              number u16 and cluster (8 bytes) of a node of another cluster, whose first field is then 0, a number that no node has;
 *              u16: a checksum of its labels, 0: it has none
 *     one entry of what says heard, of node 0, which there is not: behind its first 8 bytes sequence u32 of the news that were heard,
 *              and what the clock of who heard them shows, u64 (µs since 1970)
 *     signature (Ed25519, 64 bytes) of all before it
 *
 * A later version may make entries longer: what comes after the known fields is skipped, so that neighbouring versions understand each other. One that
 * knows nothing of other clusters drops the kinds and the nodes it does not know. An earlier version says heard without any entry, and leaves the end of the
 * facts zero, which a flag tells from zeros that are meant.
 */
import { createHash } from 'node:crypto';
import type { Heartbeat } from '../shared/wire.js';
import type { News } from './board.js';
import type { NodeAddress } from './membership.js';

/** The name of a node in entries. */
export const inDatagrams = ({ number, authority }: NodeAddress): string =>
  authority === undefined ? `${number}` : `${number}@${authority}`;

export type DatagramKind = 'news' | 'heard';

/** What who has heard news says of them. */
export interface Heard {
  /** Of the news. */
  sequence: number;
  /** What its clock shows, since 1970. */
  clockSeconds: number;
}

export interface Datagram {
  kind: DatagramKind;
  /** Numbers of nodes. */
  from: number;
  to: number;
  /** Of both, where they are not of one cluster. */
  clusters?: { from: string; to: string };
  /** Of the sender: greater than that of any daemon there before. */
  life: number;
  /** Greater with each datagram of a life. */
  sequence: number;
  /** Their names are numbers of nodes, in digits; behind those of other clusters than the sender's these, as `3@0123456789abcdef`. */
  news: News<Heartbeat>[];
  /** Of one that says heard, unless an earlier version does. */
  heard?: Heard;
}

const MAGIC = 'MOSG';
const VERSION = 1;
const kinds = ['', 'news', 'heard', 'news', 'heard'] as const;
/** So much is added to the number of a kind. */
const ABROAD = 2;
const states = ['up', 'leaving', 'blocked'] as const;
/** In the order of their numbers in datagrams; what is not among them is sent as the first. */
const reasons = ['it gives no sign of life', 'it was shut down', 'it cannot be reached', 'its daemon does not run'] as const;

const HEAD_BYTES = 26;
const ENTRY_HEAD_BYTES = 8;
const ENTRY_BYTES = 80;
const CLUSTER_BYTES = 8;
const CLUSTERS_BYTES = 2 * CLUSTER_BYTES;
/** With what not every entry has. */
const LONG_ENTRY_BYTES = ENTRY_BYTES + 2 + CLUSTER_BYTES + 2;
export const SIGNATURE_BYTES = 64;
/** What fits into one packet of an Ethernet, with its headers. */
export const LONGEST_DATAGRAM_BYTES = 1432;
const fits = (size: number): number => Math.floor((LONGEST_DATAGRAM_BYTES - HEAD_BYTES - SIGNATURE_BYTES) / size);
export const MOST_ENTRIES = fits(ENTRY_BYTES);
const OLDEST_MILLISECONDS = 0xffffffff;

const HAS_FACTS = 1;
const HAS_RUNNABLE = 2;
const STATE_SHIFT = 2;
/** Swap space and frozen processes are told. */
const HAS_MORE = 16;

/** Amounts are told as so many MiB times two to the power of the bits above: exact to the MiB below 2 GiB, and else to a thousandth. */
const AMOUNT_BITS = 11;
const MOST_OF_AMOUNT = 2 ** AMOUNT_BITS - 1;
const MIB = 2 ** 20;

function writeAmount(bytes: Buffer, at: number, amount: number): number {
  let left = amount / MIB;
  let power = 0;
  for (; Math.round(left) > MOST_OF_AMOUNT && power < 31; power++) left /= 2;
  return bytes.writeUInt16LE((power << AMOUNT_BITS) + Math.min(MOST_OF_AMOUNT, Math.round(left)), at);
}

function readAmount(bytes: Buffer, at: number): number {
  const code = bytes.readUInt16LE(at);
  return (code & MOST_OF_AMOUNT) * 2 ** (code >> AMOUNT_BITS) * MIB;
}

/** Three numbers apart by dots, each of a byte or two; of more only these. */
function writeVersion(bytes: Buffer, at: number, text: string, size: 1 | 2): number {
  const parts = text.split(/[^0-9]+/, 3).map(Number);
  for (let index = 0; index < 3; index++)
    bytes.writeUIntLE(Math.min(parts[index] ?? 0, 2 ** (8 * size) - 1), at + index * size, size);
  return at + 3 * size;
}

const readVersion = (bytes: Buffer, at: number, size: 1 | 2): string =>
  [0, 1, 2].map((index) => bytes.readUIntLE(at + index * size, size)).join('.');

const writeHex = (bytes: Buffer, at: number, text: string, size: number): number => {
  bytes.write(
    text
      .replaceAll('-', '')
      .padEnd(2 * size, '0')
      .slice(0, 2 * size),
    at,
    'hex',
  );
  return at + size;
};

const bootIdOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** What came from a node of an earlier version does not. */
const tellsMore = ({ frozen, swap_bytes: swap, swap_free_bytes: free }: Heartbeat): boolean =>
  frozen !== null && swap !== null && free !== null;

function writeFacts(bytes: Buffer, start: number, facts: Heartbeat): void {
  let at = bytes.writeUInt8(Math.min(facts.protocol, 255), start);
  at = writeHex(bytes, at, facts.boot_id, 16);
  at = writeHex(bytes, at, facts.cpu_hash, 8);
  for (const value of [facts.cpus, facts.load, facts.runnable ?? 0, facts.speed, facts.memory_bytes, facts.memory_free_bytes])
    at = bytes.writeFloatLE(value, at);
  at = bytes.writeUInt32LE(Math.min(facts.guests, 0xffffffff), at);
  at = bytes.writeUInt32LE(facts.revision, at);
  at = writeVersion(bytes, at, facts.kernel, 2);
  at = writeVersion(bytes, at, facts.mosrun_version, 1);
  if (!tellsMore(facts)) return;
  at = bytes.writeUInt16LE(Math.min(facts.frozen ?? 0, 0xffff), at);
  writeAmount(bytes, writeAmount(bytes, at, facts.swap_bytes ?? 0), facts.swap_free_bytes ?? 0);
}

function readFacts(bytes: Buffer, start: number, node: number, flags: number): Heartbeat | null {
  let at = start + 25;
  const float = (): number => {
    const value = bytes.readFloatLE(at);
    at += 4;
    return value;
  };
  // What a float can tell apart: 0.6 processors are not 0.6000000238 where they arrive.
  const figure = (): number => Number(float().toPrecision(7));
  const figures = [figure(), figure(), figure(), figure(), float(), float()];
  const [cpus = 0, load = 0, runnable = 0, speed = 0, memory = 0, free = 0] = figures;
  const state = states[(flags >> STATE_SHIFT) & 3];
  if (!state || figures.some((value) => !Number.isFinite(value) || value < 0) || speed === 0) return null;
  return {
    protocol: bytes.readUInt8(start),
    boot_id: bootIdOf(bytes.toString('hex', start + 1, start + 17)),
    cpu_hash: bytes.toString('hex', start + 17, start + 25),
    node: `${node}`,
    number: node,
    state,
    cpus,
    load,
    runnable: flags & HAS_RUNNABLE ? runnable : null,
    speed,
    memory_bytes: memory,
    memory_free_bytes: free,
    guests: bytes.readUInt32LE(at),
    revision: bytes.readUInt32LE(at + 4),
    kernel: readVersion(bytes, at + 8, 2),
    mosrun_version: readVersion(bytes, at + 14, 1),
    frozen: flags & HAS_MORE ? bytes.readUInt16LE(at + 17) : null,
    swap_bytes: flags & HAS_MORE ? readAmount(bytes, at + 19) : null,
    swap_free_bytes: flags & HAS_MORE ? readAmount(bytes, at + 21) : null,
  };
}

/** Tells one set of labels from another, mostly; 0: there is none. */
export function checksumOf(labels: readonly string[] | undefined): number {
  if (!labels || labels.length === 0) return 0;
  return (createHash('sha256').update(JSON.stringify(labels)).digest().readUInt16LE(0) % 65_535) + 1;
}

const isLong = ({ node, facts }: News<Heartbeat>): boolean => node.includes('@') || labelsOf(facts) !== 0;

/** What a node says itself has the labels; what was heard of it has their checksum. */
const labelsOf = (facts: Heartbeat | null): number => (facts?.labels ? checksumOf(facts.labels) : (facts?.labels_checksum ?? 0));

const flagsOf = (facts: Heartbeat): number =>
  HAS_FACTS |
  (facts.runnable === null ? 0 : HAS_RUNNABLE) |
  (states.indexOf(facts.state) << STATE_SHIFT) |
  (tellsMore(facts) ? HAS_MORE : 0);

function writeEntry(bytes: Buffer, at: number, size: number, { node, ageSeconds, facts, gone }: News<Heartbeat>): void {
  const [number = '', cluster] = node.split('@');
  bytes.writeUInt16LE(cluster === undefined ? Number(number) : 0, at);
  if (size === LONG_ENTRY_BYTES) {
    const more = at + ENTRY_BYTES;
    if (cluster !== undefined) writeHex(bytes, bytes.writeUInt16LE(Number(number), more), cluster, CLUSTER_BYTES);
    bytes.writeUInt16LE(labelsOf(facts), more + 2 + CLUSTER_BYTES);
  }
  bytes.writeUInt8(facts ? flagsOf(facts) : 0, at + 2);
  bytes.writeUInt8(gone === null ? 0 : Math.max(0, reasons.indexOf(gone as never)) + 1, at + 3);
  bytes.writeUInt32LE(Math.min(OLDEST_MILLISECONDS, Math.round(ageSeconds * 1000)), at + 4);
  if (facts) writeFacts(bytes, at + ENTRY_HEAD_BYTES, facts);
}

function writeHeard(bytes: Buffer, start: number, { sequence, clockSeconds }: Heard): void {
  const at = bytes.writeUInt32LE(sequence, start + ENTRY_HEAD_BYTES);
  bytes.writeBigUInt64LE(BigInt(Math.max(0, Math.round(clockSeconds * 1e6))), at);
}

/** null: an earlier version says nothing of it. */
function readHeard(bytes: Buffer, start: number, end: number): Heard | null {
  if (start === end || bytes.readUInt16LE(start) !== 0) return null;
  const at = start + ENTRY_HEAD_BYTES;
  return { sequence: bytes.readUInt32LE(at), clockSeconds: Number(bytes.readBigUInt64LE(at + 4)) / 1e6 };
}

/** @param sign makes the signature of what comes before it. Entries that do not fit in are left out. */
export function encodeDatagram(datagram: Datagram, sign: (bytes: Buffer) => Buffer): Buffer {
  const { kind, from, to, clusters, life, sequence, news, heard } = datagram;
  const size = news.slice(0, MOST_ENTRIES).some(isLong) ? LONG_ENTRY_BYTES : ENTRY_BYTES;
  const entries = news.slice(0, fits(size));
  const head = HEAD_BYTES + (clusters ? CLUSTERS_BYTES : 0);
  const count = heard ? 1 : entries.length;
  const bytes = Buffer.alloc(head + count * size);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt8(VERSION, 4);
  bytes.writeUInt8(kinds.indexOf(kind) + (clusters ? ABROAD : 0), 5);
  bytes.writeUInt16LE(size, 6);
  bytes.writeUInt16LE(from, 8);
  bytes.writeUInt16LE(to, 10);
  bytes.writeBigUInt64LE(BigInt(life), 12);
  bytes.writeUInt32LE(sequence, 20);
  bytes.writeUInt16LE(count, 24);
  if (clusters) writeHex(bytes, writeHex(bytes, HEAD_BYTES, clusters.from, CLUSTER_BYTES), clusters.to, CLUSTER_BYTES);
  if (heard) writeHeard(bytes, head, heard);
  else for (const [index, one] of entries.entries()) writeEntry(bytes, head + index * size, size, one);
  return Buffer.concat([bytes, sign(bytes)]);
}

export interface Received extends Datagram {
  signed: Buffer;
  signature: Buffer;
}

/** null: it is none that this node understands. Nothing in it is to be believed before its signature is checked. */
export function decodeDatagram(bytes: Buffer): Received | null {
  if (bytes.length < HEAD_BYTES + SIGNATURE_BYTES || bytes.length > LONGEST_DATAGRAM_BYTES) return null;
  if (bytes.toString('latin1', 0, 4) !== MAGIC || bytes.readUInt8(4) !== VERSION) return null;
  const kindNumber = bytes.readUInt8(5);
  const kind = kinds[kindNumber];
  const isAbroad = kindNumber > ABROAD;
  const head = HEAD_BYTES + (isAbroad ? CLUSTERS_BYTES : 0);
  const entrySize = bytes.readUInt16LE(6);
  const count = bytes.readUInt16LE(24);
  const end = bytes.length - SIGNATURE_BYTES;
  if (!kind || entrySize < ENTRY_BYTES || head + count * entrySize !== end) return null;
  const news: News<Heartbeat>[] = [];
  const readCluster = (at: number): string => bytes.toString('hex', at, at + CLUSTER_BYTES);
  for (let at = head; at < end; at += entrySize) {
    const isOfSender = bytes.readUInt16LE(at) !== 0;
    const more = entrySize >= LONG_ENTRY_BYTES ? at + ENTRY_BYTES : null;
    if (!isOfSender && more === null) continue;
    const node = isOfSender ? bytes.readUInt16LE(at) : bytes.readUInt16LE(more as number);
    const name = isOfSender ? `${node}` : `${node}@${readCluster((more as number) + 2)}`;
    const flags = bytes.readUInt8(at + 2);
    const reason = bytes.readUInt8(at + 3);
    const facts = flags & HAS_FACTS ? readFacts(bytes, at + ENTRY_HEAD_BYTES, node, flags) : null;
    // One wrong entry is no reason to hear nothing of the others.
    if (flags & HAS_FACTS && !facts) continue;
    const gone = reason === 0 ? null : (reasons[reason - 1] ?? reasons[0]);
    if (!facts && gone === null) continue;
    const labels = more === null ? 0 : bytes.readUInt16LE(more + 2 + CLUSTER_BYTES);
    if (facts) facts.node = name;
    if (facts && labels !== 0) facts.labels_checksum = labels;
    news.push({ node: name, ageSeconds: bytes.readUInt32LE(at + 4) / 1000, facts, gone });
  }
  const heard = kind === 'heard' ? readHeard(bytes, head, end) : null;
  const life = Number(bytes.readBigUInt64LE(12));
  if (!Number.isSafeInteger(life)) return null;
  return {
    kind,
    from: bytes.readUInt16LE(8),
    to: bytes.readUInt16LE(10),
    ...(isAbroad ? { clusters: { from: readCluster(HEAD_BYTES), to: readCluster(HEAD_BYTES + CLUSTER_BYTES) } } : {}),
    life,
    sequence: bytes.readUInt32LE(20),
    news,
    ...(heard ? { heard } : {}),
    signed: bytes.subarray(0, end),
    signature: bytes.subarray(end),
  };
}
