// The process's own memory: where the guest's kernel is the right one to ask.
//
// Plain anonymous mappings are native: a return finds them in the guest's /proc/self/maps. Whatever changes a mapping that
// came from home goes through the stub, which keeps the VMA book (the maps alone cannot tell a library's
// page from an anonymous mapping put in its place).
import { bits, comehome, fd, home, inout, into, is, native, set, special, string, stub, value, zero } from '../model.js';

const MAP_TYPE = 0x0f;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_GROWSDOWN = 0x100;
const MAP_LOCKED = 0x2000;
const MAP_HUGETLB = 0x40000;
const MAP_FIXED_NOREPLACE = 0x100000;
const PROT_WRITE = 0x2;
/** PROT_GROWSDOWN and PROT_GROWSUP move the start or the end of the range. */
const PROT_GROWS = 0x03000000;

/** Advice that changes neither contents nor what a fork inherits or a core shows (madvise(2)). */
const ADVICE = {
  MADV_NORMAL: 0,
  MADV_RANDOM: 1,
  MADV_SEQUENTIAL: 2,
  MADV_WILLNEED: 3,
  MADV_HUGEPAGE: 14,
  MADV_NOHUGEPAGE: 15,
  MADV_COLD: 20,
  MADV_PAGEOUT: 21,
  MADV_COLLAPSE: 25,
};

const madvise = stub(28, 'madvise', 'madvise', 3);
for (const advice of Object.values(ADVICE)) madvise.nativeIf(is(2, advice));

/**
 * futex(2): the low seven bits are the operation; PRIVATE (128) and CLOCK_REALTIME (256) are options. Those that look at no memory; all others could meet
 * a page that is still at home.
 */
const FUTEX_CMD = 0xfffffeff;
const FUTEX_PRIVATE = 128;
const FUTEX = { WAKE: 1, REQUEUE: 3, WAKE_BITSET: 10 };

const futex = stub(202, 'futex', 'futex', 6).blocks('block');
for (const op of Object.values(FUTEX)) futex.nativeIf(bits(1, FUTEX_CMD, op | FUTEX_PRIVATE));

export const memory = [
  special(9, 'mmap', 'mmap', value, value, value, value, fd, value).nativeIf(
    bits(
      3,
      MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_LOCKED | MAP_HUGETLB | MAP_FIXED_NOREPLACE,
      MAP_PRIVATE | MAP_ANONYMOUS,
    ),
  ),
  stub(10, 'mprotect', 'mprotect', 3).nativeIf(bits(2, PROT_WRITE | PROT_GROWS, 0)),
  stub(11, 'munmap', 'munmap', 2),
  stub(12, 'brk', 'brk', 1),
  stub(25, 'mremap', 'mremap', 5),
  native(26, 'msync', 3),
  stub(27, 'mincore', 'mincore', 3),
  madvise,
  home(29, 'shmget', value, value, value),
  comehome(30, 'shmat', 3, 'shares memory with other processes of the home-node'),
  comehome(67, 'shmdt', 1, 'shares memory with other processes of the home-node'),
  // The limit and the right to lock are the home-node's, the memory is not.
  stub(149, 'mlock', 'mlock', 2),
  stub(150, 'munlock', 'mlock', 2),
  stub(151, 'mlockall', 'mlock', 1),
  stub(152, 'munlockall', 'mlock', 0),
  futex,
  comehome(216, 'remap_file_pages', 5, "maps a file's pages in an order of its own"),
  comehome(237, 'mbind', 6, "memory policy of the home-node's own nodes of memory"),
  comehome(238, 'set_mempolicy', 3, "memory policy of the home-node's own nodes of memory"),
  // get_mempolicy(int *mode, unsigned long *mask, maxnode, addr, flags): libnuma asks with nothing but nulls whether
  // the call exists.
  comehome(239, 'get_mempolicy', 5, "memory policy of the home-node's own nodes of memory")
    .homeIf(zero(0), zero(1), zero(3), zero(4))
    .takes(inout.fixed(4), into.fixed(0), value, into.fixed(0), value)
    .asks(),
  comehome(256, 'migrate_pages', 4, "memory policy of the home-node's own nodes of memory"),
  comehome(279, 'move_pages', 6, "memory policy of the home-node's own nodes of memory"),
  comehome(310, 'process_vm_readv', 6, 'reads the memory of another process'),
  comehome(311, 'process_vm_writev', 6, 'writes the memory of another process'),
  home(319, 'memfd_create', string, value).returnsFd(),
  comehome(323, 'userfaultfd', 1, "handles page faults of the program's own memory"),
  // The threads are the guest's; what the process has registered for is asked of home, which keeps it.
  special(324, 'membarrier', 'membarrier', value, value, value).asks(),
  stub(325, 'mlock2', 'mlock', 3),
  comehome(329, 'pkey_mprotect', 4, 'protection keys belong to the memory at the home-node'),
  comehome(330, 'pkey_alloc', 2, 'protection keys belong to the memory at the home-node'),
  comehome(331, 'pkey_free', 1, 'protection keys belong to the memory at the home-node'),
  comehome(440, 'process_madvise', 5, 'gives advice on the memory of another process'),
  comehome(447, 'memfd_secret', 1, 'memory that nothing but its own process may read'),
  home(448, 'process_mrelease', fd, value),
  // futex_waitv(waiters, count, flags, timeout, clock), Linux 5.16; futex_wait(addr, value, mask, flags, timeout, clock),
  // futex_wake(addr, mask, count, flags), futex_requeue(waiters, flags, wakes, requeues), 6.7
  stub(449, 'futex_waitv', 'futex_waitv', 5).blocks('sys').timeout('absolute', 3),
  comehome(450, 'set_mempolicy_home_node', 4, "memory policy of the home-node's own nodes of memory"),
  comehome(453, 'map_shadow_stack', 3, 'shadow stacks cannot be moved'),
  stub(454, 'futex_wake', 'futex_wake', 4).nativeIf(set(3, FUTEX_PRIVATE)),
  stub(455, 'futex_wait', 'futex_wait', 6).blocks('sys').timeout('absolute', 4),
  stub(456, 'futex_requeue', 'futex_requeue', 4),
  comehome(462, 'mseal', 3, 'sealed mappings could not be replaced on the way home'),
];
