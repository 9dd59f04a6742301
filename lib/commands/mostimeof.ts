import { Cluster } from '../api/index.js';
import type { TimesDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { jsonText, tableText } from './format.js';
import { pidOf } from './pid.js';
import type { CommandBody } from './run.js';

const secondsText = ({ cpu_seconds: seconds, complete }: { cpu_seconds: number; complete: boolean }): string =>
  `${seconds.toFixed(2)} s${complete ? '' : '+'}`;

function text(times: TimesDocument): string {
  const rows = [
    ...times.nodes.map((one) => [one.home ? `${one.node} (home)` : one.node, secondsText(one)] as const),
    ['all nodes', secondsText(times)] as const,
  ];
  const shape = [
    { head: `process ${times.pid}`, text: ([name]: (typeof rows)[number]) => name },
    { head: 'CPU', right: true, text: ([, used]: (typeof rows)[number]) => used },
  ];
  return tableText(rows, shape, true);
}

export const mostimeof: CommandBody = async (options, print) => {
  const pids = options.words.map((word) => pidOf(word, 'mostimeof'));
  if (pids.length === 0) throw new MosrunError('usage', 'of which process? see mostimeof --help');
  const cluster = await Cluster.connect();
  const times = await Promise.all(pids.map((pid) => cluster.times(pid)));
  if (options.has('json')) print(jsonText({ version: DOCUMENT_VERSION, processes: times }));
  else for (const one of times) print(text(one));
  return 0;
};
