/** `npm run lab`: see the usage in scripts/lab.mjs. */
import { writeFileSync } from 'node:fs';
import { whyNoTestbed } from '../system/testbed.js';
import { Bench, type Behaviour, behaviours, compileAll, type Verdict, whyNoLaboratory } from './laboratory.js';

export interface Options {
  words: string[];
  worker: string;
  lanes: number;
  seed: number;
  repeats: number;
  /** For mosrun, as `--no-read-ahead`. */
  options: string[];
  json?: string | undefined;
}

const told = ({ behaviour, moves, during, cameHome, refusals, skipped, seconds, troubles }: Verdict): string => {
  const facts = [`${moves} moves, ${during} during a call`];
  const calls = Object.entries(cameHome).map(([name, count]) => `${name} ${count}`);
  if (calls.length > 0) facts.push(`came home for ${calls.join(', ')}`);
  if (refusals.length > 0) facts.push(`refused: ${refusals.join('; ')}`);
  if (skipped) return `skip  ${behaviour.name}: ${skipped}`;
  const word = troubles.length > 0 ? 'FAIL ' : 'ok   ';
  return [
    `${word} ${behaviour.name} (${seconds.toFixed(1)} s; ${facts.join('; ')})`,
    ...troubles.map((text) => `      ${text}`),
  ].join('\n');
};

/** Gives what is to be the exit status. */
export async function main({ words, worker, lanes, seed, repeats, options, json }: Options): Promise<number> {
  const why = whyNoTestbed() ?? whyNoLaboratory();
  if (why) return console.error(`no laboratory: ${why}`), 3;
  const all = behaviours(words);
  if (all.length === 0) return console.error(`no behaviour is called like ${words.join(', ')}`), 2;
  const mistakes = await compileAll(all);
  if (mistakes.length > 0) return console.error(mistakes.join('\n')), 1;
  const waiting: Behaviour[] = [...all];
  const verdicts: Verdict[] = [];
  const lane = async (): Promise<void> => {
    const bench = await Bench.open(worker);
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const verdict = await bench.judge(next, { seed, repeats, options });
        verdicts.push(verdict);
        console.log(told(verdict));
      }
    } finally {
      await bench.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, all.length) }, lane));
  const failed = verdicts.filter(({ troubles }) => troubles.length > 0);
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0);
  const skipped = verdicts.filter((verdict) => verdict.skipped !== undefined).length;
  const equal = verdicts.length - failed.length - skipped;
  console.log(
    `${equal} as at home, ${failed.length} not, ${skipped} skipped; ${sum(({ moves }) => moves)} moves, ${sum(({ during }) => during)} of them ordered during a call`,
  );
  if (failed.length > 0) console.log(`not as at home: ${failed.map(({ behaviour }) => behaviour.name).join(' ')}\nseed ${seed}`);
  if (json) writeFileSync(json, JSON.stringify(verdicts, undefined, 1));
  return failed.length > 0 ? 1 : 0;
}
