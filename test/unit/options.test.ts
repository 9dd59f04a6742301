import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpretLaunch } from '../../lib/commands/launch.js';
import { helpText } from '../../lib/commands/help.js';
import { type CommandSpec, parseOptions } from '../../lib/commands/options.js';
import { commands } from '../../lib/commands/table.js';
import type { Launch } from '../../lib/shared/launch-decision.js';

const spec: CommandSpec = {
  name: 'try',
  section: 1,
  synopsis: [''],
  summary: '',
  description: '',
  options: [
    { short: 'a', long: 'all', help: '' },
    { short: 'n', long: 'number', value: 'N', help: '' },
    { short: 'q', long: 'queue', value: '[PRI]', help: '' },
  ],
};

test('letters may be put together, values attached or apart, and words stand anywhere', () => {
  const parsed = parseOptions(spec, ['one', '-an', '5', 'two', '--number=6', '--', '-a']);
  assert.deepEqual(
    [parsed.has('all'), parsed.get('number'), parsed.words, parsed.firstWord],
    [true, '6', ['one', 'two', '-a'], 0],
  );
  assert.equal(parseOptions(spec, ['-n7']).get('number'), '7');
  assert.deepEqual(parseOptions(spec, ['-', '-a']).words, ['-']);
});

test('a value that may be missing must be attached', () => {
  const parsed = parseOptions(spec, ['-q', '5']);
  assert.deepEqual([parsed.has('queue'), parsed.get('queue'), parsed.words], [true, undefined, ['5']]);
  assert.equal(parseOptions(spec, ['-q5']).get('queue'), '5');
});

test('what is not in the table is an error of usage', () => {
  for (const line of [['-x'], ['--all=yes'], ['--none'], ['-n'], ['--number']]) {
    assert.throws(() => parseOptions(spec, line), { code: 'usage', message: /: see try --help$/ });
  }
});

test("the program's own options are left alone", () => {
  const parsed = parseOptions({ ...spec, passThrough: true }, ['-a', 'ls', '-l', '--all']);
  assert.deepEqual([parsed.words, parsed.firstWord], [['ls', '-l', '--all'], 1]);
});

const launchOf = (...words: string[]): Launch => {
  const decision = interpretLaunch(['mosrun', ...words]);
  assert.equal(decision.kind, 'launch');
  return (decision as { launch: Launch }).launch;
};

test("mosrun's options say where, and the last of two that disagree wins", () => {
  assert.deepEqual(launchOf('-r', 'node2', 'ls', '-h').start, { at: 'node', node: 'node2' });
  assert.deepEqual(launchOf('-r2', '-b', 'ls').start, { at: 'best' });
  assert.deepEqual(launchOf('ls').start, { at: 'home' });
  assert.equal(launchOf('-tT', 'ls').clock, 'home');
  assert.equal(launchOf('-r2', 'ls').locked, true);
  assert.equal(launchOf('-h', 'ls').locked, true);
  assert.equal(launchOf('-r2', '-l', 'ls').locked, false);
  assert.equal(launchOf('ls').locked, null);
  assert.deepEqual([launchOf('-F', '--', '-odd').programIndex, launchOf('ls', '-z').argumentsStartAtName], [3, false]);
});

test('the help of every command names all its options', () => {
  for (const one of Object.values(commands) as CommandSpec[]) {
    const text = helpText(one);
    for (const option of one.options) assert.ok(text.includes(`--${option.long}`), `${one.name} --${option.long}`);
    for (const line of text.split('\n')) assert.ok(line.length <= 110, line);
  }
});
