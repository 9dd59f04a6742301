// Holds the arrows between the layers: a file may import from its own folder, from lower ones, and from shared; never from above.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

// commands → api → daemon → processes, placement, cluster → engine → native
const rank = { commands: 5, api: 4, daemon: 3, processes: 2, placement: 2, cluster: 2, engine: 1, shared: 0 };
// Neighbours of one rank that may know each other, and in which direction.
const sideways = new Set(['processes>placement', 'placement>cluster']);
let wrong = 0;

function complain(file, message) {
  console.error(`${file}: ${message}`);
  wrong++;
}

for (const entry of readdirSync('lib', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
  const file = path.join(entry.parentPath, entry.name);
  const layer = file.split('/')[1];
  if (!(layer in rank)) complain(file, `"${layer}" is no layer: add it to scripts/lint-layers.mjs`);
  const text = readFileSync(file, 'utf8');
  if (/\.node['"]/.test(text) && layer !== 'engine') complain(file, 'only lib/engine opens the addon');
  for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
    const other = path.join(path.dirname(file), target).split('/')[1];
    if (other === layer || rank[other] < rank[layer] || sideways.has(`${layer}>${other}`)) continue;
    complain(file, `imports ${target}: ${layer} must not know ${other}`);
  }
  if (text.split('\n').length > 401) complain(file, 'over 400 lines: split it');
}
if (wrong > 0) process.exit(1);
