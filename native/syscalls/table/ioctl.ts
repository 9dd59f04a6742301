// ioctl commands. Old ones are bare numbers and must be listed; newer ones carry direction and size (_IOC, ioctl(2)). Those
// are often wrong (a pointer's size, an int called long, a tail of variable length, a value called pointer), so they are
// believed only for the types in `trusted`, and even there read-only structures are taken as `inout`: EVIOCGKEYCODE is
// encoded as output and reads its buffer first.
import type { Dir, Place } from '../model.js';

type Entry = [number: number, name: string, dir: Dir, size: number, place: Place];

const val = (number: number, name: string): Entry => [number, name, 'value', 0, 'home'];
const into = (number: number, name: string, size: number): Entry => [number, name, 'in', size, 'home'];
const out = (number: number, name: string, size: number): Entry => [number, name, 'out', size, 'home'];
const inout = (number: number, name: string, size: number): Entry => [number, name, 'inout', size, 'home'];
const away = (number: number, name: string): Entry => [number, name, 'value', 0, 'comehome'];

/** _IOC of asm-generic/ioctl.h: two bits of direction (1 write to the kernel, 2 read from it), 14 of size. */
const ioc = (direction: number, type: number | string, number: number, size: number): number =>
  ((direction << 30) | (size << 16) | ((typeof type === 'string' ? type.charCodeAt(0) : type) << 8) | number) >>> 0;
const io = (type: number | string, number: number) => ioc(0, type, number, 0);

const TERMIOS = 36; // the kernel's, not the C library's 60
const TERMIO = 18;
const SERIAL = 72;

/** Terminals: asm-generic/ioctls.h. */
const terminals: Entry[] = [
  out(0x5401, 'TCGETS', TERMIOS),
  into(0x5402, 'TCSETS', TERMIOS),
  into(0x5403, 'TCSETSW', TERMIOS),
  into(0x5404, 'TCSETSF', TERMIOS),
  out(0x5405, 'TCGETA', TERMIO),
  into(0x5406, 'TCSETA', TERMIO),
  into(0x5407, 'TCSETAW', TERMIO),
  into(0x5408, 'TCSETAF', TERMIO),
  val(0x5409, 'TCSBRK'),
  val(0x540a, 'TCXONC'),
  val(0x540b, 'TCFLSH'),
  val(0x540c, 'TIOCEXCL'),
  val(0x540d, 'TIOCNXCL'),
  val(0x540e, 'TIOCSCTTY'),
  out(0x540f, 'TIOCGPGRP', 4),
  into(0x5410, 'TIOCSPGRP', 4),
  out(0x5411, 'TIOCOUTQ', 4),
  into(0x5412, 'TIOCSTI', 1),
  out(0x5413, 'TIOCGWINSZ', 8),
  into(0x5414, 'TIOCSWINSZ', 8),
  out(0x5415, 'TIOCMGET', 4),
  into(0x5416, 'TIOCMBIS', 4),
  into(0x5417, 'TIOCMBIC', 4),
  into(0x5418, 'TIOCMSET', 4),
  out(0x5419, 'TIOCGSOFTCAR', 4),
  into(0x541a, 'TIOCSSOFTCAR', 4),
  away(0x541c, 'TIOCLINUX'),
  val(0x541d, 'TIOCCONS'),
  out(0x541e, 'TIOCGSERIAL', SERIAL),
  into(0x541f, 'TIOCSSERIAL', SERIAL),
  into(0x5420, 'TIOCPKT', 4),
  val(0x5422, 'TIOCNOTTY'),
  into(0x5423, 'TIOCSETD', 4),
  out(0x5424, 'TIOCGETD', 4),
  val(0x5425, 'TCSBRKP'),
  val(0x5427, 'TIOCSBRK'),
  val(0x5428, 'TIOCCBRK'),
  out(0x5429, 'TIOCGSID', 4),
  out(0x542e, 'TIOCGRS485', 32),
  inout(0x542f, 'TIOCSRS485', 32),
  val(0x5437, 'TIOCVHANGUP'),
  // Encoded as if the value were behind a pointer, but it is the value itself (drivers/tty/pty.c, pty_signal).
  val(ioc(1, 'T', 0x36, 4), 'TIOCSIG'),
  out(0x5432, 'TCGETX', 16),
  into(0x5433, 'TCSETX', 16),
  into(0x5434, 'TCSETXF', 16),
  into(0x5435, 'TCSETXW', 16),
  val(io('T', 0x41), 'TIOCGPTPEER'),
  val(0x5453, 'TIOCSERCONFIG'),
  out(0x5456, 'TIOCGLCKTRMIOS', TERMIOS),
  into(0x5457, 'TIOCSLCKTRMIOS', TERMIOS),
  out(0x5459, 'TIOCSERGETLSR', 4),
  val(0x545c, 'TIOCMIWAIT'),
  out(0x545d, 'TIOCGICOUNT', 80),
];

