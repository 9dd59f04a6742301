/** What mosmon shows, and what its keys do: from nodes and a state to lines of text, without a terminal. */
import type { NodeDocument } from '../shared/documents.js';
import { bytesText, printable, swapText } from './format.js';

export const sortings = ['number', 'load', 'memory', 'speed', 'guests', 'frozen'] as const;
export type Sorting = (typeof sortings)[number];

export interface View {
  sorting: Sorting;
  inverted: boolean;
  /** Only nodes with this in their names, states or causes. */
  filter: string;
  /** The filter is being typed. */
  typing: boolean;
  help: boolean;
  /** The first line of the list that is shown. */
  first: number;
  quit: boolean;
}

export const initialView: View = {
  sorting: 'number',
  inverted: false,
  filter: '',
  typing: false,
  help: false,
  first: 0,
  quit: false,
};

export interface Size {
  columns: number;
  rows: number;
}

/** A line, and how it is to stand out. */
export interface Line {
  text: string;
  style: 'plain' | 'head' | 'dim' | 'bad' | 'busy';
}

const keyOf: Record<Sorting, (node: NodeDocument) => number> = {
  number: ({ number }) => -number,
  load: (node) => busy(node),
  memory: ({ memory_bytes: all, memory_free_bytes: free }) => (all ? 1 - (free ?? 0) / all : -1),
  speed: ({ speed }) => speed ?? -1,
  guests: ({ guests }) => guests ?? -1,
  frozen: ({ frozen }) => frozen ?? -1,
};

/** Threads that run or want to, for each processor. */
function busy({ runnable, load, cpus }: NodeDocument): number {
  return cpus ? (runnable ?? load ?? 0) / cpus : -1;
}

/** Those that are to be seen, in their order. */
export function chosen(nodes: readonly NodeDocument[], { filter, sorting, inverted }: View): NodeDocument[] {
  const wanted = filter.toLowerCase();
  const key = keyOf[sorting];
  const sign = inverted ? -1 : 1;
  return nodes
    .filter(({ name, state, why }) => `${name} ${state} ${why ?? ''}`.toLowerCase().includes(wanted))
    .sort((one, other) => sign * (key(other) - key(one)) || one.number - other.number);
}

/** `[|||||     ]` */
export function bar(part: number, width: number): string {
  const inside = Math.max(0, width - 2);
  const full = Math.min(inside, Math.max(0, Math.round(part * inside)));
  return `[${'|'.repeat(full)}${' '.repeat(inside - full)}]`;
}

const BAR = 12;

interface ShownColumn {
  head: string;
  width: number;
  right?: boolean;
  /** Only where there is room for it. */
  spare?: boolean;
  text: (node: NodeDocument) => string;
}

const allColumns: readonly ShownColumn[] = [
  { head: 'NODE', width: 14, text: ({ name, self }) => `${name}${self ? '*' : ''}` },
  { head: 'STATE', width: 8, text: ({ state }) => state },
  { head: 'LOAD', width: BAR, text: (node) => (node.cpus ? bar(busy(node), BAR) : '') },
  { head: 'RUNS', width: 6, right: true, text: ({ runnable, load }) => (runnable ?? load)?.toFixed(1) ?? '-' },
  { head: 'CPUS', width: 5, right: true, text: ({ cpus }) => `${cpus ?? '-'}` },
  { head: 'SPEED', width: 6, right: true, text: ({ speed }) => `${speed ?? '-'}` },
  {
    head: 'MEMORY',
    width: BAR,
    text: ({ memory_bytes: all, memory_free_bytes: free }) => (all ? bar(1 - (free ?? 0) / all, BAR) : ''),
  },
  { head: 'FREE', width: 9, right: true, text: ({ memory_free_bytes: free }) => (free === null ? '-' : bytesText(free)) },
  { head: 'SIZE', width: 9, right: true, spare: true, text: ({ memory_bytes: all }) => (all === null ? '-' : bytesText(all)) },
  {
    head: 'SWAP',
    width: 18,
    right: true,
    spare: true,
    text: ({ swap_bytes: all, swap_free_bytes: free }) => (all === null ? '-' : swapText(all, free ?? 0)),
  },
  { head: 'GUESTS', width: 6, right: true, text: ({ guests }) => `${guests ?? '-'}` },
  { head: 'FROZEN', width: 6, right: true, text: ({ frozen }) => `${frozen ?? '-'}` },
  {
    head: 'NEWS',
    width: 6,
    right: true,
    text: ({ last_seen_seconds: age }) => (age === null ? '-' : age < 100 ? `${age.toFixed(1)} s` : `${Math.round(age / 60)} m`),
  },
  { head: 'WHY', width: 0, text: ({ why }) => printable(why ?? '') },
];

