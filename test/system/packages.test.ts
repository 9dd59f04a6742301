/** The packages: what is in them, that a program moves between nodes that have nothing else, and that they are upgraded without losing one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { whySkipped } from './programs.js';
import { type Listed } from './storm.js';
import { repository, type Running, Testbed, until, whyNoTestbed } from './testbed.js';

const needs = { needs: ['dpkg-deb', 'npm', 'tar', 'python3', 'readelf', 'setpriv'] } as never;
const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as { version: string };
const packages = path.join(repository, 'dist/packages');
/** Where node2 sees it too. */
const unpacked = path.join(packages, 'root');

function run(command: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', cwd: repository });
  assert.equal(status, 0, `${command} ${words.join(' ')}: ${stderr}`);
  return stdout;
}

describe('packages', { skip: whyNoTestbed() ?? whySkipped(needs) ?? false }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-packages-'));
  const installed = path.join(directory, 'mosrun');
  const bin = (name: string) => path.join(installed, 'bin', name);
  let home: Running;
  let away: Running;
  const pids: Record<string, number> = {};

  before(() => {
    run('scripts/package');
    rmSync(unpacked, { recursive: true, force: true });
    run('dpkg-deb', '-x', path.join(packages, `mosrun_${version}_amd64.deb`), unpacked);
    cpSync(path.join(unpacked, 'usr/lib/mosrun'), installed, { recursive: true });
  });
  after(async () => {
    await testbed?.down();
    rmSync(unpacked, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  });

  void test('the Debian package has what it should, where it should be', () => {
    const deb = path.join(packages, `mosrun_${version}_amd64.deb`);
    const control = run('dpkg-deb', '-f', deb);
    assert.match(control, /^Depends: nodejs \(>= 20\.19\), libc6 \(>= 2\.\d+\)/m);
    const names = run('dpkg-deb', '-c', deb);
    for (const name of readdirSync(path.join(repository, 'dist/bin')).filter((each) => each !== 'package.json')) {
      assert.match(names, new RegExp(`^lrwx.* \\./usr/bin/${name} -> \\.\\./lib/mosrun/bin/${name}$`, 'm'));
    }
    for (const name of [
      'usr/lib/systemd/system/mosd.service',
      'usr/share/doc/mosrun/copyright',
      'usr/share/doc/mosrun/changelog.gz',
    ]) {
      assert.match(names, new RegExp(`^-rw-r--r-- root/root .* \\./${name}$`, 'm'));
    }
    for (const [from, to] of [
      ['dist/man', 'usr/share/man'],
      ['dist/completions/bash', 'usr/share/bash-completion/completions'],
    ] as const) {
      if (existsSync(path.join(repository, from))) assert.ok(names.includes(`./${to}/`), to);
    }
    assert.doesNotMatch(names, /\.key|node_modules|\/root\/|packages/);
  });

  void test('the npm package installs its commands and its library, without a compiler', { timeout: 60_000 }, () => {
    const names = run('tar', '-tzf', path.join(packages, `mosrun-${version}.tgz`));
    for (const name of [
      'dist/bin/mosd',
      'dist/libexec/mosgate',
      'dist/libexec/mosrun.node',
      'dist/lib/api/index.js',
      'packaging/systemd/mosd.service',
    ]) {
      assert.ok(names.includes(`package/${name}\n`), name);
    }
    assert.doesNotMatch(names, /dist\/packages|native\/|test\//);
    const modules = path.join(directory, 'node_modules');
    mkdirSync(modules);
    run('tar', '-xzf', path.join(packages, `mosrun-${version}.tgz`), '-C', modules);
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(modules, 'package/package.json'), 'utf8')) as {
      dependencies?: object;
    };
    // Its own dependencies are those of this checkout; installing them from the network is for the long test.
    for (const name of Object.keys(dependencies)) assert.ok(existsSync(path.join(repository, 'node_modules', name)), name);
    run('mv', path.join(modules, 'package'), path.join(modules, 'mosrun'));
    run('ln', '-s', path.join(repository, 'node_modules'), path.join(modules, 'mosrun/node_modules'));
    writeFileSync(path.join(directory, 'use.mjs'), "import { Cluster } from 'mosrun'; console.log(typeof Cluster.connect);");
    assert.equal(run('node', path.join(directory, 'use.mjs')), 'function\n');
    assert.equal(run(path.join(modules, 'mosrun/dist/bin/mosps'), '--version'), `mosps ${version}\n`);
  });

  async function ok(node: number, command: string[], env: Record<string, string> = {}): Promise<string> {
    const { status, stdout, stderr } = await testbed.run(node, command, { env });
    assert.equal(status, 0, `${command.join(' ')}: ${stderr}`);
    return stdout;
  }
  const listed = async (): Promise<Listed[]> =>
    (JSON.parse(await ok(1, [bin('mosps'), '--json'])) as { processes: Listed[] }).processes;
  const sees = (node: number, count: number, command: string) =>
    until(
      async () => {
        const { status, stdout } = await testbed.run(node, [command, 'nodes', '--json']);
        return (
          status === 0 &&
          (JSON.parse(stdout) as { nodes: { state: string }[] }).nodes.filter(({ state }) => state === 'up').length === count
        );
      },
      15,
      `node${node} to see ${count} nodes`,
    );

  void test('a program moves between nodes that have the package alone, with the rights that its unit gives', {
    timeout: 60_000,
  }, async () => {
    testbed = await Testbed.up(2, '--no-daemons');
    const copy = `require('node:fs').cpSync(${JSON.stringify(`${unpacked}/usr`)}, '/usr', { recursive: true, force: true })`;
    await ok(2, ['node', '-e', copy]);
    const unit = readFileSync(path.join(unpacked, 'usr/lib/systemd/system/mosd.service'), 'utf8');
    const rights = [...unit.matchAll(/^CapabilityBoundingSet=(.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
    assert.ok(rights.length > 5);
    const set = ['-all', ...rights.map((name) => name.toLowerCase().replace(/^cap_/, '+'))].join(',');
    const said = await ok(1, [bin('mosconf'), 'init', '--cluster', 'lab', '--invite', '1']);
    const log = path.join(directory, 'mosd.log');
    const script = 'log=$1; shift; exec setpriv --no-new-privs --inh-caps=-all --bounding-set="$@" > "$log" 2>&1 < /dev/null &';
    await ok(1, ['sh', '-c', script, 'sh', log, set, bin('mosd')]);
    await sees(1, 1, bin('mosctl'));
    const words = said.trim().split('\n').at(-1)?.split(' ').slice(1) ?? [];
    await ok(2, ['/usr/bin/mosconf', ...words]);
    assert.equal((await testbed.control('start-daemon', '2', '--from', '/usr/bin')).status, 0);
    await sees(1, 2, bin('mosctl'));
    // Moves are ordered here.
    await ok(1, [bin('mosctl'), 'lstay']);
    await ok(2, ['/usr/bin/mosctl', 'lstay']);

    const endless = path.join(repository, 'test/programs/endless.py');
    for (const job of ['home', 'away']) {
      const cwd = path.join(directory, job);
      mkdirSync(cwd);
      chmodSync(cwd, 0o777);
      chmodSync(directory, 0o755);
      const running = testbed.start(1, [bin('mosrun'), `-J${job}`, 'python3', endless, '.'], { cwd, user: 'nobody' });
      await running.says('ready');
      pids[job] = (await listed()).find((one) => one.job === job)?.pid ?? assert.fail(job);
      if (job === 'home') home = running;
      else away = running;
    }
    await ok(1, [bin('migrate'), `${pids['home']}`, 'node2', '--wait']);
    await ok(1, [bin('migrate'), `${pids['home']}`, 'home', '--wait']);
    await ok(1, [bin('migrate'), `${pids['away']}`, 'node2', '--wait']);
    // And one of node2, which visits this node.
    const visitor = testbed.start(2, ['/usr/bin/mosrun', 'node', '-e', 'setInterval(() => {}, 1000)']);
    const found = async () =>
      (JSON.parse(await ok(2, ['/usr/bin/mosps', '--json'])) as { processes: Listed[] }).processes.find(({ command }) =>
        command.includes('setInterval'),
      );
    const { pid } = await until(found, 10, 'the program of node2');
    await ok(2, ['/usr/bin/migrate', `${pid}`, 'node1', '--wait']);
    assert.equal(visitor.ended, false);
    pids['visitor'] = pid;
  });

  void test('a report has what is worth knowing, and no key and no token', async () => {
    await ok(1, [bin('mosconf'), 'invite']);
    const file = path.join(directory, 'report.tar.gz');
    await ok(1, [path.join(installed, 'scripts/report'), '--output', file]);
    const to = path.join(directory, 'report');
    mkdirSync(to);
    run('tar', '-xzf', file, '-C', to, '--strip-components=1');
    const texts = Object.fromEntries(readdirSync(to).map((name) => [name, readFileSync(path.join(to, name), 'utf8')]));
    assert.match(texts['version.txt'] ?? '', new RegExp(`mosd ${version}`));
    for (const name of ['status', 'nodes', 'doctor', 'processes'])
      assert.equal((JSON.parse(texts[`${name}.json`] ?? '') as { version: number }).version, 1);
    assert.match(texts['mosrun.toml'] ?? '', /cluster = "lab"/);
    assert.match(texts['mosgate.log'] ?? '', /listens on/);
    assert.match(texts['journal.txt'] ?? '', /mosd is ready/);
    assert.match(texts['kernel.txt'] ?? '', /max_user_namespaces/);
    assert.match(texts['files.txt'] ?? '', /600 .*\/etc\/mosrun\/ca\.key/);
    const all = Object.values(texts).join('\n');
    const secrets =
      "process.stdout.write(['/etc/mosrun/ca.key', '/etc/mosrun/node.key'].map((f) => require('node:fs').readFileSync(f, 'latin1').split('\\n')[1]).join('\\n'))";
    const keys = (await ok(1, ['node', '-e', secrets])).split('\n');
    const sessions =
      "const fs = require('node:fs'); for (const f of fs.readdirSync('/run/mosrun/sessions')) console.log(JSON.parse(fs.readFileSync('/run/mosrun/sessions/' + f)).token)";
    const tokens = (await ok(1, ['node', '-e', sessions])).trim().split('\n');
    assert.deepEqual([keys.length, tokens.length, tokens[0]?.length], [2, 1, 64]);
    for (const secret of [...keys, ...tokens])
      assert.ok(secret.length > 40 && !all.includes(secret), 'a secret is in the report');
    assert.doesNotMatch(all, /PRIVATE KEY-----/);
  });

  /** The same build under another version; what is done to it happens before it is put in place. */
  function another(name: string, change: (build: string) => void = () => {}): string {
    const build = path.join(directory, name);
    cpSync(installed, build, { recursive: true });
    for (const each of ['mosd', 'mosctl', 'mosps', 'mosconf']) {
      const file = path.join(build, 'bin', each);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`"${version}"`, '"99.0.0"'));
    }
    change(build);
    return build;
  }
  const places = async () => (await listed()).map(({ pid, where, migrations, job }) => ({ pid, where, migrations, job }));
  const status = async () =>
    JSON.parse(await ok(1, [bin('mosctl'), 'status', '--json'])) as { mosrun_version: string; pid: number; guests: number };

  void test('a version that does not come up is taken back', { timeout: 60_000 }, async () => {
    const before = [await places(), (await status()).guests];
    const broken = another('broken', (build) => {
      const file = path.join(build, 'bin/mosd');
      writeFileSync(file, '#!/bin/sh\n[ "$1" = --version ] && echo mosd 99.0.0 && exit\necho broken >&2; exit 1\n');
    });
    const outcome = await testbed.run(1, [path.join(repository, 'scripts/upgrade'), '--timeout', '3', broken]);
    assert.equal(outcome.status, 1);
    assert.match(outcome.stderr, new RegExp(`mosd 99\\.0\\.0 was not ready within 3 s; ${version} runs again`));
    assert.equal((await status()).mosrun_version, version);
    assert.deepEqual([await places(), (await status()).guests], before);
    const none = await testbed.run(1, [path.join(repository, 'scripts/upgrade'), directory]);
    assert.match(none.stderr, /is no build of mosrun: it has no bin\/mosd/);
  });

  void test('one that speaks another protocol waits until all are at home', async () => {
    const other = another('other', (build) => {
      writeFileSync(path.join(build, 'libexec/mosgate'), '#!/bin/sh\necho mosgate 99.0.0 protocol 99\n');
    });
    const outcome = await testbed.run(1, [path.join(repository, 'scripts/upgrade'), other]);
    assert.equal(outcome.status, 1);
    assert.match(
      outcome.stderr,
      /another protocol \(99, not \d+\): bring the 1 processes that are away home, and send the 1 guests away first/,
    );
    assert.equal((await status()).mosrun_version, version);
  });

  void test('an upgrade finds all again, also from a package', { timeout: 60_000 }, async () => {
    const before = [await places(), (await status()).guests];
    const next = another('next');
    const said = await ok(1, [path.join(repository, 'scripts/upgrade'), next]);
    assert.match(said, /mosd 99\.0\.0 runs: 2 processes, 1 of them away, 1 guests/);
    assert.deepEqual([await places(), (await status()).guests], before);
    const deb = path.join(packages, `mosrun_${version}_amd64.deb`);
    assert.match(await ok(1, [path.join(repository, 'scripts/upgrade'), deb]), new RegExp(`99\\.0\\.0 replaced by ${version}`));
    assert.deepEqual([await places(), (await status()).guests], before);
    await ok(1, [bin('migrate'), `${pids['away']}`, 'home', '--wait']);
    await ok(1, [bin('migrate'), `${pids['home']}`, 'node2', '--wait']);
    await until(
      async () => (await testbed.run(2, ['/usr/bin/migrate', `${pids['visitor']}`, 'home', '--wait'])).status === 0,
      10,
      'the visitor to go home',
    );
    for (const [running, pid] of [
      [home, pids['home']],
      [away, pids['away']],
    ] as const) {
      await testbed.kill(1, pid ?? 0);
      const outcome = await running.within(20);
      assert.deepEqual([outcome?.status, outcome?.stdout, outcome?.stderr], [0, 'ready\nall blocks are equal\n', '']);
    }
  });
});
