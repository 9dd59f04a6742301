// Writes what the launcher knows of the table of options: `generate.ts HEADER` (build/generated/launcher-text.h).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { helpText } from '../../lib/commands/help.js';
import { commonOptions } from '../../lib/commands/options.js';
import { commands } from '../../lib/commands/table.js';
import { VERSION } from '../../lib/shared/version.js';

/** JSON's escapes are C's, as long as the text is ASCII. */
function literal(text: string): string {
  if (!/^[\x20-\x7e\n]*$/.test(text)) throw new Error(`the launcher's texts are to be ASCII: ${text}`);
  return JSON.stringify(text);
}

const rows = [...commands.mosrun.options, ...commonOptions].map((option) => {
  const value = 'value' in option ? option.value : undefined;
  const kind = value === undefined ? 'none' : value.startsWith('[') ? 'optional' : 'required';
  return `    {'${('short' in option && option.short) || '\\0'}', ${literal(option.long)}, Value::${kind}},`;
});
const lines = helpText(commands.mosrun).split(/(?<=\n)/);
const text = `// Generated from lib/commands/table.ts.
#pragma once

enum class Value { none, optional, required };
struct Option {
  char letter;
  const char *word;
  Value value;
};
inline constexpr Option kOptions[] = {
${rows.join('\n')}
};
inline constexpr char kHelpText[] =
${lines.map((line) => `    ${literal(line)}`).join('\n')};
inline constexpr char kVersionText[] = ${literal(`mosrun ${VERSION}\n`)};
`;

const [path = 'build/generated/launcher-text.h'] = process.argv.slice(2);
let present: string | null = null;
try {
  present = readFileSync(path, 'utf8');
} catch {
  mkdirSync(dirname(path), { recursive: true });
}
// An unchanged file keeps its time, so that nothing is compiled again.
if (present !== text) writeFileSync(path, text);
