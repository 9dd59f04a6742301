/** mosd as a service: it tells its manager how it is, by real datagrams on a real socket. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { takeServiceSettings } from '../../lib/daemon/service-manager.js';
import { TwoNodes, source, until } from './two-nodes.js';

/** Node has no datagram sockets of this kind, python3 has. */
const receiver = `
import socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + name[1:] if name[0] == "@" else name)
print("listening", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;
const whyNoPython = spawnSync('python3', ['-V']).error ? 'python3 not installed' : false;

describe('mosd as a service', { skip: process.getuid?.() === 0 ? whyNoPython : 'needs root' }, () => {
  let two: TwoNodes;
  let directory: string;
  let manager: ChildProcess | undefined;
  let heard: string[] = [];

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'mosrun-service-'));
    two = await TwoNodes.up();
  });
  after(async () => {
    manager?.kill();
    await two?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  async function hangUp(): Promise<void> {
    if (!manager || manager.exitCode !== null || manager.signalCode !== null) return;
    manager.kill();
    await once(manager, 'exit');
  }
  async function listen(name: string): Promise<void> {
    await hangUp();
    heard = [];
    manager = spawn('python3', ['-c', receiver, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    manager.stdout?.setEncoding('utf8').on('data', (text: string) => heard.push(...text.trim().split('\n')));
    await until('the receiver listens', () => heard.shift() ?? null);
  }
  const hears = (what: RegExp): Promise<string> => until(`it says ${what}`, () => heard.find((line) => what.test(line)) ?? null);

  for (const kind of ['file', 'abstract']) {
    void test(`ready, alive, reloading, stopping (${kind} socket)`, async () => {
      const socket = kind === 'file' ? path.join(directory, 'notify') : `@mosrun-test-${process.pid}`;
      await listen(socket);
      await two.end(1, 'SIGTERM');
      two.start(1, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' });
      await hears(/^READY=1 STATUS=node node1 of cluster test$/);
      assert.deepEqual((await two.call('mosctl', ['status'])).status, 0, 'ready means that it answers');
      heard = [];
      const began = performance.now();
      await until('three signs of life', () => heard.filter((line) => line === 'WATCHDOG=1').length >= 3);
      assert.ok(performance.now() - began > 200, 'at half of the wished interval');

      heard = [];
      two.reload(1);
      assert.match(await hears(/^RELOADING=1/), /^RELOADING=1 MONOTONIC_USEC=\d+$/);
      await hears(/^READY=1/);
      const good = readFileSync(two.configuration(1), 'utf8');
      writeFileSync(two.configuration(1), `${good}\nnonsense = 1\n`);
      two.reload(1);
      await hears(/^READY=1 STATUS=.*nonsense/);
      writeFileSync(two.configuration(1), good);

      await two.end(1, 'SIGTERM');
      await hears(/^STOPPING=1$/);
      two.start(1);
      await two.bothUp();
    });
  }

  void test('without a watchdog it is silent after it is ready, and a manager that has gone does not disturb it', async () => {
    await listen(path.join(directory, 'other'));
    await two.end(1, 'SIGTERM');
    two.start(1, { NOTIFY_SOCKET: path.join(directory, 'other') });
    await hears(/^READY=1/);
    await hangUp();
    two.reload(1);
    await until('it says so in its log', () => two.log(1).includes('the service manager cannot be told'));
    assert.equal((await two.call('mosctl', ['status'])).status, 0);
    assert.ok(!heard.includes('WATCHDOG=1'));
  });

  void test('the settings are for this process alone', () => {
    const environment = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '2000000', WATCHDOG_PID: '7', PATH: '/bin' };
    assert.deepEqual(takeServiceSettings({ ...environment }, 7), { socket: '/run/x', watchdogSeconds: 2 });
    assert.deepEqual(takeServiceSettings({ ...environment }, 8), { socket: '/run/x', watchdogSeconds: null });
    assert.equal(takeServiceSettings({ NOTIFY_SOCKET: 'vsock:2:1' }, 7), null);
    takeServiceSettings(environment, 7);
    assert.deepEqual(environment, { PATH: '/bin' }, 'children do not inherit them');
  });

  const noAnalyzer = spawnSync('systemd-analyze', ['--version']).error ? 'systemd-analyze not installed' : false;
  void test('the unit is one that systemd understands', { skip: noAnalyzer }, () => {
    const unit = path.join(directory, 'mosd.service');
    cpSync(path.join(source, 'packaging/systemd/mosd.service'), unit);
    const text = readFileSync(unit, 'utf8');
    writeFileSync(unit, text.replace('/usr/bin/mosd', path.join(source, 'dist/bin/mosd')));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
    const complaints = stderr.split('\n').filter((line) => line.includes('mosd.service'));
    assert.deepEqual([status, complaints], [0, []], stderr);
  });
});
