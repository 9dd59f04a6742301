/**
 * Names of nodes over clusters: a node of the own cluster has its name alone, one of another that of its cluster behind it (`node3@physics`), as this
 * cluster calls that one. No node's name has such a sign in it, so the two are never mistaken for each other; each node numbers only its own cluster.
 */
import { createHash, X509Certificate } from 'node:crypto';

const SIGN = '@';

/** @param cluster null: the own. */
export const nameIn = (node: string, cluster: string | null): string => (cluster === null ? node : `${node}${SIGN}${cluster}`);

/** The cluster of a node of that name; null: the own. */
export const clusterOf = (name: string): string | null => {
  const at = name.indexOf(SIGN);
  return at < 0 ? null : name.slice(at + 1);
};

/** What the node calls itself. */
export const ownNameOf = (name: string): string => name.split(SIGN)[0] ?? name;

/**
 * So many of the nodes of the youngest news, the own cluster's first. Most programs may go to no other: those of others take no more than half of the
 * places from the own.
 */
export function consider(youngest: readonly string[], most: number): string[] {
  const isOwn = (node: string): boolean => clusterOf(node) === null;
  const abroad = youngest.filter((node) => !isOwn(node));
  const own = youngest.filter(isOwn).slice(0, most - Math.min(abroad.length, Math.floor(most / 2)));
  return [...own, ...abroad].slice(0, most);
}

/** Clusters that nobody has configured are called so, with the beginning of their authority's fingerprint. */
export const PUBLIC_PREFIX = 'public-';

const AUTHORITY_DIGITS = 16;

/** SHA-256 of a certificate's DER, hex. @param certificate PEM or DER. */
export const fingerprintText = (certificate: string | Buffer): string =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');

/** Names a cluster in datagrams: the beginning of its authority's fingerprint. */
export const authorityIdOf = (certificate: string): string => fingerprintText(certificate).slice(0, AUTHORITY_DIGITS);
