import { Cluster } from '../api/index.js';
import type { DoctorDocument, NodeDocument, OperationDocument, StatusDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { printEvents } from './events.js';
import { type Column, bytesText, count, jsonText, offsetText, printable, swapText, tableText } from './format.js';
import { fieldsText } from './fields.js';
import { change, movedTexts, operate, operationVerbs, settingVerbs, wordedVerbs } from './orders.js';
import type { CommandBody } from './run.js';
import { commands } from './table.js';
import { whois } from './whois.js';

const known = <T>(value: T | null, text: (value: T) => string): string => (value === null ? '-' : text(value));

const nodeColumns: readonly Column<NodeDocument>[] = [
  { head: 'NODE', text: (one) => one.name },
  { head: 'CLUSTER', text: (one) => one.cluster },
  { head: 'NUMBER', right: true, text: (one) => `${one.number}` },
  { head: 'ADDRESS', text: (one) => one.address },
  { head: 'STATE', text: (one) => one.state },
  { head: 'LOAD', right: true, text: (one) => known(one.load, (load) => load.toFixed(2)) },
  { head: 'CPUS', right: true, text: (one) => known(one.cpus, String) },
  { head: 'FREE', right: true, text: (one) => known(one.memory_free_bytes, bytesText) },
  { head: 'MEMORY', right: true, text: (one) => known(one.memory_bytes, bytesText) },
  { head: 'SWAP', right: true, text: (one) => known(one.swap_bytes, (bytes) => swapText(bytes, one.swap_free_bytes ?? 0)) },
  { head: 'GUESTS', right: true, text: (one) => known(one.guests, String) },
  { head: 'FROZEN', right: true, text: (one) => known(one.frozen, String) },
  { head: 'CLOCK', right: true, text: (one) => known(one.clock_offset_seconds, offsetText) },
  { head: 'WHY', text: (one) => known(one.why, String) },
];

function settingsRows(settings: StatusDocument['settings']): [string, string][] {
  const { blocked, stay, local_stay, isolated, grid_closed, grid_guests, blocked_by_configuration } = settings;
  return [
    ...(blocked ? [['blocked', 'takes no guests (mosctl noblock)'] as [string, string]] : []),
    ...(blocked_by_configuration ? [['blocked', 'takes no guests (hosting.blocked in mosrun.toml)'] as [string, string]] : []),
    ...(stay ? [['stay', 'no process leaves by itself (mosctl nostay)'] as [string, string]] : []),
    ...(local_stay ? [['lstay', 'own processes do not leave by themselves (mosctl nolstay)'] as [string, string]] : []),
    ...(isolated ? [['isolated', 'has nothing to do with other clusters (mosctl rejoin)'] as [string, string]] : []),
    ...(grid_closed ? [['closegrid', 'takes no guests of other clusters (mosctl opengrid)'] as [string, string]] : []),
    ...(grid_guests === null
      ? []
      : [['gridguests', `takes ${grid_guests} guests of other clusters at most (mosctl gridguests all)`] as [string, string]]),
  ];
}

function partnerText(partner: StatusDocument['partners'][number]): string {
  const { priority, configured_priority, nodes, problem, may_come, may_be_sent_to, may_pass_on, privileged, description } =
    partner;
  const facts = [
    `priority ${priority}${priority === configured_priority ? '' : ` (mosctl cngpri; ${configured_priority} in its file)`}`,
    problem === null ? count(nodes, 'node') : `${nodes === 0 ? '' : `${count(nodes, 'node')}; `}cannot be asked: ${problem}`,
    ...(may_come ? [] : ['may not come']),
    ...(may_be_sent_to ? [] : ['is not sent to']),
    ...(may_pass_on ? [] : ['may not pass on']),
    ...(privileged ? ['also privileged processes'] : []),
  ];
  return `${partner.name}: ${facts.join(', ')}${description ? ` (${description})` : ''}`;
}

const turnedAwayText = ({
  cluster,
  node,
  address,
  why,
  count: times,
  last_seconds,
}: StatusDocument['turned_away'][number]): string =>
  `${node === null ? address : `${node}@${cluster}, ${address}`}: ${count(times, 'time')}, last ${last_seconds.toFixed(0)} s ago: ${why}`;

function operationText({ operation, state, began, total, left, failures }: OperationDocument): string {
  const when = new Date(began * 1000).toISOString();
  if (state === 'running') return `under way since ${when}: ${total - left} of ${total} processes ${movedTexts[operation]}`;
  const stays = failures.map(({ message }) => `; ${message}`).join('');
  return `${state}, begun ${when}: ${total - left} of ${total} processes ${movedTexts[operation]}${stays}`;
}

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
    ['processes', `${status.processes}, of which ${status.away} away and ${status.frozen} frozen`],
    ['guests', `${status.guests}`],
    ...settingsRows(status.settings),
    ...status.partners.map((one): [string, string] => ['partner', partnerText(one)]),
    ...status.turned_away.map((one): [string, string] => ['turned away', turnedAwayText(one)]),
    ...(status.datagrams_refused > 0
      ? [['datagrams', `${status.datagrams_refused} were not believed: of nobody known, or not signed`] as [string, string]]
      : []),
    ...status.operations.map((one): [string, string] => [one.operation, operationText(one)]),
  ];
  return rows.map(([name, text]) => `${name.padEnd(15)}${printable(text)}\n`).join('');
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

const wrong = (what: string): MosrunError => new MosrunError('usage', `${what}: see mosctl --help`);

export const mosctl: CommandBody = async (options, print) => {
  const [verb, ...rest] = options.words;
  if (verb === undefined) throw wrong('what about?');
  if (!commands.mosctl.verbs.some(([known]) => known === verb)) throw wrong(`"${verb}" is not understood`);
  const [subject] = rest;
  if (verb === 'whois' && subject === undefined) throw wrong('who is who?');
  const words = { whois: 1, gridguests: 1, cngpri: 2 }[verb] ?? 0;
  const tooMuch = rest[words];
  if (tooMuch !== undefined) throw wrong(`"${tooMuch}" is too much, for ${verb} is about this node`);
  if (options.has('format') && verb !== 'nodes') throw wrong('--format is for nodes alone');

  const worded = wordedVerbs[verb]?.(rest);

  const cluster = await Cluster.connect();
  const json = options.has('json');
  const setting = settingVerbs[verb] ?? worded;
  if (setting) return change(cluster, verb, setting, json, print);
  const operation = operationVerbs.find((name) => name === verb);
  if (operation) return operate(cluster, operation, json, print);
  if (verb === 'whois') return whois(cluster, subject ?? '', json, print);
  if (verb === 'status') {
    const status = await cluster.status();
    print(json ? jsonText(status) : statusText(status));
    return 0;
  }
  if (verb === 'nodes') {
    const nodes = await cluster.nodes();
    const format = options.get('format');
    if (json) print(jsonText({ version: DOCUMENT_VERSION, nodes }));
    else if (format !== undefined) print(fieldsText(nodes, format));
    else print(tableText(nodes, nodeColumns, !options.has('no-header')));
    return 0;
  }
  if (verb === 'events') {
    await printEvents(cluster, json, print);
    return 0;
  }
  const document = await cluster.doctor();
  print(json ? jsonText(document) : doctorText(document));
  return document.ok ? 0 : 1;
};
