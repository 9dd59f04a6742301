import { Cluster } from '../api/index.js';
import type { DoctorDocument, NodeDocument, StatusDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { type Column, bytesText, jsonText, tableText } from './format.js';
import type { CommandBody } from './run.js';

const known = <T>(value: T | null, text: (value: T) => string): string => (value === null ? '-' : text(value));

const nodeColumns: readonly Column<NodeDocument>[] = [
  { head: 'NODE', text: (one) => one.name },
  { head: 'NUMBER', right: true, text: (one) => `${one.number}` },
  { head: 'ADDRESS', text: (one) => one.address },
  { head: 'STATE', text: (one) => one.state },
  { head: 'LOAD', right: true, text: (one) => known(one.load, (load) => load.toFixed(2)) },
  { head: 'CPUS', right: true, text: (one) => known(one.cpus, String) },
  { head: 'FREE', right: true, text: (one) => known(one.memory_free_bytes, bytesText) },
  { head: 'MEMORY', right: true, text: (one) => known(one.memory_bytes, bytesText) },
  { head: 'GUESTS', right: true, text: (one) => known(one.guests, String) },
  { head: 'WHY', text: (one) => known(one.why, String) },
];

function statusText(status: StatusDocument): string {
  const { configuration, data_port: dataPort } = status;
  const rows: [string, string][] = [
    ['node', `${status.node} (number ${status.number}) of cluster ${status.cluster}`],
    ['daemon', `mosd ${status.mosrun_version}, process ${status.pid}, up for ${status.uptime_seconds.toFixed(0)} s`],
    [
      'configuration',
      configuration.error ? `${configuration.file}: WRONG, the old one stays: ${configuration.error}` : configuration.file,
    ],
    ['data port', dataPort.ok ? 'open' : `closed: ${dataPort.message}`],
    ['tracking', status.tracking],
    ['processes', `${status.processes}, of which ${status.away} away`],
    ['guests', `${status.guests}`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(15)}${text}\n`).join('');
}

function doctorText(document: DoctorDocument): string {
  return document.checks
    .map((check) => {
      const detail = check.detail ? ` (${check.detail})` : '';
      const mark = check.ok ? 'ok' : check.needed ? 'MISSING' : 'missing';
      return `${mark.padEnd(9)}${check.name}${detail}${check.ok ? '' : `: ${check.lost}`}\n`;
    })
    .join('');
}

export const mosctl: CommandBody = async (options, print) => {
  const [verb, ...rest] = options.words;
  if (!verb || !['status', 'nodes', 'doctor'].includes(verb) || rest.length > 0) {
    throw new MosrunError(
      'usage',
      `${verb ? `"${options.words.join(' ')}" is not understood` : 'what about?'}: see mosctl --help`,
    );
  }
  const cluster = await Cluster.connect();
  const json = options.has('json');
  if (verb === 'status') {
    const status = await cluster.status();
    print(json ? jsonText(status) : statusText(status));
    return 0;
  }
  if (verb === 'nodes') {
    const nodes = await cluster.nodes();
    print(json ? jsonText({ version: DOCUMENT_VERSION, nodes }) : tableText(nodes, nodeColumns, !options.has('no-header')));
    return 0;
  }
  const document = await cluster.doctor();
  print(json ? jsonText(document) : doctorText(document));
  return document.ok ? 0 : 1;
};
