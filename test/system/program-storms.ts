/** Moving programs at random moments away and home, and holding what they leave against what they leave when they are not moved. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ComeHomes, wrongly } from './come-homes.js';
import { alive, guestProcess, whatItDoes } from './kernel.js';
import { type Program, isShort, whySkipped } from './programs.js';
import { CpuShare, jobGroup, type Move, pidOfJob, Storm, type Trace, Workplace } from './storm.js';
import { note, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

/** With MOSRUN_TEST_LIVE=N each is moved until it was moved live so many times, the whole of small ones counting as that; else a sample of moves will do. */
const live = Number(process.env['MOSRUN_TEST_LIVE'] ?? 0);
const least = live || (isShort ? 6 : 20);
const mostRuns = live ? 40 : 6;
/** Of the processor time of one that computes, what is to be spent away; less beside other tests, where each way out takes longer and runs at home. */
const mostly = isShort ? 0.8 : 0.9;
/** With MOSRUN_TEST_STORM set all of them are moved ten times a second and more, and nobody asks how much of their time they were away. */
const quick: [number, number] | undefined = process.env['MOSRUN_TEST_STORM'] ? [0.02, 0.1] : undefined;
const noTestbed = whyNoTestbed();

const wentLive = (move: Move): boolean => move.live || move.stood === 'it is small';

/** @param further other tests of the same testbed */
export function movePrograms(title: string, programs: readonly Program[], further?: (testbed: () => Testbed) => void): void {
  describe(title, { skip: noTestbed ?? false }, () => {
    let testbed: Testbed;
    const workplace = new Workplace();
    let jobs = 0;

    before(async () => {
      testbed = await Testbed.up(3);
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
        const alone = await testbed.run(1, program.command, { cwd: workplace.empty(), timeout: 120 });
        const plain = { seconds: alone.seconds, trace: workplace.trace(alone) };

        // A busy machine moves less in the time a run takes, and takes longer to order the way out of a program that is home again.
        let moves = 0;
        let share = 0;
        const enough = () => moves >= least && (!program.computes || quick || share >= mostly);
        for (let seed = 7; !enough(); seed++) {
          assert.ok(
            seed < 7 + mostRuns,
            `${mostRuns} runs: ${moves} moves, at least ${least} were to be; ${(share * 100).toFixed(1)} % of the CPU time was spent away`,
          );
          const job = `job-${++jobs}`;
          const running = testbed.start(1, ['mosrun', '-J', job, ...program.command], { cwd: workplace.empty() });
          const pid = await pidOfJob(testbed, job);
          const books = new CpuShare(testbed, jobGroup(testbed, pid), await testbed.helpers(2));
          const comeHomes = new ComeHomes(testbed, testbed.node(1).pid);
          const usual = program.away ?? (program.computes ? [0.8, 1.3] : [0.3, 0.7]);
          // Where orders take long, so do its stays at home: then those away are to be longer too.
          const away: [number, number] = quick ?? [usual[0] * (seed - 6), usual[1] * (seed - 6)];
          const storm = new Storm(testbed, pid, {
            seed,
            away,
            ...(quick && { home: quick }),
            ...(program.on && { on: program.on }),
          });
          try {
            await until(() => storm.moves.length > 0 || storm.failures.length > 0 || running.ended, 20, 'the first move');
            books.begin();
            const outcome = await running.within(100);
            if (!outcome) throw new Error(`it does not end:\n${stuck().join('\n')}`);
            const moved: Trace = workplace.trace(outcome);
            const { away, home } = books.end();
            share = Math.max(share, away.user / (away.user + home.user || 1));
            await storm.end(30);
            const freezes = storm.moves.map((move) => move.freeze_seconds).toSorted((a, b) => a - b);
            note(
              `${program.name}: ${storm.moves.length} moves, ${storm.moves.filter(wentLive).length} of them live, in ${outcome.seconds.toFixed(1)} s (${plain.seconds.toFixed(1)} s plain), ` +
                `frozen ${((freezes[freezes.length >> 1] ?? 0) * 1000).toFixed(1)} ms in the middle, user and system time ` +
                `${away.user.toFixed(2)} + ${away.system.toFixed(2)} s away, ${home.user.toFixed(2)} + ${home.system.toFixed(2)} s at home`,
            );
            const brought = comeHomes.end();
            note(`came home by themselves: ${JSON.stringify(brought)}`);
            const trouble = storm.troubleBut(program.refused ? [program.refused] : []);
            assert.deepEqual(trouble, [], 'no move fails');
            assert.deepEqual(moved, plain.trace, 'output, exit status and files are those of a plain run');
            assert.deepEqual(wrongly(brought, program.views), [], 'no call that is served away brings a process home');
            await until(() => guestProcess(testbed, 2, pid) === undefined, 5, 'the guest to be gone');
            moves += live ? storm.moves.filter(wentLive).length : storm.moves.length;
          } finally {
            books.end();
            comeHomes.end();
            storm.stop();
            running.kill('SIGKILL');
            await testbed.killStrays(1);
          }
        }
      });
    }

    further?.(() => testbed);
  });
}
