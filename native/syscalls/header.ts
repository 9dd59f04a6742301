// build/generated/syscalls.h: the table as C++ constants. Freestanding and free of pointers, so that the stub, a flat blob
// without relocations, can hold it.
import { commands } from './commands.js';
import { dirs, flagBits, lens, lists, places, restarts, timeouts, type Arg, type Condition, type Row } from './model.js';
import { trusted } from './table/ioctl.js';

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;
const enumeration = (name: string, members: readonly string[]): string =>
  `enum class ${name} : uint8_t { ${members.join(', ')} };`;

/** Which arguments the deputy must find inside the request's buffers. */
const isPointer = ({ dir }: Arg): boolean => !['value', 'fd', 'dirfd', 'command'].includes(dir);
const isDescriptor = ({ dir }: Arg): boolean => dir === 'fd' || dir === 'dirfd';
const isInt = ({ int }: Arg): boolean => int === true;

/** Numbers the deputy may run when asked. */
export const forwardable = (row: Row): boolean => row.place === 'home' || row.asked;

const bitmap = (row: Row, test: (arg: Arg) => boolean): number =>
  row.args.reduce((bits, arg, i) => (test(arg) ? bits | (1 << i) : bits), 0);

function callInitializer(row: Row): string {
  const args = row.args.map((arg) => `{Dir::${arg.dir}, Len::${arg.len}, ${arg.a}, ${arg.plus}, ${arg.size}}`);
  const flags = [...row.flags].reduce((bits, flag) => bits | flagBits[flag], 0);
  return (
    `  {Place::${row.place}, Special::${row.handler}, ${row.args.length}, Restart::${row.restart}, ` +
    `Timeout::${row.timeoutKind}, ${row.timeoutArg}, ${flags}, {${args.join(', ')}}}, // ${row.number} ${row.name}`
  );
}

function conditionRows(table: readonly Row[], wanted: (place: string) => boolean, withPlace: boolean): string[] {
  return table.flatMap((row) => {
    const rules = row.rules.filter((rule) => wanted(rule.place));
    return rules.flatMap((rule, group) =>
      rule.conditions.map(
        (c: Condition) =>
          `  {${row.number}, ${group}, ${c.arg}, ${c.high ? 1 : 0}, ${hex(c.mask)}, ${hex(c.value)}` +
          `${withPlace ? `, Place::${rule.place}` : ''}}, // ${row.name}`,
      ),
    );
  });
}

