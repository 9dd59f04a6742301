/** This node as others see it: its signs of life, what it says of a process it wants to send, and whom it takes. */
import { release } from 'node:os';
import path from 'node:path';
import { type Host, LoadMeter, type Refusal, RunnableMeter, refusal, speedOfCore } from '../placement/index.js';
import { bootId, movableBytes, privilegesOf, readFacts, readUids, runnableHere, runnableOnMachine } from '../processes/index.js';
import { MosrunError } from '../shared/errors.js';
import { readIfThere } from '../shared/files.js';
import { PROTOCOL_VERSION, VERSION } from '../shared/version.js';
import type { SessionUsage, Heartbeat, SessionRequest } from '../shared/wire.js';
import type { Context } from './context.js';

export class ThisNode {
  private readonly load: LoadMeter;
  private readonly runnable: RunnableMeter;
  private readonly speed: number;
  private readonly cpuHash: string;
  private readonly pidMax = Number(readIfThere('/proc/sys/kernel/pid_max') ?? 32768);

  constructor(
    private readonly context: Context,
    private readonly guests: () => number,
    private readonly frozen: () => number,
    private readonly isLeaving: () => boolean,
  ) {
    this.load = new LoadMeter(context.clock);
    this.runnable = new RunnableMeter(context.clock, this.load.isPart ? runnableHere : runnableOnMachine);
    const { hosting, paths } = context.configuration();
    this.speed = hosting.speed || speedOfCore(path.join(paths.state, 'speed.json'), bootId());
    this.cpuHash = context.addon.cpuFeatures().hash;
  }

  get state(): Heartbeat['state'] {
    if (this.isLeaving()) return 'leaving';
    return this.isBlocked ? 'blocked' : 'up';
  }

  private get isBlocked(): boolean {
    return this.context.configuration().hosting.blocked || this.context.settings.current.blocked;
  }

  start(): void {
    this.runnable.start();
  }

  stop(): void {
    this.runnable.stop();
  }

  get memoryFreeBytes(): number {
    return this.load.capacity().memoryFreeBytes;
  }

  heartbeat(): Heartbeat {
    const { own, clock } = this.context;
    const capacity = this.load.capacity();
    const { swapBytes, swapFreeBytes } = this.load.swap();
    return {
      protocol: PROTOCOL_VERSION,
      mosrun_version: VERSION,
      node: own.name,
      number: own.number,
      boot_id: bootId(),
      state: this.state,
      kernel: release(),
      cpu_hash: this.cpuHash,
      cpus: capacity.cpus,
      load: capacity.load,
      memory_bytes: capacity.memoryBytes,
      memory_free_bytes: capacity.memoryFreeBytes,
      swap_bytes: swapBytes,
      swap_free_bytes: swapFreeBytes,
      guests: this.guests(),
      frozen: this.frozen(),
      runnable: this.runnable.mean,
      speed: this.speed,
      revision: this.context.configuration().revision,
      labels: this.context.configuration().labels,
      clock_seconds: clock.wallSeconds(),
    };
  }

  /**
   * @param command its command line, as it is remembered.
   * @param guest what the node says that hosts it; null when it is at home.
   */
  requestFor(pid: number, command: string | null, guest: SessionUsage | null): Omit<SessionRequest, 'automatic' | 'withheld'> {
    const facts = readFacts(pid);
    if (!facts) throw new MosrunError('not-found', `process ${pid} has ended: nothing to move`);
    return {
      protocol: PROTOCOL_VERSION,
      home: this.context.own.name,
      pid,
      command: command ?? facts.name,
      uid: readUids(pid)?.real ?? 0,
      threads: guest?.threads ?? facts.threads,
      memory_bytes: guest?.memory_bytes ?? movableBytes(pid),
      kernel: release(),
      cpu_hash: this.cpuHash,
      pid_max: this.pidMax,
      // The node it is at may have demanded it, and sends its memory on.
      encrypt: this.context.configuration().security.encrypt || (guest?.encrypted ?? false),
      privileged: privilegesOf(pid),
      control_port: this.context.own.controlPort,
    };
  }

  /** So much memory is missing for it. */
  memoryMissing({ memory_bytes: wanted }: Pick<SessionRequest, 'memory_bytes'>): number {
    const { reserve_memory: reserve } = this.context.configuration().hosting;
    return wanted - (this.load.capacity().memoryFreeBytes - reserve);
  }

  /**
   * Why this process may not come; null when it may.
   * @param policy what counts beside what this node is and has.
   */
  refusal(request: SessionRequest, policy: Pick<Host, 'trouble' | 'guests' | 'unwanted'>): Refusal | null {
    const { hosting } = this.context.configuration();
    return refusal(request, {
      ...policy,
      name: this.context.own.name,
      blocked: this.isBlocked,
      maxGuests: hosting.max_guests,
      memoryFreeBytes: this.load.capacity().memoryFreeBytes,
      reserveBytes: hosting.reserve_memory,
      kernel: release(),
      cpuHash: this.cpuHash,
      pidMax: this.pidMax,
    });
  }
}
