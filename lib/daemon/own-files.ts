/** What a daemon needs of its node's files before it can begin. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Credentials } from '../cluster/index.js';
import { MosrunError, asMosrunError, systemCode } from '../shared/errors.js';
import { makeDirectory } from '../shared/files.js';
import type { Configuration } from './configuration.js';

export function readCredentials(directory: string): Credentials {
  const read = (name: string): string => {
    try {
      return readFileSync(path.join(directory, name), 'utf8');
    } catch (error) {
      const what = `${path.join(directory, name)} cannot be read (${systemCode(error)})`;
      if (systemCode(error) === 'EACCES') throw new MosrunError('not-permitted', `${what}: start mosd as root`, { cause: error });
      throw new MosrunError('configuration', `${what}: make it with mosconf`, { cause: error });
    }
  };
  return { ca: read('ca.pem'), certificate: read('node.pem'), key: read('node.key') };
}

export function makeDirectories({ paths }: Configuration): void {
  try {
    makeDirectory(paths.runtime);
    makeDirectory(paths.state, 0o700);
    for (const name of ['processes', 'jobs', 'history', 'movers', 'guests', 'frozen'])
      makeDirectory(path.join(paths.runtime, name), 0o700);
  } catch (error) {
    throw new MosrunError('failed', `${asMosrunError(error).message}: start mosd as root, or name other directories in [paths]`, {
      cause: error,
    });
  }
}
