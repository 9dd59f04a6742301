/** The cluster's own certificate authority, and what it signs for nodes and tools: Ed25519 throughout. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { type ToolRole, toolSubject } from './holders.js';

const algorithm = { name: 'Ed25519' };
const YEARS_VALID = 20;
/** Nothing but time takes a tool's right away. */
const TOOL_YEARS_VALID = 1;

export interface KeyAndCertificate {
  certificate: string;
  key: string;
}

function validity(years = YEARS_VALID): { notBefore: Date; notAfter: Date } {
  // A day of tolerance for nodes whose clocks are behind.
  const notBefore = new Date(Date.now() - 86_400_000);
  const notAfter = new Date(notBefore);
  notAfter.setFullYear(notAfter.getFullYear() + years);
  return { notBefore, notAfter };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function keyToPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(bytes, 'PRIVATE KEY')}\n`;
}

/** Makes the authority of a new cluster. */
export async function makeAuthority(cluster: string): Promise<KeyAndCertificate> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=mosrun cluster ${cluster}`,
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyToPem(keys.privateKey) };
}

interface Wanted {
  subject: string;
  years?: number;
  usages: x509.ExtendedKeyUsage[];
  extensions: x509.Extension[];
}

async function sign(
  authority: KeyAndCertificate,
  publicKey: x509.PublicKeyType,
  { subject, years, usages, extensions }: Wanted,
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(authority.key), algorithm, false, [
    'sign',
  ]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer.subject,
    publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    ...validity(years),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      ...extensions,
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

async function signNew(authority: KeyAndCertificate, wanted: Wanted): Promise<KeyAndCertificate> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  return { certificate: await sign(authority, keys.publicKey, wanted), key: await keyToPem(keys.privateKey) };
}

/** A node's certificate: its name is its subject and DNS name. */
const forNode = (node: string): Wanted => ({
  subject: `CN=${node}`,
  // A node is client and server both.
  usages: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
  extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: node }])],
});

/** Makes a node's key and certificate, signed by the authority. */
export function makeNodeCertificate(authority: KeyAndCertificate, node: string): Promise<KeyAndCertificate> {
  return signNew(authority, forNode(node));
}

/** Makes a tool's: good for a client only, so that no tool can pass for a node. */
export function makeToolCertificate(authority: KeyAndCertificate, name: string, role: ToolRole): Promise<KeyAndCertificate> {
  const usages = [x509.ExtendedKeyUsage.clientAuth];
  return signNew(authority, { subject: toolSubject(name, role), years: TOOL_YEARS_VALID, usages, extensions: [] });
}

export interface KeyAndRequest {
  key: string;
  /** PKCS #10, PEM. */
  request: string;
}

/** Makes a node's key where it stays, and the request for its certificate. */
export async function makeRequest(node: string): Promise<KeyAndRequest> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: `CN=${node}`, keys, signingAlgorithm: algorithm });
  return { key: await keyToPem(keys.privateKey), request: request.toString('pem') };
}

/** Signs what was requested: the public key alone comes from the request. Throws when whoever made it does not have the private one. */
export async function signRequest(authority: KeyAndCertificate, request: string, node: string): Promise<string> {
  x509.cryptoProvider.set(webcrypto);
  const parsed = new x509.Pkcs10CertificateRequest(request);
  if (parsed.publicKey.algorithm.name !== algorithm.name || !(await parsed.verify())) {
    throw new Error('the request is not signed by its own Ed25519 key');
  }
  return sign(authority, parsed.publicKey, forNode(node));
}
