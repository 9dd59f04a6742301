import { Cluster } from '../api/index.js';
import { MosrunError } from '../shared/errors.js';
import { decisionText } from './decisions.js';
import { jsonText } from './format.js';
import type { CommandBody } from './run.js';

export const mosbestnode: CommandBody = async (options, print) => {
  const [word] = options.words;
  if (word !== undefined) throw new MosrunError('usage', `"${word}" is too much: see mosbestnode --help`);
  const megabytes = options.get('memory') ?? '0';
  if (!/^\d+(\.\d+)?$/.test(megabytes)) {
    throw new MosrunError('usage', `--memory wants megabytes, not "${megabytes}": see mosbestnode --help`);
  }
  const cluster = await Cluster.connect();
  const best = await cluster.bestNode(Number(megabytes) * 2 ** 20, { abroad: options.has('grid') });
  if (options.has('json')) print(jsonText(best));
  else print(options.has('explain') ? decisionText(best.decision) : `${best.node}\n`);
  return 0;
};
