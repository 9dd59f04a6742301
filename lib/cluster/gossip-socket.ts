/** The port that gossip comes to: beside the control port, with the same number, by UDP. */
import { type KeyObject, createPrivateKey, sign, verify } from 'node:crypto';
import { type Socket, createSocket } from 'node:dgram';
import { type Datagram, type Received, decodeDatagram, encodeDatagram } from './datagrams.js';
import type { NodeAddress } from './membership.js';

/** The public keys of nodes, as their certificates showed them when one talked to them over TLS. */
export class NodeKeys {
  private readonly keys = new Map<string, KeyObject>();

  learn(node: string, key: KeyObject): void {
    if (key.asymmetricKeyType === 'ed25519') this.keys.set(node, key);
  }

  /** null: its key is not known. */
  isSigned(node: string, { signed, signature }: Pick<Received, 'signed' | 'signature'>): boolean | null {
    const key = this.keys.get(node);
    return key ? verify(null, signed, key, signature) : null;
  }
}

export class GossipSocket {
  private readonly socket: Socket;
  private readonly key: KeyObject;

  /** @param key this node's, PEM. */
  constructor(
    key: string,
    onReceived: (received: Received) => void,
    private readonly onProblem: (message: string) => void,
  ) {
    this.key = createPrivateKey(key);
    this.socket = createSocket('udp4');
    this.socket.unref();
    this.socket.on('message', (bytes) => {
      const received = decodeDatagram(bytes);
      if (received) onReceived(received);
    });
    // One that cannot be used is done without: all is asked for over TLS then.
    this.socket.on('error', (error) => {
      this.onProblem(error.message);
    });
  }

  /** Settles when it listens, or cannot. */
  listen({ address, controlPort }: NodeAddress): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('error', () => {
        resolve();
      });
      this.socket.bind({ address, port: controlPort, exclusive: true }, resolve);
    });
  }

  send(to: NodeAddress, datagram: Datagram): void {
    const bytes = encodeDatagram(datagram, (text) => sign(null, text, this.key));
    // What is lost is asked for.
    this.socket.send(bytes, to.controlPort, to.address, () => {});
  }

  close(): void {
    try {
      this.socket.close();
    } catch {
      // It never listened.
    }
  }
}
