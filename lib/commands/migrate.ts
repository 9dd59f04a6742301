import { Cluster } from '../api/index.js';
import type { MigrationDocument } from '../shared/documents.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import { inTurns } from '../shared/turns.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { bytesText, durationText, jsonText, printableLines } from './format.js';
import type { CommandBody } from './run.js';

/** More would only wait for each other. */
const ORDERED_AT_ONCE = 8;

const usage = (what: string): MosrunError => new MosrunError('usage', `${what}: see migrate --help`);

function describe(result: MigrationDocument, waited: boolean): string {
  const { pid, from, to } = result;
  if (from === to) return `process ${pid} is ${to === FROZEN ? 'frozen' : `on ${to}`} already\n`;
  if (!waited) return '';
  const { freeze_seconds: freeze, total_seconds: total, bytes } = result;
  return `process ${pid} moved from ${from} to ${to} in ${durationText(total)}, frozen for ${durationText(freeze)}, ${bytesText(bytes)} sent\n`;
}

/** Where the time went. */
function detail({ phases, live, stood, saved_bytes: saved, dirty_bytes_per_second: dirty }: MigrationDocument): string {
  const lines = phases.map(({ phase, seconds }) => `  ${durationText(seconds).padStart(9)}  ${phase}\n`);
  const how = live ? 'most of its memory went while it ran' : `its memory went as it stood${stood === null ? '' : `: ${stood}`}`;
  const changed = dirty === null ? '' : `; it changed ${bytesText(dirty)} a second meanwhile`;
  return `${lines.join('')}  ${how}${changed}${saved > 0 ? `; ${bytesText(saved)} saved by compression` : ''}\n`;
}

export const migrate: CommandBody = async (options, print) => {
  const jobId = options.get('job');
  const words = [...options.words];
  const pidText = jobId === undefined ? words.shift() : undefined;
  const to = words.shift();
  if (jobId === undefined && pidText === undefined) throw usage('which process, and where?');
  if (to === undefined) throw usage('where to?');
  if (words.length > 0) throw usage(`"${words[0]}" is too much`);
  if (pidText !== undefined && !/^[1-9]\d*$/.test(pidText)) throw usage(`"${pidText}" is no process id`);

  const wait = options.has('wait');
  const cluster = await Cluster.connect();
  if (pidText !== undefined) {
    const result = await cluster.migrate(Number(pidText), to, { wait });
    if (options.has('json')) print(jsonText(result));
    else print(describe(result, wait) + (wait && result.moved && options.has('verbose') ? detail(result) : ''));
    return 0;
  }

  const pids = (await cluster.processes()).filter((one) => one.job === jobId).map((one) => one.pid);
  if (pids.length === 0) throw new MosrunError('not-found', `no process of this node has the job id ${jobId}: see mosps`);
  const order = async (pid: number): Promise<MigrationDocument | MosrunError> =>
    cluster.migrate(pid, to, { wait }).catch((error: unknown) => asMosrunError(error));
  const outcomes = await inTurns(pids, ORDERED_AT_ONCE, order);
  const failed = outcomes.filter((outcome) => outcome instanceof MosrunError);
  const done = outcomes.filter((outcome): outcome is MigrationDocument => !(outcome instanceof MosrunError));
  if (options.has('json')) {
    print(jsonText({ version: DOCUMENT_VERSION, migrations: done, errors: failed.map((error) => error.toDocument()) }));
  } else {
    for (const result of done) print(describe(result, wait));
  }
  for (const error of failed) console.error(`mosrun: ${printableLines(error.message)}`);
  return failed[0]?.exitCode ?? 0;
};