/** Any descriptor: fs/ioctl.c. */
const descriptors: Entry[] = [
  out(0x541b, 'FIONREAD', 4),
  into(0x5421, 'FIONBIO', 4),
  val(0x5450, 'FIONCLEX'),
  val(0x5451, 'FIOCLEX'),
  into(0x5452, 'FIOASYNC', 4),
  out(0x5460, 'FIOQSIZE', 8),
];

/** Regular files and file systems: linux/fs.h. */
const filesystems: Entry[] = [
  inout(io(0, 1), 'FIBMAP', 4),
  out(io(0, 2), 'FIGETBSZ', 4),
  // The flags are an int, though the number says long (FS_IOC_GETFLAGS in linux/fs.h); it is what the kernel copies.
  out(ioc(2, 'f', 1, 8), 'FS_IOC_GETFLAGS', 4),
  into(ioc(1, 'f', 2, 8), 'FS_IOC_SETFLAGS', 4),
  out(ioc(2, 'v', 1, 8), 'FS_IOC_GETVERSION', 4),
  into(ioc(1, 'v', 2, 8), 'FS_IOC_SETVERSION', 4),
  out(ioc(2, 'f', 3, 8), 'EXT4_IOC_GETVERSION', 4),
  into(ioc(1, 'f', 4, 8), 'EXT4_IOC_SETVERSION', 4),
  away(ioc(3, 'f', 11, 32), 'FS_IOC_FIEMAP'),
  val(ioc(3, 'X', 119, 4), 'FIFREEZE'),
  val(ioc(3, 'X', 120, 4), 'FITHAW'),
  inout(ioc(3, 'X', 121, 24), 'FITRIM', 24),
  val(ioc(1, 0x94, 9, 4), 'FICLONE'),
  into(ioc(1, 0x94, 13, 32), 'FICLONERANGE', 32),
  away(ioc(3, 0x94, 54, 24), 'FIDEDUPERANGE'),
  away(ioc(3, 'X', 59, 192), 'FS_IOC_GETFSMAP'),
  out(ioc(2, 'X', 31, 28), 'FS_IOC_FSGETXATTR', 28),
  into(ioc(1, 'X', 32, 28), 'FS_IOC_FSSETXATTR', 28),
  out(ioc(2, 0x94, 49, 256), 'FS_IOC_GETFSLABEL', 256),
  into(ioc(1, 0x94, 50, 256), 'FS_IOC_SETFSLABEL', 256),
  out(ioc(2, 0x15, 0, 17), 'FS_IOC_GETFSUUID', 17),
  out(ioc(2, 0x15, 1, 129), 'FS_IOC_GETFSSYSFSPATH', 129),
  // fscrypt and fsverity: a policy whose length its version tells, keys and digests with a tail.
  away(ioc(2, 'f', 19, 12), 'FS_IOC_SET_ENCRYPTION_POLICY'),
  away(ioc(1, 'f', 20, 16), 'FS_IOC_GET_ENCRYPTION_PWSALT'),
  away(ioc(1, 'f', 21, 12), 'FS_IOC_GET_ENCRYPTION_POLICY'),
  away(ioc(3, 'f', 22, 9), 'FS_IOC_GET_ENCRYPTION_POLICY_EX'),
  away(ioc(3, 'f', 23, 80), 'FS_IOC_ADD_ENCRYPTION_KEY'),
  away(ioc(1, 'f', 133, 128), 'FS_IOC_ENABLE_VERITY'),
  away(ioc(3, 'f', 134, 4), 'FS_IOC_MEASURE_VERITY'),
  away(ioc(3, 'f', 135, 40), 'FS_IOC_READ_VERITY_METADATA'),
];

