/**
 * The control connection to mosgate: one text command a line, answers in order, each one line of JSON; lines with "event" may come in
 * between. mosgate outlives mosd; whoever connects again asks for the list.
 */
import { type Socket, connect } from 'node:net';
import { MosrunError } from '../shared/errors.js';

export interface GateSession {
  session: string;
  state: 'open' | 'arriving' | 'running';
  home_pid: number;
  pid: number;
  /** The pid 1 of its processes. */
  keeper: number;
  cpu_seconds: number;
  rss_bytes: number;
  threads: number;
  /** Its channels come encrypted. */
  sealed?: boolean;
  /** Of this node's own, and kept on disk: no guest. */
  frozen?: boolean;
}

/** Whose channels: a session's, but for those that another hosting node opens. */
export type RouteKind = 'session' | 'memory';

/** The way of this node's encrypted channels to a session of another. */
export interface Route {
  session: string;
  kind: RouteKind;
  /** The session's token, or its memory channel's key. */
  key: string;
  address: string;
  port: number;
}

export interface GateEvent {
  event: string;
  session?: string;
  state?: string;
  /** The pid 1 of its processes. */
  keeper?: number;
  why?: string;
  /** Of an ended session: what its processes used. */
  cpu_seconds?: number;
}

interface Answer {
  ok: boolean;
  error?: string;
  message?: string;
  [field: string]: unknown;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export interface GateClientOptions {
  onEvent: (event: GateEvent) => void;
  onClose: () => void;
  /** A mosgate that answers nothing for so long is broken. */
  answerSeconds?: number;
}

export class GateClient {
  private readonly waiting: Waiting[] = [];
  private rest = '';

  private constructor(
    private readonly socket: Socket,
    private readonly options: GateClientOptions,
  ) {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.receive(text);
    });
    // 'close' follows every error, with the socket's end in both cases.
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const one of this.waiting.splice(0)) one.reject(new MosrunError('failed', 'mosgate hung up: see its log'));
      options.onClose();
    });
  }

  static connect(path: string, options: GateClientOptions): Promise<GateClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new GateClient(socket, options));
      });
    });
  }

  private receive(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') continue;
      let parsed: Answer | GateEvent;
      try {
        parsed = JSON.parse(line) as Answer | GateEvent;
      } catch {
        // Answers come in order: after a line that is none, no later one can be trusted to its command.
        this.socket.destroy();
        return;
      }
      if ('event' in parsed) this.options.onEvent(parsed as GateEvent);
      else this.waiting.shift()?.resolve(parsed);
    }
  }

  private async ask(command: string): Promise<Answer> {
    const timer = setTimeout(() => this.socket.destroy(), (this.options.answerSeconds ?? 5) * 1000);
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        if (this.socket.destroyed) {
          reject(new MosrunError('failed', 'mosgate hung up: see its log'));
          return;
        }
        this.waiting.push({ resolve, reject });
        this.socket.write(`${command}\n`);
      });
      if (!answer.ok) throw new MosrunError('failed', `mosgate: ${answer.message ?? answer.error ?? 'refused'}`);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async ping(): Promise<{ version: string; pid: number; protocol: number }> {
    const { version, pid, protocol } = await this.ask('ping');
    return { version: String(version), pid: Number(pid), protocol: Number(protocol) };
  }

  /** Ends it, and settles when it has; its guests go on. False, and nothing happens, while a guest is on its way. */
  async quit(): Promise<boolean> {
    const ended = new Promise<boolean>((resolve) => {
      this.socket.once('close', () => {
        resolve(true);
      });
    });
    try {
      await this.ask('quit');
    } catch {
      // It may have gone without a word.
      return this.socket.destroyed ? ended : false;
    }
    return ended;
  }

  /** @param cache who shares what is kept of files here, 16 hex digits; null: nobody. */
  async open(session: string, token: string, memoryBytes: number, encrypted: boolean, cache: string | null): Promise<void> {
    const words = [
      `open ${session} ${token} ${memoryBytes} -`,
      encrypted ? 'sealed' : '',
      cache === null ? '' : `cache=${cache}`,
    ];
    await this.ask(words.filter((word) => word !== '').join(' '));
  }

  /** As `open`, for a process that is to be kept in a file of that directory. */
  async freeze(session: string, token: string, directory: string, encrypted: boolean): Promise<void> {
    await this.ask(`freeze ${session} ${token} ${directory}${encrypted ? ' sealed' : ''}`);
  }

  /** The number of the mosseal that these channels are to be opened over. */
  async route({ session, kind, key, address, port }: Route): Promise<number> {
    return Number((await this.ask(`route ${session} ${kind} ${key} ${address} ${port}`))['seal']);
  }

  async unroute(session: string): Promise<void> {
    await this.ask(`unroute ${session}`);
  }

  async kill(session: string): Promise<void> {
    await this.ask(`kill ${session}`);
  }

  /** @param session that one alone. */
  async list(session?: string): Promise<GateSession[]> {
    return this.listed(session === undefined ? 'list' : `list ${session}`);
  }

  /** Without what they use: mosgate need not look at each of them. */
  async names(): Promise<Pick<GateSession, 'session' | 'state' | 'keeper' | 'frozen'>[]> {
    return this.listed('list names');
  }

  private async listed(command: string): Promise<GateSession[]> {
    // A mosgate of before these commands, which has guests still, tells all of all.
    const { sessions } = await this.ask(command).catch((error: unknown) => {
      if (command === 'list' || this.socket.destroyed) throw error;
      return this.ask('list');
    });
    return Array.isArray(sessions) ? (sessions as GateSession[]) : [];
  }

  close(): void {
    this.socket.destroy();
  }
}
