import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCgroupMount, groupDirectory } from '../../lib/processes/index.js';
import { localCaller, mayKill } from '../../lib/daemon/permission.js';

test('the version 2 tree is found alone, beside version 1, and under odd names', () => {
  const line = (root: string, directory: string): string =>
    `33 30 0:29 ${root} ${directory} rw,relatime shared:5 - cgroup2 cgroup2 rw,nsdelegate\n`;
  assert.deepEqual(findCgroupMount(`1 0 8:1 / / rw - ext4 /dev/sda rw\n${line('/', '/sys/fs/cgroup')}`), {
    root: '/',
    directory: '/sys/fs/cgroup',
    favorsMoves: false,
  });
  assert.deepEqual(findCgroupMount(line('/a\\040b', '/c\\040d')), { root: '/a b', directory: '/c d', favorsMoves: false });
  assert.equal(findCgroupMount(line('/', '/c').replace('rw,nsdelegate', 'rw,nsdelegate,favordynmods'))?.favorsMoves, true);
  assert.equal(findCgroupMount('31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu'), null);
});

test("a process's group is a directory below the mount, or out of sight", () => {
  const mount = { root: '/box', directory: '/sys/fs/cgroup', favorsMoves: false };
  assert.equal(groupDirectory(mount, '4:cpu:/x\n0::/box/a/b\n'), '/sys/fs/cgroup/a/b');
  assert.equal(groupDirectory(mount, '0::/box\n'), '/sys/fs/cgroup');
  assert.equal(groupDirectory(mount, '0::/other\n'), null);
  assert.equal(groupDirectory({ ...mount, root: '/' }, '0::/../outside\n'), null);
  assert.equal(groupDirectory(mount, '4:cpu:/x\n'), null);
});

test("whoever may kill a process may move it: kill(2)'s rule", () => {
  const target = { real: 1000, effective: 0, saved: 1001 };
  assert.deepEqual(
    [0, 1000, 1001, 1002].map((uid) => mayKill(localCaller({ uid }), target)),
    [true, true, true, false],
  );
});
