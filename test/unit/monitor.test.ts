import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bar, chosen, initialView, press, render, totalsOf } from '../../lib/commands/mosmon-view.js';
import type { NodeDocument } from '../../lib/shared/documents.js';

const node = (number: number, more: Partial<NodeDocument> = {}): NodeDocument => ({
  name: `node${number}`,
  number,
  cluster: 'lab',
  partner: false,
  labels: [],
  address: `10.0.0.${number}`,
  control_port: 7070,
  state: 'up',
  self: number === 1,
  why: null,
  last_seen_seconds: 0.5,
  cpus: 4,
  load: 1,
  runnable: 2,
  speed: 10_000,
  memory_bytes: 8 * 2 ** 30,
  memory_free_bytes: 6 * 2 ** 30,
  swap_bytes: 2 ** 31,
  swap_free_bytes: 2 ** 30,
  guests: 0,
  frozen: 0,
  clock_offset_seconds: 0,
  kernel: '6.18.5',
  mosrun_version: '0.1.0',
  ...more,
});
const nodes = [
  node(1, { frozen: 2 }),
  node(2, { runnable: 8, memory_free_bytes: 2 ** 30, guests: 5 }),
  node(3, { speed: 12_000, cpus: 2, runnable: 0 }),
  node(4, { state: 'down', why: 'it gives no sign\x1b[J of life', last_seen_seconds: 7200 }),
];
const size = { columns: 180, rows: 12 };
const text = (view = initialView, where = size, problem: string | null = null): string[] =>
  render(nodes, view, where, problem).map((line) => line.text);
const keys = (...all: string[]) => all.reduce((view, key) => press(view, key, size, nodes.length), initialView);
const order = (...all: string[]): number[] => chosen(nodes, keys(...all)).map(({ number }) => number);

test('a long name of a node of another cluster leaves the columns in place', () => {
  const lines = render([node(1), node(2, { name: 'node2@physics-department' })], initialView, size, null).slice(3, 5);
  assert.deepEqual(
    lines.map((line) => line.text.indexOf(' up ')),
    [25, 25],
  );
});

test('each node has its line, with totals of those that are there above', () => {
  const [totals, , head, first, second, third, fourth] = text();
  assert.equal(
    totals,
    '3 of 4 nodes   10.0 of 10 processors   11.0 GiB of 24.0 GiB   swap 3.0 GiB of 6.0 GiB   5 guests   2 frozen',
  );
  assert.match(head ?? '', /^NODE +STATE +LOAD +RUNS +CPUS +SPEED +MEMORY +FREE +SIZE +SWAP +GUESTS +FROZEN +NEWS +WHY$/);
  const rest = '[|||       ]   6.0 GiB   8.0 GiB 1.0 GiB of 2.0 GiB      0      2  0.5 s';
  assert.equal(first, `node1*         up       [|||||     ]    2.0     4  10000 ${rest}`);
  assert.match(second ?? '', /^node2 +up +\[\|{10}\] +8\.0/);
  assert.match(third ?? '', /^node3 +up +\[ {10}\]/);
  assert.match(fourth ?? '', /^node4 +down .* 120 m it gives no sign.* of life$/);
  assert.ok(!(fourth ?? '').includes('\x1b'), 'what another says cannot reach the terminal');
  assert.equal(text().length, size.rows);
  assert.match(text().at(-1) ?? '', /by number +q quit/);
  assert.deepEqual(
    render(nodes, initialView, size, null)
      .slice(3, 7)
      .map(({ style }) => style),
    ['plain', 'busy', 'plain', 'bad'],
  );
  assert.equal(text(initialView, size, 'no daemon answers')[0], 'no daemon answers');
  assert.deepEqual(new Set(Object.values(totalsOf([]))), new Set([0]));
});

