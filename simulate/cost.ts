/** What knowing a cluster costs one daemon: its own code with real keys, the other nodes made up. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { type Datagram, GossipMembership, MOST_ENTRIES, NodeKeys, decodeDatagram, encodeDatagram } from '../lib/cluster/index.js';
import { addressOf, heartbeatOf } from './made-up.js';
import { randomFrom } from './random.js';
import { SimulatedClock } from './simulated-clock.js';

export interface Cost {
  nodes: number;
  /** Of one core. */
  cpu_share: number;
  /** Sent and received, without what the network adds. */
  bytes_per_second: number;
}

const STEP_SECONDS = 0.5;

export function costOfKnowing(nodes: number, seconds: number): Cost {
  const clock = new SimulatedClock();
  const random = randomFrom(1);
  const own = generateKeyPairSync('ed25519');
  const others = generateKeyPairSync('ed25519');
  const keys = new NodeKeys();
  const addresses = Array.from({ length: nodes }, (_, index) => addressOf(index + 1));
  for (const { name } of addresses) keys.learn(name, others.publicKey);
  let bytes = 0;
  const members = new GossipMembership(addresses, {
    self: 'node1',
    clock,
    random,
    own: () => heartbeatOf(1),
    stepSeconds: STEP_SECONDS,
    answerSeconds: 0.5,
    timeoutSeconds: 2,
    life: 1,
    ask: (peer) => Promise.resolve(heartbeatOf(peer.number)),
    send: (_to, datagram) => {
      bytes += encodeDatagram(datagram, (text) => sign(null, text, own.privateKey)).length;
    },
    isSigned: ({ name }, received) => keys.isSigned(name, received),
    onHeard: () => {},
    onChange: () => {},
  });
  members.start();
  // What others say, made beforehand: each step one says something, and one that has been told says that it has heard.
  const pick = (): number => 2 + Math.floor(random() * (nodes - 1));
  const steps = Math.round(seconds / STEP_SECONDS);
  const said = Array.from({ length: 2 * steps }, (_, sequence) => {
    const from = pick();
    const about = [from, ...Array.from({ length: MOST_ENTRIES - 1 }, pick)];
    const news = about.map((number) => ({
      node: `${number}`,
      ageSeconds: random() * 10,
      facts: heartbeatOf(number),
      gone: null,
    }));
    const kind = sequence % 2 === 0 ? 'news' : 'heard';
    const datagram: Datagram = { kind, from, to: 1, life: 1, sequence: sequence + 1, news: kind === 'news' ? news : [] };
    return encodeDatagram(datagram, (text) => sign(null, text, others.privateKey));
  });
  const before = process.cpuUsage();
  for (const [index, packet] of said.entries()) {
    clock.runUntil((index / 2) * STEP_SECONDS);
    bytes += packet.length;
    const received = decodeDatagram(packet);
    if (received) members.receive(received);
  }
  const { user, system } = process.cpuUsage(before);
  members.stop();
  return { nodes, cpu_share: (user + system) / 1e6 / seconds, bytes_per_second: bytes / seconds };
}
