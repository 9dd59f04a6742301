import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commands } from '../../native/syscalls/commands.js';
import { forwardable } from '../../native/syscalls/header.js';
import { type Arg, lists, type Row } from '../../native/syscalls/model.js';
import { page } from '../../native/syscalls/page.js';
import { table } from '../../native/syscalls/table.js';
import { compileText, root, run } from './compile.js';

const named = (row: Row) => `${row.number} ${row.name}`;
const isBuffer = ({ dir }: Arg) => !['value', 'fd', 'dirfd', 'string', 'command'].includes(dir);

void test('every number up to the newest has one row', () => {
  assert.deepEqual(
    table.map((row) => row.number),
    Array.from({ length: 470 }, (_, number) => number),
  );
  const names = table.map((row) => row.name).filter((name) => name !== '');
  assert.equal(new Set(names).size, names.length, 'a name stands twice');
});

void test('names and numbers are those of asm/unistd_64.h', () => {
  const program = compileText('unistd', 'c', '#include <asm/unistd_64.h>\n', '-E', '-dM');
  const known = [...readFileSync(program, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)];
  assert.ok(known.length > 300);
  for (const [, name, number] of known) if (Number(number) < table.length) assert.equal(table[Number(number)]?.name, name);
});

void test('docs/system-calls.md is what the table says', () => {
  assert.equal(readFileSync(path.join(root, 'docs/system-calls.md'), 'utf8'), page(), 'run scripts/generate-syscalls');
});

void test('every buffer the deputy is given has a length, told by a plain argument', () => {
  for (const row of table.filter(forwardable))
    for (const arg of row.args.filter(isBuffer)) {
      assert.notEqual(arg.len, 'none', named(row));
      if (!['arg', 'ret', 'fdset', 'pointer'].includes(arg.len)) continue;
      assert.ok(arg.size > 0, named(row));
      const told = row.args[arg.a];
      if (arg.len === 'pointer') assert.deepEqual([told?.dir, told?.len, told?.size], ['inout', 'fixed', 4], named(row));
      else assert.equal(told?.dir, 'value', named(row));
    }
});

void test('a call that may sleep says how it restarts, and one with a time-out may sleep', () => {
  for (const row of table) {
    assert.equal(row.flags.has('BLOCKS'), row.restart !== 'none', named(row));
    if (row.timeoutKind !== 'none') {
      assert.ok(row.flags.has('BLOCKS'), named(row));
      assert.ok(row.timeoutArg < row.args.length, named(row));
    }
    assert.equal(
      row.flags.has('SIGMASK'),
      row.args.some(({ dir }) => dir === 'sigset_in') || row.name === 'rt_sigsuspend',
      named(row),
    );
  }
});

void test('what comes home says why', () => {
  for (const row of table) {
    const leaves = row.place === 'comehome' || row.rules.some((rule) => rule.place === 'comehome');
    if (leaves) assert.notEqual(row.reason, '', named(row));
  }
});

void test('the filter lets through only calls that stub code would answer otherwise', () => {
  for (const row of table.filter(({ rules }) => rules.some((rule) => rule.place === 'native'))) {
    assert.ok(row.place === 'stub' || row.place === 'special', named(row));
  }
});

void test('special and guest calls have code of their own, others none', () => {
  for (const row of table) {
    assert.equal(row.handler !== 'none', row.place === 'stub' || row.place === 'special', named(row));
  }
});

void test('command lists hold each number once', () => {
  for (const list of lists) {
    if (list === 'none') continue;
    const numbers = commands[list].map(({ number }) => number);
    assert.equal(new Set(numbers).size, numbers.length, list);
  }
});

void test('absent calls are ENOSYS to the kernel too', () => {
  const numbers = table.filter(({ place }) => place === 'absent').map(({ number }) => number);
  const program = compileText(
    'absent',
    'c',
    `#include <errno.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
  const int numbers[] = {${numbers.join(', ')}};
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (syscall(numbers[i], 0, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS) printf("%d\\n", numbers[i]);
}
`,
  );
  assert.equal(run(program).stdout, '');
});
