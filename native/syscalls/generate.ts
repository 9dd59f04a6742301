// Writes what follows from the table: `generate.ts HEADER PAGE` (build/generated/syscalls.h, docs/system-calls.md).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { header } from './header.js';
import { page } from './page.js';
import { table } from './table.js';

/** An unchanged file keeps its time, so that nothing is compiled again. */
function write(path: string, text: string): void {
  try {
    if (readFileSync(path, 'utf8') === text) return;
  } catch {
    mkdirSync(dirname(path), { recursive: true });
  }
  writeFileSync(path, text);
}

table.forEach((row, number) => {
  if (row.number !== number)
    throw new Error(`the system-call table has no row, or two, for number ${number} (found ${row.number} ${row.name})`);
});

const [headerPath = 'build/generated/syscalls.h', pagePath = 'docs/system-calls.md'] = process.argv.slice(2);
write(headerPath, header(table));
write(pagePath, page());
