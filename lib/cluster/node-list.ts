/**
 * The list of nodes as the cluster keeps it: made and signed by the node that holds the authority's key, handed on from node to node, the
 * highest revision wins. A node cannot be made to believe a list that the authority did not sign.
 */
import { X509Certificate, createPrivateKey, sign, verify } from 'node:crypto';
import { isIPv4 } from 'node:net';
import path from 'node:path';
import * as z from 'zod';
import { MosrunError } from '../shared/errors.js';
import { readIfThere, writeAtomically } from '../shared/files.js';

const port = z.int().min(1).max(65535);

export const nodeName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/, 'a host name is wanted: letters, digits, dots and dashes')
  .refine(
    (name) => !['home', 'out', 'freeze', 'continue'].includes(name),
    'home, out, freeze and continue are words of migrate, no node can be called so',
  );

export const listedNode = z.strictObject({
  name: nodeName,
  number: z.int().min(1).max(65535),
  // The data port speaks IPv4 only.
  address: z.string().refine(isIPv4, 'an IPv4 address is wanted'),
  control_port: port.default(7070),
  data_port: port.default(7071),
});
export type ListedNode = z.output<typeof listedNode>;

export const nodeList = z.strictObject({
  version: z.literal(1),
  cluster: z.string(),
  /** One more with every change. */
  revision: z.int().positive(),
  nodes: z.array(listedNode).min(1),
  /** By the authority's key (Ed25519), base64. */
  signature: z.string(),
});
export type NodeList = z.output<typeof nodeList>;

/** Each pair of nodes that cannot both be: the field that is the same, and the later node's place. */
export function* conflicts(nodes: readonly ListedNode[]): Generator<{ field: 'name' | 'number' | 'address'; index: number }> {
  for (const field of ['name', 'number', 'address'] as const) {
    const seen = new Set<string | number>();
    for (const [index, node] of nodes.entries()) {
      // Several nodes may share an address when their ports differ.
      const key = field === 'address' ? `${node.address} ${node.control_port}` : node[field];
      if (seen.has(key)) yield { field, index };
      seen.add(key);
    }
  }
}

/** What is signed: the same bytes for the same list, whatever order a file or an answer has its fields in. */
function signedBytes({ cluster, revision, nodes }: Omit<NodeList, 'version' | 'signature'>): Buffer {
  const rows = nodes.map((node) => [node.name, node.number, node.address, node.control_port, node.data_port]);
  return Buffer.from(JSON.stringify(['mosrun node list', cluster, revision, rows]));
}

/** @param key the authority's, PEM. */
export function signList(key: string, cluster: string, revision: number, nodes: readonly ListedNode[]): NodeList {
  const list = { cluster, revision, nodes: [...nodes] };
  return { version: 1, ...list, signature: sign(null, signedBytes(list), createPrivateKey(key)).toString('base64') };
}

/** @param ca the authority's certificate, PEM. */
export const isSigned = (ca: string, list: NodeList): boolean =>
  verify(null, signedBytes(list), new X509Certificate(ca).publicKey, Buffer.from(list.signature, 'base64'));

const fileIn = (directory: string): string => path.join(directory, 'nodes.json');

/** The list beside the configuration; null: this cluster's nodes are in the configuration itself. */
export function readList(directory: string): NodeList | null {
  const text = readIfThere(fileIn(directory));
  if (text === null) return null;
  let raw: unknown = null;
  try {
    raw = JSON.parse(text);
  } catch {
    // Said below, as of any other wrong content.
  }
  const parsed = nodeList.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new MosrunError('configuration', `${fileIn(directory)} is no list of nodes: remove it to get it from another node again`);
}

export function writeList(directory: string, list: NodeList): void {
  writeAtomically(fileIn(directory), `${JSON.stringify(list, null, 2)}\n`, 0o644);
}
