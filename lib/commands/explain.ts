/** How explanations read: of a process, and of a program that is not started. */
import type { ExplanationDocument, LaunchExplanationDocument, Verdict } from '../shared/documents.js';
import { decisionText } from './decisions.js';
import { bytesText, printable } from './format.js';

const lines = (texts: readonly string[]): string => texts.map((text) => `${printable(text)}\n`).join('');

function nodesText(nodes: readonly Verdict[], canMove: boolean): string[] {
  const taken = canMove ? 'would take it' : 'would take it if it could move';
  return nodes.map(({ node, takes, reason }) => (takes ? `${node} ${taken}` : `${node} would not take it: ${reason ?? ''}`));
}

const reasonsText = (reasons: readonly string[]): string[] => reasons.map((reason) => `  ${reason}`);

export function explanationText(document: ExplanationDocument): string {
  const { process: one, because, movable, reasons, nodes, decisions } = document;
  const isAway = one.where !== one.home;
  const unknown = isAway ? 'it can come home at any time' : 'it cannot be looked into now';
  const counted = (counts: Record<string, number>): string[] =>
    Object.entries(counts).map(([call, times]) => `${call} ${times} times`);
  const returns = counted(one.returns);
  const refused = counted(one.refused);
  const facts = lines([
    `process ${one.pid} (${one.command}) lives on ${one.home} and is ${one.state === 'frozen' ? 'frozen on its disk' : `on ${one.where}`}`,
    `why there: ${because}`,
    ...(one.why && one.why !== because ? [`last reason: ${one.why}`] : []),
    movable === null ? unknown : movable ? 'it can move' : 'it cannot move:',
    ...reasonsText(reasons),
    ...(one.calls > 0
      ? [
          `calls carried out at home for it: ${one.calls}, with ${bytesText(one.bytes_out)} to it and ${bytesText(one.bytes_in)} from it`,
        ]
      : []),
    ...(returns.length > 0 ? [`came home by itself for ${returns.join(', ')}`] : []),
    ...(refused.length > 0 ? [`calls that failed away, since it asked for that: ${refused.join(', ')}`] : []),
    // Where it is already, it need not be taken.
    ...nodesText(
      nodes.filter(({ node }) => node !== one.where),
      movable !== false,
    ),
  ]);
  const decided = decisions.map((decision) => decisionText(decision)).join('');
  return decided === '' ? facts : `${facts}where it should be:\n${decided}`;
}

export function launchExplanationText(document: LaunchExplanationDocument): string {
  const { program, kind, movable, reasons, start, locked, nodes } = document;
  return lines([
    `${program} is ${kind}`,
    movable ? 'it could move' : 'it could not move:',
    ...reasonsText(reasons),
    `it would start on ${start.node}: ${start.because}`,
    ...(locked ? ['it would be locked: moves only when ordered'] : []),
    ...nodesText(nodes, movable),
  ]);
}
