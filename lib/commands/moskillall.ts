import { constants } from 'node:os';
import { Cluster } from '../api/index.js';
import { MosrunError, systemCode } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { jsonText } from './format.js';
import type { CommandBody } from './run.js';

/** A job that has children faster than they are found is given up after so many rounds. */
const MOST_ROUNDS = 20;

/** Real-time signals have no names in Node: only numbers. 0 sends nothing, and asks whether it could be sent (kill(2)). */
function signalOf(text: string): number | null {
  const number = Number(text);
  if (/^\d+$/.test(text)) return number <= 64 ? number : null;
  const name = text.toUpperCase().replace(/^(SIG)?/, 'SIG');
  return new Map<string, number>(Object.entries(constants.signals)).get(name) ?? null;
}

/** As -FOO: letters of that kind are no options either, but for what belongs to -J. */
const looksLikeSignal = (word: string): boolean => /^-[A-IK-Z][A-Z0-9+]+$/.test(word);

/** The -9 and -HUP of kill(1) as the option they stand for; a word after an option may be its value. */
export function signalWord(argv: string[]): string[] {
  const index = argv.findIndex((word, at) => {
    const before = argv[at - 1] ?? '';
    const isOne = /^-[^-]/.test(word) && (signalOf(word.slice(1)) !== null || looksLikeSignal(word));
    return isOne && !['-s', '--signal', '-J', '--job'].includes(before);
  });
  return index < 0 ? argv : [...argv.slice(0, index), '--signal', argv[index]?.slice(1) ?? '', ...argv.slice(index + 1)];
}

interface Missed {
  pid: number;
  code: string;
}

export const moskillall: CommandBody = async (options, print) => {
  const wanted = options.get('signal') ?? 'TERM';
  const signal = signalOf(wanted);
  if (signal === null) throw new MosrunError('usage', `"${wanted}" is no signal: see kill -l`);
  if (options.words.length > 0) throw new MosrunError('usage', `"${options.words[0]}" is too much: see moskillall --help`);
  const job = options.get('job');
  const uid = process.geteuid?.();
  const cluster = await Cluster.connect();

  const sent = new Set<number>();
  const missed: Missed[] = [];
  const round = async (): Promise<boolean> => {
    const found = (await cluster.processes())
      .filter((one) => (job === undefined ? one.uid === uid : one.job === job))
      .filter(({ pid }) => !sent.has(pid) && !missed.some((one) => one.pid === pid));
    for (const { pid } of found) {
      try {
        process.kill(pid, signal);
        sent.add(pid);
      } catch (error) {
        // One that has ended in between is what was wanted, or no matter.
        if (systemCode(error) === 'ESRCH') sent.add(pid);
        else missed.push({ pid, code: systemCode(error) });
      }
    }
    return found.length > 0;
  };
  for (let rounds = 0; rounds < MOST_ROUNDS && (await round()); rounds++);

  const whose = job === undefined ? 'of yours was started by mosrun' : `has the job id ${job}`;
  if (sent.size + missed.length === 0) throw new MosrunError('not-found', `no process of this node ${whose}: see mosps`);
  if (options.has('json')) {
    print(jsonText({ version: DOCUMENT_VERSION, signal, sent: [...sent], not_permitted: missed.map(({ pid }) => pid) }));
  }
  if (missed.length === 0) return 0;
  const error = new MosrunError(
    'not-permitted',
    `${missed.map(({ pid }) => `process ${pid}`).join(', ')}: not yours to signal: ask its owner or root`,
  );
  console.error(`mosrun: ${error.message}`);
  return error.exitCode;
};
