/** Programs that are measured get the same input every time, of the size that was meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aminoAcids, clauses, sequences } from '../../bench/inputs.js';

void test('sequences are the same of the same seed, and as long as they are to be', () => {
  const all = sequences('ACGT', 10_000, 130, 1);
  assert.ok(all.equals(sequences('ACGT', 10_000, 130, 1)));
  assert.ok(!all.equals(sequences('ACGT', 10_000, 130, 2)));
  assert.ok(all.length >= 10_000 && all.length < 10_150, `${all.length} bytes`);
  const [empty, first] = all.toString().split(/>\d+\n/);
  assert.equal(empty, '');
  assert.match(first ?? '', /^[ACGT]{60}\n[ACGT]{60}\n[ACGT]{10}\n$/);
});

void test('each amino acid has its share', () => {
  assert.equal(aminoAcids.length, 100);
  assert.equal(new Set(aminoAcids).size, 20);
});

void test('clauses have three variables each, none twice', () => {
  const [head, ...all] = clauses(50, 1).trim().split('\n');
  assert.equal(head, 'p cnf 50 213');
  assert.equal(all.length, 213);
  for (const clause of all) {
    const numbers = clause.split(' ').map((word) => Math.abs(Number(word)));
    assert.equal(new Set(numbers).size, 4, clause); // the zero at its end among them
    assert.ok(numbers.every((number) => number <= 50));
  }
});
