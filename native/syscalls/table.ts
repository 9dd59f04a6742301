// Every system call of x86_64, by number, up to Linux 6.18: where it is carried out while the process is away, and what its
// arguments are. How to read a row: model.ts. What follows from it: the guest's marshaller, the seccomp filter, the
// deputy's allow list, the names in statistics, docs/system-calls.md.
import type { Row } from './model.js';
import { missing } from './table/absent.js';
import { events } from './table/events.js';
import { files } from './table/files.js';
import { ipc } from './table/ipc.js';
import { memory } from './table/memory.js';
import { paths } from './table/paths.js';
import { processes } from './table/processes.js';
import { signals } from './table/signals.js';
import { sockets } from './table/sockets.js';
import { system } from './table/system.js';
import { time } from './table/time.js';

export const areas = {
  Files: files,
  'Names and attributes': paths,
  Sockets: sockets,
  'Waiting for events': events,
  Memory: memory,
  Processes: processes,
  Signals: signals,
  Time: time,
  'Semaphores, messages, keys': ipc,
  System: system,
} as const;

export const table: readonly Row[] = [...Object.values(areas).flat(), ...missing].toSorted((a, b) => a.number - b.number);