export function header(table: readonly Row[]): string {
  const last = table[table.length - 1];
  if (last === undefined) throw new Error('the system-call table is empty');
  const count = last.number + 1;
  const handlers = ['none', ...new Set(table.map((row) => row.handler).filter((h) => h !== 'none'))].toSorted((a, b) =>
    a === 'none' ? -1 : b === 'none' ? 1 : a < b ? -1 : 1,
  );

  let names = '';
  const nameAt: number[] = [];
  for (const row of table) {
    nameAt.push(names.length);
    names += `${row.name}\0`;
  }
  const nameLiterals = table.map((row) => `  "${row.name}\\0"`).join('\n');

  const allowed = new Uint8Array(Math.ceil(count / 8));
  for (const row of table) {
    const byte = row.number >> 3;
    if (forwardable(row)) allowed[byte] = (allowed[byte] ?? 0) | (1 << (row.number & 7));
  }

  const nativeRules = conditionRows(table, (place) => place === 'native', false);
  const placeRules = conditionRows(table, (place) => place !== 'native', true);
  const commandLists = lists.filter((list) => list !== 'none');
  const commandArrays = commandLists.map((list) => {
    const rows = commands[list].map((c) => `  {${hex(c.number)}, ${c.size}, Dir::${c.dir}, Place::${c.place}, {}}, // ${c.name}`);
    return `inline constexpr Command ${list}s[] = {\n${rows.join('\n')}\n};`;
  });

  return `// Generated from native/syscalls by generate.ts: change the table, not this file.
#pragma once
#include <stdint.h>

namespace mosrun::syscalls {

// native: seccomp lets it run in the guest's own kernel; stub: done or answered in the guest by code of its own; home:
// marshalled by the descriptors and carried out by the deputy; special: code of its own that talks to the deputy;
// comehome: brings the process home; absent: answers -ENOSYS.
${enumeration('Place', places)}

// Code of its own in the stub, shared by calls that differ in nothing but their form.
${enumeration('Special', handlers)}

${enumeration('Dir', dirs)}

// fixed: size bytes. arg: plus + args[a] * size. ret: room for plus + args[a] * size, of which plus + result * size come
// back, never more than the room. pointer: the u32 at args[a] (itself inout 4) is the room, and afterwards the true length;
// the lesser comes back. fdset: ((args[a] + 63) / 64) * 8. first: plus + the u32 at the start of the structure itself, size
// in place of 0, and at most 4096 (more than any kernel accepts: the call then fails by what it reads).
${enumeration('Len', lens)}

// What an interrupted call does: restarted (ERESTARTSYS), without a handler only (ERESTARTNOHAND), by its restart block
// (ERESTART_RESTARTBLOCK), or never: EINTR even without a handler, so that a stop must issue it again.
${enumeration('Restart', restarts)}

// ms: int milliseconds; timespec: relative, read only; _inout: what is left is written back; absolute: a point in time.
${enumeration('Timeout', timeouts)}

${enumeration('List', lists)}

${Object.entries(flagBits)
  .map(([name, bit]) => `constexpr uint16_t ${name} = ${bit};`)
  .join('\n')}

// Dir::command: which list is in plus, and the number is args[a].
struct Arg { Dir dir; Len len; uint8_t a; uint8_t plus; uint32_t size; };
struct Call { Place place; Special special; uint8_t nargs; Restart restart; Timeout timeout; uint8_t timeout_arg; uint16_t flags; Arg arg[6]; };

constexpr unsigned count = ${count};

inline constexpr Call calls[count] = {
${table.map(callInitializer).join('\n')}
};

inline constexpr char names[] =
${nameLiterals};
inline constexpr uint16_t name_at[count] = {
${chunks(nameAt.map(String), 20)}
};

enum : uint16_t {
${chunks(
  table.filter((row) => row.name !== '').map((row) => `nr_${row.name} = ${row.number}`),
  6,
)}
};

// "(word & mask) == value", word being the low or the high half of args[arg]. Conditions of one group hold together;
// the groups of a call are alternatives. Sorted by call, then group.
struct NativeIf { uint16_t nr; uint8_t group; uint8_t arg; uint8_t high; uint32_t mask; uint32_t value; };
inline constexpr NativeIf native_if[] = {
${nativeRules.join('\n')}
};
struct PlaceIf { uint16_t nr; uint8_t group; uint8_t arg; uint8_t high; uint32_t mask; uint32_t value; Place place; };
inline constexpr PlaceIf place_if[] = {
${placeRules.join('\n')}
};

// Sorted by number.
struct Command { uint32_t cmd; uint32_t size; Dir dir; Place place; uint8_t pad[2]; };
${commandArrays.join('\n')}

// ioctl types whose _IOC direction and size are believed for numbers that are in no list.
inline constexpr uint8_t trusted_ioctl_types[] = {${trusted.map(hex).join(', ')}};

// Deputy: numbers it may run when asked; which arguments are pointers (null or inside the request's buffers; for calls
// with a command, the list says), and which are descriptors (outside the reserved window).
inline constexpr uint8_t deputy_allows[(count + 7) / 8] = {
${chunks([...allowed].map(hex), 16)}
};
inline constexpr uint8_t pointer_args[count] = {
${chunks(
  table.map((row) => hex(bitmap(row, isPointer))),
  24,
)}
};
inline constexpr uint8_t fd_args[count] = {
${chunks(
  table.map((row) => hex(bitmap(row, isDescriptor))),
  24,
)}
};

// Guest: arguments of 32 bits that it must understand itself (lengths, commands, descriptors). The calling convention
// leaves the upper half undefined: clear it before use.
inline constexpr uint8_t int_args[count] = {
${chunks(
  table.map((row) => hex(bitmap(row, isInt))),
  24,
)}
};

constexpr bool deputy_may(uint64_t nr) { return nr < count && (deputy_allows[nr >> 3] >> (nr & 7) & 1); }

// The place of this very call. A number past the table belongs to a newer kernel than the table knows: it comes home.
constexpr Place place_of(uint64_t nr, const uint64_t *args) {
  if (nr >= count) return Place::comehome;
  constexpr unsigned rules = sizeof place_if / sizeof place_if[0];
  for (unsigned i = 0; i < rules;) {
    if (place_if[i].nr != nr) { i++; continue; }
    bool holds = true;
    const unsigned first = i;
    for (; i < rules && place_if[i].nr == nr && place_if[i].group == place_if[first].group; i++) {
      const uint32_t word = static_cast<uint32_t>(args[place_if[i].arg] >> (place_if[i].high ? 32 : 0));
      if ((word & place_if[i].mask) != place_if[i].value) holds = false;
    }
    if (holds) return place_if[first].place;
  }
  return calls[nr].place;
}

template <unsigned N> constexpr bool find_command(const Command (&list)[N], uint32_t cmd, Command &found) {
  unsigned low = 0, high = N;
  while (low < high) {
    const unsigned middle = (low + high) / 2;
    if (list[middle].cmd < cmd) low = middle + 1; else high = middle;
  }
  if (low == N || list[low].cmd != cmd) return false;
  found = list[low];
  return true;
}

// What the argument of a command is. One that nobody knows comes home.
constexpr Command command_of(List list, uint32_t cmd) {
  Command found{cmd, 0, Dir::value, Place::comehome, {}};
  switch (list) {
${commandLists.map((list) => `    case List::${list}: ${list === 'ioctl' ? 'if (find_command(ioctls, cmd, found)) return found; break;' : `find_command(${list}s, cmd, found); return found;`}`).join('\n')}
    case List::none: return found;
  }
  const uint32_t direction = cmd >> 30, size = cmd >> 16 & 0x3fff;
  if (direction == 0 || size == 0) return found;
  for (const uint8_t type : trusted_ioctl_types)
    if (type == (cmd >> 8 & 0xff))
      return {cmd, size, direction == 1 ? Dir::in : Dir::inout, Place::home, {}};
  return found;
}

} // namespace mosrun::syscalls
`;
}

function chunks(items: readonly string[], width: number): string {
  const lines: string[] = [];
  for (let i = 0; i < items.length; i += width) lines.push(`  ${items.slice(i, i + width).join(', ')},`);
  return lines.join('\n');
}
