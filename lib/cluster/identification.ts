/**
 * Who is at the other end of a TLS connection: which cluster it is of follows from the authority that issued its certificate, never from what it says of
 * itself. The connection has shown already that it holds the certificate's key (RFC 8446, 4.4.3).
 */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Holder, holderOf } from './holders.js';
import { PUBLIC_PREFIX, fingerprintText } from './names.js';
import { nodeName } from './node-list.js';

export type Peer =
  /** A node or a tool of this cluster. */
  | { kind: 'own'; holder: Holder }
  /** A node of a partner, as this cluster calls that. */
  | { kind: 'partner'; cluster: string; node: string }
  /** A node of a cluster that nobody has configured; its certificate and that of its authority, which it has sent, are right in themselves. */
  | { kind: 'foreign'; cluster: string; node: string; fingerprint: string; ca: string }
  /** Somebody else, and what is wrong with the certificate; null: there is none. */
  | { kind: 'stranger'; why: string | null };

export interface Authority {
  name: string;
  /** PEM. */
  ca: string;
}

/** Of the fingerprint, in the names of clusters that nobody has configured. */
const PUBLIC_DIGITS = 8;
/** id-kp-clientAuth, RFC 5280, 4.2.1.12. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** X509Certificate.issuerCertificate came with Node 18 and is not in its types. */
type Chained = X509Certificate & { issuerCertificate?: X509Certificate };

const isValidNow = ({ validFrom, validTo }: X509Certificate, now: number): boolean =>
  Date.parse(validFrom) <= now && now <= Date.parse(validTo);

const isIssuedBy = (leaf: X509Certificate, issuer: X509Certificate): boolean =>
  leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);

export class Identification {
  private readonly own: X509Certificate;
  private partners: { name: string; ca: X509Certificate }[] = [];
  /** Connections that were looked at since the partners last changed. */
  private known = new WeakMap<Socket, Peer>();
  /** What it has shown. Node gives the authority's certificate only when it is asked first. */
  private readonly shown = new WeakMap<
    Socket,
    { leaf: X509Certificate; authority: X509Certificate | null; holder: Holder | null }
  >();

  /** @param ca of the own cluster, PEM. */
  constructor(
    ca: string,
    private readonly now: () => number = () => Date.now(),
  ) {
    this.own = new X509Certificate(ca);
  }

  replace(partners: readonly Authority[]): void {
    this.partners = partners.map(({ name, ca }) => ({ name, ca: new X509Certificate(ca) }));
    this.known = new WeakMap();
  }

  of(socket: Socket): Peer {
    const before = this.known.get(socket);
    if (before) return before;
    const peer = this.look(socket as TLSSocket);
    this.known.set(socket, peer);
    return peer;
  }

  private look(socket: TLSSocket): Peer {
    const shown = this.shown.get(socket) ?? this.show(socket);
    // A resumed session may be `authorized` without any certificate.
    if (!shown) return { kind: 'stranger', why: null };
    const { leaf, authority, holder } = shown;
    if (!socket.authorized) return this.foreign(leaf, authority, holder, String(socket.authorizationError ?? 'it is not right'));
    if (isIssuedBy(leaf, this.own)) {
      return holder ? { kind: 'own', holder } : { kind: 'stranger', why: 'it names neither a node nor a tool' };
    }
    const partner = this.partners.find(({ ca }) => isIssuedBy(leaf, ca));
    // It was one when the connection was made.
    if (!partner) return this.foreign(leaf, authority, holder, 'its authority is not known here');
    // A partner's tools are nobody here.
    if (holder?.role !== 'node' || !nodeName.safeParse(holder.name).success)
      return { kind: 'stranger', why: `it is no certificate of a node of ${partner.name}` };
    return { kind: 'partner', cluster: partner.name, node: holder.name };
  }

  private show(socket: TLSSocket) {
    const leaf = socket.getPeerX509Certificate() as Chained | undefined;
    if (!leaf) return null;
    const shown = { leaf, authority: leaf.issuerCertificate ?? null, holder: holderOf(socket.getPeerCertificate().subject) };
    this.shown.set(socket, shown);
    return shown;
  }

  private foreign(leaf: X509Certificate, authority: X509Certificate | null, holder: Holder | null, why: string): Peer {
    if (holder?.role !== 'node' || !nodeName.safeParse(holder.name).success || !authority) return { kind: 'stranger', why };
    const now = this.now();
    const isRight =
      authority.ca &&
      isIssuedBy(authority, authority) &&
      !leaf.ca &&
      isIssuedBy(leaf, authority) &&
      isValidNow(leaf, now) &&
      isValidNow(authority, now) &&
      (leaf.keyUsage ?? []).includes(CLIENT_AUTH) &&
      leaf.publicKey.asymmetricKeyType === 'ed25519';
    // One of ours that is wrong in another way is not made another cluster's by that.
    const isNear = [this.own, ...this.partners.map(({ ca }) => ca)].some((ca) => ca.raw.equals(authority.raw));
    if (!isRight || isNear) return { kind: 'stranger', why };
    const fingerprint = fingerprintText(authority.raw);
    const cluster = `${PUBLIC_PREFIX}${fingerprint.slice(0, PUBLIC_DIGITS)}`;
    return { kind: 'foreign', cluster, node: holder.name, fingerprint, ca: authority.toString() };
  }
}
