/** How it reads where the time of a process that is away goes. */
import type { CallsDocument } from '../shared/documents.js';
import { type Column, bytesText, durationText, printable, tableText } from './format.js';

type Row = CallsDocument['calls'][number];

const each = ({ seconds, times }: Row): string => (times > 0 ? `${((seconds / times) * 1e6).toFixed(1)} µs` : '-');

const columns: readonly Column<Row>[] = [
  { head: 'CALL', text: ({ call }) => call },
  { head: 'TIMES', right: true, text: ({ times }) => `${times}` },
  { head: 'BYTES', right: true, text: ({ bytes }) => bytesText(bytes) },
  { head: 'WAITED', right: true, text: ({ seconds }) => durationText(seconds) },
  { head: 'AT-HOME', right: true, text: ({ home_seconds: home }) => durationText(home) },
  { head: 'ON-THE-WAY', right: true, text: ({ seconds, home_seconds: home }) => durationText(Math.max(0, seconds - home)) },
  { head: 'EACH', right: true, text: each },
];

export function callsText({ process: one, calls, answered, ahead }: CallsDocument, header: boolean): string {
  if (one.where === one.home)
    return printable(`process ${one.pid} is at home, where its calls are its own and are not counted\n`);
  const rows: Row[] = [...calls];
  if (answered.times > 0) rows.push({ call: `(answered on ${one.where})`, ...answered, home_seconds: 0 });
  const text = tableText(rows, columns, header);
  if (ahead.times === 0) return text;
  return `${text}read ahead of it: ${bytesText(ahead.bytes)} in ${ahead.times} requests, which took home ${durationText(ahead.home_seconds)}\n`;
}
