/** mosmon in a real terminal, and once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { monitorDocument } from '../../lib/shared/documents.js';
import { TwoNodes, until } from './two-nodes.js';

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

describe('mosmon', { timeout: 60_000 }, () => {
  let two: TwoNodes;
  before(async () => {
    two = await TwoNodes.up();
  });
  after(() => two.down());

  void test('prints the nodes once, for people and for programs', async () => {
    const text = await two.expect('mosmon', ['--once']);
    assert.match(text, /^2 of 2 nodes .*\n\nNODE .*\nnode1\* +up .*\nnode2 +up .*\n$/);
    const document = monitorDocument.parse(await two.json('mosmon', ['--once']));
    assert.deepEqual([document.nodes.length, document.totals.up], [2, 2]);
  });

  void test('wrong usage, and what is no terminal, says so', async () => {
    for (const [words, complaint] of [
      [[], /needs a terminal, or --once/],
      [['--json'], /--json is for --once/],
      [['--interval', '0'], /--interval wants seconds/],
      [['node1'], /"node1" is too much/],
    ] as const) {
      const { status, stderr, stdout } = await two.call('mosmon', words);
      assert.deepEqual([status, stdout.startsWith('{') || stdout === ''], [2, true]);
      assert.match(stderr, complaint);
    }
  });

  void test('watches them in a terminal, obeys keys, and leaves the terminal as it was', {
    skip: hasTmux ? false : 'tmux is not installed',
  }, async () => {
    const tmux = (...words: string[]): string => {
      const socket = path.join(two.directory, 'tmux');
      return spawnSync('tmux', ['-f', '/dev/null', '-S', socket, ...words], { encoding: 'utf8', env: two.environment(1) }).stdout;
    };
    const screen = (): string => tmux('capture-pane', '-p', '-t', 'mon');
    const shows = (what: RegExp): Promise<true> =>
      until(`${what} on the screen`, () => what.test(screen()), 10).catch((error: unknown) => {
        throw new Error(`${String(error)}:\n${screen()}`);
      });
    tmux('new-session', '-d', '-s', 'mon', '-x', '120', '-y', '12', 'sh');
    try {
      tmux('send-keys', '-t', 'mon', "PS1='prompt> '; clear; echo before", 'Enter');
      await shows(/^before$/m);
      tmux('send-keys', '-t', 'mon', `mosmon --interval 0.2; echo status $?`, 'Enter');
      await shows(/2 of 2 nodes[\s\S]*^node1\* +up[\s\S]*^node2 +up[\s\S]*q quit/m);
      tmux('send-keys', '-t', 'mon', '?');
      await shows(/SPEED +of a core/);
      tmux('send-keys', '-t', 'mon', '?', 'G');
      await shows(/by guests/);
      tmux('send-keys', '-t', 'mon', '/', '2', 'Enter');
      await shows(/2 of 2 nodes\s[\s\S]*WHY\s+node2 +up/);
      tmux('resize-window', '-t', 'mon', '-x', '60', '-y', '8');
      tmux('send-keys', '-t', 'mon', 'Escape');
      await shows(/^node1\* +up/m);
      await two.end(2, 'SIGKILL');
      await shows(/1 of 2 nodes[\s\S]*^node2 +down/m);
      tmux('send-keys', '-t', 'mon', 'q');
      await shows(/^before$[\s\S]*^status 0$[\s\S]*^prompt>/m);
    } finally {
      tmux('kill-server');
    }
  });
});
