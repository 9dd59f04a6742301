import { Cluster } from '../api/index.js';
import type { GuestDocument, HistoryEntry, ProcessDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { type Column, bytesText, durationText, jsonText, tableText } from './format.js';
import { callsText } from './calls.js';
import { explanationText } from './explain.js';
import { fieldsText } from './fields.js';
import { pidOf } from './pid.js';
import type { CommandBody } from './run.js';

const orDash = (text: string | number | null): string => (text === null || text === '' ? '-' : `${text}`);

const processColumns: readonly Column<ProcessDocument>[] = [
  { head: 'PID', right: true, text: (one) => `${one.pid}` },
  { head: 'USER', text: (one) => one.user },
  { head: 'WHERE', text: (one) => one.where },
  { head: 'FROM', text: (one) => one.home },
  { head: 'STATE', text: (one) => one.state },
  { head: 'MOVES', right: true, text: (one) => `${one.migrations}` },
  {
    head: 'FROZEN',
    right: true,
    text: (one) => (one.last_freeze_seconds === null ? '-' : durationText(one.last_freeze_seconds)),
  },
  { head: 'JOB', text: (one) => orDash(one.job) },
  { head: 'COMMAND', text: (one) => one.command },
  { head: 'WHY', text: (one) => orDash(one.why) },
];

const guestColumns: readonly Column<GuestDocument>[] = [
  { head: 'PID', right: true, text: (one) => orDash(one.pid) },
  { head: 'FROM', text: (one) => orDash(one.home) },
  { head: 'PRIORITY', right: true, text: (one) => orDash(one.priority) },
  { head: 'PID-THERE', right: true, text: (one) => orDash(one.home_pid) },
  { head: 'STATE', text: (one) => one.state },
  { head: 'CPU', right: true, text: (one) => `${one.cpu_seconds.toFixed(1)} s` },
  { head: 'MEMORY', right: true, text: (one) => bytesText(one.memory_bytes) },
  { head: 'COMMAND', text: (one) => one.command },
];

const historyColumns: readonly Column<HistoryEntry>[] = [
  { head: 'WHEN', text: (one) => new Date(one.at * 1000).toISOString() },
  { head: 'FROM', text: (one) => one.from },
  { head: 'TO', text: (one) => one.to },
  { head: 'OUTCOME', text: (one) => one.outcome },
  { head: 'FROZEN', right: true, text: (one) => (one.freeze_seconds === null ? '-' : durationText(one.freeze_seconds)) },
  { head: 'TOOK', right: true, text: (one) => (one.total_seconds === null ? '-' : durationText(one.total_seconds)) },
  { head: 'SENT', right: true, text: (one) => (one.bytes === null ? '-' : bytesText(one.bytes)) },
  { head: 'ASKED BY', text: (one) => one.reason },
  { head: 'WHY', text: (one) => orDash(one.message) },
];

export const mosps: CommandBody = async (options, print) => {
  if (options.words.length > 0) throw new MosrunError('usage', `"${options.words[0]}" is too much: see mosps --help`);
  const cluster = await Cluster.connect();
  const header = !options.has('no-header');
  const inspected = options.get('explain') ?? options.get('calls') ?? options.get('history');
  if (inspected !== undefined) {
    const pid = pidOf(inspected, 'mosps');
    if (options.has('explain')) {
      const explanation = await cluster.explanation(pid);
      print(options.has('json') ? jsonText(explanation) : explanationText(explanation));
      return 0;
    }
    if (options.has('calls')) {
      const calls = await cluster.calls(pid);
      print(options.has('json') ? jsonText(calls) : callsText(calls, header));
      return 0;
    }
    const detail = await cluster.process(pid);
    print(options.has('json') ? jsonText(detail) : tableText(detail.history, historyColumns, header));
    return 0;
  }
  const listing = await cluster.listing();
  const job = options.get('job');
  if (job !== undefined) listing.processes = listing.processes.filter((one) => one.job === job);
  const format = options.get('format');
  if (options.has('json')) print(jsonText(listing));
  else if (format !== undefined) print(fieldsText(options.has('guests') ? listing.guests : listing.processes, format));
  else if (options.has('guests')) print(tableText(listing.guests, guestColumns, header));
  else print(tableText(listing.processes, processColumns, header));
  return 0;
};
