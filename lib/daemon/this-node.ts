/** This node as others see it: its signs of life, what it says of a process it wants to send, and whom it takes. */
import { release } from 'node:os';
import { LoadMeter, refusal } from '../placement/index.js';
import { bootId, movableBytes, readFacts, readUids } from '../processes/index.js';
import { MosrunError } from '../shared/errors.js';
import { readIfThere } from '../shared/files.js';
import { PROTOCOL_VERSION, VERSION } from '../shared/version.js';
import type { Heartbeat, SessionRequest } from '../shared/wire.js';
import type { Context } from './context.js';

export class ThisNode {
  private readonly load: LoadMeter;
  private readonly cpuHash: string;
  private readonly pidMax = Number(readIfThere('/proc/sys/kernel/pid_max') ?? 32768);

  constructor(
    private readonly context: Context,
    private readonly guests: () => number,
  ) {
    this.load = new LoadMeter(context.clock);
    this.cpuHash = context.addon.cpuFeatures().hash;
  }

  heartbeat(): Heartbeat {
    const { own, configuration } = this.context;
    const capacity = this.load.capacity();
    return {
      protocol: PROTOCOL_VERSION,
      mosrun_version: VERSION,
      node: own.name,
      number: own.number,
      boot_id: bootId(),
      state: configuration().hosting.blocked ? 'blocked' : 'up',
      kernel: release(),
      cpu_hash: this.cpuHash,
      cpus: capacity.cpus,
      load: capacity.load,
      memory_bytes: capacity.memoryBytes,
      memory_free_bytes: capacity.memoryFreeBytes,
      guests: this.guests(),
    };
  }

  /** @param command its command line, as it is remembered. */
  requestFor(pid: number, command: string | null): SessionRequest {
    const facts = readFacts(pid);
    if (!facts) throw new MosrunError('not-found', `process ${pid} has ended: nothing to move`);
    return {
      protocol: PROTOCOL_VERSION,
      home: this.context.own.name,
      pid,
      command: command ?? facts.name,
      uid: readUids(pid)?.real ?? 0,
      threads: facts.threads,
      memory_bytes: movableBytes(pid),
      kernel: release(),
      cpu_hash: this.cpuHash,
      pid_max: this.pidMax,
    };
  }

  /** Why this process may not come; null when it may. */
  refusal(request: SessionRequest, trouble: string | null): MosrunError | null {
    const { hosting } = this.context.configuration();
    return refusal(request, {
      name: this.context.own.name,
      blocked: hosting.blocked,
      guests: this.guests(),
      maxGuests: hosting.max_guests,
      memoryFreeBytes: this.load.capacity().memoryFreeBytes,
      reserveBytes: hosting.reserve_memory,
      kernel: release(),
      cpuHash: this.cpuHash,
      pidMax: this.pidMax,
      trouble,
    });
  }
}
