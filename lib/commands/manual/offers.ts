/** What a shell can offer for each word of a command, from the table. */
import { type CommandSpec, type Offer, type OptionSpec, commonOptions, offersOfValue } from '../options.js';

/** Kinds only the daemon knows, and the command that asks it: one answer a line, and none where there is no daemon. */
export const questions = {
  '@node': 'mosctl nodes --format name',
  '@pid': 'mosps --format pid',
  '@job': 'mosps --format job',
} as const satisfies Partial<Record<Offer, string>>;

export const optionsOf = (spec: CommandSpec): readonly OptionSpec[] => [...spec.options, ...commonOptions];

/** Whether the next word is its value. */
export const takesWord = ({ value }: OptionSpec): boolean => value !== undefined && !value.startsWith('[');

export const offersOfOption = ({ value }: OptionSpec): readonly string[] => {
  const offer = offersOfValue[value ?? ''];
  return offer ? [offer] : [];
};

export const namesOf = ({ short, long }: OptionSpec): string[] => [...(short ? [`-${short}`] : []), `--${long}`];

export interface Place {
  name: string;
  offers: readonly string[];
  unless?: string;
}

/** What may stand at each place that is no option. */
export function placesOf(spec: CommandSpec): Place[] {
  const verbs = spec.verbs ? [{ name: 'verb', offers: spec.verbs.map(([verb]) => verb) }] : [];
  return [...verbs, ...(spec.operands ?? [])];
}

/** In single quotes, as all three shells take it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