test('size of memory and swap space are shown where there is room', () => {
  const headIn = (columns: number, all = nodes.slice(0, 3)): string[] => {
    const [, , head] = render(all, initialView, { ...size, columns }, null);
    return head?.text.split(/ +/) ?? [];
  };
  assert.deepEqual(headIn(131).slice(7, 10), ['FREE', 'SIZE', 'SWAP']);
  assert.deepEqual(headIn(130).slice(7, 10), ['FREE', 'SIZE', 'GUESTS']);
  assert.deepEqual(headIn(100).slice(7, 10), ['FREE', 'GUESTS', 'FROZEN']);
  assert.deepEqual(headIn(150, nodes).slice(7, 10), ['FREE', 'SIZE', 'GUESTS'], 'why a node is down comes before them');
  const earlier = node(1, { swap_bytes: null, swap_free_bytes: null, frozen: null });
  const [, , , old, none] = render([earlier, node(2, { swap_bytes: 0, swap_free_bytes: 0 })], initialView, size, null);
  assert.match(old?.text ?? '', / - +0 +-  0\.5 s$/);
  assert.match(none?.text ?? '', / none +0 +0  0\.5 s$/);
});

test('bars are as full as what they show', () => {
  assert.deepEqual(
    [bar(0, 6), bar(0.5, 6), bar(1, 6), bar(9, 6), bar(-1, 6), bar(1, 1)],
    ['[    ]', '[||  ]', '[||||]', '[||||]', '[    ]', '[]'],
  );
});

test('keys sort, and turn round', () => {
  assert.deepEqual(order(), [1, 2, 3, 4]);
  assert.deepEqual(order('P'), [2, 1, 4, 3]);
  assert.deepEqual(order('M')[0], 2);
  assert.deepEqual(order('S')[0], 3);
  assert.deepEqual(order('G')[0], 2);
  assert.deepEqual(order('F')[0], 1);
  assert.deepEqual(order('I'), [4, 3, 2, 1]);
  assert.deepEqual(order('P', 'n'), [1, 2, 3, 4]);
});

test('a filter is typed, kept and taken away', () => {
  assert.deepEqual(order('/', 'd', 'o', 'W', 'n'), [4]);
  assert.deepEqual(order('/', '3', 'backspace', '2', 'return', 'P'), [2]);
  assert.deepEqual(order('/', '3', 'escape'), [1, 2, 3, 4]);
  assert.equal(text(keys('/', 'q')).at(-1), '/q');
  assert.equal(keys('/', 'q').quit, false);
  assert.deepEqual(order('/', 'z'), []);
});

test('help is shown until a key is pressed; q, F10 and Ctrl-C quit', () => {
  for (const key of ['?', 'h', 'f1']) assert.match(text(keys(key)).join('\n'), /\? h F1/);
  assert.equal(keys('?', 'q').help, false);
  assert.equal(keys('?', 'q').quit, false);
  for (const key of ['q', 'f10', 'ctrl-c']) assert.equal(keys(key).quit, true);
  assert.equal(keys('/', 'ctrl-c').quit, true);
  assert.deepEqual(keys('x', 'f5', 'tab'), initialView);
});

test('a list longer than the screen is moved, and no further than its end', () => {
  const small = { columns: 40, rows: 6 };
  const moved = (...all: string[]) => all.reduce((view, key) => press(view, key, small, nodes.length), initialView);
  const names = (view = initialView): string[] =>
    render(nodes, view, small, null)
      .map((line) => line.text.split(' ')[0] ?? '')
      .filter((word) => word.startsWith('node'));
  assert.deepEqual(names(), ['node1*', 'node2']);
  assert.deepEqual(names(moved('down')), ['node2', 'node3']);
  assert.deepEqual(names(moved('pagedown', 'pagedown', 'down')), ['node3', 'node4']);
  assert.deepEqual(names(moved('end')), ['node3', 'node4']);
  assert.deepEqual(names(moved('end', 'up', 'pageup', 'home', 'up')), ['node1*', 'node2']);
  assert.ok(render(nodes, initialView, small, null).every((line) => line.text.length <= 40));
});
