import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type Host, findHierarchy, kernelIsTooOld, ownGroups, refusal, swapLimit } from '../../lib/placement/index.js';
import { PROTOCOL_VERSION } from '../../lib/shared/version.js';
import type { SessionRequest } from '../../lib/shared/wire.js';

const request: SessionRequest = {
  protocol: PROTOCOL_VERSION,
  home: 'node1',
  pid: 4711,
  command: 'sleep 1',
  uid: 1000,
  threads: 1,
  memory_bytes: 100 * 2 ** 20,
  kernel: '6.1.0-13-amd64',
  cpu_hash: 'aa',
  pid_max: 4194304,
  encrypt: false,
  automatic: false,
  privileged: null,
  control_port: 7070,
  withheld: null,
};
const host: Host = {
  name: 'node2',
  blocked: false,
  guests: 0,
  maxGuests: 10,
  memoryFreeBytes: 2 ** 30,
  reserveBytes: 64 * 2 ** 20,
  kernel: '6.18.0',
  cpuHash: 'aa',
  pidMax: 4194304,
  trouble: null,
  unwanted: null,
};

test('an equal node with room takes a process', () => {
  assert.equal(refusal(request, host), null);
});

const refusals: [string, Partial<SessionRequest>, Partial<Host>, RegExp][] = [
  ['another protocol', { protocol: PROTOCOL_VERSION + 1 }, {}, /speaks protocol/],
  ['a blocked node', {}, { blocked: true }, /blocked/],
  ['one of an unwanted cluster', {}, { unwanted: { reason: 'cluster', why: 'not of that cluster' } }, /not of that cluster$/],
  ['no mosgate', {}, { trouble: 'its mosgate has ended' }, /mosgate has ended/],
  ['an old kernel there', {}, { kernel: '5.10.0-8' }, /its kernel 5\.10\.0-8 is older than 5\.11/],
  ['an old kernel at home', { kernel: '4.19.0' }, {}, /kernel of node1, 4\.19\.0/],
  ['another processor', { cpu_hash: 'bb' }, {}, /processor differs/],
  ['a smaller pid_max', {}, { pidMax: 32768 }, /pid_max 32768 is below/],
  ['a full node', {}, { guests: 10 }, /has 10 guests/],
  ['too little memory', { memory_bytes: 961 * 2 ** 20 }, {}, /has 1024 MB free, of which 64 MB stay so; the process has 961 MB/],
];
for (const [what, asked, there, reason] of refusals) {
  test(`${what} is a refusal that says so`, () => {
    const error = refusal({ ...request, ...asked }, { ...host, ...there });
    assert.equal(error?.code, 'refused');
    assert.match(error.message, /^node2 does not take process 4711: /);
    assert.match(error.message, reason);
  });
}

test('kernel releases are compared as numbers', () => {
  assert.deepEqual(['5.9.1', '5.11.0', '5.100', '6.0', '4.20'].map(kernelIsTooOld), [true, false, false, false, true]);
});

const mounts = `30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 /box /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`;

test("a controller's tree is found among version 1 and 2 mounts", () => {
  assert.deepEqual(findHierarchy(mounts, 'cpu'), { directory: '/sys/fs/cgroup/cpu,cpuacct', root: '/', version: 1 });
  assert.deepEqual(findHierarchy(mounts, 'pids'), { directory: '/sys/fs/cgroup/unified', root: '/', version: 2 });
  assert.equal(findHierarchy('', 'cpu'), null);
});

test('limits are looked for from the own group upwards, within what is mounted', () => {
  const own = '4:memory:/box/inner\n3:cpu,cpuacct:/a/b\n0::/u\n';
  const groups = (controller: string): string[] => {
    const hierarchy = findHierarchy(mounts, controller);
    assert.ok(hierarchy);
    return ownGroups(hierarchy, own, controller);
  };
  assert.deepEqual(groups('memory'), ['/sys/fs/cgroup/memory/inner', '/sys/fs/cgroup/memory']);
  assert.deepEqual(groups('cpu'), [
    '/sys/fs/cgroup/cpu,cpuacct/a/b',
    '/sys/fs/cgroup/cpu,cpuacct/a',
    '/sys/fs/cgroup/cpu,cpuacct',
  ]);
  assert.deepEqual(groups('pids'), ['/sys/fs/cgroup/unified/u', '/sys/fs/cgroup/unified']);
});

test('a limit of swap space is that of the innermost group that has one, in both versions of control groups', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-groups-'));
  const group = (name: string, files: Record<string, string>): string => {
    const at = path.join(directory, name);
    mkdirSync(at);
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(at, file), `${text}\n`);
    return at;
  };
  try {
    const free = group('free', { 'memory.swap.max': 'max', 'memory.swap.current': '5' });
    const limited = group('limited', { 'memory.swap.max': '4096', 'memory.swap.current': '1024' });
    const none = group('none', { 'memory.swap.max': '0' });
    assert.deepEqual(swapLimit([free, limited, none], 2), { bytes: 4096, used: 1024 });
    assert.deepEqual(swapLimit([none], 2), { bytes: 0, used: 0 });
    assert.equal(swapLimit([free], 2), null);
    const both = group('both', {
      'memory.memsw.limit_in_bytes': '12288',
      'memory.limit_in_bytes': '8192',
      'memory.memsw.usage_in_bytes': '5120',
      'memory.usage_in_bytes': '4096',
    });
    assert.deepEqual(swapLimit([group('nothing', {}), both], 1), { bytes: 4096, used: 1024 });
    assert.equal(swapLimit([], 1), null);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
