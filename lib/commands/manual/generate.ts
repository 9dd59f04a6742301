// Writes what the table of commands says, as manual pages and completions: `generate.ts DIRECTORY`, which gets man/ and completions/.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandSpec } from '../options.js';
import { commands } from '../table.js';
import { bashCompletion } from './bash.js';
import { fishCompletion } from './fish.js';
import { manualPage } from './mdoc.js';
import { zshCompletion } from './zsh.js';

const [directory = 'dist'] = process.argv.slice(2);
const all: readonly CommandSpec[] = Object.values(commands);

for (const kind of ['man', 'completions']) rmSync(path.join(directory, kind), { recursive: true, force: true });

function write(file: string, text: string): void {
  const target = path.join(directory, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
}

for (const spec of all) {
  write(`man/man${spec.section}/${spec.name}.${spec.section}`, manualPage(spec, all));
  write(`completions/bash/${spec.name}`, bashCompletion(spec));
  write(`completions/zsh/_${spec.name}`, zshCompletion(spec));
  write(`completions/fish/${spec.name}.fish`, fishCompletion(spec));
}
