/** The help text of a command, from the table. */
import { type CommandSpec, type OptionSpec, commonOptions } from './options.js';

const WIDTH = 100;

function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > WIDTH && line.trim() !== '') {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}

function optionHead({ short, long, value }: OptionSpec): string {
  const argument = value === undefined ? '' : value.startsWith('[') ? value : ` ${value}`;
  return `  ${short ? `-${short}, ` : '    '}--${long}${argument}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([head]) => head.length)) + 2;
  return rows.map(([head, text]) => `${head.padEnd(width)}${wrap(text, ' '.repeat(width)).trimStart()}`).join('\n');
}

export function helpText(spec: CommandSpec): string {
  const usage = spec.synopsis.map((form, index) => `${index === 0 ? 'Usage: ' : '       '}${spec.name} ${form}`).join('\n');
  const options = [...spec.options, ...commonOptions].map((option) => [optionHead(option), option.help] as const);
  const parts = [
    `${spec.name}: ${spec.summary}`,
    usage,
    wrap(spec.description, ''),
    ...(spec.operands ? [columns(spec.operands.map(({ name, help }) => [`  ${name}`, help]))] : []),
    ...(spec.verbs ? [columns(spec.verbs.map(([verb, text]) => [`  ${verb}`, text]))] : []),
    `Options:\n${columns(options)}`,
    ...(spec.examples ? [`Examples:\n${columns(spec.examples.map(([line, text]) => [`  ${line}`, text]))}`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}
