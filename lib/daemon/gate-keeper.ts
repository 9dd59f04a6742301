/**
 * Keeps the connection to this node's mosgate, and starts one where none answers. mosgate outlives us; we find it again, and replace it if it
 * is not the one installed. The next one finds its guests.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { GateClient, type GateEvent, type GateSession, type Route } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { Gate } from './guests.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';

export interface GateKeeperOptions {
  /** Name of this node. */
  self: string;
  libexec: string;
  controlSocket: string;
  address: string;
  port: number;
  logFile: string;
  clock: Clock;
  onEvent: (event: GateEvent) => void;
  log: (message: string, facts: Record<string, unknown>) => void;
}

const RETRY_SECONDS = 1;
const START_SECONDS = 2.5;

export class GateKeeper {
  private client: GateClient | null = null;
  private trouble: string | null = 'mosgate is being started';
  private connecting: Promise<void> | null = null;
  private closed = false;

  constructor(private readonly options: GateKeeperOptions) {}

  /** Why no guest can be taken now; null when all is well. */
  get problem(): string | null {
    return this.trouble;
  }

  private get program(): string {
    return path.join(this.options.libexec, 'mosgate');
  }

  /** Connects, starting mosgate if need be; settles when that worked or failed once. */
  start(): Promise<void> {
    this.connecting ??= this.connectOnce().finally(() => {
      this.connecting = null;
    });
    return this.connecting;
  }

  private async connectOnce(): Promise<void> {
    try {
      let client = await this.tryConnect();
      let stays = client ? this.isInstalled((await client.ping()).pid) : false;
      // Ended here and now, before anybody counts on it.
      if (!client || (!stays && (await client.quit()))) {
        client = await this.launch();
        stays = true;
      }
      const { pid, version } = await client.ping();
      this.options.log('mosgate answers', { pid, version });
      this.client = client;
      this.trouble = null;
      if (!stays) this.replaceLater(client);
    } catch (error) {
      const trouble = `its mosgate does not run (${asMosrunError(error).message})`;
      if (trouble !== this.trouble) this.options.log('mosgate does not run', { error: trouble });
      this.trouble = trouble;
      this.retry();
    }
  }

  private retry(): void {
    if (this.closed) return;
    this.options.clock.after(RETRY_SECONDS, () => {
      void this.start();
    });
  }

  /** Is that process's program the file that we would start? After an upgrade its own has been removed, or has another name. */
  private isInstalled(pid: number): boolean {
    try {
      const [running, installed] = [statSync(`/proc/${pid}/exe`), statSync(this.program)];
      return running.ino === installed.ino && running.dev === installed.dev;
    } catch {
      // It has ended, which its connection says too; or the program is being replaced: the next daemon looks again.
      return true;
    }
  }

  /** Its end lets another one start. Guests on their way are waited for. */
  private replaceLater(client: GateClient): void {
    this.options.clock.after(RETRY_SECONDS, () => {
      if (this.client !== client || this.closed) return;
      void client.quit().then((ended) => {
        if (!ended) this.replaceLater(client);
      });
    });
  }

  private async tryConnect(): Promise<GateClient | null> {
    try {
      const client = await GateClient.connect(this.options.controlSocket, {
        onEvent: this.options.onEvent,
        onClose: () => {
          if (this.client !== client || this.closed) return;
          this.client = null;
          this.trouble = 'its mosgate has ended';
          this.options.log('mosgate has ended', {});
          void this.start();
        },
      });
      return client;
    } catch {
      return null;
    }
  }

  private async launch(): Promise<GateClient> {
    const { libexec, controlSocket, address, port, logFile, clock } = this.options;
    const descriptor = openSync(logFile, 'a', 0o600);
    const args = ['--listen', address, '--port', `${port}`, '--control', controlSocket, '--libexec', libexec, '--foreground'];
    let ended: string | null = null;
    const child = spawn(this.program, args, {
      detached: true,
      stdio: ['ignore', descriptor, descriptor],
      cwd: '/',
    });
    closeSync(descriptor);
    child.once('error', (error) => {
      ended = error.message;
    });
    child.once('exit', (code, signal) => {
      ended ??= `it ended at once, ${signal ?? `status ${code}`}`;
    });
    child.unref();
    const deadline = clock.seconds() + START_SECONDS;
    while (ended === null && clock.seconds() < deadline) {
      await new Promise<void>((resolve) => {
        clock.after(0.05, resolve);
      });
      // One that is ending may be connected to, and answers nothing.
      const client = await this.tryConnect();
      if (await client?.ping().catch(() => null)) return client as GateClient;
    }
    throw new MosrunError('failed', `${ended ?? 'it does not answer'}: see ${logFile}`);
  }

  private get ready(): GateClient {
    if (!this.client) throw new MosrunError('refused', this.trouble ?? 'mosgate does not run');
    return this.client;
  }

  open(session: string, token: string, memoryBytes: number, encrypted: boolean, cache: string | null): Promise<void> {
    return this.named((gate) => gate.open(session, token, memoryBytes, encrypted, cache));
  }

  freeze(session: string, token: string, directory: string, encrypted: boolean): Promise<void> {
    return this.named((gate) => gate.freeze(session, token, directory, encrypted));
  }

  route(route: Route): Promise<number> {
    return this.named((gate) => gate.route(route));
  }

  /** Nobody will take that way. What is not told is forgotten after two minutes. */
  async unroute(session: string): Promise<void> {
    await this.client?.unroute(session).catch(() => {});
  }

  /** Whoever hears why it failed may be on another node. */
  private async named<Answer>(ask: (gate: GateClient) => Promise<Answer>): Promise<Answer> {
    const gate = this.ready;
    try {
      return await ask(gate);
    } catch (thrown) {
      const { code, message } = asMosrunError(thrown);
      throw new MosrunError(code, `${this.options.self}: ${message}`, { cause: thrown });
    }
  }

  kill(session: string): Promise<void> {
    return this.ready.kill(session);
  }

  /** null: there is nobody to ask now, or it ended while it was asked. */
  async list(session?: string): Promise<GateSession[] | null> {
    return (await this.client?.list(session).catch(() => null)) ?? null;
  }

  /** As {@link list}, without what they use. */
  async names(): ReturnType<Gate['names']> {
    return (await this.client?.names().catch(() => null)) ?? null;
  }

  /** Ends mosgate, which stays when it has guests after all. */
  async quit(): Promise<void> {
    this.closed = true;
    await this.client?.quit();
  }

  close(): void {
    this.closed = true;
    this.client?.close();
  }
}
