/** The numbered fault points of native/stub/faults.h, as the mover lists them, and arming one: the next mover of the node meets it, once. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { repository, type Testbed } from './testbed.js';

export interface FaultPoint {
  number: number;
  name: string;
  /** What is to happen, in the fault's own words. */
  text: string;
}

export const faultPoints: FaultPoint[] = spawnSync(path.join(repository, 'dist/libexec/mosmove'), ['faults'], {
  encoding: 'utf8',
})
  .stdout.trim()
  .split('\n')
  .map((line) => /^(\d+) (\w+): (.*)$/.exec(line))
  .filter((match) => match !== null)
  .map(([, number, name, text]) => ({ number: Number(number), name: name as string, text: text as string }));

/** @param fault its number, or its name; throws if there is none of that name */
export async function arm(testbed: Testbed, fault: number | string): Promise<void> {
  const number = typeof fault === 'number' ? fault : faultPoints.find(({ name }) => name === fault)?.number;
  if (number === undefined) throw new Error(`there is no fault point ${fault}`);
  await testbed.run(1, ['sh', '-c', `echo ${number} > /run/mosrun/processes/fault`]);
}
