/** Nodes that there are not. */
import type { NodeAddress } from '../lib/cluster/index.js';
import { PROTOCOL_VERSION, VERSION } from '../lib/shared/version.js';
import type { Heartbeat } from '../lib/shared/wire.js';

export const addressOf = (number: number): NodeAddress => ({
  name: `node${number}`,
  number,
  address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
  controlPort: 7070,
  dataPort: 7071,
});

export const heartbeatOf = (number: number, more: Partial<Heartbeat> = {}): Heartbeat => ({
  protocol: PROTOCOL_VERSION,
  mosrun_version: VERSION,
  node: `node${number}`,
  number,
  boot_id: '01234567-89ab-cdef-0123-456789abcdef',
  state: 'up',
  kernel: '6.18.5',
  cpu_hash: '0123456789abcdef',
  cpus: 4,
  load: 1.5,
  memory_bytes: 2 ** 34,
  memory_free_bytes: 2 ** 33,
  swap_bytes: 2 ** 33,
  swap_free_bytes: 2 ** 32,
  guests: 7,
  frozen: 3,
  runnable: 2.5,
  speed: 9000,
  revision: 12,
  ...more,
});
