// Calls whose argument depends on a command number: what each command takes.
//
// A number that is in no list is judged by its encoding where that can be trusted (ioctl, see ioctl.ts), else it brings
// the process home: never a guess about memory.
import type { Dir, List, Place } from './model.js';
import { ioctls } from './table/ioctl.js';

export interface Command {
  readonly number: number;
  readonly name: string;
  readonly dir: Dir;
  /** Bytes of the structure the argument points to; 0 for values and strings. */
  readonly size: number;
  readonly place: Place;
}

type Entry = [number: number, name: string, dir: Dir, size: number, place: Place];

const val = (number: number, name: string, place: Place = 'home'): Entry => [number, name, 'value', 0, place];
const into = (number: number, name: string, size: number): Entry => [number, name, 'in', size, 'home'];
const out = (number: number, name: string, size: number): Entry => [number, name, 'out', size, 'home'];
const inout = (number: number, name: string, size: number): Entry => [number, name, 'inout', size, 'home'];
const text = (number: number, name: string): Entry => [number, name, 'string', 0, 'home'];
const away = (number: number, name: string): Entry => [number, name, 'value', 0, 'comehome'];

const FLOCK = 32;

const fcntls: Entry[] = [
  val(0, 'F_DUPFD'),
  val(1, 'F_GETFD'),
  val(2, 'F_SETFD'),
  val(3, 'F_GETFL'),
  val(4, 'F_SETFL'),
  inout(5, 'F_GETLK', FLOCK),
  into(6, 'F_SETLK', FLOCK),
  into(7, 'F_SETLKW', FLOCK),
  val(8, 'F_SETOWN'),
  val(9, 'F_GETOWN'),
  val(10, 'F_SETSIG'),
  val(11, 'F_GETSIG'),
  into(15, 'F_SETOWN_EX', 8),
  out(16, 'F_GETOWN_EX', 8),
  out(17, 'F_GETOWNER_UIDS', 8),
  inout(36, 'F_OFD_GETLK', FLOCK),
  into(37, 'F_OFD_SETLK', FLOCK),
  into(38, 'F_OFD_SETLKW', FLOCK),
  val(1024, 'F_SETLEASE'),
  val(1025, 'F_GETLEASE'),
  val(1026, 'F_NOTIFY'),
  val(1027, 'F_DUPFD_QUERY'),
  val(1028, 'F_CREATED_QUERY'),
  val(1029, 'F_CANCELLK'),
  val(1030, 'F_DUPFD_CLOEXEC'),
  val(1031, 'F_SETPIPE_SZ'),
  val(1032, 'F_GETPIPE_SZ'),
  val(1033, 'F_ADD_SEALS'),
  val(1034, 'F_GET_SEALS'),
  out(1035, 'F_GET_RW_HINT', 8),
  into(1036, 'F_SET_RW_HINT', 8),
  out(1037, 'F_GET_FILE_RW_HINT', 8),
  into(1038, 'F_SET_FILE_RW_HINT', 8),
];

