import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Ancestry } from '../../lib/processes/ancestry.js';
import { identityOf } from '../../lib/processes/index.js';

test('descendants are followed from parent to child, also when a parent has ended', async () => {
  // A shell that leads a session, a child, a grandchild; then the child ends and leaves the grandchild alone.
  const shell = spawn('sh', ['-c', 'sh -c "sleep 61 & echo started; read line" & wait; read line'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  await once(shell.stdout, 'data');
  const first = identityOf(shell.pid ?? 0);
  assert.ok(first);
  const ancestry = new Ancestry();
  const members = ancestry.follow([first]);
  assert.ok(members.length >= 2, `${members.length} of the family are known`);
  const last = members.at(-1);
  assert.ok(last);
  assert.ok(!ancestry.follow(members, [last]).some((one) => one.pid === last.pid), 'one that went its own way is not followed');
  process.kill(first.pid, 'SIGKILL');
  await once(shell, 'exit');
  const left = ancestry.follow(members);
  assert.ok(left.some((one) => one.pid === last.pid));
  assert.ok(!left.some((one) => one.pid === first.pid));
  for (const one of left) process.kill(one.pid, 'SIGKILL');
});
