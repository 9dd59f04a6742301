/** A hosting node that is none: takes a process out of its home by the real mover, and then asks its real deputy for whatever a test likes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, readdirSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import path from 'node:path';

const root = process.env['MOSRUN_SOURCE'] ?? process.cwd();
const libexec = path.join(root, 'dist/libexec');

/** As in native/stub/wire.h. */
export const Op = {
  call: 0,
  get_signal: 1,
  set_mask: 2,
  set_action: 3,
  clone: 4,
  fork: 5,
  exec: 6,
  exit: 7,
  exit_group: 8,
  come_home: 9,
  fetch: 10,
  map: 11,
  mirror: 12,
  refill: 13,
  park: 14,
  dump: 15,
  statuses: 21,
} as const;
const Kind = { thread: 0, event: 1, spare: 2 } as const;
const Record = { state: 1, slot: 2, mappings: 3, pages: 4, end: 5, ready: 6, go: 7, running: 8 } as const;
const HELLO = 48;
const CHALLENGE = 56;
const PROOF = 112;
const REQUEST = 120;
const HELLO_MAGIC = 0x314e55524f534f4dn;
const FAREWELL_MAGIC = 0x4c575246;
const REQUEST_MAGIC = 0x51524d4d;

export interface Request {
  op?: number;
  nr?: number;
  args?: (number | bigint)[];
  payload?: Buffer;
  /** [position, target] each. */
  relocations?: [number, number][];
  inSize?: number;
  outSize?: number;
  outFixed?: number;
  /** Argument numbers that are offsets into the payload, or the out buffer. */
  in?: number[];
  out?: number[];
  inoutSize?: number;
  resultSize?: number;
  magic?: number;
}

export interface Reply {
  result: number;
  flags: number;
  data: Buffer;
}

const bits = (list: number[] = []): number => list.reduce((all, one) => all | (1 << one), 0);

export function encode(request: Request): Buffer {
  const relocations = Buffer.alloc(8 * (request.relocations?.length ?? 0));
  for (const [index, [position, target]] of (request.relocations ?? []).entries()) {
    relocations.writeUInt32LE(position >>> 0, 8 * index);
    relocations.writeUInt32LE(target >>> 0, 8 * index + 4);
  }
  const payload = request.payload ?? Buffer.alloc(0);
  const head = Buffer.alloc(REQUEST);
  head.writeUInt32LE(request.magic ?? REQUEST_MAGIC, 0);
  head.writeUInt16LE(request.nr ?? 0, 4);
  head.writeUInt16LE(request.op ?? Op.call, 6);
  head.writeUInt32LE(request.inSize ?? relocations.length + payload.length, 8);
  head.writeUInt32LE(request.outSize ?? 0, 12);
  head.writeUInt32LE(request.outFixed ?? 0, 16);
  head.writeUInt16LE(request.relocations?.length ?? 0, 20);
  head.writeUInt8(bits(request.in), 22);
  head.writeUInt8(bits(request.out), 23);
  head.writeUInt32LE(request.resultSize ?? 0, 24);
  head.writeUInt32LE(request.inoutSize ?? 0, 32);
  for (const [index, arg] of (request.args ?? []).entries()) {
    head.writeBigUInt64LE(BigInt.asUintN(64, BigInt(arg)), 40 + 8 * index);
  }
  return Buffer.concat([head, relocations, payload]);
}

/** Whole messages from a stream. */
class Reader {
  private have = Buffer.alloc(0);
  private wake: (() => void) | null = null;
  over = false;

  constructor(readonly socket: Socket) {
    socket.on('data', (more: Buffer) => {
      this.have = Buffer.concat([this.have, more]);
      this.wake?.();
    });
    const end = (): void => {
      this.over = true;
      this.wake?.();
    };
    socket.on('error', end).on('close', end).on('end', end);
  }

  /** Null at the end of the stream. */
  async take(size: number): Promise<Buffer | null> {
    while (this.have.length < size) {
      if (this.over) return null;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken = this.have.subarray(0, size);
    this.have = this.have.subarray(size);
    return taken;
  }
}

export class FakeHost {
  private leader: Reader | null = null;
  /** The event channel's. */
  private events: Reader | null = null;
  readonly spares: { serial: number; reader: Reader }[] = [];
  base = 0n;
  /** The first thread as it came. */
  slot = Buffer.alloc(0);
  private ready: Promise<void> = Promise.resolve();
  private said = '';

  private constructor(
    private readonly server: Server,
    readonly victim: ChildProcess,
    private readonly directory: string,
  ) {
    victim.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
  }

