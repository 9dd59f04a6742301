import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeAddress, type NodeView, StaticMembership } from '../../lib/cluster/index.js';
import type { Heartbeat } from '../../lib/shared/wire.js';
import { ManualClock } from './manual-clock.js';

const address = (number: number): NodeAddress => ({
  name: `node${number}`,
  number,
  address: `10.0.0.${number}`,
  controlPort: 7070,
  dataPort: 7071,
});
const facts = (state: Heartbeat['state'] = 'up') => ({ state }) as Heartbeat;

function cluster() {
  const clock = new ManualClock();
  const changes: string[] = [];
  let answer: () => Promise<Heartbeat> = () => Promise.resolve(facts());
  const asked: string[] = [];
  const members = new StaticMembership([address(1), address(2)], {
    self: 'node1',
    clock,
    own: () => facts(),
    intervalSeconds: 1,
    timeoutSeconds: 2,
    ask: (node) => {
      asked.push(node.name);
      return answer();
    },
    onChange: (node) => changes.push(`${node.name} ${node.state}`),
  });
  const state = (): NodeView['state'] | undefined => members.find('node2')?.state;
  return { clock, changes, members, asked, state, answerWith: (next: () => Promise<Heartbeat>) => (answer = next) };
}

test('a node is up when it answers, and down when it has not for the time given', async () => {
  const { clock, changes, members, state, answerWith } = cluster();
  assert.equal(state(), 'down');
  members.start();
  await clock.advance(0);
  assert.equal(state(), 'up');
  answerWith(() => Promise.reject(new Error('ECONNREFUSED')));
  await clock.advance(1);
  assert.equal(state(), 'up', 'one lost question is no death');
  await clock.advance(1);
  await clock.advance(1);
  assert.equal(state(), 'down');
  assert.equal(members.find('node2')?.why, 'ECONNREFUSED');
  answerWith(() => Promise.resolve(facts('blocked')));
  await clock.advance(1);
  assert.equal(state(), 'blocked');
  assert.deepEqual(changes, ['node2 up', 'node2 down', 'node2 blocked']);
  members.stop();
});

test('a node that shows itself is asked at once', async () => {
  const { clock, members, asked, answerWith, state } = cluster();
  answerWith(() => Promise.reject(new Error('down')));
  members.start();
  await clock.advance(0.1);
  assert.equal(asked.length, 1);
  answerWith(() => Promise.resolve(facts()));
  members.heardFrom('node2');
  await clock.advance(0);
  assert.equal(state(), 'up');
  members.heardFrom('node2');
  members.heardFrom('stranger');
  assert.equal(asked.length, 2);
  members.stop();
});

test('a node goes by name, address or number', () => {
  const { members } = cluster();
  for (const name of ['node2', '10.0.0.2', '2']) assert.equal(members.find(name)?.name, 'node2');
  assert.equal(members.find('3'), null);
});

test('a new list keeps what is known of those that stay', async () => {
  const { clock, members, state } = cluster();
  members.start();
  await clock.advance(0);
  members.replace([address(1), address(2), address(3)]);
  assert.equal(state(), 'up');
  assert.equal(members.find('3')?.state, 'down');
  await clock.advance(0);
  assert.equal(members.find('3')?.state, 'up');
  members.replace([address(1)]);
  assert.equal(members.nodes().length, 1);
  members.stop();
});
