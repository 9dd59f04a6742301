// The wires: a bridge in a network namespace of the testbed's own, and a cable to each node. The machine's interfaces are not touched.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, alive, nodeDirectory, sleep, stateDirectory, tool } from './state.mjs';

export const switchDirectory = (name) => join(stateDirectory(name), 'switch');
const port = (number) => `node${number}`;

// Runs a command in a network namespace, by the number of a process in it.
function inside(pid, command, ...words) {
  try {
    return execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, command, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    throw new Failure(`${command} ${words.join(' ')}: ${error.stderr?.trim() || error.message}`);
  }
}

export function switchProcess(name) {
  const pid = alive(join(switchDirectory(name), 'pid'));
  if (pid === undefined) throw new Failure(`the testbed ${name} is not running: scripts/testbed down --name ${name}`);
  return pid;
}

export function makeSwitch(name) {
  const pid = switchProcess(name);
  inside(pid, 'ip', 'link', 'set', 'lo', 'up');
  inside(pid, 'ip', 'link', 'add', 'bridge', 'type', 'bridge', 'forward_delay', '0');
  inside(pid, 'ip', 'link', 'set', 'bridge', 'up');
}

// Token bucket: a bucket of 5 ms at full rate is enough for a timer of 4 ms, and no less than one 64 KB segment.
function slow(pid, device, rate) {
  const bits = Number.parseFloat(rate) * { k: 1e3, m: 1e6, g: 1e9 }[/[kmg](?=bit$)/.exec(rate)[0]];
  const burst = Math.max(70000, Math.round((bits / 8) * 0.005));
  inside(pid, 'tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', `${burst}`, 'latency', '50ms');
}

const interfaces = (pid) =>
  inside(pid, 'ip', '-o', 'link')
    .split('\n')
    .map((line) => line.split(/[:@]\s*/)[1]);

// Plugs a node in: eth0 there, a port of the bridge here.
export async function plug(name, number, { rate, delay_seconds }) {
  const hub = switchProcess(name);
  const node = alive(join(nodeDirectory(name, number), 'pid'));
  if (delay_seconds) {
    const directory = nodeDirectory(name, number);
    const words = [
      'run',
      '--in',
      switchDirectory(name),
      '--keep-root',
      '--detach',
      '--log',
      join(directory, 'relay.log'),
      '--record',
      join(directory, 'relay.pid'),
      '--',
    ];
    const relay = [
      tool,
      'relay',
      '--node',
      directory,
      '--interface',
      'eth0',
      '--port',
      port(number),
      '--delay',
      `${Math.round(delay_seconds * 1e6)}`,
      '--report',
      join(directory, 'relay-late'),
    ];
    execFileSync(tool, [...words, ...relay], { stdio: 'inherit' });
    for (
      const end = Date.now() + 5000;
      !interfaces(hub).includes(port(number)) || !interfaces(node).includes('eth0');
      await sleep(20)
    ) {
      if (Date.now() > end)
        throw new Failure(`the relay of node${number} does not start: ${readFileSync(join(directory, 'relay.log'), 'utf8')}`);
    }
  } else {
    inside(hub, 'ip', 'link', 'add', port(number), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${node}`);
  }
  inside(hub, 'ip', 'link', 'set', port(number), 'master', 'bridge', 'up');
  inside(node, 'ip', 'link', 'set', 'lo', 'up');
  // A node that is started again keeps its hardware address, or its neighbours would go on sending to the old one.
  inside(node, 'ip', 'link', 'set', 'eth0', 'address', `02:00:0a:4d:00:${number.toString(16).padStart(2, '0')}`);
  inside(node, 'ip', 'address', 'add', `10.77.0.${number}/24`, 'dev', 'eth0');
  inside(node, 'ip', 'link', 'set', 'eth0', 'up');
  if (rate) {
    slow(hub, port(number), rate);
    slow(node, 'eth0', rate);
  }
}

// A port in state "disabled" drops what comes from both sides and tells nobody: no reset, no carrier lost.
export const cut = (name, number) => inside(switchProcess(name), 'bridge', 'link', 'set', 'dev', port(number), 'state', '0');
export const heal = (name, number) => inside(switchProcess(name), 'bridge', 'link', 'set', 'dev', port(number), 'state', '3');

// Those nodes hear each other and nobody else: their ports go to a bridge of their own. Of none: all are on one bridge again.
export function part(name, numbers) {
  const hub = switchProcess(name);
  const all = interfaces(hub);
  if (!all.includes('bridge-apart')) {
    inside(hub, 'ip', 'link', 'add', 'bridge-apart', 'type', 'bridge', 'forward_delay', '0');
    inside(hub, 'ip', 'link', 'set', 'bridge-apart', 'up');
  }
  for (const one of all.filter((found) => /^node\d+$/.test(found ?? ''))) {
    const bridge = numbers.includes(Number(one.slice(4))) ? 'bridge-apart' : 'bridge';
    inside(hub, 'ip', 'link', 'set', one, 'master', bridge);
  }
}

export function isCut(name, number) {
  try {
    return inside(switchProcess(name), 'bridge', 'link', 'show', 'dev', port(number)).includes('state disabled');
  } catch {
    return true;
  }
}

// How late the relay itself was, in seconds (mean of the last 1,000 frames); null without a relay or before that many.
export function lateness(name, number) {
  const file = join(nodeDirectory(name, number), 'relay-late');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) / 1e6 : null;
}
