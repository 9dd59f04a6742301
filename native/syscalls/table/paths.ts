// Names: directories, links, attributes, permissions, everything that takes a path.
import { comehome, dirfd, fd, home, inout, int, into, out, string, value } from '../model.js';

const STAT = 144;
const STATFS = 120;
const STATX = 256;
/** Two of struct timespec, or of struct timeval. */
const TWO_TIMES = 32;

export const paths = [
  home(4, 'stat', string, out.fixed(STAT)),
  home(6, 'lstat', string, out.fixed(STAT)),
  home(21, 'access', string, value),
  home(76, 'truncate', string, value),
  home(78, 'getdents', fd, out.ret(2), int),
  // The length returned counts the final zero byte, unlike the C library's getcwd(3).
  home(79, 'getcwd', out.ret(1), value),
  home(80, 'chdir', string),
  home(81, 'fchdir', fd),
  home(82, 'rename', string, string),
  home(83, 'mkdir', string, value),
  home(84, 'rmdir', string),
  home(86, 'link', string, string),
  home(87, 'unlink', string),
  home(88, 'symlink', string, string),
  home(89, 'readlink', string, out.ret(2), int),
  home(90, 'chmod', string, value),
  home(92, 'chown', string, value, value),
  home(94, 'lchown', string, value, value),
  home(95, 'umask', value),
  home(132, 'utime', string, into.fixed(16)),
  home(133, 'mknod', string, value, value),
  home(136, 'ustat', value, out.fixed(32)),
  home(137, 'statfs', string, out.fixed(STATFS)),
  home(161, 'chroot', string),
  home(188, 'setxattr', string, string, into.arg(3), value, value),
  home(189, 'lsetxattr', string, string, into.arg(3), value, value),
  home(190, 'fsetxattr', fd, string, into.arg(3), value, value),
  // With no room at all (size 0) the call returns the length needed and fills nothing.
  home(191, 'getxattr', string, string, out.ret(3), value),
  home(192, 'lgetxattr', string, string, out.ret(3), value),
  home(193, 'fgetxattr', fd, string, out.ret(3), value),
  home(194, 'listxattr', string, out.ret(2), value),
  home(195, 'llistxattr', string, out.ret(2), value),
  home(196, 'flistxattr', fd, out.ret(2), value),
  home(197, 'removexattr', string, string),
  home(198, 'lremovexattr', string, string),
  home(199, 'fremovexattr', fd, string),
  home(217, 'getdents64', fd, out.ret(2), int),
  home(235, 'utimes', string, into.fixed(TWO_TIMES)),
  home(257, 'openat', dirfd, string, value, value).blocks('sys').returnsFd(),
  home(258, 'mkdirat', dirfd, string, value),
  home(259, 'mknodat', dirfd, string, value, value),
  home(260, 'fchownat', dirfd, string, value, value, value),
  home(261, 'futimesat', dirfd, string, into.fixed(TWO_TIMES)),
  home(262, 'newfstatat', dirfd, string, out.fixed(STAT), value),
  home(263, 'unlinkat', dirfd, string, value),
  home(264, 'renameat', dirfd, string, dirfd, string),
  home(265, 'linkat', dirfd, string, dirfd, string, value),
  home(266, 'symlinkat', string, dirfd, string),
  home(267, 'readlinkat', dirfd, string, out.ret(3), int),
  home(268, 'fchmodat', dirfd, string, value),
  home(269, 'faccessat', dirfd, string, value),
  home(280, 'utimensat', dirfd, string, into.fixed(TWO_TIMES), value),
  // struct file_handle is { u32 handle_bytes; int type; handle_bytes bytes }. Too little room is EOVERFLOW, with the
  // length needed written back. The mount id is an int, or 64 bits with AT_HANDLE_MNT_ID_UNIQUE (Linux 6.12).
  home(303, 'name_to_handle_at', dirfd, string, inout.first(0, 8), inout.fixed(8), value).outOnError(),
  home(304, 'open_by_handle_at', fd, into.first(0, 8), value).blocks('sys').returnsFd(),
  home(316, 'renameat2', dirfd, string, dirfd, string, value),
  home(332, 'statx', dirfd, string, value, value, out.fixed(STATX)),
  // openat2(dirfd, path, const struct open_how *, size)
  home(437, 'openat2', dirfd, string, into.arg(3), value).blocks('sys').returnsFd(),
  home(439, 'faccessat2', dirfd, string, value, value),
  home(452, 'fchmodat2', dirfd, string, value, value),
  comehome(463, 'setxattrat', 6, 'its structure holds a pointer to the value'),
  comehome(464, 'getxattrat', 6, 'its structure holds a pointer to the value'),
  home(465, 'listxattrat', dirfd, string, value, out.ret(4), value),
  home(466, 'removexattrat', dirfd, string, value, string),
  // file_getattr(dirfd, path, struct file_attr *, size, flags), Linux 6.17; an older or newer kernel fills less.
  home(468, 'file_getattr', dirfd, string, inout.arg(3), value, value),
  home(469, 'file_setattr', dirfd, string, into.arg(3), value, value),
];
