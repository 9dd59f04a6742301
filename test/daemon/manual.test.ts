/** Manual pages and completions: made from the table of commands, read by the programs they are for. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { manualPage } from '../../lib/commands/manual/mdoc.js';
import type { CommandSpec } from '../../lib/commands/options.js';
import { commands } from '../../lib/commands/table.js';
import { TwoNodes, bin } from './two-nodes.js';

const all: readonly CommandSpec[] = Object.values(commands);
const dist = path.resolve(bin(''), '..');
const manual = ({ name, section }: CommandSpec): string => path.join(dist, `man/man${section}/${name}.${section}`);
const isThere = (command: string): boolean => !spawnSync(command, ['--version']).error;
const without = (command: string): string | false => (isThere(command) ? false : `${command} is not installed`);

test('every command has its page, its completions and its entry in package.json', () => {
  const { bin: installed } = JSON.parse(readFileSync(path.join(dist, '../package.json'), 'utf8')) as { bin: object };
  assert.deepEqual(Object.keys(installed).sort(), all.map(({ name }) => name).sort());
  for (const spec of all) {
    assert.ok(existsSync(bin(spec.name)), spec.name);
    assert.equal(readFileSync(manual(spec), 'utf8'), manualPage(spec, all));
    for (const file of [`bash/${spec.name}`, `zsh/_${spec.name}`, `fish/${spec.name}.fish`]) {
      assert.ok(existsSync(path.join(dist, 'completions', file)), file);
    }
  }
});

test('mandoc finds nothing wrong in the pages', { skip: without('mandoc') }, () => {
  for (const spec of all) {
    const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', manual(spec)], { encoding: 'utf8' });
    assert.equal(stdout + stderr, '');
  }
});

test('man shows every option of every page', { skip: without('groff') }, () => {
  for (const spec of all) {
    const { status, stdout, stderr } = spawnSync('groff', ['-mdoc', '-Tascii', '-ww', '-P-c', '-P-b', '-P-u', manual(spec)], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    for (const { short, long } of spec.options) {
      assert.ok(stdout.includes(`--${long}`), `${spec.name} --${long}`);
      if (short) assert.ok(stdout.includes(`-${short}, --${long}`), `${spec.name} -${short}`);
    }
  }
});

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`${shell} reads the completions`, { skip: without(shell) }, () => {
    const directory = path.join(dist, 'completions', shell);
    for (const name of readdirSync(directory)) {
      const { status, stderr } = spawnSync(shell, ['-n', path.join(directory, name)], { encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, ''], name);
    }
  });
}

test('fish takes the completions without printing any', { skip: without('fish') }, () => {
  const directory = path.join(dist, 'completions/fish');
  for (const name of readdirSync(directory)) {
    const { status, stdout, stderr } = spawnSync('fish', ['-c', `source ${path.join(directory, name)}`], { encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '', ''], name);
  }
});

describe('completion in bash at a terminal', { skip: without('script'), timeout: 60_000 }, () => {
  let two: TwoNodes;
  before(async () => {
    two = await TwoNodes.up();
  });
  after(async () => {
    await two.down();
  });

  /** Types a line with a tab at its end, and gives what the command was called with. */
  async function complete(line: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const command = line.split(' ')[0] ?? '';
    const shell = spawn('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], {
      env: { ...two.environment(1), TERM: 'dumb', PS1: '', ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let output = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const said = async (what: RegExp): Promise<RegExpExecArray> => {
      for (let tries = 0; tries < 300; tries++) {
        const found = what.exec(output);
        if (found) return found;
        await sleep(20);
      }
      throw new Error(`the shell has not said ${what}: ${output}`);
    };
    try {
      const file = path.join(dist, 'completions/bash', command);
      shell.stdin.write(`source ${file}; called() { echo "called<$*>"; }; alias ${command}=called; echo rea''dy\n`);
      await said(/^ready\r$/m);
      shell.stdin.write(`${line}\t\n`);
      return (await said(/^called<(.*)>\r$/m))[1] ?? '';
    } finally {
      shell.stdin.end('exit\n');
      shell.kill();
    }
  }

  test('options, and words of the command', async () => {
    assert.equal(await complete('migrate 5 node2 --wa'), '5 node2 --wait');
    assert.equal(await complete('mosctl stat'), 'status');
    assert.equal(await complete('migrate 5 ho'), '5 home');
  });

  test('nodes, processes and jobs, from the daemon', async () => {
    const { pid } = await two.launch(['-J', 'nightly', 'sleep', '60']);
    assert.equal(await complete('migrate '), `${pid}`);
    assert.equal(await complete(`migrate ${pid} no`), `${pid} node`);
    assert.equal(await complete('migrate -J nig'), '-J nightly');
    assert.equal(await complete('mosps --job=nig'), '--job=nightly');
    assert.equal(await complete('migrate -J nightly h'), '-J nightly home');
  });

  test('what a job is called is never carried out', async () => {
    await two.launch(['-J', 'x$(echo evil)', 'sleep', '60']);
    assert.equal(await complete('mosps -J x'), '-J x$(echo evil)');
  });

  test('silently nothing where there is no daemon', async () => {
    assert.equal(await complete('migrate 5 no', { MOSRUN_SOCKET: '/nonexistent' }), '5 no');
  });
});
