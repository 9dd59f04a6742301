/** Understands the command lines of mosrun and its kin; the daemon asks for it, since the launchers themselves know no option. */
import { MosrunError } from '../shared/errors.js';
import type { InterpretLaunch, Launch } from '../shared/launch-decision.js';
import { VERSION } from '../shared/version.js';
import { launchExplanationText } from './explain.js';
import { jsonText } from './format.js';
import { helpText } from './help.js';
import { type Parsed, parseOptions } from './options.js';
import { commands } from './table.js';

/** mosrun's own errors, usage included, end like those of env(1). */
const OWN_FAILURE = 125;

/** Which of these options came last; null when none did. */
function lastOf<T extends string>(options: Parsed, names: readonly T[]): T | null {
  return (options.order.findLast((one) => (names as readonly string[]).includes(one)) as T | undefined) ?? null;
}

const assignment = /^([^=]+)=(.*)$/s;

/** The variables before the program, where the command takes some; as env(1). */
function assignmentsIn(name: LauncherName, words: readonly string[]): [variable: string, value: string][] {
  if (name !== 'mosenv') return [];
  const found: [string, string][] = [];
  for (const word of words) {
    const [, variable, value] = assignment.exec(word) ?? [];
    if (variable === undefined || value === undefined) break;
    found.push([variable, value]);
  }
  return found;
}

function startAt(place: 'node' | 'home' | 'best' | 'some' | null, options: Parsed): Launch['start'] {
  if (place === 'node') return { at: 'node', node: options.get('node') ?? '' };
  if (place === 'some') return { at: 'some', nodes: nodesIn(options.get('some') ?? '') };
  return { at: place ?? 'unsaid' };
}

/** As `1-3,node7`: names, addresses, numbers and ranges of numbers. */
function nodesIn(list: string): string[] {
  return list.split(',').flatMap((part) => {
    if (part === '') throw new MosrunError('usage', `-j ${list}: a node is missing between commas: see mosrun --help`);
    const [, from, to] = /^(\d+)-(\d+)$/.exec(part) ?? [];
    if (from === undefined || to === undefined) return [part];
    const count = Number(to) - Number(from) + 1;
    if (count < 1 || count > 65_535) throw new MosrunError('usage', `-j ${list}: ${part} is no range: see mosrun --help`);
    return Array.from({ length: count }, (_, index) => `${Number(from) + index}`);
  });
}

function numberOf(options: Parsed, name: string, fits: (value: number) => boolean, what: string): number | null {
  const text = options.get(name);
  if (text === undefined) return null;
  if (text.trim() === '' || !fits(Number(text)))
    throw new MosrunError('usage', `--${name} wants ${what}, not "${text}": see mosrun --help`);
  return Number(text);
}

function megabytesOf(options: Parsed): number | null {
  const megabytes = numberOf(options, 'memory', (value) => value >= 0 && Number.isFinite(value), 'megabytes');
  return megabytes === null ? null : megabytes * 2 ** 20;
}

/** As in freeze.toml. */
function classOf(options: Parsed): string | null {
  const name = options.get('grid');
  if (name === undefined) return null;
  if (!/^[\w.-]{1,32}$/.test(name))
    throw new MosrunError('usage', `-G wants a class of letters, digits, dots and dashes, not "${name}": see mosrun --help`);
  return name;
}

function toLaunch(name: LauncherName, options: Parsed): Launch {
  const assignments = assignmentsIn(name, options.words);
  if (options.words.length === assignments.length) throw new MosrunError('usage', `no program was named: see ${name} --help`);
  if (options.has('argv0') && options.words.length < assignments.length + 2) {
    throw new MosrunError('usage', `-z needs the program's argv[0] after the program: see ${name} --help`);
  }
  const place = lastOf(options, ['node', 'home', 'best', 'some']);
  const lock = lastOf(options, ['locked', 'unlocked']);
  const unserved = lastOf(options, ['error', 'warn', 'end']);
  const readAhead = lastOf(options, ['read-ahead', 'no-read-ahead']);
  const writeBehind = lastOf(options, ['write-behind', 'no-write-behind']);
  const awake = lastOf(options, ['awake', 'no-awake']);
  const lazy = lastOf(options, ['lazy', 'no-lazy']);
  const clock = lastOf(options, ['host-clock', 'home-clock']);
  return {
    start: startAt(place, options),
    fallBack: options.has('fall-back'),
    locked: lock ? lock === 'locked' : place === 'node' || place === 'home' ? true : null,
    clock: clock ? (clock === 'host-clock' ? 'host' : 'home') : null,
    unserved,
    readAhead: readAhead ? readAhead === 'read-ahead' : null,
    writeBehind: writeBehind ? writeBehind === 'write-behind' : null,
    awake: awake ? awake === 'awake' : null,
    lazy: lazy ? lazy === 'lazy' : null,
    decay: numberOf(options, 'decay', (rate) => rate > 0 && rate < 1, 'a rate between 0 and 1'),
    pure: options.has('cpu') ? true : null,
    memoryBytes: megabytesOf(options),
    abroad: options.has('grid') ? true : null,
    freezingClass: classOf(options),
    jobId: options.get('job') ?? null,
    // The launcher's argv counts its own name.
    programIndex: options.firstWord + 1 + assignments.length,
    argumentsStartAtName: options.has('argv0'),
    environment: Object.fromEntries(assignments),
  };
}

const launchers = ['mosrun', 'mosenv', 'mosnative'] as const;
type LauncherName = (typeof launchers)[number];

export const interpretLaunch: InterpretLaunch = ([called, ...argv]) => {
  const name = launchers.find((one) => one === called) ?? 'mosrun';
  try {
    const options = parseOptions(commands[name], argv);
    if (options.has('help')) return { kind: 'answer', output: helpText(commands[name]), error: '', exitCode: 0 };
    if (options.has('version')) return { kind: 'answer', output: `${name} ${VERSION}\n`, error: '', exitCode: 0 };
    if (name !== 'mosnative') {
      const launch = toLaunch(name, options);
      if (options.has('explain'))
        return { kind: 'explain', launch, present: options.has('json') ? jsonText : launchExplanationText };
      if (options.has('json')) throw new MosrunError('usage', `--json is for --explain: see ${name} --help`);
      return { kind: 'launch', launch };
    }
    if (options.words.length === 0) throw new MosrunError('usage', 'no program was named: see mosnative --help');
    return { kind: 'native', programIndex: options.firstWord + 1 };
  } catch (error) {
    if (!(error instanceof MosrunError)) throw error;
    return { kind: 'answer', output: '', error: `mosrun: ${error.message}\n`, exitCode: OWN_FAILURE };
  }
};
