/** The cluster's side of joining: a machine with an invitation gets a certificate, and the list of nodes grows by one. */
import path from 'node:path';
import { type Invitations, type ListedNode, conflicts, listedNode, signList, writeList } from '../cluster/index.js';
import { MosrunError } from '../shared/errors.js';
import { readIfThere } from '../shared/files.js';
import type { JoinAnswer, JoinRequest } from '../shared/wire.js';
import { type Configuration, readConfiguration } from './configuration.js';

/** So many wrong secrets from one address in a minute, and it is not listened to until the minute is over. */
const WRONG_PER_MINUTE = 5;
const ADDRESSES_KEPT = 1000;

export interface JoinPorts {
  invitations: Invitations;
  configuration: () => Configuration;
  /** The list was changed: take it up. */
  onListed: () => void;
  /** Has a node of that name shown itself lately? */
  isUp: (name: string) => boolean;
  seconds: () => number;
  log: (message: string, facts: Record<string, unknown>) => void;
}

export class Joins {
  private readonly wrong = new Map<string, number>();
  private minute = 0;
  /** One at a time: each sees the list that the one before left. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly ports: JoinPorts) {}

  /** May a machine that has no certificate speak to us at all? */
  get areExpected(): boolean {
    return this.ports.invitations.any;
  }

  /** @param from the address it comes from. */
  admit(request: JoinRequest, from: string): Promise<JoinAnswer> {
    const mine = this.last.then(() => this.admitOne(request, from));
    this.last = mine.catch(() => {});
    return mine;
  }

  private checkSecret(secret: Buffer, from: string): void {
    const minute = Math.floor(this.ports.seconds() / 60);
    if (minute !== this.minute || this.wrong.size > ADDRESSES_KEPT) this.wrong.clear();
    this.minute = minute;
    const tries = this.wrong.get(from) ?? 0;
    if (tries >= WRONG_PER_MINUTE) throw new MosrunError('busy', 'too many wrong tokens came from this address: wait a minute');
    if (this.ports.invitations.has(secret)) return;
    this.wrong.set(from, tries + 1);
    this.ports.log('join refused', { from, reason: 'no such invitation' });
    throw new MosrunError(
      'not-permitted',
      'the token is not valid here: it was used, has expired, or another node made it; make a new one with mosconf invite',
    );
  }

  private async admitOne(request: JoinRequest, from: string): Promise<JoinAnswer> {
    const { invitations, configuration, onListed, log } = this.ports;
    const secret = Buffer.from(request.secret, 'hex');
    this.checkSecret(secret, from);
    // As it is on disk: mosconf may have changed it since it was read.
    const { cluster, nodes: present, revision, file, paths } = readConfiguration(configuration().file);
    const read = (name: string): string | null => readIfThere(path.join(paths.certificates, name));
    const [ca, key] = [read('ca.pem'), read('ca.key')];
    if (ca === null || key === null) {
      throw new MosrunError(
        'refused',
        "this node does not hold the key of the cluster's authority: join by the node that made the cluster",
      );
    }
    const node = this.newNode(request, present);
    const nodes = [...present.filter(({ name }) => name !== node.name), node];
    // Only a node that is asked to sign needs all of that.
    const { signRequest } = await import('../cluster/certificates.js');
    const certificate = await signRequest({ certificate: ca, key }, request.request, node.name).catch(() => {
      throw new MosrunError('usage', 'the request for a certificate is not understood: compare the versions of mosrun');
    });
    const list = signList(key, cluster, revision + 1, nodes);
    invitations.use(secret);
    writeList(path.dirname(file), list);
    log('node joined', { node: node.name, number: node.number, address: node.address, from, revision: list.revision });
    onListed();
    return { cluster, ca, certificate, list };
  }

  private newNode({ name, number, address, control_port, data_port }: JoinRequest, present: readonly ListedNode[]): ListedNode {
    const before = present.find((one) => one.name === name);
    if (before && this.ports.isUp(name)) {
      throw new MosrunError('refused', `a node called ${name} is up: choose another name with --node, or stop mosd there first`);
    }
    const taken = new Set(present.map((one) => one.number));
    let free = 1;
    while (taken.has(free)) free++;
    const parsed = listedNode.safeParse({ name, number: number ?? before?.number ?? free, address, control_port, data_port });
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new MosrunError('usage', `${issue?.path.join('.')} of the new node: ${issue?.message}: see mosconf --help`);
    }
    const others = present.filter((one) => one.name !== name);
    for (const { field } of conflicts([...others, parsed.data])) {
      throw new MosrunError('refused', `another node has ${field} ${parsed.data[field]} already: choose another with --${field}`);
    }
    return parsed.data;
  }
}
