/**
 * Invitations: a token lets one machine into the cluster, once, for a time. It holds a secret, by which the cluster knows the machine, and the
 * fingerprint of the authority, by which the machine knows the cluster. Kept is the secret's hash alone.
 */
import { X509Certificate, createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { MosrunError } from '../shared/errors.js';
import { makeDirectory, namesIn, readJson, removeFile, writeAtomically } from '../shared/files.js';

const SECRET_BYTES = 16;
const FINGERPRINT_BYTES = 32;

const invitation = z.object({ version: z.literal(1), expires: z.number() });

const hashOf = (secret: Buffer): string => createHash('sha256').update(secret).digest('hex');

/** Of a certificate, PEM or DER: SHA-256 of its DER. */
export const fingerprintOf = (certificate: string | Buffer): Buffer =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest();

export interface Token {
  secret: Buffer;
  /** Of the authority's certificate. */
  fingerprint: Buffer;
}

export function parseToken(text: string): Token {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== SECRET_BYTES + FINGERPRINT_BYTES || bytes.toString('base64url') !== text) {
    throw new MosrunError('usage', 'the token is not whole: copy all of what mosconf invite printed');
  }
  return { secret: bytes.subarray(0, SECRET_BYTES), fingerprint: bytes.subarray(SECRET_BYTES) };
}

export class Invitations {
  /** @param directory of root alone; made when it is needed. */
  constructor(
    private readonly directory: string,
    private readonly wallSeconds: () => number,
  ) {}

  private file(secret: Buffer): string {
    return path.join(this.directory, `${hashOf(secret)}.json`);
  }

  /** @param ca the authority's certificate, PEM. @returns the token. */
  create(ca: string, seconds: number): string {
    makeDirectory(this.directory, 0o700);
    const secret = randomBytes(SECRET_BYTES);
    writeAtomically(this.file(secret), JSON.stringify({ version: 1, expires: this.wallSeconds() + seconds }));
    return Buffer.concat([secret, fingerprintOf(ca)]).toString('base64url');
  }

  /** Is anybody expected? Takes away what has expired. */
  get any(): boolean {
    let found = false;
    for (const name of namesIn(this.directory)) {
      if (!name.endsWith('.json') || name.startsWith('.')) continue;
      const file = path.join(this.directory, name);
      const parsed = invitation.safeParse(readJson(file));
      if (parsed.success && parsed.data.expires > this.wallSeconds()) found = true;
      else removeFile(file);
    }
    return found;
  }

  /** Is this one open? It stays so. */
  has(secret: Buffer): boolean {
    const parsed = invitation.safeParse(readJson(this.file(secret)));
    return parsed.success && parsed.data.expires > this.wallSeconds();
  }

  /** Uses it up; throws when somebody else was faster. */
  use(secret: Buffer): void {
    rmSync(this.file(secret));
  }
}
