// Small C++ programs that ask this machine's compiler, headers and kernel about the table.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { header } from '../../native/syscalls/header.js';
import { table } from '../../native/syscalls/table.js';

export const root = process.env['MOSRUN_SOURCE'] ?? process.cwd();
const output = path.join(root, 'build/test-syscalls');

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(command: string, ...args: string[]): Result {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** Compiles sources (paths from the root) with warnings as errors, C or C++ by their names; gives the path of what came out. */
export function compile(name: string, sources: readonly string[], ...flags: string[]): string {
  mkdirSync(output, { recursive: true });
  // The header as the table makes it now, whatever the last build left.
  const generated = path.join(output, 'build/generated/syscalls.h');
  mkdirSync(path.dirname(generated), { recursive: true });
  // Whole or not at all: another test file may be compiling with it this moment.
  writeFileSync(`${generated}.${process.pid}`, header(table));
  renameSync(`${generated}.${process.pid}`, generated);
  const result = path.join(output, name);
  const [compiler, standard] = sources.every((source) => source.endsWith('.c')) ? ['gcc', 'gnu17'] : ['g++', 'c++20'];
  const strict = [`-std=${standard}`, '-Wall', '-Wextra', '-Werror', '-Wno-missing-field-initializers', '-I', output, '-I', root];
  const { status, stderr } = run(compiler, ...strict, ...flags, '-o', result, ...sources);
  assert.equal(status, 0, stderr);
  return result;
}

/** The same from text. */
export function compileText(name: string, extension: 'c' | 'cc', text: string, ...flags: string[]): string {
  mkdirSync(output, { recursive: true });
  const source = path.join(output, `${name}.${extension}`);
  writeFileSync(source, text);
  return compile(name, [source], ...flags);
}
