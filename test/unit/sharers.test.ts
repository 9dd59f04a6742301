import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharersOf } from '../../lib/daemon/sharers.js';

void test("what is kept of files is shared by one user's processes alone", () => {
  const one = { home: 'node1', uid: 1000, privileged: null };
  assert.match(sharersOf(one) ?? '', /^[0-9a-f]{16}$/);
  assert.equal(sharersOf(one), sharersOf({ ...one }));
  const others = [{ uid: 1001 }, { home: 'node2' }, { home: 'node1@a' }, { uid: 0, privileged: "root's rights" }];
  assert.equal(new Set([one, ...others.map((other) => ({ ...one, ...other }))].map(sharersOf)).size, 5);
  assert.equal(sharersOf({ ...one, privileged: "another user's rights" }), null);
});