/** Block devices: linux/fs.h. Those encoded with size_t are as long as their value, 8 bytes where noted, else an int. */
const blocks: Entry[] = [
  into(io(0x12, 93), 'BLKROSET', 4),
  out(io(0x12, 94), 'BLKROGET', 4),
  val(io(0x12, 95), 'BLKRRPART'),
  out(io(0x12, 96), 'BLKGETSIZE', 8),
  val(io(0x12, 97), 'BLKFLSBUF'),
  val(io(0x12, 98), 'BLKRASET'),
  out(io(0x12, 99), 'BLKRAGET', 8),
  val(io(0x12, 100), 'BLKFRASET'),
  out(io(0x12, 101), 'BLKFRAGET', 8),
  out(io(0x12, 103), 'BLKSECTGET', 2),
  out(io(0x12, 104), 'BLKSSZGET', 4),
  away(io(0x12, 105), 'BLKPG'),
  out(ioc(2, 0x12, 112, 8), 'BLKBSZGET', 4),
  into(ioc(1, 0x12, 113, 8), 'BLKBSZSET', 4),
  out(ioc(2, 0x12, 114, 8), 'BLKGETSIZE64', 8),
  away(ioc(3, 0x12, 115, 72), 'BLKTRACESETUP'),
  into(io(0x12, 119), 'BLKDISCARD', 16),
  out(io(0x12, 120), 'BLKIOMIN', 4),
  out(io(0x12, 121), 'BLKIOOPT', 4),
  out(io(0x12, 122), 'BLKALIGNOFF', 4),
  out(io(0x12, 123), 'BLKPBSZGET', 4),
  out(io(0x12, 124), 'BLKDISCARDZEROES', 4),
  into(io(0x12, 125), 'BLKSECDISCARD', 16),
  out(io(0x12, 126), 'BLKROTATIONAL', 2),
  into(io(0x12, 127), 'BLKZEROOUT', 16),
  out(ioc(2, 0x12, 128, 8), 'BLKGETDISKSEQ', 8),
];

