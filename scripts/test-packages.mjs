// Installs the packages as an administrator would: the Debian one by apt in a clean Debian, made by debootstrap, where two nodes then move a program, are
// upgraded, and the package is removed; the npm one from the registry's dependencies. Takes minutes and the network, so it is apart from npm test.
// Usage: npm run test:packages   (as root; MOSRUN_TEST_SUITE: the Debian release, MOSRUN_TEST_MIRROR: where from)
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

process.chdir(path.resolve(fileURLToPath(import.meta.url), '../..'));
const suite = process.env.MOSRUN_TEST_SUITE ?? 'trixie';
const mirror = process.env.MOSRUN_TEST_MIRROR ?? 'http://deb.debian.org/debian';

const missing = ['debootstrap', 'dpkg-deb', 'unshare', 'nsenter', 'ip', 'npm'].filter(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
);
if (process.getuid?.() !== 0) missing.push('root');
if (missing.length > 0) {
  console.log(`skipped: ${missing.join(', ')} missing`);
  process.exit(0);
}

function run(command, words, { allowed = [0], ...options } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (error) throw error;
  assert.ok(allowed.includes(status), `${command} ${words.join(' ')}: status ${status}\n${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

async function until(what, look, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; ; await sleep(100)) {
    const found = look();
    if (found) return found;
    assert.ok(Date.now() < end, `waited ${seconds} s for ${what}`);
  }
}

const place = mkdtempSync('/var/tmp/mosrun-packages-');
const root = path.join(place, 'root');
const nodes = [];

/** A node: namespaces of its own around the clean root, with its own /run and /etc/mosrun. */
function startNode(name) {
  // Not chroot(2), in which nobody may make user namespaces.
  const script = `mount --make-rprivate / && mount --bind ${root} ${root} && cd ${root} && mount -t proc proc proc && mount --rbind /sys sys &&
    mount --rbind /dev dev && mount -t tmpfs run run && mount -t tmpfs etc etc/mosrun && hostname ${name} && pivot_root . mnt && umount -l /mnt &&
    while :; do sleep 1; done`;
  const words = ['--net', '--pid', '--mount', '--uts', '--ipc', '--fork', '--kill-child', 'sh', '-c', script];
  const child = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  nodes.push(child);
  // Process 1 of the new pid namespace is unshare's child.
  const children = `/proc/${child.pid}/task/${child.pid}/children`;
  return {
    name,
    get pid() {
      return existsSync(children) ? Number(readFileSync(children, 'utf8').split(' ')[0]) : 0;
    },
  };
}
// What the machine's own environment says is not so in there.
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };
const enter = (node, command) => ['nsenter', ['-t', `${node.pid}`, '--all', '--root', '--wd', 'sh', '-c', command]];
const inNode = (node, command, options) => run(...enter(node, command), { env, ...options });
const isThere = (node, command) => spawnSync(...enter(node, command), { env }).status === 0;

const startMosd = (node) => inNode(node, 'mosd >> /run/mosd.log 2>&1 < /dev/null &', { stdio: 'ignore' });
const sees = (node, count) =>
  until(`${node.name} to see ${count} nodes`, () =>
    isThere(node, `test $(mosctl nodes --no-header | grep -c ' up ') = ${count}`),
  );

function say(text) {
  console.log(`ok    ${text}`);
}

async function main() {
  run('scripts/package', []);
  const [deb, tgz] = ['.deb', '.tgz'].map((end) =>
    path.resolve(
      'dist/packages',
      readdirSync('dist/packages').find((name) => name.endsWith(end)),
    ),
  );

  run('npm', ['install', '--prefix', place, '--no-audit', '--no-fund', '--omit=dev', tgz]);
  run(
    'node',
    ['--input-type=module', '-e', "import { Cluster } from 'mosrun'; if (typeof Cluster.connect !== 'function') process.exit(1)"],
    { cwd: place },
  );
  assert.match(run(path.join(place, 'node_modules/.bin/mosps'), ['--version']), /^mosps \d/);
  say('the npm package is installed, its commands and its library work');

  run('debootstrap', ['--variant=minbase', '--include=iproute2', suite, root, mirror]);
  copyFileSync(deb, path.join(root, 'tmp/mosrun.deb'));
  copyFileSync('/etc/resolv.conf', path.join(root, 'etc/resolv.conf'));
  const inside = `mount -t proc proc ${root}/proc && chroot ${root} apt-get install -y --no-install-recommends /tmp/mosrun.deb`;
  run('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', inside], { env });
  const files = run('chroot', [root, 'dpkg', '-L', 'mosrun']);
  assert.match(files, /^\/usr\/bin\/mosrun$/m);
  assert.equal(run('chroot', [root, 'dpkg', '--verify', 'mosrun']), '');
  say(`the Debian package is installed in a clean ${suite}, with what it depends on`);

  const [alpha, beta] = ['alpha', 'beta'].map(startNode);
  for (const node of [alpha, beta])
    await until(node.name, () => node.pid > 0 && isThere(node, 'test -e /usr/bin/mosd && test $(hostname) = ' + node.name));
  run('ip', ['link', 'add', 'mosrun-a', 'type', 'veth', 'peer', 'name', 'mosrun-b']);
  const plug = (node, link, address) => {
    run('ip', ['link', 'set', link, 'netns', `${node.pid}`]);
    inNode(node, `ip link set lo up; ip address add ${address} dev ${link}; ip link set ${link} up`);
  };
  plug(alpha, 'mosrun-a', '192.0.2.1/24');
  plug(beta, 'mosrun-b', '192.0.2.2/24');
  const invitation = inNode(alpha, 'mosconf init --cluster lab --invite 1').trim().split('\n').at(-1);
  startMosd(alpha);
  await sees(alpha, 1);
  inNode(beta, invitation);
  startMosd(beta);
  for (const node of [alpha, beta]) await sees(node, 2);
  say('two nodes, made by two commands');

  inNode(
    alpha,
    `mosrun -Jx perl -e '$n = 0; while ($n < 3e8 && !-e "/run/end") { $n++; $s = ($s * 31 + $n) % 1000003 } print "fine\\n"' > /run/out 2>&1 < /dev/null &`,
    { stdio: 'ignore' },
  );
  const pid = await until('the program', () => /^\s*(\d+)/.exec(inNode(alpha, 'mosps --no-header'))?.[1]);
  assert.match(inNode(alpha, `migrate ${pid} beta --wait`), /moved from alpha to beta/);
  say('a program moves');

  // The same version again is what an upgrade is to the package.
  inNode(alpha, 'dpkg -i /tmp/mosrun.deb');
  const daemon = JSON.parse(inNode(alpha, 'mosctl status --json')).pid;
  inNode(alpha, `kill ${daemon}`);
  await until('mosd to end', () => !isThere(alpha, `test -d /proc/${daemon}`));
  startMosd(alpha);
  await sees(alpha, 2);
  assert.match(inNode(alpha, 'mosps'), /away/);
  assert.match(inNode(alpha, 'dpkg -r mosrun', { allowed: [1] }), /bring them home first/);
  assert.match(inNode(alpha, `migrate ${pid} home --wait`), /moved from beta to alpha/);
  inNode(alpha, 'touch /run/end');
  await until('the program to end', () => !isThere(alpha, `test -d /proc/${pid}`));
  assert.equal(inNode(alpha, 'cat /run/out'), 'fine\n');
  say('the package is upgraded with a program away, and not removed before that is home');

  const gate = inNode(alpha, 'cat /run/mosrun/gate.sock.lock').trim();
  inNode(alpha, `kill ${JSON.parse(inNode(alpha, 'mosctl status --json')).pid}; umount /etc/mosrun; dpkg --purge mosrun`);
  await until('mosgate to end', () => !isThere(alpha, `test -d /proc/${gate}`));
  for (const left of ['usr/lib/mosrun', 'usr/bin/mosd', 'var/lib/mosrun', 'etc/mosrun'])
    assert.ok(!existsSync(path.join(root, left)), left);
  say('purged, it leaves nothing');
}

try {
  await main();
} finally {
  for (const child of nodes) {
    child.kill('SIGKILL');
    await until('a node to end', () => child.exitCode !== null || child.signalCode !== null);
  }
  rmSync(place, { recursive: true, force: true });
}
