/** Makes the certificate with which a tool may use the API of every node. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makeToolCertificate } from '../cluster/certificates.js';
import { MosrunError } from '../shared/errors.js';
import { makeDirectory, writeAtomically } from '../shared/files.js';
import type { Parsed } from './options.js';

export async function makeTool(options: Parsed, print: (text: string) => void): Promise<number> {
  const [, name] = options.words;
  const usage = (what: string): MosrunError => new MosrunError('usage', `${what}: see mosconf --help`);
  if (name === undefined) throw usage('which tool?');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw usage(`"${name}" is no name for a tool: letters, digits, dots and dashes`);
  const directory = options.get('directory') ?? '/etc/mosrun';
  const keyFile = path.join(directory, 'ca.key');
  if (!existsSync(keyFile)) {
    throw new MosrunError('failed', `${keyFile} is not here: run mosconf tool where the cluster was made`);
  }
  const output = options.get('output') ?? path.join(directory, 'tools', name);
  const at = (file: string): string => path.join(output, file);
  if (existsSync(at('tool.pem')) && !options.has('force')) {
    throw new MosrunError('failed', `${at('tool.pem')} is there already: use --force to make another in its place`);
  }
  const authority = { certificate: readFileSync(path.join(directory, 'ca.pem'), 'utf8'), key: readFileSync(keyFile, 'utf8') };
  const role = options.has('operate') ? 'operator' : 'reader';
  const { certificate, key } = await makeToolCertificate(authority, name, role);
  makeDirectory(output, 0o700);
  writeAtomically(at('ca.pem'), authority.certificate, 0o644);
  writeAtomically(at('tool.pem'), certificate, 0o644);
  writeAtomically(at('tool.key'), key, 0o600);
  print(
    `${output}: for ${name}, which may ${role === 'operator' ? 'do what root may' : 'look, and order nothing'}, for a year\n`,
  );
  return 0;
}
