// Writes docs/openapi.json, and the parts of docs/api.md that come from the tables in lib/ or from examples/. With --check: fails, naming
// the file, when one is not current. Needs the built library.
// Usage: node scripts/generate-api.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);
const { openApiDocument } = await import('../dist/lib/daemon/openapi.js');
const { Metrics } = await import('../dist/lib/daemon/metrics.js');
const { routes } = await import('../dist/lib/shared/routes.js');
const { eventKinds } = await import('../dist/lib/shared/events.js');
const { errorKinds } = await import('../dist/lib/shared/errors.js');

const table = (...rows) => rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
const code = (text) => `\`${text}\``;

function routesTable() {
  const rows = Object.entries(routes).map(([name, { summary, permission, body }]) => {
    const sent = body ? ` with \`{${Object.keys(body.shape).join(', ')}}\`` : '';
    return [`${code(name)}${sent}`, permission, summary];
  });
  return table(['request', 'who', 'what'], ['---', '---', '---'], ...rows);
}

function eventsTable() {
  const rows = Object.entries(eventKinds).map(([type, { when, fields }]) => [
    code(type),
    when,
    code(Object.keys(fields).join(', ')),
  ]);
  return table(['type', 'when', 'tells'], ['---', '---', '---'], ...rows);
}

function errorsTable() {
  const rows = Object.entries(errorKinds).map(([kind, { exit, http, when }]) => [code(kind), `${exit}`, `${http}`, when]);
  return table(['`code`', 'exit status of a command', 'HTTP status', 'when'], ['---', '---', '---', '---'], ...rows);
}

async function metricsTable() {
  const nothing = { cpus: 0, load: 0, memory_bytes: 0, memory_free_bytes: 0, swap_bytes: 0, swap_free_bytes: 0, guests: 0 };
  const none = () => [];
  const metrics = new Metrics({
    listen() {},
    self: '',
    heartbeat: () => nothing,
    nodes: none,
    partnerNodes: none,
    refused: () => ({ connections: 0, datagrams: 0 }),
    processes: none,
    streams: () => 0,
  });
  const rows = await metrics.series();
  return table(
    ['series', 'type', 'labels', 'what'],
    ['---', '---', '---', '---'],
    ...rows.map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]),
  );
}

const parts = { routes: routesTable, events: eventsTable, errors: errorsTable, metrics: metricsTable };

function example(file) {
  const text = readFileSync(file, 'utf8').trimEnd();
  return text.replaceAll(/^(?=.)/gm, '    ');
}

async function part(name) {
  return name.startsWith('examples/') ? example(name) : parts[name]();
}

/** Between `<!-- NAME -->` and `<!-- end -->` stands what is made here. */
async function page(text) {
  const pieces = text.split(/(?<=<!-- (?!end)[\w/.-]+ -->\n)[^]*?(?=<!-- end -->)/);
  const made = [];
  for (const piece of pieces) {
    const [, name] = /<!-- ((?!end)[\w/.-]+) -->\n$/.exec(piece) ?? [];
    made.push(name ? `${piece}\n${await part(name)}\n\n` : piece);
  }
  return made.join('');
}

const files = {
  'docs/openapi.json': () => `${JSON.stringify(openApiDocument(), null, 2)}\n`,
  'docs/api.md': () => page(readFileSync('docs/api.md', 'utf8')),
};
for (const [file, make] of Object.entries(files)) {
  const text = await make();
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not current: run node scripts/generate-api.mjs`);
    process.exitCode = 1;
  }
}
