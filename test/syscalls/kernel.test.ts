import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands } from '../../native/syscalls/commands.js';
import { table } from '../../native/syscalls/table.js';
import { compile, compileText, run } from './compile.js';

const headers = [
  'fcntl.h',
  'sys/ioctl.h',
  'asm/prctl.h',
  'linux/blkpg.h',
  'linux/fs.h',
  'linux/fsverity.h',
  'linux/if_tun.h',
  'linux/input.h',
  'linux/keyctl.h',
  'linux/landlock.h',
  'linux/mount.h',
  'linux/msg.h',
  'linux/nsfs.h',
  'linux/prctl.h',
  'linux/random.h',
  'linux/sem.h',
  'linux/shm.h',
  'linux/sockios.h',
  'linux/blktrace_api.h',
  'linux/fsmap.h',
  'linux/fiemap.h',
  'linux/kd.h',
  'linux/loop.h',
  'linux/rtc.h',
  'linux/vt.h',
];

void test('commands have the numbers of the machine headers', (t) => {
  const all = Object.entries(commands).flatMap(([list, rows]) => rows.map((row) => ({ list, ...row })));
  const text = `#define _GNU_SOURCE
${headers.map((name) => `#if __has_include(<${name}>)\n#include <${name}>\n#endif`).join('\n')}
#include <stdio.h>
int main(void) {
${all
  .map(
    ({ list, name, number }) => `#ifdef ${name}
  if ((unsigned)${name} != ${number}u) printf("${list} ${name} 0x%x\\n", (unsigned)${name});
#else
  fputs("${name} ", stderr);
#endif`,
  )
  .join('\n')}
}
`;
  const { stdout, stderr } = run(compileText('commands', 'c', text));
  assert.equal(stdout, '');
  t.diagnostic(`not in these headers: ${stderr}`);
});

/** Structures by the calls that take them: the table's length must be the compiler's. */
const structures: Record<string, [call: string, arg: number][]> = {
  'struct stat': [
    ['stat', 1],
    ['fstat', 1],
    ['lstat', 1],
    ['newfstatat', 2],
  ],
  'struct statfs': [
    ['statfs', 1],
    ['fstatfs', 1],
  ],
  'struct statx': [['statx', 4]],
  'struct rusage': [
    ['getrusage', 1],
    ['wait4', 3],
    ['waitid', 4],
  ],
  siginfo_t: [
    ['waitid', 2],
    ['rt_sigqueueinfo', 2],
    ['rt_tgsigqueueinfo', 3],
    ['rt_sigtimedwait', 1],
    ['pidfd_send_signal', 2],
  ],
  'struct sigevent': [
    ['timer_create', 1],
    ['mq_notify', 1],
  ],
  'struct timex': [
    ['adjtimex', 0],
    ['clock_adjtime', 1],
  ],
  'struct sysinfo': [['sysinfo', 0]],
  'struct utsname': [['uname', 0]],
  'struct epoll_event': [
    ['epoll_wait', 1],
    ['epoll_pwait', 1],
    ['epoll_pwait2', 1],
    ['epoll_ctl', 3],
  ],
  'struct pollfd': [
    ['poll', 0],
    ['ppoll', 0],
  ],
  'struct rlimit': [
    ['getrlimit', 1],
    ['setrlimit', 1],
    ['prlimit64', 2],
    ['prlimit64', 3],
  ],
  'struct itimerspec': [
    ['timer_settime', 2],
    ['timer_settime', 3],
    ['timer_gettime', 1],
    ['timerfd_settime', 2],
    ['timerfd_settime', 3],
    ['timerfd_gettime', 1],
  ],
  'struct itimerval': [
    ['getitimer', 1],
    ['setitimer', 1],
    ['setitimer', 2],
  ],
  'struct timespec': [
    ['clock_gettime', 1],
    ['clock_settime', 1],
    ['clock_getres', 1],
    ['ppoll', 2],
    ['semtimedop', 3],
    ['mq_timedsend', 4],
    ['recvmmsg', 4],
  ],
  'struct timeval': [
    ['select', 4],
    ['settimeofday', 0],
  ],
  'struct timezone': [['settimeofday', 1]],
  'struct utimbuf': [['utime', 1]],
  'struct timespec[2]': [['utimensat', 2]],
  'struct timeval[2]': [
    ['utimes', 1],
    ['futimesat', 2],
  ],
  'struct tms': [['times', 0]],
  'struct sembuf': [
    ['semop', 1],
    ['semtimedop', 1],
  ],
  'struct mq_attr': [
    ['mq_open', 3],
    ['mq_getsetattr', 1],
    ['mq_getsetattr', 2],
  ],
  'struct ustat': [['ustat', 1]],
  'struct sched_param': [
    ['sched_setparam', 1],
    ['sched_getparam', 1],
    ['sched_setscheduler', 2],
  ],
  'struct __user_cap_header_struct': [
    ['capget', 0],
    ['capset', 0],
  ],
  'struct __user_cap_data_struct[2]': [
    ['capget', 1],
    ['capset', 1],
  ],
  'struct iovec': [
    ['readv', 1],
    ['writev', 1],
    ['preadv', 1],
    ['pwritev2', 1],
  ],
  'struct msghdr': [
    ['sendmsg', 1],
    ['recvmsg', 1],
  ],
  'struct mmsghdr': [
    ['sendmmsg', 1],
    ['recvmmsg', 1],
  ],
};

/** Of 64-bit x86; by command. */
const operands: Record<string, string[]> = {
  'struct flock': ['fcntl F_GETLK', 'fcntl F_SETLKW', 'fcntl F_OFD_SETLK'],
  'struct f_owner_ex': ['fcntl F_SETOWN_EX', 'fcntl F_GETOWN_EX'],
  'struct semid_ds': ['semctl IPC_STAT', 'semctl SEM_STAT'],
  'struct seminfo': ['semctl IPC_INFO', 'semctl SEM_INFO'],
  'struct msqid_ds': ['msgctl IPC_STAT', 'msgctl MSG_STAT'],
  'struct msginfo': ['msgctl IPC_INFO', 'msgctl MSG_INFO'],
  'struct shmid_ds': ['shmctl IPC_STAT', 'shmctl SHM_STAT'],
  'struct shminfo': ['shmctl IPC_INFO'],
  'struct shm_info': ['shmctl SHM_INFO'],
  'struct ifreq': ['ioctl SIOCGIFFLAGS', 'ioctl TUNSETIFF'],
  'struct arpreq': ['ioctl SIOCGARP'],
  'struct winsize': ['ioctl TIOCGWINSZ'],
  'struct serial_struct': ['ioctl TIOCGSERIAL'],
  'struct serial_icounter_struct': ['ioctl TIOCGICOUNT'],
  'struct serial_rs485': ['ioctl TIOCGRS485'],
  'struct termio': ['ioctl TCGETA'],
  'struct loop_info64': ['ioctl LOOP_SET_STATUS64'],
  'struct loop_config': ['ioctl LOOP_CONFIGURE'],
  'struct rtc_time': ['ioctl RTC_RD_TIME'],
  'struct rtc_wkalrm': ['ioctl RTC_WKALM_RD'],
  'struct vt_mode': ['ioctl VT_GETMODE'],
  'struct vt_stat': ['ioctl VT_GETSTATE'],
  'struct fstrim_range': ['ioctl FITRIM'],
  'struct file_clone_range': ['ioctl FICLONERANGE'],
  'struct fsxattr': ['ioctl FS_IOC_FSGETXATTR'],
  'struct landlock_path_beneath_attr': ['landlock_rule LANDLOCK_RULE_PATH_BENEATH'],
};

void test('structures are as long as the compiler says', () => {
  const types = [...Object.keys(structures), ...Object.keys(operands)];
  const includes = [
    'stdio.h',
    'fcntl.h',
    'mqueue.h',
    'poll.h',
    'sched.h',
    'signal.h',
    'time.h',
    'utime.h',
    'net/if.h',
    'net/if_arp.h',
  ].concat(
    [
      'epoll',
      'ioctl',
      'msg',
      'resource',
      'sem',
      'shm',
      'socket',
      'stat',
      'statfs',
      'sysinfo',
      'time',
      'times',
      'timex',
      'uio',
      'utsname',
    ].map((name) => `sys/${name}.h`),
    ['capability', 'fs', 'landlock', 'loop', 'rtc', 'serial', 'types', 'vt'].map((name) => `linux/${name}.h`),
  );
  const text = `#define _GNU_SOURCE
${includes.map((name) => `#include <${name}>`).join('\n')}
/* Gone from the C library; the kernel's own, linux/types.h. */
struct ustat { __kernel_daddr_t f_tfree; unsigned long f_tinode; char f_fname[6]; char f_fpack[6]; };
int main(void) {
${types.map((type) => `  printf("%s=%zu\\n", "${type}", sizeof(${type}));`).join('\n')}
}
`;
  const { stdout } = run(compileText('sizes', 'c', text));
  const sizes = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
  // utsname: the C library's and the kernel's new_utsname agree; termios differ and are left to the kernel's test.
  for (const [type, uses] of Object.entries(structures)) {
    for (const [call, arg] of uses) {
      assert.equal(
        table.find(({ name }) => name === call)?.args[arg]?.size,
        Number(sizes.get(type)),
        `${call}, argument ${arg}: ${type}`,
      );
    }
  }
  for (const [type, uses] of Object.entries(operands)) {
    for (const use of uses) {
      const [list = '', name = ''] = use.split(' ');
      const found = commands[list as keyof typeof commands].find((command) => command.name === name);
      assert.equal(found?.size, Number(sizes.get(type)), `${use}: ${type}`);
    }
  }
});

void test('the kernel reads and fills the buffers the table describes', (t) => {
  const program = compile('descriptors', ['test/syscalls/probe.cc', 'test/syscalls/descriptors.cc'], '-lutil');
  const { status, stdout } = run(program);
  const lines = stdout.trim().split('\n');
  for (const line of lines.filter((text) => text.startsWith('skip'))) t.diagnostic(line);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('FAIL')),
    [],
  );
  assert.equal(status, 0, stdout);
});