const IFREQ = 40;
/** Sockets: linux/sockios.h, asm-generic/sockios.h; netdevice(7). */
const sockets: Entry[] = [
  into(0x8901, 'FIOSETOWN', 4),
  into(0x8902, 'SIOCSPGRP', 4),
  out(0x8903, 'FIOGETOWN', 4),
  out(0x8904, 'SIOCGPGRP', 4),
  out(0x8905, 'SIOCATMARK', 4),
  out(0x8906, 'SIOCGSTAMP', 16),
  out(0x8907, 'SIOCGSTAMPNS', 16),
  out(ioc(2, 0x89, 6, 16), 'SIOCGSTAMP_NEW', 16),
  out(ioc(2, 0x89, 7, 16), 'SIOCGSTAMPNS_NEW', 16),
  out(0x894b, 'SIOCOUTQNSD', 4),
  away(0x890b, 'SIOCADDRT'),
  away(0x890c, 'SIOCDELRT'),
  inout(0x8910, 'SIOCGIFNAME', IFREQ),
  val(0x8911, 'SIOCSIFLINK'),
  [0x8912, 'SIOCGIFCONF', 'ifconf', 16, 'home'], // struct ifconf: the room at its pointer, and how much of it (netdevice(7))
  ...(
    [
      [0x8913, 'SIOCGIFFLAGS'],
      [0x8914, 'SIOCSIFFLAGS'],
      [0x8915, 'SIOCGIFADDR'],
      [0x8916, 'SIOCSIFADDR'],
      [0x8917, 'SIOCGIFDSTADDR'],
      [0x8918, 'SIOCSIFDSTADDR'],
      [0x8919, 'SIOCGIFBRDADDR'],
      [0x891a, 'SIOCSIFBRDADDR'],
      [0x891b, 'SIOCGIFNETMASK'],
      [0x891c, 'SIOCSIFNETMASK'],
      [0x891d, 'SIOCGIFMETRIC'],
      [0x891e, 'SIOCSIFMETRIC'],
      [0x891f, 'SIOCGIFMEM'],
      [0x8920, 'SIOCSIFMEM'],
      [0x8921, 'SIOCGIFMTU'],
      [0x8922, 'SIOCSIFMTU'],
      [0x8923, 'SIOCSIFNAME'],
      [0x8924, 'SIOCSIFHWADDR'],
      [0x8925, 'SIOCGIFENCAP'],
      [0x8926, 'SIOCSIFENCAP'],
      [0x8927, 'SIOCGIFHWADDR'],
      [0x8929, 'SIOCGIFSLAVE'],
      [0x8930, 'SIOCSIFSLAVE'],
      [0x8931, 'SIOCADDMULTI'],
      [0x8932, 'SIOCDELMULTI'],
      [0x8933, 'SIOCGIFINDEX'],
      [0x8934, 'SIOCSIFPFLAGS'],
      [0x8935, 'SIOCGIFPFLAGS'],
      [0x8936, 'SIOCDIFADDR'],
      [0x8937, 'SIOCSIFHWBROADCAST'],
      [0x8938, 'SIOCGIFCOUNT'],
      [0x8942, 'SIOCGIFTXQLEN'],
      [0x8943, 'SIOCSIFTXQLEN'],
      [0x8970, 'SIOCGIFMAP'],
      [0x8971, 'SIOCSIFMAP'],
    ] as const
  ).map(([number, name]) => inout(number, name, IFREQ)),
  away(0x8946, 'SIOCETHTOOL'),
  away(0x8947, 'SIOCGMIIPHY'),
  away(0x8948, 'SIOCGMIIREG'),
  into(0x8953, 'SIOCDARP', 68),
  inout(0x8954, 'SIOCGARP', 68),
  into(0x8955, 'SIOCSARP', 68),
];

/** Network devices made by a program: linux/if_tun.h. */
const tunnels: Entry[] = [
  val(ioc(1, 'T', 200, 4), 'TUNSETNOCSUM'),
  val(ioc(1, 'T', 201, 4), 'TUNSETDEBUG'),
  // Encoded as int; the kernel copies a whole ifreq.
  inout(ioc(1, 'T', 202, 4), 'TUNSETIFF', IFREQ),
  val(ioc(1, 'T', 203, 4), 'TUNSETPERSIST'),
  val(ioc(1, 'T', 204, 4), 'TUNSETOWNER'),
  val(ioc(1, 'T', 205, 4), 'TUNSETLINK'),
  val(ioc(1, 'T', 206, 4), 'TUNSETGROUP'),
  out(ioc(2, 'T', 207, 4), 'TUNGETFEATURES', 4),
  val(ioc(1, 'T', 208, 4), 'TUNSETOFFLOAD'),
  away(ioc(1, 'T', 209, 4), 'TUNSETTXFILTER'),
  inout(ioc(2, 'T', 210, 4), 'TUNGETIFF', IFREQ),
  out(ioc(2, 'T', 211, 4), 'TUNGETSNDBUF', 4),
  into(ioc(1, 'T', 212, 4), 'TUNSETSNDBUF', 4),
  away(ioc(1, 'T', 213, 16), 'TUNATTACHFILTER'),
  away(ioc(1, 'T', 214, 16), 'TUNDETACHFILTER'),
  out(ioc(2, 'T', 215, 4), 'TUNGETVNETHDRSZ', 4),
  into(ioc(1, 'T', 216, 4), 'TUNSETVNETHDRSZ', 4),
  inout(ioc(1, 'T', 217, 4), 'TUNSETQUEUE', IFREQ),
  into(ioc(1, 'T', 218, 4), 'TUNSETIFINDEX', 4),
  away(ioc(2, 'T', 219, 16), 'TUNGETFILTER'),
  // Encoded as output; the kernel reads the number of a BPF program.
  into(ioc(2, 'T', 224, 4), 'TUNSETSTEERINGEBPF', 4),
  into(ioc(2, 'T', 225, 4), 'TUNSETFILTEREBPF', 4),
  val(io('T', 227), 'TUNGETDEVNETNS'),
];

