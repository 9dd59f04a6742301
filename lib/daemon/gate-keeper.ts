/** Keeps the connection to this node's mosgate, and starts one where none answers. mosgate outlives us; we find it again. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { GateClient, type GateEvent, type GateSession } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { VERSION } from '../shared/version.js';

export interface GateKeeperOptions {
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
const START_TRIES = 50;

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

  /** Connects, starting mosgate if need be; settles when that worked or failed once. */
  start(): Promise<void> {
    this.connecting ??= this.connectOnce().finally(() => {
      this.connecting = null;
    });
    return this.connecting;
  }

  private async connectOnce(): Promise<void> {
    try {
      let client = (await this.tryConnect()) ?? (await this.launch());
      let { pid, version } = await client.ping();
      // One that was here before an update goes as soon as it has no guests.
      if (version !== VERSION && (await client.quit())) {
        client = await this.launch();
        ({ pid, version } = await client.ping());
      }
      this.options.log('mosgate answers', { pid, version });
      this.client = client;
      this.trouble = null;
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

  private async tryConnect(): Promise<GateClient | null> {
    try {
      return await GateClient.connect(this.options.controlSocket, {
        onEvent: this.options.onEvent,
        onClose: () => {
          if (!this.client || this.closed) return;
          this.client = null;
          this.trouble = 'its mosgate has ended';
          this.options.log('mosgate has ended', {});
          this.retry();
        },
      });
    } catch {
      return null;
    }
  }

  private async launch(): Promise<GateClient> {
    const { libexec, controlSocket, address, port, logFile, clock } = this.options;
    const descriptor = openSync(logFile, 'a', 0o600);
    const args = ['--listen', address, '--port', `${port}`, '--control', controlSocket, '--libexec', libexec, '--foreground'];
    let ended: string | null = null;
    const child = spawn(path.join(libexec, 'mosgate'), args, {
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
    for (let tries = 0; tries < START_TRIES && ended === null; tries++) {
      await new Promise<void>((resolve) => {
        clock.after(0.05, resolve);
      });
      const client = await this.tryConnect();
      if (client) return client;
    }
    throw new MosrunError('failed', `${ended ?? 'it does not answer'}: see ${logFile}`);
  }

  private get ready(): GateClient {
    if (!this.client) throw new MosrunError('refused', this.trouble ?? 'mosgate does not run');
    return this.client;
  }

  open(session: string, token: string, memoryBytes: number): Promise<void> {
    return this.ready.open(session, token, memoryBytes);
  }

  kill(session: string): Promise<void> {
    return this.ready.kill(session);
  }

  async list(): Promise<GateSession[]> {
    return this.client ? this.client.list() : [];
  }

  close(): void {
    this.closed = true;
    this.client?.close();
  }
}
