// Runs the test of garbage on every port with as many messages as wanted.
// Usage: npm run garbage -- [--count N]     N messages at each port and socket (100,000)
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const at = process.argv.indexOf('--count');
const count = at < 0 ? 100_000 : Number(process.argv[at + 1]);
if (!Number.isInteger(count) || count < 1) {
  console.error('usage: npm run garbage -- [--count N]');
  process.exit(2);
}
const env = { ...process.env, MOSRUN_GARBAGE_COUNT: String(count), MOSRUN_TEST_TIMEOUT: String(600_000 + 100 * count) };
const { status } = spawnSync(process.execPath, ['scripts/test.mjs', 'system/garbage'], { cwd: root, stdio: 'inherit', env });
process.exit(status ?? 1);