/** Namespaces (ioctl_ns(2)), pidfds, random(4), input devices. */
const others: Entry[] = [
  val(io(0xb7, 1), 'NS_GET_USERNS'),
  val(io(0xb7, 2), 'NS_GET_PARENT'),
  val(io(0xb7, 3), 'NS_GET_NSTYPE'),
  out(io(0xb7, 4), 'NS_GET_OWNER_UID', 4),
  val(ioc(2, 0xb7, 6, 4), 'NS_GET_PID_FROM_PIDNS'),
  val(ioc(2, 0xb7, 7, 4), 'NS_GET_TGID_FROM_PIDNS'),
  val(ioc(2, 0xb7, 8, 4), 'NS_GET_PID_IN_PIDNS'),
  val(ioc(2, 0xb7, 9, 4), 'NS_GET_TGID_IN_PIDNS'),
  ...['CGROUP', 'IPC', 'MNT', 'NET', 'PID', 'PID_FOR_CHILDREN', 'TIME', 'TIME_FOR_CHILDREN', 'USER', 'UTS'].map(
    (name, i): Entry => val(io(0xff, i + 1), `PIDFD_GET_${name}_NAMESPACE`),
  ),
  out(ioc(2, 'R', 0, 4), 'RNDGETENTCNT', 4),
  into(ioc(1, 'R', 1, 4), 'RNDADDTOENTCNT', 4),
  away(ioc(2, 'R', 2, 8), 'RNDGETPOOL'),
  away(ioc(1, 'R', 3, 8), 'RNDADDENTROPY'),
  val(io('R', 4), 'RNDZAPENTCNT'),
  val(io('R', 6), 'RNDCLEARPOOL'),
  val(io('R', 7), 'RNDRESEEDCRNG'),
  away(ioc(1, 'E', 0x80, 48), 'EVIOCSFF'),
  val(ioc(1, 'E', 0x81, 4), 'EVIOCRMFF'),
  val(ioc(1, 'E', 0x90, 4), 'EVIOCGRAB'),
  val(ioc(1, 'E', 0x91, 4), 'EVIOCREVOKE'),
  away(ioc(2, 'E', 0x92, 16), 'EVIOCGMASK'),
  away(ioc(1, 'E', 0x93, 16), 'EVIOCSMASK'),
];

