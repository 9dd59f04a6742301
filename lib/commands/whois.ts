/** Who is behind a name or a number: a node, one of our processes, a guest. */
import type { Cluster } from '../api/index.js';
import type { GuestDocument, NodeDocument, ProcessDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { jsonText, printable } from './format.js';

interface Found {
  nodes: NodeDocument[];
  processes: ProcessDocument[];
  guests: GuestDocument[];
}

const nodeText = (one: NodeDocument): string =>
  `node ${one.name}, number ${one.number}, ${one.address}, ${one.state}${one.why === null ? '' : ` (${one.why})`}`;

const processText = (one: ProcessDocument): string =>
  `process ${one.pid} of ${one.user}, at home here on ${one.home}, now on ${one.where}: ${one.command}`;

const guestText = (one: GuestDocument): string =>
  `guest ${one.pid ?? '(arriving)'}, process ${one.home_pid ?? '?'} of ${one.home ?? 'an unknown home'}, user ${one.uid ?? '?'} there: ${one.command}`;

/** A number may be a node's and a process's both: then both are told. */
export async function whois(cluster: Cluster, wanted: string, json: boolean, print: (text: string) => void): Promise<number> {
  const [nodes, { processes, guests }] = await Promise.all([cluster.nodes(), cluster.listing()]);
  const found: Found = {
    nodes: nodes.filter((one) => [one.name, one.address, ...(one.partner ? [] : [`${one.number}`])].includes(wanted)),
    processes: processes.filter((one) => `${one.pid}` === wanted),
    guests: guests.filter((one) => `${one.pid}` === wanted || `${one.home_pid}` === wanted),
  };
  const lines = [...found.nodes.map(nodeText), ...found.processes.map(processText), ...found.guests.map(guestText)];
  if (lines.length === 0)
    throw new MosrunError('not-found', `no node, process or guest here is ${wanted}: see mosctl nodes and mosps`);
  print(json ? jsonText({ version: DOCUMENT_VERSION, ...found }) : lines.map((line) => `${printable(line)}\n`).join(''));
  return 0;
}
