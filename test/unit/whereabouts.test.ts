import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Inspection } from '../../lib/engine/index.js';
import { AwayFiles, Finder, identityOf } from '../../lib/processes/index.js';

const { pid } = process;
const seen = (state: Inspection['state'], session = 's1'): Inspection => ({
  state,
  base: '0x300000000000',
  session,
  address: '10.0.0.3',
  port: 7071,
  encrypted: false,
  migrations: 1,
  freezeSeconds: 0.1,
  aheadBytes: 0,
  calls: 0,
  bytesOut: 0,
  bytesIn: 0,
  lastReturn: null,
  waitsFor: null,
  returns: {},
  refused: {},
});

function place(inspection: Inspection | null, file: object | null) {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-unit-'));
  const whole = {
    version: 1,
    ...identityOf(pid),
    session: 's1',
    node: 'node2',
    address: 'a',
    port: 1,
    control: '0x300000001000',
    since: 7,
  };
  if (file) writeFileSync(path.join(directory, `${pid}.json`), JSON.stringify({ ...whole, ...file }));
  const away = new AwayFiles(directory);
  const finder = new Finder({ away, inspect: () => inspection, nodeAt: (address) => (address === '10.0.0.3' ? 'node3' : null) });
  const { node, since } = finder.find(pid);
  away.sweep((one) => finder.find(one).node !== null);
  const left = readdirSync(directory).length;
  rmSync(directory, { recursive: true });
  return { node, since, left };
}

test('a process is where its mover sent it, as long as it says itself that it is away', () => {
  assert.deepEqual(place(seen('away'), {}), { node: 'node2', since: 7, left: 1 });
  assert.deepEqual(place(seen('returning'), {}), { node: 'node2', since: 7, left: 1 });
});

test('one that came home by itself, or execed there, is at home, and its file goes', () => {
  assert.deepEqual(place(seen('home'), {}), { node: null, since: null, left: 0 });
  assert.deepEqual(place(null, {}), { node: null, since: null, left: 0 });
});

test('one that is only leaving is still at home', () => {
  assert.equal(place(seen('leaving'), {}).node, null);
});

test('a child born away has no file: the data port tells its node', () => {
  assert.deepEqual(place(seen('away'), null), { node: 'node3', since: null, left: 0 });
  assert.equal(place(seen('away', 's2'), {}).node, 'node3');
});

test("another process's file, or one from before the last boot, is not believed", () => {
  assert.equal(place(null, { control: '0x0' }).node, 'node2');
  assert.deepEqual(place(null, { control: '0x0', start_time: '1' }), { node: null, since: null, left: 0 });
  assert.deepEqual(place(null, { control: '0x0', boot_id: 'x' }), { node: null, since: null, left: 0 });
});

test('what is known of the waits of a process goes when it ends, also while nobody has waited for it; what movers write stays', async () => {
  // Becomes a program that never waits for the child it had, which ends only then.
  const parent = spawn('bash', ['-c', 'cat <&3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-unit-'));
  try {
    const child = await new Promise<number>((resolve) =>
      parent.stdout?.once('data', (line: Buffer) => resolve(Number(line.toString()))),
    );
    for (let tries = 500; tries > 0 && readFileSync(`/proc/${parent.pid}/comm`, 'utf8') !== 'sleep\n'; --tries) await sleep(10);
    (parent.stdio[3] as Writable).end();
    for (let tries = 500; tries > 0 && !readFileSync(`/proc/${child}/stat`, 'utf8').includes(') Z '); --tries) await sleep(10);
    const away = new AwayFiles(directory);
    const files = [`${child}.waits`, `${pid}.waits`, '999999998.json.new', '999999999.json.new'];
    for (const name of files) writeFileSync(path.join(directory, name), '');
    assert.deepEqual(new Set(away.sweep((one) => one === 999999998)), new Set([999999998, pid]));
    assert.deepEqual(readdirSync(directory).toSorted(), [`${pid}.waits`, '999999998.json.new'].toSorted());
  } finally {
    parent.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
});