/** Virtual consoles (ioctl_console(2), ioctl_vt(2)); fonts, maps and screens of their own come home. */
const consoles: Entry[] = [
  val(0x4b2f, 'KIOCSOUND'),
  val(0x4b30, 'KDMKTONE'),
  out(0x4b31, 'KDGETLED', 1),
  val(0x4b32, 'KDSETLED'),
  out(0x4b33, 'KDGKBTYPE', 1),
  val(0x4b3a, 'KDSETMODE'),
  out(0x4b3b, 'KDGETMODE', 4),
  out(0x4b44, 'KDGKBMODE', 4),
  val(0x4b45, 'KDSKBMODE'),
  out(0x4b64, 'KDGKBLED', 1),
  val(0x4b65, 'KDSKBLED'),
  out(0x5600, 'VT_OPENQRY', 4),
  out(0x5601, 'VT_GETMODE', 8),
  into(0x5602, 'VT_SETMODE', 8),
  out(0x5603, 'VT_GETSTATE', 6),
  val(0x5605, 'VT_RELDISP'),
  val(0x5606, 'VT_ACTIVATE'),
  val(0x5607, 'VT_WAITACTIVE'),
  val(0x5608, 'VT_DISALLOCATE'),
];

/** Loop devices: linux/loop.h. */
const loops: Entry[] = [
  val(0x4c00, 'LOOP_SET_FD'),
  val(0x4c01, 'LOOP_CLR_FD'),
  into(0x4c04, 'LOOP_SET_STATUS64', 232),
  out(0x4c05, 'LOOP_GET_STATUS64', 232),
  val(0x4c06, 'LOOP_CHANGE_FD'),
  val(0x4c07, 'LOOP_SET_CAPACITY'),
  val(0x4c08, 'LOOP_SET_DIRECT_IO'),
  val(0x4c09, 'LOOP_SET_BLOCK_SIZE'),
  into(0x4c0a, 'LOOP_CONFIGURE', 304),
  val(0x4c80, 'LOOP_CTL_ADD'),
  val(0x4c81, 'LOOP_CTL_REMOVE'),
  val(0x4c82, 'LOOP_CTL_GET_FREE'),
];

const RTC_TIME = 36;
const RTC_WKALRM = 40;
/** Real-time clocks (rtc(4)); IRQP_SET and EPOCH_SET are encoded as pointers and are values. */
const clocks: Entry[] = [
  ...(
    [
      [1, 'RTC_AIE_ON'],
      [2, 'RTC_AIE_OFF'],
      [3, 'RTC_UIE_ON'],
      [4, 'RTC_UIE_OFF'],
      [5, 'RTC_PIE_ON'],
      [6, 'RTC_PIE_OFF'],
      [15, 'RTC_WIE_ON'],
      [16, 'RTC_WIE_OFF'],
    ] as const
  ).map(([number, name]) => val(io('p', number), name)),
  into(ioc(1, 'p', 7, RTC_TIME), 'RTC_ALM_SET', RTC_TIME),
  out(ioc(2, 'p', 8, RTC_TIME), 'RTC_ALM_READ', RTC_TIME),
  out(ioc(2, 'p', 9, RTC_TIME), 'RTC_RD_TIME', RTC_TIME),
  into(ioc(1, 'p', 10, RTC_TIME), 'RTC_SET_TIME', RTC_TIME),
  out(ioc(2, 'p', 11, 8), 'RTC_IRQP_READ', 8),
  val(ioc(1, 'p', 12, 8), 'RTC_IRQP_SET'),
  out(ioc(2, 'p', 13, 8), 'RTC_EPOCH_READ', 8),
  val(ioc(1, 'p', 14, 8), 'RTC_EPOCH_SET'),
  into(ioc(1, 'p', 15, RTC_WKALRM), 'RTC_WKALM_SET', RTC_WKALRM),
  inout(ioc(2, 'p', 16, RTC_WKALRM), 'RTC_WKALM_RD', RTC_WKALRM),
];

export const ioctls: Entry[] = [
  ...terminals,
  ...descriptors,
  ...filesystems,
  ...blocks,
  ...sockets,
  ...tunnels,
  ...others,
  ...consoles,
  ...loops,
  ...clocks,
];

/** Types all of whose encodings were looked at: terminals and tunnels, input, watchdogs, namespaces, pidfds. */
export const trusted: readonly number[] = [...['T', 'E', 'W'].map((type) => type.charCodeAt(0)), 0xb7, 0xff];
