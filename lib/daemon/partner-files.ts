/** /etc/mosrun/partners/NAME.toml: one file for each cluster that this one knows. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Partner, fingerprintText, partnerFile, partnerName, whyNoAuthority } from '../cluster/index.js';
import { MosrunError, systemCode } from '../shared/errors.js';
import { namesIn, readIfThere } from '../shared/files.js';
import { lineOf } from './toml-lines.js';
import { parseToml } from './toml-text.js';

const ENDING = '.toml';

export const partnersIn = (directory: string): string => path.join(directory, 'partners');
export const partnerFileOf = (directory: string, name: string): string => path.join(partnersIn(directory), `${name}${ENDING}`);

const wrong = (text: string, file: string, key: string, what: string): MosrunError => {
  const line = lineOf(text, [key]);
  return new MosrunError('configuration', `${file}${line ? `:${line}` : ''}: ${key}: ${what}: see docs/configuration.md`);
};

/** @param file names the partner; a `ca_file` in it is looked for beside it. */
export function parsePartner(text: string, file: string): Partner {
  const name = path.basename(file, ENDING);
  const named = partnerName.safeParse(name);
  if (!named.success)
    throw new MosrunError('configuration', `${file}: ${named.error.issues[0]?.message}: call the file otherwise`);
  const { ca, ca_file: caFile, ...rest } = parseToml(partnerFile, text, file);
  const beside = caFile === undefined ? null : path.resolve(path.dirname(file), caFile);
  const pem = ca ?? (beside === null ? null : readIfThere(beside));
  if (pem === null) throw wrong(text, file, 'ca_file', `there is no file ${beside}`);
  const why = whyNoAuthority(pem);
  if (why !== null) throw wrong(text, file, ca === undefined ? 'ca_file' : 'ca', why);
  return { ...rest, name, ca: pem };
}

/**
 * All partners of a configuration.
 * @param own the cluster's own name and, where it has one already, its authority's certificate.
 */
export function readPartners(directory: string, own: { cluster: string; ca: string | null }): Partner[] {
  const files = namesIn(partnersIn(directory)).filter((name) => name.endsWith(ENDING) && !name.startsWith('.'));
  const seen = new Map<string, string>();
  if (own.ca !== null) seen.set(fingerprintText(own.ca), 'this cluster');
  return files.sort().map((entry) => {
    const file = path.join(partnersIn(directory), entry);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new MosrunError('configuration', `${file} cannot be read (${systemCode(error)}): check its permissions`, {
        cause: error,
      });
    }
    const partner = parsePartner(text, file);
    if (partner.name === own.cluster)
      throw new MosrunError(
        'configuration',
        `${file}: ${own.cluster} is the name of this cluster itself: call the file otherwise`,
      );
    const fingerprint = fingerprintText(partner.ca);
    const other = seen.get(fingerprint);
    if (other !== undefined) throw wrong(text, file, 'ca', `that is the authority of ${other}: each cluster has its own`);
    seen.set(fingerprint, `partner ${partner.name}`);
    return partner;
  });
}
