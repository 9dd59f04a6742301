// Throws random, truncated and bit-flipped messages at one place, on the node it runs on. Read from standard input by `node -`.
//   node - '{"place":"data","address":"10.77.0.2","port":7071,"count":2000,"seed":1,"protocol":3}'
// Prints one line of JSON: how many messages and connections there were, and how many connections could not be made.
import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';

const { place, address, port, path, count, seed, protocol } = JSON.parse(process.argv[2]);
const atOnce = place === 'gate' ? 4 : 16; // mosgate takes sixteen, and needs a moment to see that one has gone

let state = seed;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

/** A third of all is random bytes, a third a true message cut short, a third one with a few bits changed. */
function garbage(models) {
  const model = models[random(models.length)];
  const kind = random(3);
  if (kind === 0) return randomBytes(1 + random(400));
  if (kind === 1) return model.subarray(0, 1 + random(model.length - 1));
  const changed = Buffer.from(model);
  for (let flips = 1 + random(8); flips > 0; flips--) changed[random(changed.length)] ^= 1 << random(8);
  return changed;
}

function hello() {
  const bytes = Buffer.alloc(48);
  bytes.writeBigUInt64LE(0x314e55524f534f4dn, 0);
  bytes.writeUInt32LE(protocol, 8);
  bytes.writeBigUInt64LE(0xdeadbeefn, 16);
  return Buffer.concat([bytes, randomBytes(104)]); // and a proof
}

function launch() {
  const words = ['mosrun', '--no-such-option', '/bin/true'].map((word) => `${word}\0`).join('');
  const body = Buffer.concat([
    Buffer.from([1, 0, 3, 0, 0, 0]),
    Buffer.from(`${words}/tmp\0`),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from('MOSRUN_X=y\0'),
  ]);
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length, 0);
  head.write('L', 4);
  return Buffer.concat([head, body]);
}

const http = (method, target, body) =>
  Buffer.from(
    `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );

const session = JSON.stringify({
  protocol,
  home: 'node1',
  pid: 1,
  command: 'x',
  uid: 0,
  threads: 1,
  memory_bytes: 1,
  kernel: 'x',
  cpu_hash: 'x',
  pid_max: 1,
  encrypt: false,
});
const commands = [
  'ping\n',
  'list\n',
  'kill 00000000deadbeef\n',
  `open 00000000deadbeef ${'5a'.repeat(31)}\n`,
  'list all of them now please\n',
];
const models = {
  data: [hello()],
  // The first record of a TLS 1.3 handshake: what it says is of no use, but its lengths are right.
  tls: [Buffer.concat([Buffer.from('160301010001000100fc0303', 'hex'), randomBytes(250)])],
  peer: [
    http('GET', '/v1/heartbeat', ''),
    http('POST', '/v1/sessions', session),
    http('DELETE', '/v1/sessions/00000000deadbeef', ''),
  ],
  local: [
    http('GET', '/v1/status', ''),
    http('GET', '/v1/processes/1', ''),
    http('POST', '/v1/processes/999999/migrate', '{"to":"node2","wait":true}'),
  ],
  launch: [launch()],
  gate: commands.map((line) => Buffer.from(line)),
  gossip: [],
}[place];

/** Several go over one connection where what is wrong does not end it: HTTP bodies and paths, and lines. */
function several() {
  const parts = [];
  const messages = 1 + random(20);
  for (let i = 0; i < messages; i++) {
    const bytes = garbage(models);
    if (place === 'gate') parts.push(Buffer.concat([bytes.filter((byte) => byte !== 10), Buffer.from('\n')]));
    else
      parts.push(
        http(
          ['GET', 'POST', 'DELETE'][random(3)],
          ['/v1/sessions', '/v1/processes/7/migrate', `/${bytes.toString('hex').slice(0, random(60))}`][random(3)],
          garbage([Buffer.from(session)]).toString('latin1'),
        ),
      );
  }
  return parts;
}

function connect() {
  if (place !== 'peer') return connectPlain(path ? { path } : { host: address, port });
  const [ca, cert, key] = ['ca.pem', 'node.pem', 'node.key'].map((name) => readFileSync(`/etc/mosrun/${name}`));
  return connectTls({ host: address, port, ca, cert, key, checkServerIdentity: () => undefined });
}

let messages = 0;
let connections = 0;
let failed = 0;
const errors = {}; // of connections that could not be made

/** One connection: says its messages, and is over when the other side hangs up or has been silent for a moment. */
function once() {
  return new Promise((resolve) => {
    const parts = ['gate', 'peer', 'local'].includes(place) && random(4) > 0 ? several() : [garbage(models)];
    const socket = connect();
    let connected = false;
    socket.once(place === 'peer' ? 'secureConnect' : 'connect', () => {
      connected = true;
      connections++;
      messages += parts.length;
      socket.write(Buffer.concat(parts), () => {
        // A reset, half of the time: the other side must not count on a farewell.
        if (random(2) === 0) socket.end();
        else setTimeout(() => socket.destroy(), random(20));
      });
    });
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('data', () => {});
    let busy = false;
    socket.on('error', ({ code }) => {
      if (connected) return;
      errors[code] = (errors[code] ?? 0) + 1;
      busy = code === 'EAGAIN'; // a unix socket whose backlog is full: who waits for an answer waits here (connect(2))
    });
    socket.once('close', () => {
      if (busy) return setTimeout(resolve, 50);
      if (!connected) failed++;
      resolve();
    });
  });
}

/** Of node 1 to node 2, with three entries and no signature: as lib/cluster/datagrams.ts has it. */
function datagram() {
  const bytes = Buffer.alloc(26 + 3 * 80);
  bytes.write('MOSG\x01\x01');
  for (const [at, value] of [
    [6, 80],
    [8, 1],
    [10, 2],
    [24, 3],
  ])
    bytes.writeUInt16LE(value, at);
  // An earlier life: what node 1 itself says is to be believed all the time.
  bytes.writeBigUInt64LE(1n, 12);
  for (let entry = 0; entry < 3; entry++) {
    const at = 26 + entry * 80;
    bytes.writeUInt16LE(entry + 1, at);
    bytes[at + 2] = 3;
    randomBytes(30).copy(bytes, at + 8);
  }
  return bytes;
}

/** Half of them are signed with the key of a node: what the other side then reads is as wrong as the rest. */
async function throwDatagrams() {
  const key = createPrivateKey(readFileSync('/etc/mosrun/node.key'));
  const socket = createSocket('udp4');
  connections = 1;
  for (; messages < count; messages++) {
    const bytes = garbage([datagram()]);
    const whole = random(2) === 0 ? bytes : Buffer.concat([bytes, sign(null, bytes, key)]);
    await new Promise((resolve) => void socket.send(whole, port, address, resolve));
  }
}

const began = performance.now();
if (place === 'gossip') await throwDatagrams();
else
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (messages < count && failed < 1000) await once();
    }),
  );
console.log(
  JSON.stringify({ place, messages, connections, failed, errors, seconds: Math.round((performance.now() - began) / 100) / 10 }),
);
process.exit(0);
