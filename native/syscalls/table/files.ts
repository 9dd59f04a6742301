// Descriptors and what can be done with an open file.
import { comehome, command, fd, home, inout, int, into, iovecIn, iovecOut, is, out, special, string, value } from '../model.js';

/** struct stat, statfs, statx: arch/x86/include/uapi/asm/stat.h, asm-generic/statfs.h, linux/stat.h. */
const STAT = 144;
const STATFS = 120;

export const files = [
  home(0, 'read', fd, out.ret(2), value).blocks('sys').bulk(),
  home(1, 'write', fd, into.arg(2), value).blocks('sys').bulk(),
  home(2, 'open', string, value, value).blocks('sys').returnsFd(),
  // A second thread may sleep in a call on the same descriptor; close itself never waits for it.
  special(3, 'close', 'close', fd).asks(),
  home(5, 'fstat', fd, out.fixed(STAT)),
  home(8, 'lseek', fd, value, value),
  special(16, 'ioctl', 'ioctl', fd, int, command('ioctl', 1)).blocks('sys').asks(),
  home(17, 'pread64', fd, out.ret(2), value, value).blocks('sys').bulk(),
  home(18, 'pwrite64', fd, into.arg(2), value, value).blocks('sys').bulk(),
  special(19, 'readv', 'readv', fd, iovecOut(2), value).blocks('sys').bulk().asks(),
  special(20, 'writev', 'writev', fd, iovecIn(2), value).blocks('sys').bulk().asks(),
  home(22, 'pipe', out.fixed(8)).returnsFd(),
  home(32, 'dup', fd).returnsFd(),
  special(33, 'dup2', 'dup2', fd, fd).returnsFd().asks(),
  home(40, 'sendfile', fd, fd, inout.fixed(8), value).blocks('sys'),
  special(72, 'fcntl', 'fcntl', fd, int, command('fcntl', 1)).blocks('sys').asks(),
  home(73, 'flock', fd, value).blocks('sys'),
  home(74, 'fsync', fd),
  home(75, 'fdatasync', fd),
  home(77, 'ftruncate', fd, value),
  home(85, 'creat', string, value).blocks('sys').returnsFd(),
  home(91, 'fchmod', fd, value),
  home(93, 'fchown', fd, value, value),
  home(138, 'fstatfs', fd, out.fixed(STATFS)),
  home(162, 'sync'),
  home(187, 'readahead', fd, value, value),
  home(221, 'fadvise64', fd, value, value, value),
  home(275, 'splice', fd, inout.fixed(8), fd, inout.fixed(8), value, value).blocks('sys'),
  home(276, 'tee', fd, fd, value, value).blocks('sys'),
  home(277, 'sync_file_range', fd, value, value, value),
  comehome(278, 'vmsplice', 4, "hands pages of the program's memory to a pipe"),
  home(285, 'fallocate', fd, value, value, value),
  special(292, 'dup3', 'dup3', fd, fd, value).returnsFd().asks(),
  home(293, 'pipe2', out.fixed(8), value).returnsFd(),
  special(295, 'preadv', 'readv', fd, iovecOut(2), value, value, value).blocks('sys').bulk().asks(),
  special(296, 'pwritev', 'writev', fd, iovecIn(2), value, value, value).blocks('sys').bulk().asks(),
  home(306, 'syncfs', fd),
  home(326, 'copy_file_range', fd, inout.fixed(8), fd, inout.fixed(8), value, value).blocks('sys'),
  special(327, 'preadv2', 'readv', fd, iovecOut(2), value, value, value, value).blocks('sys').bulk().asks(),
  special(328, 'pwritev2', 'writev', fd, iovecIn(2), value, value, value, value).blocks('sys').bulk().asks(),
  // The deputy's own descriptors lie above the program's limit and must survive close_range(3, ~0U, 0).
  special(436, 'close_range', 'close_range', int, int, value).asks(),
  // cachestat(fd, const struct cachestat_range *, struct cachestat *, flags), Linux 6.5
  home(451, 'cachestat', fd, into.fixed(16), out.fixed(40), value),
  // kcmp(pid, pid, type, idx1, idx2): with KCMP_EPOLL_TFD (7) idx2 is a pointer, else all are numbers.
  home(312, 'kcmp', value, value, value, value, value).because('a pointer to a structure').comehomeIf(is(2, 7)),
];
