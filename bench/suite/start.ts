/** What it costs to start a program with mosrun. */
import { readFileSync } from 'node:fs';
import { CgroupTree, findCgroupMount } from '../../lib/processes/index.js';
import type { Benchmark } from '../benchmark.js';
import { type Judge, figure, turns } from '../figure.js';
import { program } from '../nodes.js';
import { sleep } from '../../test/system/testbed.js';

const aim: Judge = { text: 'at most 5 ms more', holds: ({ difference }) => difference.median <= 0.005 };
const mounted = () => findCgroupMount(readFileSync('/proc/self/mountinfo', 'utf8'));

export const start: Benchmark = {
  name: 'start',
  title: 'The start of a program at home',
  how:
    'A static program that does nothing, from posix_spawn(3) to the end of waitpid(2), started by mosrun at home, against the same program ' +
    'started plainly. 20 ms of rest before each, so that what the daemon does after an end falls on neither. Before ' +
    'the program starts, mosd puts it into a control group of its own: a write for which the kernel waits for an RCU grace period, unless ' +
    'the tree is mounted to favor it (jobs.fast_start). The machine keeps that until it is started again: one that has it has no other figure.',
  async run(nodes, { rounds }) {
    const starts = await nodes.plain(1, program('starts'));
    const rested = async (order: string): Promise<number> => {
      await sleep(0.02);
      return starts.order(order);
    };
    const taken = () =>
      turns(
        rounds(60),
        () => rested(`mosrun ${program('nothing')}`),
        () => rested(program('nothing')),
      );
    const figures = [];
    const mount = mounted();
    if (!mount?.favorsMoves) {
      figures.push(figure({ name: 'start and end', measures: 'by mosrun', against: 'plainly', unit: 's' }, await taken()));
    }
    if (mount) {
      new CgroupTree(mount, mount.directory).favorMoves();
      figures.push(
        figure({ name: 'with jobs.fast_start', measures: 'by mosrun', against: 'plainly', unit: 's', aim }, await taken()),
      );
    }
    await starts.end();
    return figures;
  },
};
