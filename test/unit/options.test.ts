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
  exitCodes: [],
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
  assert.deepEqual(launchOf('-h', 'ls').start, { at: 'home' });
  assert.deepEqual(launchOf('ls').start, { at: 'unsaid' });
  assert.deepEqual(launchOf('-j', 'a,2-4,192.0.2.1', 'ls').start, { at: 'some', nodes: ['a', '2', '3', '4', '192.0.2.1'] });
  assert.deepEqual(
    [launchOf('-m', '512', 'ls').memoryBytes, launchOf('-m1', 'ls').memoryBytes, launchOf('ls').memoryBytes],
    [2 ** 29, 2 ** 20, null],
  );
  assert.deepEqual(
    [launchOf('-c', '-d', '0.5', 'ls').pure, launchOf('-d.5', 'ls').decay, launchOf('ls').pure],
    [true, 0.5, null],
  );
  for (const wrong of [
    ['-m', 'much'],
    ['-m', '-1'],
    ['-d', '1'],
    ['-d', '0'],
    ['-d', ''],
    ['-j', '4-2'],
    ['-j', 'a,,b'],
  ])
    assert.equal(interpretLaunch(['mosrun', ...wrong, 'ls']).kind, 'answer', wrong.join(' '));
  assert.equal(launchOf('-tT', 'ls').clock, 'home');
  assert.deepEqual(
    ['-e', '-w', '-u', '-we', '-L'].map((word) => launchOf(word, 'ls').unserved),
    ['error', 'warn', 'end', 'error', null],
  );
  assert.equal(launchOf('-r2', 'ls').locked, true);
  assert.equal(launchOf('-h', 'ls').locked, true);
  assert.equal(launchOf('-r2', '-l', 'ls').locked, false);
  assert.equal(launchOf('ls').locked, null);
  assert.deepEqual([launchOf('-F', '--', '-odd').programIndex, launchOf('ls', '-z').argumentsStartAtName], [3, false]);
});

test('mosenv takes variables before the program, mosnative nothing but the program', () => {
  const decision = interpretLaunch(['mosenv', '-r2', 'A=1', 'B=x=y', 'ls', 'C=3']);
  assert.equal(decision.kind, 'launch');
  const { environment, programIndex, start } = (decision as { launch: Launch }).launch;
  assert.deepEqual([environment, programIndex, start], [{ A: '1', B: 'x=y' }, 4, { at: 'node', node: '2' }]);
  assert.deepEqual(launchOf('A=1').environment, {});
  assert.deepEqual(interpretLaunch(['mosnative', 'ls', '-r2']), { kind: 'native', programIndex: 1 });
  for (const wrong of [['mosenv', 'A=1'], ['mosenv', '-z', 'A=1', 'ls'], ['mosnative'], ['mosnative', '-r2', 'ls']]) {
    const answer = interpretLaunch(wrong);
    assert.deepEqual([answer.kind, answer.kind === 'answer' && answer.exitCode], ['answer', 125], wrong.join(' '));
    assert.match(answer.kind === 'answer' ? answer.error : '', new RegExp(`see ${wrong[0]} --help`));
  }
});

test('a private directory is refused with the reason', () => {
  const answer = interpretLaunch(['mosrun', '-X', '/tmp', 'ls']);
  assert.ok(answer.kind === 'answer' && answer.exitCode === 125);
  assert.match(answer.error, /^mosrun: --private-directory is refused: .* needs a privileged launcher, .*: see mosrun --help\n$/);
});

test('the help of every command names all its options', () => {
  for (const one of Object.values(commands) as CommandSpec[]) {
    const text = helpText(one);
    for (const option of one.options) assert.ok(text.includes(`--${option.long}`), `${one.name} --${option.long}`);
    for (const line of text.split('\n')) assert.ok(line.length <= 110, line);
  }
});
