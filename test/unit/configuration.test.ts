import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseConfiguration } from '../../lib/daemon/configuration.js';

const good = `cluster = "lab"
node = "node1"

[[nodes]]
name = "node1"
number = 1
address = "10.0.0.1"

[[nodes]]
name = "node2"
number = 2
address = "10.0.0.2"
`;

test('every key but the nodes has a default', () => {
  const read = parseConfiguration(good, '/etc/mosrun/mosrun.toml');
  assert.equal(read.nodes[1]?.data_port, 7071);
  assert.equal(read.paths.runtime, '/run/mosrun');
  assert.equal(read.paths.certificates, '/etc/mosrun');
  assert.equal(read.migration.timeout_seconds, 30);
});

test('amounts of memory are bytes or have a unit', () => {
  const reserve = (text: string): number =>
    parseConfiguration(`${good}[hosting]\nreserve_memory = ${text}\n`, 'f').hosting.reserve_memory;
  assert.deepEqual([reserve('5'), reserve('"512M"'), reserve('"2 GiB"')], [5, 512 * 2 ** 20, 2 ** 31]);
});

const wrong: [string, string, RegExp][] = [
  ['no TOML', good.replace('number = 2', 'number = = 2'), /^f:11: /],
  ['a wrong type', good.replace('number = 2', 'number = "two"'), /^f:11: nodes\.1\.number: .*expected number/],
  ['an unknown key', `${good}[hosting]\nmax_guest = 1\n`, /^f:14: hosting\.max_guest: there is no key "max_guest": see /],
  ['a missing key', good.replace('address = "10.0.0.2"\n', ''), /^f:9: nodes\.1\.address: it is missing: see /],
  ['a node without a name', good.replace('node = "node1"\n', ''), /^f: node: it is missing: see /],
  [
    'a node that is down between its signs of life',
    `${good}[heartbeat]\ninterval_seconds = 5\n`,
    /^f:13: heartbeat\.timeout_seconds: .* more than interval_seconds, 5: see /,
  ],
  ['an unknown node', good.replace('node = "node1"', 'node = "node7"'), /^f:2: node: no \[\[nodes\]\] entry is called node7/],
  ['a number used twice', good.replace('number = 2', 'number = 1'), /^f:11: nodes\.1\.number: another node has number 1/],
  ['a name that is a word of migrate', good.replaceAll('node2', 'home'), /^f:10: nodes\.1\.name: /],
  ['a wrong address', good.replace('10.0.0.2', '10.0.0.256'), /^f:12: nodes\.1\.address: an IPv4/],
  ['a wrong level', `${good}[log]\nlevel = "loud"\n`, /^f:14: log\.level: .*"trace"\|"debug"\|"info"/],
];
for (const [what, text, expected] of wrong) {
  test(`${what} is refused with its file, line and what is accepted`, () => {
    assert.throws(() => parseConfiguration(text, 'f'), { code: 'configuration', message: expected });
  });
}

test('every key is documented', () => {
  const page = readFileSync(`${process.env.MOSRUN_SOURCE ?? '.'}/docs/configuration.md`, 'utf8');
  const { freezing, ...rest } = parseConfiguration(good, 'f');
  const ofClass = Object.keys(freezing.classes.get('default') ?? {});
  const keys = Object.entries(rest).flatMap(([key, value]) =>
    typeof value === 'object' && !Array.isArray(value) ? Object.keys(value) : ['file', 'revision'].includes(key) ? [] : [key],
  );
  for (const key of [...keys, ...ofClass, 'directory', 'control_port', 'data_port']) assert.ok(page.includes(`\`${key}\``), key);
});
