import { spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type {
  BestNodeDocument,
  CallsDocument,
  DoctorDocument,
  ExplanationDocument,
  HistoryEntry,
  MigrationDocument,
  NodeDocument,
  OperationDocument,
  OperationName,
  ProcessDetailDocument,
  ProcessDocument,
  ProcessesDocument,
  SettingsDocument,
  StatusDocument,
  TimesDocument,
} from '../shared/documents.js';
import { MosrunError, systemCode } from '../shared/errors.js';
import { Client, type ConnectOptions, DEFAULT_SOCKET } from './client.js';
import { type EventStream, type EventsOptions, followEvents } from './events.js';
import { Program } from './program.js';

export interface AskOptions {
  /** Gives the answer up: the method rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface MigrateOptions extends AskOptions {
  /** Settle when the process is there (default), not when the order is taken. An order that was given goes on when `signal` fires. */
  wait?: boolean;
}

export interface RunOptions extends SpawnOptions {
  /** Where to start: `home`, `best` (default, where nodes place programs themselves; else `home`), or a node by name, address or number. */
  on?: string;
  /** What it is expected to need: it is placed where there is so much. */
  memoryBytes?: number;
  /** Start anywhere when that node is down. */
  fallBack?: boolean;
  /** No automatic migration. */
  locked?: boolean;
  /** An id that bundles processes. */
  job?: string;
  /** Whose clock the program sees. */
  clock?: 'home' | 'host';
  /** It may go to other clusters that are partners. */
  abroad?: boolean;
}

/** What keeps a process from moving. */
export interface Explanation {
  /** null: it could not be found out. */
  movable: boolean | null;
  reasons: string[];
}

function startOf({ on, locked }: RunOptions): string[] {
  if (on === undefined) return [];
  if (on === 'best') return ['-b'];
  // To start at home is not to stay there.
  return on === 'home' ? ['-h', ...(locked === undefined ? ['-l'] : [])] : ['-r', on];
}

function switchesOf(options: RunOptions): string[] {
  const { fallBack, locked, job, clock, memoryBytes, abroad } = options;
  return [
    ...startOf(options),
    ...(memoryBytes === undefined ? [] : ['-m', `${memoryBytes / 2 ** 20}`]),
    ...(fallBack ? ['-F'] : []),
    ...(abroad ? ['-G'] : []),
    ...(locked === undefined ? [] : [locked ? '-L' : '-l']),
    ...(job === undefined ? [] : ['-J', job]),
    ...(clock === undefined ? [] : [clock === 'host' ? '-t' : '-T']),
  ];
}

/** The cluster, as seen from one node. Every method rejects with a {@link MosrunError}, or with the reason of its signal. */
export class Cluster {
  private readonly client: Client;

  private constructor(private readonly options: ConnectOptions) {
    this.client = new Client(options);
  }

  /**
   * Connects to this node's daemon, or with `host` to another's; rejects with code `no-daemon` where none answers, and with `unreachable`
   * where the other node cannot be reached.
   */
  static async connect(options: ConnectOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(options);
    await cluster.client.ask('GET /v1/version', {}, options.signal).catch((error: unknown) => {
      // A daemon of before this question, during an upgrade.
      if (!(error instanceof MosrunError && error.code === 'not-found')) throw error;
    });
    return cluster;
  }

  /** Ends what is under way, streams of events among it; later calls reject. Programs that were started go on. */
  close(): void {
    this.client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async status({ signal }: AskOptions = {}): Promise<StatusDocument> {
    return this.client.ask('GET /v1/status', {}, signal);
  }

  async nodes({ signal }: AskOptions = {}): Promise<NodeDocument[]> {
    return (await this.client.ask('GET /v1/nodes', {}, signal)).nodes;
  }

  /**
   * Where a program would be started now if nothing else were asked for, and why.
   * @param memoryBytes what it is expected to need; 0: not known. With `abroad` it may go to other clusters.
   */
  async bestNode(memoryBytes = 0, { signal, abroad = false }: AskOptions & { abroad?: boolean } = {}): Promise<BestNodeDocument> {
    return this.client.ask(
      'GET /v1/best-node',
      { query: { memory_bytes: memoryBytes, abroad: abroad ? 'true' : 'false' } },
      signal,
    );
  }

  /** The processes whose home is this node, wherever they run. */
  async processes(options: AskOptions = {}): Promise<ProcessDocument[]> {
    return (await this.listing(options)).processes;
  }

  /** The processes that live here, and the guests from other nodes. */
  async listing({ signal }: AskOptions = {}): Promise<ProcessesDocument> {
    return this.client.ask('GET /v1/processes', {}, signal);
  }

  /** One process: where it ran, and what keeps it from moving. */
  async process(pid: number, { signal }: AskOptions = {}): Promise<ProcessDetailDocument> {
    return this.client.ask('GET /v1/processes/{pid}', { params: { pid } }, signal);
  }

  /** Where a process ran, why it moved and what that cost, oldest first; the last hundred moves. */
  async history(pid: number, options: AskOptions = {}): Promise<HistoryEntry[]> {
    return (await this.process(pid, options)).history;
  }

  /** Whether a process could move now, and what keeps it. */
  async explain(pid: number, options: AskOptions = {}): Promise<Explanation> {
    const { movable, reasons } = await this.process(pid, options);
    return { movable, reasons };
  }

  /** Changes what this node does with processes; what is not named stays. For root. */
  async change(
    settings: Partial<Pick<SettingsDocument, 'blocked' | 'stay' | 'local_stay' | 'isolated' | 'grid_closed' | 'grid_guests'>> & {
      /** Of partners' processes here; null: as in the partner's file. */
      priorities?: Record<string, number | null>;
    },
    { signal }: AskOptions = {},
  ): Promise<SettingsDocument> {
    return this.client.ask('POST /v1/settings', { body: settings }, signal);
  }

  /** Begins an operation on many processes, or joins the one under way; it goes on by itself. For root. */
  async operate(operation: OperationName, { signal }: AskOptions = {}): Promise<OperationDocument> {
    return this.client.ask('POST /v1/operations/{operation}', { params: { operation } }, signal);
  }

  /** How far operations are: the last of each kind. */
  async operations({ signal }: AskOptions = {}): Promise<OperationDocument[]> {
    return (await this.client.ask('GET /v1/operations', {}, signal)).operations;
  }

  /** Why a process is where it is, what keeps it from moving, and which nodes would take it. */
  async explanation(pid: number, { signal }: AskOptions = {}): Promise<ExplanationDocument> {
    return this.client.ask('GET /v1/processes/{pid}/explanation', { params: { pid } }, signal);
  }

  /** Where the time of a process that is away goes: its calls, how often, and how long it waited for them. */
  async calls(pid: number, { signal }: AskOptions = {}): Promise<CallsDocument> {
    return this.client.ask('GET /v1/processes/{pid}/calls', { params: { pid } }, signal);
  }

  /** CPU time of a process at home and on every node it has been to. */
  async times(pid: number, { signal }: AskOptions = {}): Promise<TimesDocument> {
    return this.client.ask('GET /v1/processes/{pid}/times', { params: { pid } }, signal);
  }

  /**
   * Moves a process.
   * @param to a node by name, address or number, `home`, or `out` (the best other node).
   */
  async migrate(pid: number, to: string, { wait = true, signal }: MigrateOptions = {}): Promise<MigrationDocument> {
    return this.client.ask('POST /v1/processes/{pid}/migrate', { params: { pid }, body: { to, wait } }, signal);
  }

  async doctor({ signal }: AskOptions = {}): Promise<DoctorDocument> {
    return this.client.ask('GET /v1/doctor', {}, signal);
  }

  /**
   * What happens, as it happens. A stream that breaks off is taken up again where it was; when events in between are lost, one of type
   * `events-missed` says so.
   */
  events(options: EventsOptions = {}): EventStream {
    return followEvents(this.client, options);
  }

  /**
   * Starts a program that can migrate: a child of the caller like any other, by way of the `mosrun` on PATH. Settles when that was found;
   * if mosrun then cannot start the program, its exit says so, with code 125 to 127 as with env(1). Only for this node.
   */
  async run(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Program> {
    if (!this.client.isLocal) {
      throw new MosrunError('usage', 'a program is started on the node one is on: connect to that one, without host');
    }
    const {
      on: _on,
      fallBack: _fallBack,
      locked: _locked,
      job: _job,
      clock: _clock,
      memoryBytes: _memory,
      abroad: _abroad,
      ...rest
    } = options;
    const words = [...switchesOf(options), '--', program, ...args];
    options.signal?.throwIfAborted();
    const child = spawn('mosrun', words, { ...rest, env: { ...this.launchSocket(), ...(options.env ?? process.env) } });
    // A program whose signal fires later is killed, which its exit says.
    child.on('error', () => {});
    try {
      await once(child, 'spawn');
    } catch (error) {
      const why = systemCode(error) === 'ENOENT' ? 'it is not on PATH, or the directory is not there' : (error as Error).message;
      throw new MosrunError('failed', `mosrun cannot be started (${why}): install mosrun, or correct PATH`, { cause: error });
    }
    return new Program(this, child as typeof child & { pid: number });
  }

  /** The launcher is to ask the daemon that we ask. */
  private launchSocket(): Record<string, string> {
    const { socket = DEFAULT_SOCKET } = this.options;
    return socket === DEFAULT_SOCKET ? {} : { MOSRUN_LAUNCH_SOCKET: path.join(path.dirname(socket), 'launch.sock') };
  }
}
