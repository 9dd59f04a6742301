/** A command's completion in bash, loaded by its name from a directory of bash-completion(7). */
import type { CommandSpec } from '../options.js';
import { namesOf, offersOfOption, optionsOf, placesOf, questions, quoted, takesWord } from './offers.js';

/** Readline quotes the names of files, and nothing else. Answers are filtered here, not by `compgen -W`, which would carry out what a job may be called: "$(reboot)". */
const helper = `_mosrun_add() {
  local answer
  while IFS= read -r answer; do
    if [[ $answer && $answer == "$current"* ]]; then COMPREPLY+=("$(printf "\${1:-%q}" "$answer")"); fi
  done
}
_mosrun_offer() {
  local offer
  for offer; do
    case $offer in
${Object.entries(questions)
  .map(([kind, question]) => `      ${kind}) _mosrun_add < <(timeout 2 ${question} 2> /dev/null) ;;`)
  .join('\n')}
      @file) compopt -o filenames; _mosrun_add %s < <(compgen -f -- "$current") ;;
      @directory) compopt -o filenames; _mosrun_add %s < <(compgen -d -- "$current") ;;
      @command) _mosrun_add < <(compgen -c -- "$current") ;;
      *) _mosrun_add <<< "$offer" ;;
    esac
  done
}`;

export function bashCompletion(spec: CommandSpec): string {
  const options = optionsOf(spec);
  const valued = options.filter(takesWord);
  const pattern = (names: readonly string[]): string => names.join(' | ');
  const values = valued.map(
    (option) => `    ${pattern(namesOf(option))}) _mosrun_offer ${offersOfOption(option).join(' ')}; return ;;`,
  );
  const places = placesOf(spec).map(({ offers, unless }) => {
    const add = `places+=(${quoted(offers.join(' '))})`;
    return unless === undefined ? `  ${add}` : `  [[ $given == *" --${unless} "* ]] || ${add}`;
  });
  // Which options were given, by their words, for what is left out beside them.
  const watched = options.filter(({ long }) => spec.operands?.some((one) => one.unless === long));
  const given = watched.map(
    (option) => `    case $word in ${namesOf(option).join('* | ')}*) given+=" --${option.long} " ;; esac`,
  );
  const program = [
    "        # The rest is the program's own.",
    '        if declare -F _command_offset > /dev/null; then _command_offset "$i"; else _mosrun_offer @file; fi',
    '        return ;;',
  ];
  return `# Completion of ${spec.name} in bash.
${helper}
_mosrun_${spec.name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} given= place=0 word i
  local -a places=()
  COMPREPLY=()
  # "--option=value" comes as three words.
  if [[ $current == = ]]; then current= previous=\${COMP_WORDS[COMP_CWORD - 1]}
  elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
${[...given, ''].join('\n')}    case $word in
      =) ((i++)) ;;
${valued.length > 0 ? `      ${pattern(valued.flatMap(namesOf))}) if [[ \${COMP_WORDS[i + 1]} == = ]]; then ((i++)); fi; ((i++)) ;;\n` : ''}      -?*) ;;
      *)
${spec.passThrough ? program.join('\n') : '        ((place++)) ;;'}
    esac
  done
  case $previous in
${[...values, ''].join('\n')}    *) ;;
  esac
  if [[ $current == -* ]]; then
    _mosrun_offer ${options.flatMap(namesOf).join(' ')}
    return
  fi
${[...places, ''].join('\n')}  _mosrun_offer \${places[place]}
}
complete -F _mosrun_${spec.name} ${spec.name}
`;
}
