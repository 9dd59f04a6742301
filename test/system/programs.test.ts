/** Real programs are moved at random moments away and home, and nobody can tell from what they leave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movePrograms } from './program-storms.js';
import { programs } from './programs.js';
import { pidOf, proveAway } from './storm.js';
import { note } from './testbed.js';

movePrograms('programs that move and never notice', programs, (testbedNow) => {
  void test('the kernel sees the program on the other node, and not at home', { timeout: 60_000 }, async () => {
    const command = ['python3', '-c', 'while True: sum(range(100000))'];
    const testbed = testbedNow();
    const running = testbed.start(1, ['mosrun', ...command]);
    const pid = await pidOf(testbed, 'sum(range');
    await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
    const proof = await proveAway(testbed, pid, 2);
    note(JSON.stringify(proof));
    running.kill('SIGKILL');
    await testbed.kill(1, pid, 'KILL');
    assert.ok(proof.homeUser <= 0.01, `the home process used ${proof.homeUser} s of user time`);
    assert.ok(proof.homeAnonymousBytes < 3_000_000, `the home process has ${proof.homeAnonymousBytes} bytes of anonymous memory`);
    assert.ok(proof.guestUser > 0.5, `the guest used only ${proof.guestUser} s`);
  });
});