/** Those there is room for beside the causes of these nodes. The names' is as wide as it must be: nodes of other clusters have long ones. */
function columnsFor(nodes: readonly NodeDocument[], width: number): ShownColumn[] {
  const longest = (text: (node: NodeDocument) => string): number => Math.max(0, ...nodes.map((node) => text(node).length));
  const all = allColumns.map((column, index) =>
    index === 0
      ? {
          ...column,
          width: Math.max(
            column.width,
            longest(({ name }) => `${name}*`),
          ),
        }
      : column,
  );
  const needed = all.filter(({ spare }) => !spare);
  let left =
    width -
    needed.reduce(
      (sum, column) => sum + column.width + 1,
      longest(({ why }) => why ?? ''),
    );
  return all.filter((column) => {
    if (!column.spare) return true;
    left -= column.width + 1;
    return left >= 0;
  });
}

const row = (columns: readonly ShownColumn[], text: (column: ShownColumn) => string): string =>
  columns
    .map((column) => (column.right ? text(column).padStart(column.width) : text(column).padEnd(column.width)))
    .join(' ')
    .trimEnd();

export interface Totals {
  nodes: number;
  up: number;
  cpus: number;
  runnable: number;
  memory_bytes: number;
  memory_free_bytes: number;
  swap_bytes: number;
  swap_free_bytes: number;
  guests: number;
  frozen: number;
}

type Summed = Exclude<keyof Totals, 'nodes' | 'up'>;

/** Of all nodes that are there. */
export function totalsOf(nodes: readonly NodeDocument[]): Totals {
  const here = nodes.filter(({ state }) => state !== 'down');
  const sum = (key: Summed): number => here.reduce((all, node) => all + (node[key] ?? 0), 0);
  return {
    nodes: nodes.length,
    up: here.length,
    cpus: sum('cpus'),
    runnable: sum('runnable'),
    memory_bytes: sum('memory_bytes'),
    memory_free_bytes: sum('memory_free_bytes'),
    swap_bytes: sum('swap_bytes'),
    swap_free_bytes: sum('swap_free_bytes'),
    guests: sum('guests'),
    frozen: sum('frozen'),
  };
}

const helpLines = [
  'mosmon shows the nodes of the cluster as this one (*) knows them.',
  '',
  'LOAD    threads that run or want to, for each processor: full means one for each, or more',
  'RUNS    how many that are         SPEED   of a core; 10000 is the standard one',
  'NEWS    how old the news of the node are, or since when nothing has been heard of it',
  '',
  'FROZEN  processes whose home the node is, kept on its disk',
  '',
  'n P M S G F   sort by number, load, memory, speed, guests, frozen     I   the other way round',
  '/           only nodes with this text in name, state or cause; Enter keeps it, Esc takes it away',
  'arrows, Page Up, Page Down, Home, End   move the list',
  '? h F1      this; any key leaves it        q F10   quit',
] as const;

const style = (node: NodeDocument): Line['style'] => (node.state === 'down' ? 'bad' : busy(node) >= 1 ? 'busy' : 'plain');