  /** Starts the program at home under that uid, and takes it away. */
  static async capture(command: string[], uid: number): Promise<FakeHost> {
    const [program = '', ...args] = command;
    const victim = spawn(program, args, { uid, gid: uid, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    const server = createServer();
    const host = new FakeHost(server, victim, mkdtempSync('/tmp/mosrun-fake-host-'));
    await once(victim, 'spawn');
    while (!readlinkSync(`/proc/${victim.pid}/exe`).endsWith(path.basename(program)))
      await new Promise((done) => setTimeout(done, 5));
    await new Promise((done) => setTimeout(done, 50));
    const arrived = new Promise<Reader>((resolve) => {
      server.on('connection', (socket: Socket) => void host.welcome(socket, resolve));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const words = ['out', '--pid', `${victim.pid}`, '--node', 'fake', '--session', '00000000000000aa', '--address', '127.0.0.1'];
    const mover = spawn(
      path.join(libexec, 'mosmove'),
      [...words, '--port', `${port}`, '--timeout', '10', '--state-dir', host.directory],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    let report = '';
    mover.stdout.setEncoding('utf8').on('data', (text: string) => {
      report += text;
    });
    mover.stdin.end(`${'5a'.repeat(32)}\n`);
    host.ready = arrived.then((reader) => host.arrive(reader));
    const [status] = (await once(mover, 'close')) as [number | null];
    if (status !== 0) throw new Error(`the mover ended with ${status}: ${report}`);
    await host.ready;
    return host;
  }

  private async welcome(socket: Socket, first: (reader: Reader) => void): Promise<void> {
    const reader = new Reader(socket);
    const hello = await reader.take(HELLO);
    if (!hello) return;
    const challenge = Buffer.alloc(CHALLENGE);
    challenge.writeBigUInt64LE(HELLO_MAGIC, 0);
    challenge.writeUInt32LE(hello.readUInt32LE(8), 8);
    const now = process.hrtime.bigint();
    challenge.writeBigUInt64LE(BigInt(Date.now()) * 1_000_000n, 32);
    challenge.writeBigUInt64LE(now, 40);
    challenge.writeBigUInt64LE(now, 48);
    socket.write(challenge);
    if (!(await reader.take(PROOF))) return;
    const welcome = Buffer.alloc(16);
    welcome.writeBigUInt64LE(HELLO_MAGIC, 0);
    socket.write(welcome);
    const kind = hello.readUInt16LE(12);
    const index = hello.readUInt16LE(14);
    if (kind === Kind.spare) this.spares.push({ serial: index, reader });
    if (kind === Kind.event) this.events = reader;
    if (kind === Kind.thread && index === 0) first(reader);
  }

  private async arrive(reader: Reader): Promise<void> {
    this.leader = reader;
    for (;;) {
      const header = await reader.take(16);
      if (!header) throw new Error('home hung up during the move');
      const type = header.readUInt32LE(0);
      if (type === Record.end) break;
      const body = await reader.take(Number(header.readBigUInt64LE(8)));
      if (type === Record.state && body) this.base = body.readBigUInt64LE(8);
      if (type === Record.slot && body && header.readUInt32LE(4) === 0) this.slot = Buffer.from(body);
    }
    const say = (type: number, length = 0): void => {
      const record = Buffer.alloc(16 + length);
      record.writeUInt32LE(type, 0);
      record.writeBigUInt64LE(BigInt(length), 8);
      reader.socket.write(record);
    };
    // With the bytes and pages it has got.
    say(Record.ready, 24); // struct Sent
    const go = await reader.take(16);
    if (go?.readUInt32LE(0) !== Record.go) throw new Error('home does not say go');
    say(Record.running);
  }

  /** Bytes as they are, on the first thread's channel. */
  say(bytes: Buffer): void {
    this.leader?.socket.write(bytes);
  }

  /** The guest is gone; its keeper, if there is one, says how it ended: the status of wait(2). */
  leave(status?: number): void {
    const farewell = Buffer.alloc(8);
    farewell.writeUInt32LE(FAREWELL_MAGIC, 0);
    farewell.writeInt32LE(status ?? 0, 4);
    if (status !== undefined) this.events?.socket.write(farewell);
    this.events?.socket.end();
    this.leader?.socket.destroy();
  }

  /** The deputy's answer; null when it hangs up instead. */
  async ask(request: Request): Promise<Reply | null> {
    this.say(encode(request));
    return this.reply();
  }

  async reply(): Promise<Reply | null> {
    const head = await this.leader?.take(16);
    if (!head) return null;
    const data = await this.leader?.take(head.readUInt32LE(8));
    return { result: Number(head.readBigInt64LE(0)), flags: head.readUInt32LE(12), data: data ?? Buffer.alloc(0) };
  }

  async result(request: Request): Promise<number | null> {
    return (await this.ask(request))?.result ?? null;
  }

  async isServed(): Promise<boolean> {
    return (await this.result({ nr: 39 + 63 })) === this.uid(); // getuid
  }
  private uid(): number {
    return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${this.victim.pid}/status`, 'utf8'))?.[1]);
  }

  /** Mappings of the stub's region at home: what they are, and what they may. */
  region(): string[] {
    const end = this.base + (6n << 20n) + (2048n << 20n);
    return readFileSync(`/proc/${this.victim.pid}/maps`, 'utf8')
      .split('\n')
      .filter((line) => {
        const start = BigInt(`0x${line.split('-')[0] || '0'}`);
        return start >= this.base && start < end;
      });
  }

  /** The deputy's own descriptors: its channels. */
  sockets(): number[] {
    const directory = `/proc/${this.victim.pid}/fd`;
    return readdirSync(directory)
      .filter((name) => {
        try {
          return readlinkSync(path.join(directory, name)).startsWith('socket:');
        } catch {
          return false; // closed meanwhile
        }
      })
      .map(Number);
  }

  /** How it ended, and its last words. */
  async end(): Promise<{ status: number | null; signal: string | null; said: string }> {
    if (this.victim.exitCode === null && this.victim.signalCode === null) await once(this.victim, 'close');
    return { status: this.victim.exitCode, signal: this.victim.signalCode, said: this.said };
  }

  close(): void {
    this.victim.kill('SIGKILL');
    this.leader?.socket.destroy();
    for (const { reader } of this.spares) reader.socket.destroy();
    this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Why no process can be taken away on this machine; undefined where it can. */
export function whyNoMover(): string | undefined {
  if (process.getuid?.() !== 0) return 'the mover needs root';
  const { error } = spawnSync(path.join(libexec, 'mosmove'), ['faults']);
  return error?.message;
}
