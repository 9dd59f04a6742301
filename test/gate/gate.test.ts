import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const root = process.env['MOSRUN_SOURCE'] ?? process.cwd();

function run(program: string, ...args: string[]) {
  return spawnSync(path.join(root, 'build/test-gate', program), args, { encoding: 'utf8', timeout: 120_000 });
}

void test('hosting side', async (t) => {
  const made = spawnSync('make', ['-s', '-C', path.join(root, 'test/gate')], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);

  // Half a minute of waiting, beside the others: it has a mosgate of its own.
  const expiry = promisify(execFile)(path.join(root, 'build/test-gate/gate'), ['expires']).then(
    ({ stdout }) => stdout,
    (error: Error) => String(error),
  );

  await t.test('hashes and keyed hashes are those of the standards', () => {
    const result = run('sha256');
    assert.equal(result.status, 0, result.stdout);
  });

  await t.test('the filter decides every number as the table says', () => {
    const result = run('filter');
    assert.equal(result.status, 0, result.stdout);
  });

  // One process runs them all, since they share a mosgate; each of its lines is a test of its own here.
  const result = run('gate');
  const lines = result.stdout.split('\n');
  const ends = /^(ok|not ok|skipped) (.*)$/;
  let notes: string[] = [];
  for (const line of lines) {
    const match = ends.exec(line);
    if (match === null) {
      notes.push(line);
      continue;
    }
    const [, state, name = ''] = match;
    const said = notes.join('\n');
    notes = [];
    await t.test(name, { skip: state === 'skipped' ? name : false }, () => {
      assert.equal(state, 'ok', said);
    });
  }
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);

  await t.test('a session nobody comes to expires', async () => {
    assert.match(await expiry, /^(ok|skipped) /m);
  });
});
