import { emitKeypressEvents } from 'node:readline';
import { Cluster } from '../api/index.js';
import type { NodeDocument } from '../shared/documents.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { jsonText } from './format.js';
import { type Line, type Size, chosen, initialView, press, render, totalsOf } from './mosmon-view.js';
import type { CommandBody } from './run.js';

const CSI = '\x1b[';
/** The alternate screen, without a cursor; and back. */
const ENTER = `${CSI}?1049h${CSI}?25l`;
const LEAVE = `${CSI}?25h${CSI}?1049l`;
const styles: Record<Line['style'], string> = { plain: '', head: '7', dim: '2', bad: '31', busy: '33' };

const REFRESH_SECONDS = 1;

function paint(lines: readonly Line[], colour: boolean): string {
  const text = lines.map(({ text: words, style }) => {
    const code = colour || style === 'head' ? styles[style] : '';
    return `${code ? `${CSI}${code}m${words}${CSI}0m` : words}${CSI}K`;
  });
  return `${CSI}H${text.join('\r\n')}${CSI}J`;
}

const sizeNow = (): Size => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 });

interface Key {
  name?: string;
  ctrl?: boolean;
  sequence?: string;
}

const nameOf = (text: string | undefined, { name = '', ctrl = false }: Key): string =>
  ctrl ? `ctrl-${name}` : text?.length === 1 && text >= ' ' && text !== '\x7f' ? text : name;

/** Shows the nodes until it is told to stop. */
async function watch(cluster: Cluster, seconds: number): Promise<void> {
  const { stdin, stdout } = process;
  const colour = process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '';
  let nodes: NodeDocument[] = await cluster.nodes();
  let problem: string | null = null;
  let view = initialView;
  const draw = (): void => void stdout.write(paint(render(nodes, view, sizeNow(), problem), colour));
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  const restore = (): void => {
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(LEAVE);
  };
  stdout.write(ENTER);
  // What ends it from outside must not leave a terminal behind that shows nothing that is typed.
  const ended = (signal: NodeJS.Signals): void => {
    restore();
    process.kill(process.pid, signal);
  };
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, ended);
  try {
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout;
      const refresh = (): void => {
        const again = (): void => {
          if (view.quit) return;
          draw();
          timer = setTimeout(refresh, seconds * 1000);
        };
        cluster.nodes().then(
          (found) => {
            nodes = found;
            problem = null;
            again();
          },
          (error: unknown) => {
            problem = asMosrunError(error).message;
            again();
          },
        );
      };
      stdin.on('keypress', (text: string | undefined, key: Key) => {
        view = press(view, nameOf(text, key), sizeNow(), chosen(nodes, view).length);
        if (!view.quit) {
          draw();
          return;
        }
        clearTimeout(timer);
        resolve();
      });
      stdin.once('end', resolve);
      stdout.on('resize', draw);
      refresh();
    });
  } finally {
    restore();
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.off(signal, ended);
  }
}

export const mosmon: CommandBody = async (options, print) => {
  const wrong = (what: string): MosrunError => new MosrunError('usage', `${what}: see mosmon --help`);
  const [word] = options.words;
  if (word !== undefined) throw wrong(`"${word}" is too much`);
  const interval = options.get('interval') ?? `${REFRESH_SECONDS}`;
  const seconds = Number(interval);
  if (!(seconds >= 0.1 && seconds <= 3600)) throw wrong(`--interval wants seconds, at least 0.1, not "${interval}"`);
  if (options.has('json') && !options.has('once')) throw wrong('--json is for --once');
  const cluster = await Cluster.connect();
  if (options.has('once')) {
    const nodes = await cluster.nodes();
    if (options.has('json')) print(jsonText({ version: DOCUMENT_VERSION, nodes, totals: totalsOf(nodes) }));
    else {
      const size = { columns: Number.POSITIVE_INFINITY, rows: nodes.length + 4 };
      const lines = render(nodes, initialView, size, null).slice(0, -1);
      print(lines.map(({ text }) => `${text}\n`).join(''));
    }
    return 0;
  }
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw wrong('it needs a terminal, or --once');
  await watch(cluster, seconds);
  return 0;
};
