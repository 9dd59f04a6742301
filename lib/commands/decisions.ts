/** How decisions about places read. */
import type { DecisionDocument } from '../shared/documents.js';
import { type Column, bytesText, durationText, tableText } from './format.js';

type Row = DecisionDocument['candidates'][number];

const columns = (decision: DecisionDocument): readonly Column<Row>[] => [
  { head: '', text: ({ node }) => (node === decision.to ? '*' : '') },
  { head: 'NODE', text: ({ node }) => node },
  { head: 'THREADS/CORE', right: true, text: ({ density }) => density.toFixed(2) },
  { head: 'CPU', right: true, text: ({ cpu_cost }) => cpu_cost.toFixed(3) },
  { head: 'WAITING', right: true, text: ({ waiting_cost }) => waiting_cost.toFixed(3) },
  { head: 'MEMORY', right: true, text: ({ memory_cost }) => memory_cost.toFixed(3) },
  { head: 'SECONDS/SECOND', right: true, text: ({ stretch }) => stretch.toFixed(2) },
  { head: 'MOVE', right: true, text: ({ move_seconds }) => (move_seconds === 0 ? '-' : durationText(move_seconds)) },
  { head: 'WHY NOT', text: ({ excluded }) => excluded ?? '-' },
];

/** A decision with its figures. */
export function decisionText(decision: DecisionDocument): string {
  const { at, trigger, from, to, reason, busy, memory_bytes, calls_per_cpu_second, bytes_per_cpu_second } = decision;
  const verdict = from === to ? `stays on ${from}` : `${from} to ${to}`;
  const calls = `${Math.round(calls_per_cpu_second)} calls and ${bytesText(Math.round(bytes_per_cpu_second))} for each second it computes`;
  return [
    `${new Date(at * 1000).toISOString()}, ${trigger}: ${verdict}: ${reason}\n`,
    `  ${busy.toFixed(2)} threads busy, ${bytesText(memory_bytes)}, ${calls}\n`,
    tableText(decision.candidates, columns(decision), true).replaceAll(/^/gm, '  ').trimEnd(),
    '\n',
  ].join('');
}
