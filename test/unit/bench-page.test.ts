/** The page of the benchmarks keeps what was taken at another time, and says of each when and where. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figure } from '../../bench/figure.js';
import { type Result, page } from '../../bench/report.js';
import { live } from '../../bench/suite/live.js';
import { svgOf } from '../../simulate/svg.js';

const pairs = (ms: number) => [1, 2, 3].map((n) => ({ measured: (ms * n) / 2000, floor: (10 * ms) / 1000 }));
const frozen = (name: string, ms: number) => figure({ name, measures: 'freeze', against: 'a bare send', unit: 's' }, pairs(ms));

const result = (name: string, taken_at: string, commit: string, kernel: string): Result => ({
  version: 1,
  name,
  title: `Of ${name}`,
  how: 'So.',
  taken_at,
  quick: false,
  machine: {
    processors: '2 × X',
    kernel,
    memory_bytes: 2 ** 34,
    virtual: 'not a virtual machine',
    huge_pages: 'madvise',
    node: 'v20.0.0',
    commit,
  },
  noise: { load: 0, before: 0, during: 0, stolen: 0 },
  figures: [frozen('2 MiB, 10 MiB/s, out', 4)],
});

void test('each section says when it was taken and at which commit, and where only if that is not where the newest was', () => {
  const old = { result: result('one', '2026-01-02T00:00:00Z', 'aaaaaaa', '6.1'), pictures: [] };
  const last = {
    result: result('two', '2026-03-04T00:00:00Z', 'bbbbbbb', '6.8'),
    pictures: [{ file: 'performance/two-1.svg', title: 'Two' }],
  };
  const text = page([old, last]);
  assert.match(text, /^Taken on not a virtual machine .*Linux 6\.8/m);
  assert.match(text, /Taken on 2026-01-02 at commit aaaaaaa, on .*Linux 6\.1,/);
  assert.match(text, /Taken on 2026-03-04 at commit bbbbbbb\.$/m);
  assert.match(text, /^!\[Two\]\(performance\/two-1\.svg\)$/m);
});

void test('the freeze is plotted by size and by the rate of change, each way beside the bare send', () => {
  const figures = [
    [2, 10, 4],
    [512, 0, 5],
    [512, 10, 6],
    [512, 100, 9],
    [4096, 10, 12],
  ].flatMap(([size, rate, ms = 0]) =>
    ['out', 'on', 'home'].flatMap((way) => [
      frozen(`${size} MiB, ${rate} MiB/s, ${way}`, ms),
      frozen(`${size} MiB, ${rate} MiB/s, ${way}, as seen`, 77),
    ]),
  );
  const [bySize, byRate] = live.plots?.(figures) ?? [];
  assert.ok(bySize && byRate);
  const [out] = bySize.lines;
  assert.deepEqual(out?.points, [
    [2, 4],
    [512, 6],
    [4096, 12],
  ]);
  assert.deepEqual(bySize.lines.at(-1)?.points[0], [2, 40]);
  assert.deepEqual(
    byRate.lines[0]?.points.map(([rate]) => rate),
    [0, 10, 100],
  );
  for (const plot of [bySize, byRate]) assert.match(svgOf(plot), /frozen, on to another node/);
});
