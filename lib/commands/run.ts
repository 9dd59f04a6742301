/** What every command shares: options, help, version, error messages and exit codes. */
import { writeSync } from 'node:fs';
import { asMosrunError, systemCode } from '../shared/errors.js';
import { DOCUMENT_VERSION, VERSION } from '../shared/version.js';
import { jsonText, printableLines } from './format.js';
import { helpText } from './help.js';
import { type Parsed, parseOptions } from './options.js';
import { type CommandName, commands } from './table.js';

/** Does the command's work; what it prints goes to `print`. The answer is the exit status. */
export type CommandBody = (options: Parsed, print: (text: string) => void) => Promise<number>;

/** Writes all of it before the process may end: console.log to a pipe may still be under way then. */
function print(text: string): void {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (systemCode(error) === 'EAGAIN') continue;
      // A reader that has seen enough (head) is no error.
      if (systemCode(error) === 'EPIPE') process.exit(0);
      throw error;
    }
  }
}

/** @param rewrite for a command line that is not all options and words, such as the -9 of kill(1). */
export function runCommand(name: CommandName, body: CommandBody, rewrite = (argv: string[]): string[] => argv): void {
  const main = async (): Promise<number> => {
    const options = parseOptions(commands[name], rewrite(process.argv.slice(2)));
    if (options.has('help')) {
      print(helpText(commands[name]));
      return 0;
    }
    if (options.has('version')) {
      print(`${name} ${VERSION}\n`);
      return 0;
    }
    return body(options, print);
  };
  main().then(
    (status) => {
      process.exitCode = status;
    },
    (thrown: unknown) => {
      const error = asMosrunError(thrown);
      if (process.argv.includes('--json')) print(jsonText({ version: DOCUMENT_VERSION, error: error.toDocument() }));
      writeSync(2, `${printableLines(error.message).replaceAll(/^/gm, 'mosrun: ')}\n`);
      process.exitCode = error.exitCode;
    },
  );
}
