/** What programs are given to work on: the same every time. */
import { randomFrom } from '../simulate/random.js';

export const nucleotides = 'ACGT';
/** Each amino acid as often as proteins have it, in percent (Swiss-Prot). */
export const aminoAcids = [
  ...Object.entries({ A: 8, R: 6, N: 4, D: 5, C: 1, Q: 4, E: 7, G: 7, H: 2, I: 6 }),
  ...Object.entries({ L: 10, K: 6, M: 2, F: 4, P: 5, S: 7, T: 5, W: 1, Y: 3, V: 7 }),
]
  .map(([letter, often]) => letter.repeat(often))
  .join('');

const width = 60;

/** Random sequences in the format of FASTA, of `length` letters each and about `bytes` in all. */
export function sequences(alphabet: string, bytes: number, length: number, seed: number): Buffer {
  const next = randomFrom(seed);
  const codes = Buffer.from(alphabet);
  const all = Buffer.alloc(bytes + 2 * length, '\n');
  let at = 0;
  for (let count = 0; at < bytes; count++) {
    at += all.write(`>${count}\n`, at);
    for (let letter = 0; letter < length; letter++) {
      all[at++] = codes[Math.floor(next() * codes.length)] ?? 0;
      if (letter % width === width - 1 || letter === length - 1) at++;
    }
  }
  return all.subarray(0, at);
}

/** Random clauses of three literals, 4.26 for each variable: where it is hardest to say whether all can be true (DIMACS). */
export function clauses(variables: number, seed: number): string {
  const next = randomFrom(seed);
  const count = Math.round(4.26 * variables);
  const clause = (): string => {
    const three = new Set<number>();
    while (three.size < 3) three.add(1 + Math.floor(next() * variables));
    return [...three, 0].map((variable) => (variable > 0 && next() < 0.5 ? -variable : variable)).join(' ');
  };
  return `${[`p cnf ${variables} ${count}`, ...Array.from({ length: count }, clause)].join('\n')}\n`;
}
