// SECURITY.md as data: its numbered sentences, each with the tests that show it, named as the reporter names them ("file: test").
import { readFileSync } from 'node:fs';

/** @returns {{ number: number, sentence: string, tests: { file: string, name: string }[] }[]} */
export function sentences(text = readFileSync('SECURITY.md', 'utf8')) {
  return [...text.matchAll(/^(\d+)\. ((?:.|\n(?! *\n|\d+\. |#))*)/gm)].map(([, number, body]) => {
    const [, sentence = body, list = ''] = /^([^]*?)\(([^()]*)\)\s*$/.exec(body) ?? [];
    const tests = list.split(';').map((one) => one.replaceAll(/\s+/g, ' ').trim());
    return {
      number: Number(number),
      sentence: sentence.trim(),
      tests: tests.filter(Boolean).map((one) => ({ file: one.split(': ')[0], name: one.slice(one.indexOf(': ') + 2) })),
    };
  });
}

/** What SECURITY.md names and what was not there, of the test files that ran. @param {Set<string>} names of tests that passed or were skipped */
export function unshown(files, names) {
  return sentences().flatMap(({ number, tests }) =>
    tests
      .filter(({ file, name }) => files.has(file) && !names.has(`${file}: ${name}`))
      .map(({ file, name }) => `SECURITY.md, sentence ${number}: its test did not pass: ${file}: ${name}`),
  );
}