/** The operand is args[1]; args[2..4] are values wherever the place is home or stub. */
const prctls: Entry[] = [
  val(1, 'PR_SET_PDEATHSIG'),
  out(2, 'PR_GET_PDEATHSIG', 4),
  val(3, 'PR_GET_DUMPABLE'),
  val(4, 'PR_SET_DUMPABLE'),
  out(5, 'PR_GET_UNALIGN', 4),
  val(6, 'PR_SET_UNALIGN'),
  val(7, 'PR_GET_KEEPCAPS'),
  val(8, 'PR_SET_KEEPCAPS'),
  out(9, 'PR_GET_FPEMU', 4),
  val(10, 'PR_SET_FPEMU'),
  out(11, 'PR_GET_FPEXC', 4),
  val(12, 'PR_SET_FPEXC'),
  val(13, 'PR_GET_TIMING'),
  val(14, 'PR_SET_TIMING'),
  text(15, 'PR_SET_NAME'),
  out(16, 'PR_GET_NAME', 16),
  out(19, 'PR_GET_ENDIAN', 4),
  val(20, 'PR_SET_ENDIAN'),
  val(21, 'PR_GET_SECCOMP'),
  away(22, 'PR_SET_SECCOMP'),
  val(23, 'PR_CAPBSET_READ'),
  val(24, 'PR_CAPBSET_DROP'),
  out(25, 'PR_GET_TSC', 4),
  away(26, 'PR_SET_TSC'),
  val(27, 'PR_GET_SECUREBITS'),
  val(28, 'PR_SET_SECUREBITS'),
  val(29, 'PR_SET_TIMERSLACK'),
  val(30, 'PR_GET_TIMERSLACK'),
  away(31, 'PR_TASK_PERF_EVENTS_DISABLE'),
  away(32, 'PR_TASK_PERF_EVENTS_ENABLE'),
  val(33, 'PR_MCE_KILL'),
  val(34, 'PR_MCE_KILL_GET'),
  away(35, 'PR_SET_MM'),
  val(36, 'PR_SET_CHILD_SUBREAPER'),
  out(37, 'PR_GET_CHILD_SUBREAPER', 4),
  val(38, 'PR_SET_NO_NEW_PRIVS'),
  val(39, 'PR_GET_NO_NEW_PRIVS'),
  val(40, 'PR_GET_TID_ADDRESS', 'stub'),
  val(41, 'PR_SET_THP_DISABLE', 'stub'),
  val(42, 'PR_GET_THP_DISABLE', 'stub'),
  val(43, 'PR_MPX_ENABLE_MANAGEMENT'),
  val(44, 'PR_MPX_DISABLE_MANAGEMENT'),
  val(45, 'PR_SET_FP_MODE'),
  val(46, 'PR_GET_FP_MODE'),
  val(47, 'PR_CAP_AMBIENT'),
  val(50, 'PR_SVE_SET_VL'),
  val(51, 'PR_SVE_GET_VL'),
  val(52, 'PR_GET_SPECULATION_CTRL'),
  val(53, 'PR_SET_SPECULATION_CTRL'),
  val(54, 'PR_PAC_RESET_KEYS'),
  val(55, 'PR_SET_TAGGED_ADDR_CTRL'),
  val(56, 'PR_GET_TAGGED_ADDR_CTRL'),
  val(57, 'PR_SET_IO_FLUSHER'),
  val(58, 'PR_GET_IO_FLUSHER'),
  away(59, 'PR_SET_SYSCALL_USER_DISPATCH'),
  val(60, 'PR_PAC_SET_ENABLED_KEYS'),
  val(61, 'PR_PAC_GET_ENABLED_KEYS'),
  away(62, 'PR_SCHED_CORE'),
  val(63, 'PR_SME_SET_VL'),
  val(64, 'PR_SME_GET_VL'),
  away(65, 'PR_SET_MDWE'),
  val(66, 'PR_GET_MDWE'),
  val(67, 'PR_SET_MEMORY_MERGE', 'stub'),
  val(68, 'PR_GET_MEMORY_MERGE', 'stub'),
  val(69, 'PR_RISCV_V_SET_CONTROL'),
  val(70, 'PR_RISCV_V_GET_CONTROL'),
  val(71, 'PR_RISCV_SET_ICACHE_FLUSH_CTX'),
  val(72, 'PR_PPC_GET_DEXCR'),
  val(73, 'PR_PPC_SET_DEXCR'),
  away(74, 'PR_GET_SHADOW_STACK_STATUS'),
  away(75, 'PR_SET_SHADOW_STACK_STATUS'),
  away(76, 'PR_LOCK_SHADOW_STACK_STATUS'),
  val(77, 'PR_TIMER_CREATE_RESTORE_IDS'),
  away(78, 'PR_FUTEX_HASH'),
  // With 0 the name is args[3] and the range args[1] and args[2]: names of mappings, in the guest.
  val(0x53564d41, 'PR_SET_VMA', 'stub'),
  val(0x59616d61, 'PR_SET_PTRACER'),
];

const archPrctls: Entry[] = [
  val(0x1001, 'ARCH_SET_GS', 'native'),
  val(0x1002, 'ARCH_SET_FS', 'native'),
  val(0x1003, 'ARCH_GET_FS', 'native'),
  val(0x1004, 'ARCH_GET_GS', 'native'),
  val(0x1011, 'ARCH_GET_CPUID'),
  away(0x1012, 'ARCH_SET_CPUID'),
  out(0x1021, 'ARCH_GET_XCOMP_SUPP', 8),
  out(0x1022, 'ARCH_GET_XCOMP_PERM', 8),
  away(0x1023, 'ARCH_REQ_XCOMP_PERM'),
  out(0x1024, 'ARCH_GET_XCOMP_GUEST_PERM', 8),
  away(0x1025, 'ARCH_REQ_XCOMP_GUEST_PERM'),
  away(0x2001, 'ARCH_MAP_VDSO_X32'),
  away(0x2002, 'ARCH_MAP_VDSO_32'),
  away(0x2003, 'ARCH_MAP_VDSO_64'),
  out(0x4001, 'ARCH_GET_UNTAG_MASK', 8),
  away(0x4002, 'ARCH_ENABLE_TAGGED_ADDR'),
  out(0x4003, 'ARCH_GET_MAX_TAG_BITS', 8),
  away(0x4004, 'ARCH_FORCE_TAGGED_SVA'),
  away(0x5001, 'ARCH_SHSTK_ENABLE'),
  away(0x5002, 'ARCH_SHSTK_DISABLE'),
  away(0x5003, 'ARCH_SHSTK_LOCK'),
  away(0x5004, 'ARCH_SHSTK_UNLOCK'),
  out(0x5005, 'ARCH_SHSTK_STATUS', 8),
  // ARCH_CET_STATUS of kernels that never came to be: the C library still asks, and takes EINVAL for no.
  val(0x3001, 'ARCH_CET_STATUS'),
];

