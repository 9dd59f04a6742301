/** A command's manual page, from the table: mdoc(7), which both groff and mandoc read. */
import { RELEASE_DATE, VERSION } from '../../shared/version.js';
import { type CommandSpec, type OptionSpec, commonOptions } from '../options.js';

const months = 'January February March April May June July August September October November December'.split(' ');

/**
 * roff takes a backslash for an escape, and a line that begins with a dot or an apostrophe for a request. A sentence begins a line, so that
 * the space after it is the formatter's choice.
 */
function prose(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll(/(^|[\s(])-(?=\S)/g, '$1\\-');
  return escaped
    .split(/(?<=\.) (?=[A-Z])/)
    .map((sentence) => sentence.replace(/^[.']/, '\\&$&'))
    .join('\n');
}

/** What is typed as it stands: every dash is one. */
const literal = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&');

/** The one argument of a macro. */
const argument = (text: string): string => `"${literal(text).replaceAll('"', '\\(dq')}"`;

/** On a macro's line "Fl" is a dash and the word after it. */
function optionItem({ short, long, value }: OptionSpec): string {
  const word = `Fl \\-${literal(long)}`;
  const both = short ? `Fl ${short} , ${word}` : word;
  if (value === undefined) return `.It ${both}`;
  // A value that may be missing is attached.
  return value.startsWith('[') ? `.It ${both} Ns Op Ar ${value.slice(1, -1)}` : `.It ${both} Ar ${value}`;
}

type Terms = NonNullable<CommandSpec['verbs']>;

function list(head: (term: string) => string, terms: Terms | undefined): string[] {
  if (!terms || terms.length === 0) return [];
  return ['.Bl -tag -width Ds', ...terms.flatMap(([term, meaning]) => [head(term), prose(meaning)]), '.El'];
}

const section = (name: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : [`.Sh ${name}`, ...lines]);

function date(): string {
  const [year, month, day] = RELEASE_DATE.split('-').map(Number);
  return `${months[(month ?? 1) - 1]} ${day}, ${year}`;
}

/** @param all every command, for the references between their pages. */
export function manualPage(spec: CommandSpec, all: readonly CommandSpec[]): string {
  const { name, operands, options, verbs, environment, files, exitCodes, examples } = spec;
  const others = all
    .filter((one) => one.name !== name)
    .sort((one, other) => one.section - other.section || (one.name < other.name ? -1 : 1));
  const references = others.map((one, index) => `.Xr ${one.name} ${one.section}${index < others.length - 1 ? ' ,' : ''}`);
  const lines = [
    `.Dd ${date()}`,
    `.Dt ${name.toUpperCase()} ${spec.section}`,
    `.Os "mosrun ${VERSION}"`,
    ...section('NAME', [`.Nm ${name}`, `.Nd ${prose(spec.summary)}`]),
    ...section(
      'SYNOPSIS',
      spec.synopsis.flatMap((form) => ['.Nm', literal(form)]),
    ),
    ...section('DESCRIPTION', [
      ...spec.description.split('\n\n').flatMap((paragraph, index) => [...(index > 0 ? ['.Pp'] : []), prose(paragraph)]),
      ...list((term) => `.It Cm ${argument(term)}`, verbs),
      ...list(
        (term) => `.It Ar ${argument(term)}`,
        operands?.map((one) => [one.name, one.help]),
      ),
      '.Pp',
      'The options are:',
      '.Bl -tag -width Ds',
      ...[...options, ...commonOptions].flatMap((option) => [optionItem(option), prose(option.help)]),
      '.El',
    ]),
    ...section(
      'ENVIRONMENT',
      list((term) => `.It Ev ${argument(term)}`, environment),
    ),
    ...section(
      'FILES',
      list((term) => `.It Pa ${argument(term)}`, files),
    ),
    ...section(
      'EXIT STATUS',
      list((term) => `.It ${argument(term)}`, exitCodes),
    ),
    ...section(
      'EXAMPLES',
      (examples ?? []).flatMap(([line, meaning], index) => [
        ...(index > 0 ? ['.Pp'] : []),
        prose(meaning),
        `.Dl ${literal(line)}`,
      ]),
    ),
    ...section('SEE ALSO', references),
  ];
  return `${lines.join('\n')}\n`;
}
