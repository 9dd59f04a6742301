import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printableLines, tableText } from '../../lib/commands/format.js';

test('a row is one line, whatever its texts hold', () => {
  const rows = ['python3 -c import os\nos.fork()\n', 'a\tb\r\x1b[2J\u0085\u2028\u007f', 'grün'];
  const shape = [
    { head: 'COMMAND', text: (one: string) => one },
    { head: 'N', right: true, text: () => '1' },
  ];
  assert.deepEqual(tableText(rows, shape, true).split('\n'), [
    'COMMAND                          N',
    'python3 -c import os?os.fork()?  1',
    'a?b??[2J???                      1',
    'grün                             1',
    '',
  ]);
  assert.equal(printableLines('a\x07\nb'), 'a?\nb');
});
