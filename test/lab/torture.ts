/**
 * `npm run torture`: real programs, several at once, moved about by the tens a second among three nodes, while links are cut, daemons and gates
 * are killed, memory runs short and faults are injected into moves. Each must do what it does when nothing happens to it. docs/laboratory.md
 */
import { arm, faultPoints } from '../system/fault-points.js';
import { programs, stormed, whySkipped, type Program } from '../system/programs.js';
import { alive, killedForMemory, whatItDoes } from '../system/kernel.js';
import { pidOfJob, Storm, type Trace, Workplace } from '../system/storm.js';
import { sleep, Testbed, tryRead, whyNoTestbed } from '../system/testbed.js';

export interface Options {
  minutes: number;
  seed: number;
  lanes: number;
  /** Longer than any program takes that is only slowed down. */
  patienceSeconds: number;
  /** Only programs whose names hold it. */
  only: string;
}

type Random = (below: number) => number;

function randomFrom(seed: number): Random {
  let state = (seed * 7919 + 1) % 2147483647;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return Math.floor((state / 2147483647) * below);
  };
}

/** One at a time: a daemon that is killed while a program is started keeps it from being started, and that is not what is tried here. */
class Turns {
  private last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work, work);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}

const count = (counts: Map<string, number>, what: string, by = 1): void => void counts.set(what, (counts.get(what) ?? 0) + by);
const shown = (counts: Map<string, number>): string =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, n]) => `${what} ${n}`)
    .join(', ') || 'none';

const firstDifference = (plain: Trace, moved: Trace): string => {
  for (const key of ['stderr', 'stdout', 'signal', 'status', 'files'] as const) {
    const [one, other] = [plain[key], moved[key]].map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
    if (one === other) continue;
    let at = 0;
    while (one && at < one.length && one[at] === other?.[at]) at++;
    const from = Math.max(0, at - 60);
    return `ended with ${moved.signal ?? moved.status}, ${key}: "${one?.slice(from, from + 160)}" plain, "${other?.slice(from, from + 160)}" moved`;
  }
  return '';
};

/** All of the programs that still runs, at home and away, and what it waits for. */
const stuck = (testbed: Testbed): string =>
  [1, 2, 3]
    .flatMap((node) => testbed.processes(node))
    .filter((pid) => alive(pid) && !/^(tool|node|mosd|mosgate|sh|MainThread)\n/.test(tryRead(`/proc/${pid}/comm`)))
    .map((pid) => `${tryRead(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 120)}\n${whatItDoes(pid)}`)
    .join('\n');

/** What is done to the nodes. Each gives what it was, and undoes it before it ends. */
class Disturber {
  readonly done = new Map<string, number>();
  /** Of those that took memory: killed as they should be. */
  hogsKilled = 0;

  constructor(
    private readonly testbed: Testbed,
    private readonly random: Random,
    private readonly turns: Turns,
    private readonly faults: number[],
  ) {}

  private async answers(node: number): Promise<void> {
    await this.testbed.comes(node, 30);
  }

  private readonly kinds: Record<string, (node: number) => Promise<void>> = {
    'cut link': async (node) => {
      await this.testbed.control('cut', `${node}`);
      await sleep(0.1 + this.random(1500) / 1000);
      await this.testbed.control('heal', `${node}`);
    },
    'killed daemon': (node) =>
      this.turns.take(async () => {
        await this.testbed.control('kill-daemon', `${node}`);
        await sleep(this.random(1000) / 1000);
        await this.testbed.control('start-daemon', `${node}`);
        await this.answers(node);
      }),
    'killed gate': async (node) => {
      const gate = (await this.testbed.helpers(node)).find((pid) => tryRead(`/proc/${pid}/comm`).startsWith('mosgate'));
      if (gate) process.kill(gate, 'SIGKILL');
    },
    'memory shortage': async (node) => {
      // The hog is the first that the kernel would end.
      const text = 'open("/proc/self/oom_score_adj","w").write("1000"); import time; kept = bytearray(600 << 20); time.sleep(1)';
      const { status, signal } = await this.testbed.run(node, ['python3', '-c', text], { timeout: 60 });
      if (status === 137 || signal === 'SIGKILL') this.hogsKilled++;
    },
    fault: async () => {
      const number = this.faults[this.random(this.faults.length)];
      if (number !== undefined) await arm(this.testbed, number);
    },
  };

  async disturb(until: () => boolean): Promise<void> {
    const names = Object.keys(this.kinds);
    while (!until()) {
      const name = names[this.random(names.length)] ?? 'fault';
      const node = 1 + this.random(3);
      await sleep(0.5 + this.random(2500) / 1000);
      await this.kinds[name]?.(node);
      count(this.done, name);
    }
  }
}

