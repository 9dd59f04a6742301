/** What root orders a node by mosctl. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../api/index.js';
import type { OperationDocument, OperationName, SettingsDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { readIfThere } from '../shared/files.js';
import { bytesText, durationText, jsonText, printableLines } from './format.js';

type Setting = Partial<Pick<SettingsDocument, 'blocked' | 'stay' | 'local_stay' | 'isolated' | 'grid_closed' | 'grid_guests'>> & {
  priorities?: Record<string, number | null>;
};

export const settingVerbs: Readonly<Record<string, Setting>> = {
  block: { blocked: true },
  noblock: { blocked: false },
  stay: { stay: true },
  nostay: { stay: false },
  lstay: { local_stay: true },
  nolstay: { local_stay: false },
  closegrid: { grid_closed: true },
  opengrid: { grid_closed: false },
  rejoin: { isolated: false },
};

const wrong = (what: string): MosrunError => new MosrunError('usage', `${what}: see mosctl --help`);

/** Settings that want words of their own. `all` and `file` take back what was set. */
export const wordedVerbs: Readonly<Record<string, (words: readonly string[]) => Setting>> = {
  gridguests([count = '']) {
    if (count === 'all') return { grid_guests: null };
    if (!/^\d{1,9}$/.test(count)) throw wrong(`gridguests wants a number, or all, not "${count}"`);
    return { grid_guests: Number(count) };
  },
  cngpri([partner, priority = '']) {
    if (partner === undefined) throw wrong('cngpri wants a partner and a priority');
    if (priority === 'file') return { priorities: { [partner]: null } };
    if (!/^\d{1,5}$/.test(priority) || Number(priority) < 1 || Number(priority) > 65_534)
      throw wrong(`cngpri wants a priority from 1 to 65534, lower is better, or file, not "${priority}"`);
    return { priorities: { [partner]: Number(priority) } };
  },
};

export const operationVerbs: readonly OperationName[] = ['expel', 'bring', 'isolate', 'shutdown'];

const POLL_SECONDS = 0.2;
/** mosd stays for a last word to those who wait, and then lets go of its streams and sockets. */
const END_SECONDS = 15;
const END_POLL_SECONDS = 0.05;
/** As a shell tells of a command that Ctrl-C ended: 128 and SIGINT's number. */
const INTERRUPTED = 130;

const say = (text: string): void => console.error(`mosrun: ${printableLines(text)}`);

export async function change(
  cluster: Cluster,
  verb: string,
  setting: Setting,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const [partner] = Object.keys(setting.priorities ?? {});
  if (partner !== undefined && !(await cluster.status()).partners.some(({ name }) => name === partner))
    throw new MosrunError('not-found', `there is no partner ${partner}: see mosctl status`);
  const settings = await cluster.change(setting);
  if (json) print(jsonText(settings));
  if (verb !== 'noblock' || !settings.blocked_by_configuration) return 0;
  throw new MosrunError(
    'configuration',
    'mosrun.toml blocks this node (hosting.blocked): change it there, and send mosd a SIGHUP',
  );
}

const purposes: Record<OperationName, string> = {
  expel: 'sends its guests away',
  bring: 'brings its processes home',
  isolate: 'sends guests of other clusters away and brings own processes back from there',
  shutdown: 'sends guests away and brings own processes home, and then ends',
};

/** What of processes that were moved. */
export const movedTexts: Record<OperationName, string> = {
  expel: 'have left',
  bring: 'are home',
  isolate: 'have left or are back',
  shutdown: 'have left or are home',
};

/** One line that is written over again and again, on a terminal alone. */
function showProgress({ operation, total, left, bytes_left, bytes_per_second: rate, seconds_left }: OperationDocument): void {
  if (!process.stderr.isTTY) return;
  const rest =
    seconds_left === null || rate === null
      ? ''
      : `; ${bytesText(bytes_left)} to go at ${bytesText(rate)}/s, about ${Math.ceil(seconds_left)} s`;
  process.stderr.write(`\r\u001b[K${operation}: ${total - left} of ${total} processes ${movedTexts[operation]}${rest}`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

function summary({ operation, total, left, seconds }: OperationDocument): string {
  const home = total - left;
  const moved = total === 0 ? 'there was nothing to move' : `${home} of ${total} processes ${movedTexts[operation]}`;
  const end = operation === 'shutdown' && left === 0 ? '; the daemon has ended' : '';
  return `${operation}: ${moved}, in ${durationText(seconds)}${end}\n`;
}

/** After a shutdown: who is told that it has ended may start another at once. A zombie has no command line: its parent's affair. */
async function awaitEnd(pid: number): Promise<void> {
  const until = performance.now() + END_SECONDS * 1000;
  while (readIfThere(`/proc/${pid}/cmdline`)) {
    if (performance.now() > until) {
      throw new MosrunError('timeout', `all are home, but mosd, process ${pid}, has not ended in ${END_SECONDS} s: see its log`);
    }
    await sleep(END_POLL_SECONDS * 1000);
  }
}

/** Orders it, or joins the one under way, and waits. Whoever stops waiting stops nothing. */
export async function operate(
  cluster: Cluster,
  name: OperationName,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const { pid } = await cluster.status();
  let operation = await cluster.operate(name);
  if (operation.joined)
    say(`${name} is under way already, since ${new Date(operation.began * 1000).toISOString()}: waiting for it`);
  process.once('SIGINT', () => {
    clearProgress();
    say(`not waiting any more: the node still ${purposes[name]}: see mosctl status`);
    process.exit(INTERRUPTED);
  });
  while (operation.state === 'running') {
    showProgress(operation);
    await sleep(POLL_SECONDS * 1000);
    const { began, joined } = operation;
    const present = (await cluster.operations()).find((one) => one.operation === name && one.began === began);
    if (!present) throw new MosrunError('lost', `the daemon was started again in the middle of ${name}: order it again`);
    operation = { ...present, joined };
  }
  if (name === 'shutdown' && operation.state === 'done') await awaitEnd(pid);
  clearProgress();
  print(json ? jsonText(operation) : summary(operation));
  for (const { pid: one, home, command, message } of operation.failures) {
    const which = one === null ? '' : `process ${one} of ${home} (${command}) stays: `;
    say(`${which}${message}`);
  }
  return operation.state === 'done' ? 0 : 1;
}
