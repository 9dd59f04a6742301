/** A command's completion in fish. */
import type { CommandSpec } from '../options.js';
import { type Place, offersOfOption, optionsOf, placesOf, questions, quoted, takesWord } from './offers.js';

/** What is offered, as the argument of `complete -a`. */
function argument(offers: readonly string[]): string {
  return offers
    .map((offer) => {
      if (offer in questions) return `(timeout 2 ${questions[offer as keyof typeof questions]} 2> /dev/null)`;
      if (offer === '@directory') return '(__fish_complete_directories)';
      if (offer === '@command') return '(__fish_complete_subcommand)';
      return offer;
    })
    .join(' ');
}

export function fishCompletion(spec: CommandSpec): string {
  const complete = `complete -c ${spec.name}`;
  const options = optionsOf(spec).map((option) => {
    const offers = offersOfOption(option);
    const files = offers.includes('@file');
    const value = !takesWord(option) ? '' : files ? ' -r -F' : ` -x${offers.length > 0 ? ` -a ${quoted(argument(offers))}` : ''}`;
    return `${complete}${option.short ? ` -s ${option.short}` : ''} -l ${option.long}${value} -d ${quoted(option.help)}`;
  });
  // Words before this one that are no options, the command itself not counted.
  const count = 'count (commandline -opc | string match -v -- "-*")';
  const place = ({ offers, unless }: Place, index: number): string[] => {
    // With nothing to offer, fish would print all it has been told of the command.
    if (offers.length === 0) return [];
    const at = `test (${count}) -eq ${index + 1}`;
    const condition = spec.passThrough
      ? ''
      : ` -n ${quoted(unless === undefined ? at : `${at}; and not __fish_contains_opt ${unless}`)}`;
    return [`${complete}${condition} -a ${quoted(argument(offers))}`];
  };
  return `# Completion of ${spec.name} in fish.
${[`${complete} -f`, ...options, ...placesOf(spec).flatMap(place)].join('\n')}
`;
}
