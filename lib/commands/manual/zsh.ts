/** A command's completion in zsh, for a directory of fpath. */
import type { CommandSpec, OptionSpec } from '../options.js';
import { namesOf, offersOfOption, optionsOf, placesOf, questions, quoted } from './offers.js';

/** In a specification of _arguments a colon ends a part, and a bracket a description. */
const part = (text: string): string => text.replaceAll(/[:[\]\\]/g, '\\$&');

const action = (offers: readonly string[]): string => `{_mosrun_offer ${offers.join(' ')}}`;

function optionSpec(option: OptionSpec): string {
  const names = namesOf(option);
  const { value, help } = option;
  const text = `[${part(help)}]${value === undefined ? '' : `:${part(value)}:${action(offersOfOption(option))}`}`;
  // "-r" takes its value attached or apart, "--node" after an equals sign or apart; one that may be missing only attached.
  const suffix = (name: string): string => {
    if (value === undefined) return name;
    if (value.startsWith('[')) return name.startsWith('--') ? `${name}=-` : `${name}-`;
    return name.startsWith('--') ? `${name}=` : `${name}+`;
  };
  const exclusive = `(${names.join(' ')})`;
  return names.map((name) => `  ${quoted(`${exclusive}${suffix(name)}${text}`)}`).join(' \\\n');
}

export function zshCompletion(spec: CommandSpec): string {
  const places = placesOf(spec).map(({ name, offers, unless }, index) => {
    const without = unless === undefined ? '' : `(--${unless})`;
    return `  ${quoted(`${without}${spec.passThrough ? '(-)' : ''}${index + 1}:${part(name)}:${action(offers)}`)}`;
  });
  const rest = spec.passThrough ? [`  ${quoted('*::arguments:_normal')}`] : [];
  return `#compdef ${spec.name}
_mosrun_offer() {
  local offer
  local -a answers
  for offer; do
    case $offer in
${Object.entries(questions)
  .map(([kind, question]) => `      ${kind}) answers=(\${(f)"$(timeout 2 ${question} 2> /dev/null)"}); compadd -a answers ;;`)
  .join('\n')}
      @file) _files ;;
      @directory) _files -/ ;;
      @command) _command_names -e ;;
      *) compadd -- $offer ;;
    esac
  done
}
_arguments -s ${spec.passThrough ? '-S -A "-*" ' : ''}\\
${[...optionsOf(spec).map(optionSpec), ...places, ...rest].join(' \\\n')}
`;
}
