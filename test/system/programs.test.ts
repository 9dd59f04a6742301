/** Real programs are moved at random moments away and home, and nobody can tell from what they leave. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ComeHomes, wrongly } from './come-homes.js';
import { alive, guestProcess, whatItDoes } from './kernel.js';
import { programs, whySkipped } from './programs.js';
import { CpuShare, jobGroup, pidOf, pidOfJob, proveAway, Storm, type Trace, Workplace } from './storm.js';
import { note, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

const least = 20;
const noTestbed = whyNoTestbed();

describe('programs that move and never notice', { skip: noTestbed ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();
  let jobs = 0;

  before(async () => {
    testbed = await Testbed.up(2);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  /** All of both nodes that still runs, and what it waits for. */
  const stuck = () =>
    [1, 2]
      .flatMap((node) => testbed.processes(node))
      .filter((pid) => alive(pid) && !/^(tool|node|mosd)/.test(tryRead(`/proc/${pid}/comm`)))
      .map((pid) => whatItDoes(pid));

  for (const program of programs) {
    void test(program.name, { skip: whySkipped(program) ?? false }, async () => {
      program.make?.();
      const alone = await testbed.run(1, program.command, { cwd: workplace.empty(), timeout: 60 });
      const plain = { seconds: alone.seconds, trace: workplace.trace(alone) };

      const job = `job-${++jobs}`;
      const running = testbed.start(1, ['mosrun', '-J', job, ...program.command], { cwd: workplace.empty() });
      const pid = await pidOfJob(testbed, job);
      const share = new CpuShare(testbed, jobGroup(testbed, pid), await testbed.helpers(2));
      const comeHomes = new ComeHomes(testbed, (await testbed.node(1)).pid);
      const storm = new Storm(testbed, pid, { seed: 7, away: program.away ?? (program.computes ? [0.5, 0.9] : [0.3, 0.7]) });
      try {
        await until(() => storm.moves.length > 0 || storm.failures.length > 0 || running.ended, 20, 'the first move');
        share.begin();
        const outcome = await running.within(100);
        if (!outcome) throw new Error(`it does not end:\n${stuck().join('\n')}`);
        const moved: Trace = workplace.trace(outcome);
        const { away, home, share: spentAway } = share.end();
        await storm.end(30);
        const freezes = storm.moves.map((move) => move.freeze_seconds).toSorted((a, b) => a - b);
        note(
          `${program.name}: ${storm.moves.length} moves in ${outcome.seconds.toFixed(1)} s (${plain.seconds.toFixed(1)} s plain), ` +
            `frozen ${((freezes[freezes.length >> 1] ?? 0) * 1000).toFixed(1)} ms in the middle, user and system time ` +
            `${away.user.toFixed(2)} + ${away.system.toFixed(2)} s away, ${home.user.toFixed(2)} + ${home.system.toFixed(2)} s at home`,
        );
        const brought = comeHomes.end();
        note(`came home by themselves: ${JSON.stringify(brought)}`);
        assert.deepEqual(storm.trouble, [], 'no move fails');
        assert.deepEqual(moved, plain.trace, 'output, exit status and files are those of a plain run');
        assert.ok(storm.moves.length >= least, `${storm.moves.length} moves are fewer than ${least}`);
        assert.deepEqual(wrongly(brought), [], 'no call that is served away brings a process home');
        if (program.computes)
          assert.ok(spentAway >= 0.9, `only ${(spentAway * 100).toFixed(1)} % of the CPU time was spent away`);
        await until(() => guestProcess(testbed, 2, pid) === undefined, 5, 'the guest to be gone');
      } finally {
        share.end();
        comeHomes.end();
        storm.stop();
        running.kill('SIGKILL');
        await testbed.killStrays(1);
      }
    });
  }

  void test('the kernel sees the program on the other node, and not at home', { timeout: 60_000 }, async () => {
    const command = ['python3', '-c', 'while True: sum(range(100000))'];
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
