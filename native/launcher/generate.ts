// Writes what native commands know of the table: `generate.ts HEADER` (build/generated/command-texts.h).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { helpText } from '../../lib/commands/help.js';
import { type CommandSpec, commonOptions } from '../../lib/commands/options.js';
import { commands } from '../../lib/commands/table.js';
import { VERSION } from '../../lib/shared/version.js';

/** JSON's escapes are C's, as long as the text is ASCII. */
function literal(text: string): string {
  if (!/^[\x20-\x7e\n]*$/.test(text)) throw new Error(`texts of native commands are to be ASCII: ${text}`);
  return JSON.stringify(text);
}

/** The native commands whose --help and options come from the table. */
const native = ['mosrun', 'mosenv', 'mosnative', 'mostestload'] as const;

function definition(name: (typeof native)[number]): string {
  const spec: CommandSpec = commands[name];
  const constant = `k${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const rows = [...spec.options, ...commonOptions].map(({ short, long, value }) => {
    const kind = value === undefined ? 'none' : value.startsWith('[') ? 'optional' : 'required';
    return `    {'${short ?? '\\0'}', ${literal(long)}, Value::${kind}},`;
  });
  const lines = helpText(spec).split(/(?<=\n)/);
  return `inline constexpr Option ${constant}Options[] = {
${rows.join('\n')}
};
inline constexpr Command ${constant} = {
    ${literal(name)},
    ${constant}Options,
    sizeof ${constant}Options / sizeof *${constant}Options,
${lines.map((line) => `    ${literal(line)}`).join('\n')},
    ${literal(`${name} ${VERSION}\n`)},
};
`;
}

const text = `// Generated from lib/commands/table.ts.
#pragma once

#include "launcher.h"

${native.map(definition).join('\n')}`;

const [path = 'build/generated/command-texts.h'] = process.argv.slice(2);
let present: string | null = null;
try {
  present = readFileSync(path, 'utf8');
} catch {
  mkdirSync(dirname(path), { recursive: true });
}
// An unchanged file keeps its time, so that nothing is compiled again.
if (present !== text) writeFileSync(path, text);
