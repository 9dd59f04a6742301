import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type {
  DoctorDocument,
  MigrationDocument,
  NodeDocument,
  ProcessDetailDocument,
  ProcessDocument,
  ProcessesDocument,
  StatusDocument,
} from '../shared/documents.js';
import { DEFAULT_SOCKET, ask } from './client.js';

export interface ConnectOptions {
  /** The daemon's socket; else MOSRUN_SOCKET, else /run/mosrun/mosd.sock. */
  socket?: string;
}

export interface MigrateOptions {
  /** Settle when the process is there (default), not when the order is taken. */
  wait?: boolean;
}

export interface RunOptions extends SpawnOptions {
  /** Where to start: `home` (default), `best`, or a node by name, address or number. */
  on?: string;
  /** Start anywhere when that node is down. */
  fallBack?: boolean;
  /** No automatic migration. */
  locked?: boolean;
  /** An id that bundles processes. */
  job?: string;
  /** Whose clock the program sees. */
  clock?: 'home' | 'host';
}

/** The cluster, as seen from this node. Every method rejects with a {@link MosrunError}. */
export class Cluster {
  private constructor(private readonly socket: string) {}

  /** Connects to this node's daemon; rejects with code `no-daemon` where none answers. */
  static async connect(options: ConnectOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(options.socket ?? process.env.MOSRUN_SOCKET ?? DEFAULT_SOCKET);
    await cluster.status();
    return cluster;
  }

  async status(): Promise<StatusDocument> {
    return (await ask(this.socket, 'GET', '/v1/status')) as StatusDocument;
  }

  async nodes(): Promise<NodeDocument[]> {
    return ((await ask(this.socket, 'GET', '/v1/nodes')) as { nodes: NodeDocument[] }).nodes;
  }

  /** The processes whose home is this node, wherever they run. */
  async processes(): Promise<ProcessDocument[]> {
    return (await this.listing()).processes;
  }

  /** The processes that live here, and the guests from other nodes. */
  async listing(): Promise<ProcessesDocument> {
    return (await ask(this.socket, 'GET', '/v1/processes')) as ProcessesDocument;
  }

  /** One process: where it ran, and what keeps it from moving. */
  async process(pid: number): Promise<ProcessDetailDocument> {
    return (await ask(this.socket, 'GET', `/v1/processes/${pid}`)) as ProcessDetailDocument;
  }

  /**
   * Moves a process.
   * @param to a node by name, address or number, `home`, or `out` (the best other node).
   */
  async migrate(pid: number, to: string, options: MigrateOptions = {}): Promise<MigrationDocument> {
    return (await ask(this.socket, 'POST', `/v1/processes/${pid}/migrate`, {
      to,
      wait: options.wait ?? true,
    })) as MigrationDocument;
  }

  async doctor(): Promise<DoctorDocument> {
    return (await ask(this.socket, 'GET', '/v1/doctor')) as DoctorDocument;
  }

  /** Starts a program that can migrate: a child of the caller like any other, by way of the `mosrun` on PATH. */
  run(program: string, args: readonly string[] = [], options: RunOptions = {}): ChildProcess {
    const { on = 'home', fallBack, locked, job, clock, ...rest } = options;
    const where = on === 'home' ? [] : on === 'best' ? ['-b'] : ['-r', on];
    const switches = [
      ...where,
      ...(fallBack ? ['-F'] : []),
      ...(locked === undefined ? [] : [locked ? '-L' : '-l']),
      ...(job === undefined ? [] : ['-J', job]),
      ...(clock === undefined ? [] : [clock === 'host' ? '-t' : '-T']),
    ];
    return spawn('mosrun', [...switches, '--', program, ...args], rest);
  }
}
