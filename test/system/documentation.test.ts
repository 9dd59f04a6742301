/** What the README and the demo promise works as written. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { repository, whyNoTestbed } from './testbed.js';

const readme = readFileSync(path.join(repository, 'README.md'), 'utf8');
const { bin: installed } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as { bin: object };
const commands = Object.keys(installed);
const bin = (name: string) => path.join(repository, 'dist/bin', name);

void test('every command of the README is there and explains itself', () => {
  for (const command of commands) {
    assert.match(readme, new RegExp(`\\b${command}\\b`));
    const { status, stdout } = spawnSync(bin(command), ['--help'], { encoding: 'utf8' });
    assert.equal(status, 0, command);
    assert.match(stdout, new RegExp(`\\b${command}\\b`));
  }
});

void test('the options the README names are in the help', () => {
  const rows = [...readme.matchAll(/^\| (`.*?) \|/gm)].map((match) => match[1] ?? '');
  assert.ok(rows.length >= 5);
  const help = (command: string) => spawnSync(bin(command), ['--help'], { encoding: 'utf8' }).stdout;
  for (const [, line = ''] of readme.matchAll(/`((?:mosrun|migrate|mosps|mosctl) [^`]*)`/g)) {
    const [command = '', ...words] = line.split(' ');
    for (const word of words.filter((each) => /^(-|[a-z]+$)/.test(each)))
      assert.ok(help(command).includes(word), `${line}: ${word}`);
  }
});

void test('making a cluster, as in the README', () => {
  // The others, with the tokens that it prints, are tried where there are machines to join.
  const lines = [...readme.matchAll(/^ {4}(mosconf init .*?)(?: +#.*)?$/gm)].map((match) => match[1] ?? '');
  assert.equal(lines.length, 1);
  assert.match(readme, /^ {4}mosconf join \S+ --token/m);
  const directory = mkdtempSync('/tmp/mosrun-test-');
  try {
    for (const line of lines) {
      const words = [...line.split(' ').slice(1), '--directory', path.join(directory, 'etc')];
      const { status, stdout, stderr } = spawnSync(bin('mosconf'), words, { encoding: 'utf8' });
      assert.equal(status, 0, `${line}: ${stderr}`);
      assert.equal([...stdout.matchAll(/^mosconf join 192\.0\.2\.1 --token \S{64}$/gm)].length, 2);
    }
    const { status, stderr } = spawnSync(bin('mosconf'), ['check', '--directory', path.join(directory, 'etc')], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

void test('all links between the pages lead somewhere', () => {
  const found = readdirSync(path.join(repository, 'docs')).filter((name) => name.endsWith('.md'));
  const pages = ['README.md', 'SECURITY.md', ...found.map((name) => `docs/${name}`)];
  for (const page of pages) {
    const text = readFileSync(path.join(repository, page), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\(([^)#:]+)\)/g)) {
      assert.ok(existsSync(path.join(repository, path.dirname(page), link)), `${page}: ${link}`);
    }
  }
});

void test('npm run demo shows a move out and back, and cleans up', { skip: whyNoTestbed() ?? false, timeout: 300_000 }, () => {
  const left = () => readdirSync('/tmp').filter((name) => name.startsWith('mosrun-demo-'));
  const before = left();
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'demo'], {
    cwd: repository,
    encoding: 'utf8',
    timeout: 280_000,
  });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /process \d+ moved from node1 to node2 in [\d.]+ m?s, frozen for [\d.]+ m?s, [\d.]+ MiB sent\n/);
  assert.match(stdout, /process \d+ moved from node2 to node1 in [\d.]+ m?s, frozen for [\d.]+ m?s, [\d.]+ MiB sent\n/);
  assert.equal([...stdout.matchAll(/is not there/g)].length, 4, 'node2 has nothing of it');
  assert.match(stdout, /yes: output and files are equal\n/);
  assert.match(stdout, /why there: balance: node2 costs the cluster less, and it needs \d+ % less time there/);
  assert.match(stdout, /(used 8\.\d+ s of CPU time in [\d.]+ s\n){3}$/);
  assert.deepEqual(left(), before);
  assert.deepEqual(
    existsSync('/run/mosrun-testbed') ? readdirSync('/run/mosrun-testbed').filter((name) => name.startsWith('demo-')) : [],
    [],
  );
});
