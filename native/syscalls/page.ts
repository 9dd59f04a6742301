// docs/system-calls.md: the table for readers.
import { commands, type Command } from './commands.js';
import { type Arg, type Condition, lists, type Place, type Row, type Rule } from './model.js';
import { areas, table } from './table.js';
import { trusted } from './table/ioctl.js';

const meaning: Record<Place, string> = {
  native: 'runs unfiltered in the kernel of the hosting node',
  stub: 'is done or answered in the guest, by code of its own',
  home: 'is carried out by the deputy, at the home-node',
  special: 'is done by code of its own, in the guest and at the home-node',
  comehome: 'brings the process home, and runs there',
  absent: 'does not exist for x86_64: `ENOSYS`',
};
const short: Record<Place, string> = {
  native: 'native',
  stub: 'guest',
  home: 'home',
  special: 'both',
  comehome: 'comes home',
  absent: 'absent',
};

const times = (size: number): string => (size === 1 ? '' : ` × ${size}`);
const plus = (arg: Arg): string => (arg.plus === 0 ? '' : `${arg.plus} + `);

function length(arg: Arg): string {
  switch (arg.len) {
    case 'fixed':
      return arg.size === 0 ? '' : ` ${arg.size}`;
    case 'arg':
      return ` ${plus(arg)}a${arg.a}${times(arg.size)}`;
    case 'ret':
      return ` ${plus(arg)}result${times(arg.size)} of ${plus(arg)}a${arg.a}${times(arg.size)}`;
    case 'pointer':
      return ` \\*a${arg.a}`;
    case 'fdset':
      return ` a${arg.a} bits`;
    case 'first':
      return ` ${plus(arg)}its first u32`;
    default:
      return '';
  }
}

function describe(arg: Arg): string {
  if (arg.dir === 'command') return `by a${arg.a}`;
  if (arg.dir === 'sigset_in') return arg.size === 8 ? 'mask' : 'mask and size';
  return `${arg.dir.replace('_', ' ')}${length(arg)}`;
}

const hex = (word: number): string => (word < 10 ? String(word) : `0x${(word >>> 0).toString(16)}`);

function holds(conditions: readonly Condition[]): string {
  const parts: string[] = [];
  for (const { arg, high, mask, value } of conditions) {
    // A null pointer takes two comparisons, which read better as one.
    if (high) continue;
    const wide = conditions.some((other) => other.arg === arg && other.high);
    parts.push(mask === 0xffffffff || wide ? `a${arg} = ${hex(value)}` : `a${arg} & ${hex(mask)} = ${hex(value)}`);
  }
  return parts.join(', ');
}

/** Alternatives that ask for one value of the same argument are told as a list of values. */
function exceptions(rules: readonly Rule[], place: Place): string {
  const ours = rules.filter((rule) => rule.place === place);
  if (ours.length === 0) return '';
  const single = ours.every(({ conditions: [c, ...rest] }) => c !== undefined && rest.length === 0 && c.mask === 0xffffffff);
  const first = ours[0]?.conditions[0];
  const text =
    single && first !== undefined && ours.every((rule) => rule.conditions[0]?.arg === first.arg)
      ? `a${first.arg} = ${ours.map((rule) => hex(rule.conditions[0]?.value ?? 0)).join(', ')}`
      : ours.map((rule) => holds(rule.conditions)).join('; or ');
  return `${short[place]} if ${text}`;
}

function notes(row: Row): string {
  const parts = [
    row.flags.has('BLOCKS') ? 'may sleep' : '',
    exceptions(row.rules, 'native'),
    exceptions(row.rules, 'home'),
    exceptions(row.rules, 'comehome'),
    row.reason,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function rowLine(row: Row): string {
  const args = row.place === 'native' || row.place === 'stub' || row.place === 'absent' ? '' : row.args.map(describe).join(', ');
  const shown = row.place === 'comehome' && !row.asked ? '' : args;
  return `| ${row.number} | \`${row.name}\` | ${short[row.place]} | ${shown} | ${notes(row)} |`;
}

function commandLine({ number, name, dir, size, place }: Command): string {
  const operand = place !== 'home' && place !== 'special' ? '' : dir === 'value' || dir === 'string' ? dir : `${dir} ${size}`;
  return `| 0x${number.toString(16)} | \`${name}\` | ${short[place]} | ${operand} |`;
}

function commandSection(list: Exclude<(typeof lists)[number], 'none'>): string {
  return `### ${list.replaceAll('_', '\\_')}\n\n| number | command | where | argument |\n| --- | --- | --- | --- |\n${commands[list].map(commandLine).join('\n')}\n`;
}

function area(name: string, rows: readonly Row[]): string {
  const lines = rows.toSorted((a, b) => a.number - b.number).map(rowLine);
  return `### ${name}\n\n| number | call | where | arguments | notes |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}\n`;
}

const total = (place: Place): number => table.filter((row) => row.place === place && row.name !== '').length;

export function page(): string {
  const places = (Object.keys(meaning) as Place[]).map((place) => `| ${short[place]} | ${meaning[place]} | ${total(place)} |`);
  const missing = table.filter((row) => row.place === 'absent' && row.name !== '');
  const types = trusted.map((type) => (type >= 0x41 && type < 0x7f ? `\`${String.fromCharCode(type)}\`` : hex(type)));
  return `<!-- Generated from native/syscalls: change the table there, then run scripts/generate-syscalls. -->

# System calls

What becomes of each system call of x86_64, up to Linux 6.18, while a process is away from home. At home every call is
the kernel's own business, and mosrun has no part in it.

| where | a call with this word | calls |
| --- | --- | --- |
${places.join('\n')}

A number newer than this table comes home. Programs started with \`mosrun -e\`, \`-w\` or \`-u\` do not come home for these calls, but have an
error, or end: see [commands](commands.md).

## How to read the arguments

\`a0\` to \`a5\` are the arguments. \`fd\` and \`dirfd\` are descriptors of the home-node, \`string\` ends with a zero byte, \`in\` is
memory the call reads, \`out\` memory it fills, \`inout\` both; the number behind is the length in bytes. \`inout\` is also said of
memory that the kernel may leave untouched: the program's own bytes are then what comes back. "result of a2" means room for
a2 bytes, of which as many come back as the call returned. \`\\*a2\` is the u32 that a2 points to. "by a1" means that the lists
below tell what the argument is for each command in a1. A null pointer stays null. "May sleep" calls are ended or
restarted by signals as they would be at home.

## Calls

${Object.entries(areas)
  .map(([name, rows]) => area(name, rows))
  .join('\n')}
### Absent

${missing.map((row) => `\`${row.name}\` (${row.number})`).join(', ')}, and the numbers 337 to 423, which x86_64 skips.

## Commands

A command that is not listed comes home, since nobody could say what memory it touches. An \`ioctl\` number that is not listed
is served at home by the direction and size in its encoding if its type is one of ${types.join(', ')}.

${lists
  .filter((list) => list !== 'none')
  .map(commandSection)
  .join('\n')}`;
}
