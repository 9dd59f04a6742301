/** docs/transparency.md tells of all that there is, and the tests it names are there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { table } from '../../native/syscalls/table.js';
import { interfaces } from '../lab/interfaces.js';
import { behaviours } from '../lab/laboratory.js';
import { repository } from '../system/testbed.js';

const page = readFileSync(path.join(repository, 'docs/transparency.md'), 'utf8');

test('every behaviour is in the page, and in its words', () => {
  const missing = behaviours().filter(({ name, what }) => {
    const row = `| ${name.split('/')[1]} | ${what.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;')} |`;
    return !page.includes(row);
  });
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
    'run npm run lab -- --json FILE, then scripts/generate-transparency.mjs FILE',
  );
});

test('every call of the kernel is in the page', () => {
  const missing = table.filter(({ place, name }) => place !== 'absent' && !page.includes(`| \`${name}\` |`));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

test('every test that the page names is there', () => {
  const names = new Set(behaviours().map(({ name }) => name));
  const isThere = (by: string): boolean => {
    const [, file, words] = /^(\S+): (.+)$/.exec(by) ?? [];
    if (!file || !words) return names.has(by);
    const source = path.join(repository, 'test', `${file}.test.ts`);
    return existsSync(source) && words.split(', ').every((part) => readFileSync(source, 'utf8').includes(part));
  };
  const absent = Object.values(interfaces)
    .flat()
    .flatMap(({ by }) => by)
    .filter((by) => !isThere(by));
  assert.deepEqual(absent, []);
});
