// Numbers that x86_64 has given away without a call behind them, or whose call the kernel has dropped.
import { absent } from '../model.js';

const names: Record<number, string> = {
  156: '_sysctl',
  174: 'create_module',
  177: 'get_kernel_syms',
  178: 'query_module',
  180: 'nfsservctl',
  181: 'getpmsg',
  182: 'putpmsg',
  183: 'afs_syscall',
  184: 'tuxcall',
  185: 'security',
  205: 'set_thread_area',
  211: 'get_thread_area',
  212: 'lookup_dcookie',
  214: 'epoll_ctl_old',
  215: 'epoll_wait_old',
  236: 'vserver',
};

/** 337 to 423 were left out when all architectures got the same numbers for new calls (Linux 5.1). */
const GAP = [337, 423] as const;

export const missing = [
  ...Object.entries(names).map(([number, name]) => absent(Number(number), name)),
  ...Array.from({ length: GAP[1] - GAP[0] + 1 }, (_, i) => absent(GAP[0] + i, '')),
];