/** The list's own lines. */
export const listRows = ({ rows }: Size): number => Math.max(1, rows - 4);

/** @param problem why there is nothing newer; null: all is well. */
export function render(nodes: readonly NodeDocument[], view: View, size: Size, problem: string | null): Line[] {
  const plain = (text: string): Line => ({ text, style: 'plain' });
  const cut = (lines: readonly Line[]): Line[] =>
    lines.slice(0, size.rows).map((line) => ({ ...line, text: line.text.slice(0, size.columns) }));
  if (view.help) return cut(helpLines.map(plain));
  const totals = totalsOf(nodes);
  const used = totals.memory_bytes - totals.memory_free_bytes;
  const list = chosen(nodes, view);
  const rows = listRows(size);
  const first = Math.min(view.first, Math.max(0, list.length - rows));
  const shown = list.slice(first, first + rows);
  const columns = columnsFor(shown, size.columns);
  const arrow = view.inverted ? ' (other way round)' : '';
  const foot = view.typing
    ? `/${view.filter}`
    : `? help   / filter${view.filter ? `: ${view.filter}` : ''}   by ${view.sorting}${arrow}   q quit`;
  const text =
    `${totals.up} of ${totals.nodes} nodes   ${totals.runnable.toFixed(1)} of ${totals.cpus} processors   ` +
    `${bytesText(used)} of ${bytesText(totals.memory_bytes)}   ` +
    (totals.swap_bytes > 0 ? `swap ${swapText(totals.swap_bytes, totals.swap_free_bytes)}   ` : '') +
    `${totals.guests} guests   ${totals.frozen} frozen`;
  const blank = Array.from({ length: Math.max(0, rows - shown.length) }, () => plain(''));
  return cut([
    problem === null ? plain(text) : { text: printable(problem), style: 'bad' },
    plain(''),
    {
      text: row(columns, ({ head }) => head),
      style: 'head',
    },
    ...shown.map((node): Line => ({ text: row(columns, (column) => column.text(node)), style: style(node) })),
    ...blank,
    { text: foot, style: 'dim' },
  ]);
}

/** @param key as a terminal names it: a character, or `up`, `pagedown`, `escape`, `return`, `backspace`, `f1`, ... @param count nodes in the list. */
export function press(view: View, key: string, size: Size, count: number): View {
  if (key === 'ctrl-c') return { ...view, quit: true };
  if (view.help) return { ...view, help: false };
  if (view.typing) {
    if (key === 'return') return { ...view, typing: false };
    if (key === 'escape') return { ...view, typing: false, filter: '' };
    if (key === 'backspace') return { ...view, filter: view.filter.slice(0, -1), first: 0 };
    return key.length === 1 ? { ...view, filter: view.filter + key, first: 0 } : view;
  }
  const page = listRows(size);
  const last = Math.max(0, count - page);
  const to = (first: number): View => ({ ...view, first: Math.min(last, Math.max(0, first)) });
  const by = (sorting: Sorting): View => ({ ...view, sorting, inverted: false, first: 0 });
  const keys: Record<string, () => View> = {
    q: () => ({ ...view, quit: true }),
    f10: () => ({ ...view, quit: true }),
    '?': () => ({ ...view, help: true }),
    h: () => ({ ...view, help: true }),
    f1: () => ({ ...view, help: true }),
    '/': () => ({ ...view, typing: true, filter: '' }),
    escape: () => ({ ...view, filter: '' }),
    n: () => by('number'),
    P: () => by('load'),
    M: () => by('memory'),
    S: () => by('speed'),
    G: () => by('guests'),
    F: () => by('frozen'),
    I: () => ({ ...view, inverted: !view.inverted, first: 0 }),
    up: () => to(view.first - 1),
    down: () => to(view.first + 1),
    pageup: () => to(view.first - page),
    pagedown: () => to(view.first + page),
    home: () => to(0),
    end: () => to(last),
  };
  return keys[key]?.() ?? view;
}