const SEMID_DS = 104;
const SEMINFO = 40;
const semctls: Entry[] = [
  val(0, 'IPC_RMID'),
  into(1, 'IPC_SET', SEMID_DS),
  out(2, 'IPC_STAT', SEMID_DS),
  out(3, 'IPC_INFO', SEMINFO),
  val(11, 'GETPID'),
  val(12, 'GETVAL'),
  [13, 'GETALL', 'out', 2, 'special'],
  val(14, 'GETNCNT'),
  val(15, 'GETZCNT'),
  // The array has sem_nsems elements of two bytes, which IPC_STAT tells.
  val(16, 'SETVAL'),
  [17, 'SETALL', 'in', 2, 'special'],
  out(18, 'SEM_STAT', SEMID_DS),
  out(19, 'SEM_INFO', SEMINFO),
  out(20, 'SEM_STAT_ANY', SEMID_DS),
];

const MSQID_DS = 120;
const MSGINFO = 32;
const msgctls: Entry[] = [
  val(0, 'IPC_RMID'),
  into(1, 'IPC_SET', MSQID_DS),
  out(2, 'IPC_STAT', MSQID_DS),
  out(3, 'IPC_INFO', MSGINFO),
  out(11, 'MSG_STAT', MSQID_DS),
  out(12, 'MSG_INFO', MSGINFO),
  out(13, 'MSG_STAT_ANY', MSQID_DS),
];

const SHMID_DS = 112;
const shmctls: Entry[] = [
  val(0, 'IPC_RMID'),
  into(1, 'IPC_SET', SHMID_DS),
  out(2, 'IPC_STAT', SHMID_DS),
  out(3, 'IPC_INFO', 72),
  val(11, 'SHM_LOCK'),
  val(12, 'SHM_UNLOCK'),
  out(13, 'SHM_STAT', SHMID_DS),
  out(14, 'SHM_INFO', 48),
  out(15, 'SHM_STAT_ANY', SHMID_DS),
];

/** Commands with nothing but numbers, or one name, behind them; the others come home. */
const keyctls: Entry[] = [
  val(0, 'KEYCTL_GET_KEYRING_ID'),
  text(1, 'KEYCTL_JOIN_SESSION_KEYRING'),
  val(3, 'KEYCTL_REVOKE'),
  val(4, 'KEYCTL_CHOWN'),
  val(5, 'KEYCTL_SETPERM'),
  val(7, 'KEYCTL_CLEAR'),
  val(8, 'KEYCTL_LINK'),
  val(9, 'KEYCTL_UNLINK'),
  val(14, 'KEYCTL_SET_REQKEY_KEYRING'),
  val(15, 'KEYCTL_SET_TIMEOUT'),
  val(16, 'KEYCTL_ASSUME_AUTHORITY'),
  val(18, 'KEYCTL_SESSION_TO_PARENT'),
  val(19, 'KEYCTL_REJECT'),
  val(21, 'KEYCTL_INVALIDATE'),
  val(22, 'KEYCTL_GET_PERSISTENT'),
];

/** fsconfig(fd, command, key, value, aux): what `value` is. FSCONFIG_SET_BINARY's has aux bytes. */
const fsconfigs: Entry[] = [
  val(0, 'FSCONFIG_SET_FLAG'),
  text(1, 'FSCONFIG_SET_STRING'),
  away(2, 'FSCONFIG_SET_BINARY'),
  text(3, 'FSCONFIG_SET_PATH'),
  text(4, 'FSCONFIG_SET_PATH_EMPTY'),
  val(5, 'FSCONFIG_SET_FD'),
  val(6, 'FSCONFIG_CMD_CREATE'),
  val(7, 'FSCONFIG_CMD_RECONFIGURE'),
  val(8, 'FSCONFIG_CMD_CREATE_EXCL'),
];

/** struct landlock_path_beneath_attr is packed: u64 and s32. */
const landlockRules: Entry[] = [into(1, 'LANDLOCK_RULE_PATH_BENEATH', 12), into(2, 'LANDLOCK_RULE_NET_PORT', 16)];

const sorted = (entries: readonly Entry[]): Command[] =>
  entries.map(([number, name, dir, size, place]) => ({ number, name, dir, size, place })).toSorted((a, b) => a.number - b.number);

export const commands: Readonly<Record<Exclude<List, 'none'>, readonly Command[]>> = {
  ioctl: sorted(ioctls),
  fcntl: sorted(fcntls),
  prctl: sorted(prctls),
  arch_prctl: sorted(archPrctls),
  semctl: sorted(semctls),
  msgctl: sorted(msgctls),
  shmctl: sorted(shmctls),
  keyctl: sorted(keyctls),
  fsconfig: sorted(fsconfigs),
  landlock_rule: sorted(landlockRules),
};
