import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../lib/daemon/metrics.js';
import type { Event } from '../../lib/shared/events.js';
import { VERSION } from '../../lib/shared/version.js';
import type { Heartbeat } from '../../lib/shared/wire.js';

function node() {
  const listeners: ((told: { event: Event }) => void)[] = [];
  const facts = {
    cpus: 2,
    load: 0.5,
    memory_bytes: 1000,
    memory_free_bytes: 400,
    swap_bytes: 800,
    swap_free_bytes: 600,
    guests: 3,
  } as Heartbeat;
  const metrics = new Metrics({
    listen: (listener) => listeners.push(listener),
    self: 'node1',
    heartbeat: () => facts,
    nodes: () => [{ state: 'up' }, { state: 'up' }, { state: 'down' }],
    partnerNodes: () => [{ state: 'blocked' }],
    refused: () => ({ connections: 8, datagrams: 9 }),
    processes: () => [{ state: 'away' }],
    streams: () => 4,
  });
  const tell = (event: object): void => {
    for (const listener of listeners) listener({ event: event as Event });
  };
  return { metrics, tell };
}

/** The value of a series; of one that is not there, undefined. */
const valueIn = (text: string, series: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1);

test('what the node is and has is read when asked for', async () => {
  const text = await node().metrics.text();
  const value = (series: string) => valueIn(text, series);
  assert.equal(value(`mosrun_build_info{version="${VERSION}",node="node1"}`), '1');
  assert.equal(value('mosrun_node_load_cpus'), '0.5');
  assert.equal(value('mosrun_node_memory_free_bytes'), '400');
  assert.deepEqual([value('mosrun_node_swap_bytes'), value('mosrun_node_swap_free_bytes')], ['800', '600']);
  assert.equal(value('mosrun_node_guests'), '3');
  assert.equal(value('mosrun_event_streams'), '4');
  assert.equal(value('mosrun_nodes{state="up"}'), '2');
  assert.equal(value('mosrun_partner_nodes{state="blocked"}'), '1');
  assert.deepEqual([value('mosrun_connections_refused_total'), value('mosrun_datagrams_refused_total')], ['8', '9']);
  assert.equal(value('mosrun_nodes{state="blocked"}'), '0');
  assert.equal(value('mosrun_processes{state="away"}'), '1');
});

test('moves, come-homes and refusals are counted, and freezes measured', async () => {
  const { metrics, tell } = node();
  const done = { type: 'migration-finished', freeze_seconds: 0.004, bytes: 1000 };
  tell({ ...done, from: 'node1', to: 'node2' });
  tell({ ...done, from: 'node2', to: 'node3' });
  tell({ ...done, from: 'node3', to: 'node1', freeze_seconds: null, bytes: null });
  tell({ type: 'migration-failed', from: 'node1', to: 'node2' });
  tell({ type: 'came-home', call: 'io_uring_setup', freeze_seconds: 0.3 });
  tell({ type: 'guest-refused', reason: 'memory' });
  const text = await metrics.text();
  const value = (series: string) => valueIn(text, series);
  assert.equal(value('mosrun_migrations_total{direction="out",result="done"}'), '1');
  assert.equal(value('mosrun_migrations_total{direction="out",result="failed"}'), '1');
  assert.equal(value('mosrun_migrations_total{direction="on",result="done"}'), '1');
  assert.equal(value('mosrun_migrations_total{direction="home",result="done"}'), '1');
  assert.equal(value('mosrun_migrations_total{direction="home",result="failed"}'), '0', 'there before it counts');
  assert.equal(value('mosrun_migration_sent_bytes_total'), '2000');
  assert.equal(value('mosrun_come_homes_total{call="io_uring_setup"}'), '1');
  assert.equal(value('mosrun_sessions_refused_total{reason="memory"}'), '1');
  assert.equal(value('mosrun_migration_freeze_seconds_bucket{le="0.005"}'), '2');
  assert.equal(value('mosrun_migration_freeze_seconds_count'), '3');
});

test('every series follows the conventions: a help text, a type, _total on counters and base units only', async () => {
  const text = await node().metrics.text();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  assert.ok(types.length >= 15);
  for (const [, name = '', type] of types) {
    assert.match(name, /^mosrun_[a-z_]+$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.doesNotMatch(name, /milli|micro|kilo|mega|minutes/);
    assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'));
  }
});
