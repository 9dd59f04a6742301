/** As many moves in a row as the project promises leave both nodes as they were. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { alive, belongings, count, guestProcess, homeProcess, mappings } from './kernel.js';
import { endlessPython, endlessThreads, isShort, type Program, whySkipped } from './programs.js';
import { pidOf, Storm, Workplace } from './storm.js';
import { sleep, Testbed, until, whyNoTestbed, note } from './testbed.js';

const noTestbed = whyNoTestbed();

/** What a process itself has at home; addresses differ from run to run, so mappings are counted by what they map. */
async function own(pid: number) {
  const maps = mappings(pid).map((line) => line.split(/\s+/).slice(1, 2).concat(line.split(/\s+/).slice(5)).join(' '));
  // The heap and other anonymous memory come and go with the program itself.
  // The program itself has threads and files that come and go: the fewest in half a second are those that stay.
  let tasks = count(`/proc/${pid}/task`);
  let descriptors = count(`/proc/${pid}/fd`);
  for (let turn = 0; turn < 50; turn++, await sleep(0.01)) {
    tasks = Math.min(tasks, count(`/proc/${pid}/task`));
    descriptors = Math.min(descriptors, count(`/proc/${pid}/fd`));
  }
  return {
    descriptors,
    tasks,
    mappings: maps.filter((line) => line.includes('/')).toSorted(),
  };
}

/** The kernel takes down the mounts of a namespace that has ended when it has time for it. */
async function settled(look: () => unknown): Promise<void> {
  let last = '';
  await until(
    async () => {
      const now = JSON.stringify(look());
      const same = now === last;
      last = now;
      if (!same) await sleep(0.5);
      return same;
    },
    10,
    'what has ended to be taken down',
  );
}

describe('endurance', { skip: noTestbed ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();

  before(async () => {
    testbed = await Testbed.up(2);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  async function endure(program: Program, moves: number, away: [number, number], report: (text: string) => void): Promise<void> {
    program.make?.();
    const { pid: init1 } = testbed.node(1);
    const { pid: init2 } = testbed.node(2);
    const running = testbed.start(1, ['mosrun', ...program.command], { cwd: workplace.empty() });
    await running.says('ready');
    const pid = await pidOf(testbed, program.command.slice(1).join(' '));
    const atHome = homeProcess(testbed, 1, pid);
    assert.ok(atHome);
    // The first journey makes what is made once: pools, caches, connections.
    const first = new Storm(testbed, pid, { moves: 4 });
    await first.end(30);
    assert.deepEqual(first.trouble, []);
    await until(() => guestProcess(testbed, 2, pid) === undefined, 5, 'the guest to be gone');
    await settled(() => [belongings(testbed, 1, init1, [atHome]), belongings(testbed, 2, init2)].map(({ mounts }) => mounts));
    const before = { one: belongings(testbed, 1, init1, [atHome]), two: belongings(testbed, 2, init2), own: await own(atHome) };

    const storm = new Storm(testbed, pid, { moves, away, home: [0, 0.02], tree: false });
    const began = performance.now();
    await storm.end(moves * 2 + 60);
    const seconds = (performance.now() - began) / 1000;
    const freezes = storm.moves.map((move) => move.freeze_seconds).toSorted((a, b) => a - b);
    const at = (part: number) => ((freezes[Math.floor(freezes.length * part)] ?? 0) * 1000).toFixed(1);
    report(
      `${storm.moves.length} moves in ${seconds.toFixed(0)} s, frozen ${at(0.5)} ms in the middle, ${at(0.99)} ms at most but for 1 %`,
    );
    assert.deepEqual(storm.trouble, []);
    assert.ok(storm.moves.length >= moves);
    await until(() => guestProcess(testbed, 2, pid) === undefined, 5, 'the guest to be gone');
    await sleep(1);
    const behind = { one: belongings(testbed, 1, init1, [atHome]), two: belongings(testbed, 2, init2), own: await own(atHome) };
    assert.deepEqual(behind, before, 'both nodes and the process have what they had');
    assert.ok(alive(atHome));
    await testbed.kill(1, pid);
    const outcome = await running.done;
    assert.equal(outcome.status, 0);
    assert.match(outcome.stdout, /^ready\nall (blocks|rounds) are equal/);
  }

  const [pythonMoves, threadMoves] = isShort ? [150, 60] : [1000, 300];

  void test(
    `${pythonMoves} moves of one python3 program leave nothing behind`,
    { skip: whySkipped(endlessPython) ?? false, timeout: 1_200_000 },
    () => endure(endlessPython, pythonMoves, [0, 0.05], note),
  );

  void test(
    `${threadMoves} moves of one C program with eight threads leave nothing behind`,
    { skip: whySkipped(endlessThreads) ?? false, timeout: 1_200_000 },
    () => endure(endlessThreads, threadMoves, [0, 0.05], note),
  );
});
