/** Reads a command line by the table of options, as getopt_long(3) does, without moving words around. */
import { MosrunError } from '../shared/errors.js';

export interface OptionSpec {
  /** The letter, without its dash. */
  short?: string;
  /** The word, without its dashes; the option's key. */
  long: string;
  /** Name of its value; with square brackets it may be missing, and must otherwise be attached to the letter. */
  value?: string;
  help: string;
  /** Why it is not available; whoever gives it is told. */
  refused?: string;
  /** May be given more than once. */
  repeated?: boolean;
}

/** A word that is no option. */
export interface OperandSpec {
  name: string;
  help: string;
  /** What a shell offers for it: words, or a kind of thing (see {@link Offer}). */
  offers: readonly string[];
  /** It is left out when this option is given. */
  unless?: string;
}

/** Kinds of things a shell can offer for a word: some it knows itself, for some it asks the daemon. */
export const offerKinds = ['@node', '@pid', '@job', '@file', '@directory', '@command'] as const;
export type Offer = (typeof offerKinds)[number];

/** What stands for an option's value says what a shell can offer for it. */
export const offersOfValue: Readonly<Record<string, Offer>> = {
  NODE: '@node',
  PID: '@pid',
  ID: '@job',
  FILE: '@file',
  DIR: '@directory',
};

type Terms = readonly (readonly [term: string, meaning: string])[];

export interface CommandSpec {
  name: string;
  /** Section of the manual. */
  section: 1 | 8;
  /** After the name, one for each form. */
  synopsis: readonly string[];
  summary: string;
  /** Paragraphs, apart by an empty line. */
  description: string;
  options: readonly OptionSpec[];
  /** The first word that is no option, and all after it, belong to the program that is run. */
  passThrough?: boolean;
  /** Words that come first: name and meaning. */
  verbs?: Terms;
  operands?: readonly OperandSpec[];
  environment?: Terms;
  files?: Terms;
  exitCodes: Terms;
  examples?: Terms;
}

export interface Parsed {
  has(long: string): boolean;
  /** Its value; the last, where it was given more than once. */
  get(long: string): string | undefined;
  /** Every option with its place in the order given, for those where the last of several wins. */
  order: readonly string[];
  words: readonly string[];
  /** Index in argv of the first word. */
  firstWord: number;
}

export const commonOptions: readonly OptionSpec[] = [
  { long: 'help', help: 'print this and exit' },
  { long: 'version', help: 'print the version and exit' },
];

/** @param argv without the command's own name; `firstWord` counts from its start. */
export function parseOptions(spec: CommandSpec, argv: readonly string[]): Parsed {
  const values = new Map<string, string | true>();
  const order: string[] = [];
  const words: string[] = [];
  let firstWord = argv.length;
  const all = [...spec.options, ...commonOptions];
  const wrong = (what: string): MosrunError => new MosrunError('usage', `${what}: see ${spec.name} --help`);
  const set = (option: OptionSpec, value: string | true): void => {
    if (option.refused !== undefined) throw wrong(`--${option.long} is refused: ${option.refused}`);
    values.set(option.long, value);
    order.push(option.long);
  };
  const takesValue = (option: OptionSpec): boolean => option.value !== undefined && !option.value.startsWith('[');

  let index = 0;
  const next = (name: string): string => {
    const value = argv[++index];
    if (value === undefined) throw wrong(`${name} needs a value`);
    return value;
  };
  const readLong = (word: string): void => {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const option = all.find(({ long }) => long === name);
    if (!option) throw wrong(`unknown option --${name}`);
    if (equals >= 0) {
      if (option.value === undefined) throw wrong(`--${name} takes no value`);
      set(option, word.slice(equals + 1));
    } else {
      set(option, takesValue(option) ? next(`--${name}`) : true);
    }
  };
  const readShort = (word: string): void => {
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at);
      const option = all.find(({ short }) => short === letter);
      if (!option) throw wrong(`unknown option -${letter}`);
      if (option.value === undefined) {
        set(option, true);
        continue;
      }
      const attached = word.slice(at + 1);
      if (attached !== '') set(option, attached);
      else set(option, takesValue(option) ? next(`-${letter}`) : true);
      return;
    }
  };

  for (; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') {
      firstWord = Math.min(firstWord, index + 1);
      words.push(...argv.slice(index + 1));
      break;
    }
    if (word.startsWith('--')) readLong(word);
    else if (word.startsWith('-') && word !== '-') readShort(word);
    else {
      firstWord = Math.min(firstWord, index);
      if (spec.passThrough) {
        words.push(...argv.slice(index));
        break;
      }
      words.push(word);
    }
  }
  return {
    has: (long) => values.has(long),
    get: (long) => {
      const value = values.get(long);
      return typeof value === 'string' ? value : undefined;
    },
    order,
    words,
    firstWord,
  };
}
