/** SECURITY.md and the list of mutants say what is there. That the tests it names ran, scripts/test.mjs sees to. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sentences, unshown } from '../../scripts/security-tests.mjs';

const root = process.env['MOSRUN_SOURCE'] ?? process.cwd();
const text = readFileSync(path.join(root, 'SECURITY.md'), 'utf8');

void test('every sentence of SECURITY.md names tests of files that exist', () => {
  const all = sentences(text);
  assert.deepEqual(
    all.map(({ number }) => number),
    all.map((_one, index) => index + 1),
  );
  assert.ok(all.length >= 30);
  for (const { number, tests } of all) {
    assert.ok(tests.length > 0, `sentence ${number} has no test`);
    for (const { file } of tests)
      assert.ok(existsSync(path.join(root, 'test', `${file}.test.ts`)), `sentence ${number}: ${file}`);
  }
});

void test('a test that SECURITY.md names and that did not pass is missed', () => {
  assert.deepEqual(unshown(new Set(['none']), new Set()), []);
  assert.ok(unshown(new Set(['security/deputy']), new Set()).length > 5);
});

void test('every mutant finds the guard it takes out', () => {
  const { mutants } = JSON.parse(readFileSync(path.join(root, 'test/security/mutants.json'), 'utf8')) as {
    mutants: { guard: string; file: string; text: string }[];
  };
  for (const { guard, file, text: guarded } of mutants) {
    assert.equal(readFileSync(path.join(root, file), 'utf8').split(guarded).length, 2, `${guard}: ${file}`);
  }
});
