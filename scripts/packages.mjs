// The Debian packages mosrun needs: which are missing, and how to install them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

function listed(file) {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
}

/** The packages not installed; null where there is no dpkg to ask. With `tests` or `bench`, those of programs that only these use too. */
export function missingPackages({ tests = false, bench = false } = {}) {
  const wanted = [
    ...listed('packages.txt'),
    ...(tests ? listed('packages-tests.txt') : []),
    ...(bench ? listed('packages-bench.txt') : []),
  ];
  const answer = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted], { encoding: 'utf8' });
  if (answer.error) return null;
  const installed = new Set(
    answer.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return wanted.filter((name) => !installed.has(name));
}

/** Installs them with apt-get; throws when that fails. */
export function installPackages(names) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: ['ignore', 'inherit', 'inherit'], env: environment };
  // A machine that was never updated has no package lists: the first try may fail for that alone.
  const install = () => spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...names], options).status;
  if (install() === 0) return;
  spawnSync('apt-get', ['update'], options);
  if (install() !== 0) throw new Error(`apt-get could not install: ${names.join(' ')}`);
}