/** Gives what is to be the exit status. */
export async function torture({ minutes, seed, lanes, patienceSeconds, only }: Options): Promise<number> {
  const why = whyNoTestbed();
  if (why) return console.error(`no torture: ${why}`), 3;
  const random = randomFrom(seed);
  const turns = new Turns();
  const testbed = await Testbed.up(3, '--memory', '1500M');
  const failures = new Map<string, number>();
  const troubles: string[] = [];
  const runs = new Map<string, number>();
  let moves = 0;
  let killed = 0;
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 60_000;
  const over = (): boolean => elapsed() > minutes || troubles.length >= 5;
  // All but the one that a program is to be told of: its disk is full.
  const faults = faultPoints.filter(({ name }) => name !== 'home_write_fails').map(({ number }) => number);
  const disturber = new Disturber(testbed, randomFrom(seed + 1), turns, faults);
  const all = [...programs, ...stormed].filter((program) => {
    const missing = whySkipped(program);
    if (missing) console.log(`without ${program.name}: ${missing}`);
    return !missing && program.name.includes(only);
  });
  if (all.length === 0) {
    await testbed.down();
    return console.error('no program is left to run'), 2;
  }
  let jobs = 0;
  async function round(
    program: Program,
    { workplace, plain }: { workplace: Workplace; plain: Map<string, Trace> },
    plan: { storm: number; on: boolean },
  ): Promise<void> {
    const job = `torture-${++jobs}`;
    program.make?.();
    let reference = plain.get(program.name);
    if (!reference) {
      const outcome = await testbed.run(1, program.command, { cwd: workplace.empty(), timeout: patienceSeconds });
      reference = workplace.trace(outcome);
      plain.set(program.name, reference);
    }
    const [running, pid] = await turns.take(async () => {
      const started = testbed.start(1, ['mosrun', '-J', job, ...program.command], { cwd: workplace.empty() });
      const found = await pidOfJob(testbed, job).catch(() => 0);
      return [started, found] as const;
    });
    const storm = new Storm(testbed, pid || 1, {
      seed: plan.storm,
      away: [0.02, 0.3],
      home: [0, 0.05],
      ...(plan.on && { on: 'node3' }),
      ...(!pid && { moves: 0 }),
    });
    const outcome = await running.within(patienceSeconds);
    storm.stop();
    const what = `${program.name} (storm ${plan.storm}${plan.on ? ', on to node3' : ''}), ${storm.moves.length} moves`;
    if (!outcome) {
      troubles.push(`${what}: it did not end within ${patienceSeconds} s`);
      console.log(stuck(testbed));
      await testbed.kill(1, pid, 'KILL');
    } else {
      const difference = firstDifference(reference, workplace.trace(outcome));
      if (difference) troubles.push(`${what}: ${difference}`);
    }
    moves += storm.moves.length;
    count(runs, program.name);
    for (const { code } of storm.failures) count(failures, code ?? 'no code');
    console.log(`${elapsed().toFixed(1)} min  ${troubles.at(-1)?.startsWith(what) ? troubles.at(-1) : `${what}: as plain`}`);
  }

  async function lane(): Promise<void> {
    // Names of directories get into outputs: each lane has plain runs of its own.
    const workplace = new Workplace();
    const plain = new Map<string, Trace>();
    try {
      while (!over()) {
        const program = all[random(all.length)];
        if (program) await round(program, { workplace, plain }, { storm: 1 + random(1_000_000), on: random(2) === 0 });
      }
    } finally {
      workplace.remove();
    }
  }

  try {
    await Promise.all([disturber.disturb(over), ...Array.from({ length: lanes }, lane)]);
  } catch (error) {
    troubles.push(`the torture itself failed: ${(error as Error).stack}`);
  } finally {
    killed = [1, 2, 3].reduce((sum, node) => sum + killedForMemory(testbed, node), 0);
    if (troubles.length > 0) for (const node of [1, 2, 3]) console.log(`node${node}:\n${testbed.log(node)}`);
    await testbed.down();
  }
  console.log(`${elapsed().toFixed(1)} minutes, seed ${seed}: ${shown(runs)}`);
  console.log(`${moves} moves; disturbed by ${shown(disturber.done)}; moves that failed: ${shown(failures)}`);
  console.log(`killed for want of memory: ${killed}, of them ${disturber.hogsKilled} that were to take it`);
  console.log(`${troubles.length} programs lost or not as plain`);
  for (const text of troubles) console.log(`  ${text}`);
  if (troubles.length > 0) console.log(`again: npm run torture -- --minutes ${minutes} --seed ${seed} --lanes ${lanes}`);
  return troubles.length > 0 ? 1 : 0;
}
