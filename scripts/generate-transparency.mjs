// Writes docs/transparency.md from what the laboratory found. Needs strace(1).
// Usage: npm run lab -- --json results.json && node scripts/generate-transparency.mjs results.json
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle, environment } from './bundle.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const results = process.argv[2] && path.resolve(process.argv[2]);
if (!results) {
  console.error('usage: node scripts/generate-transparency.mjs RESULTS');
  process.exit(2);
}
process.chdir(root);
Object.assign(process.env, environment(root));
const outfile = 'build/lab-code/calls.mjs';
await bundle({ entryPoints: ['test/lab/calls.ts'], outfile });
const { write } = await import(pathToFileURL(path.join(root, outfile)));
await write(results);
