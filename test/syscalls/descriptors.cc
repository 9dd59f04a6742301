// One sample of each call whose buffers the kernel can be asked about without harm. See probe.h.
#include "probe.h"
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

using probe::Call;
using probe::sample;

namespace {

int file() {
  const int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
  return fd >= 0 && write(fd, "twelve bytes", 12) == 12 && lseek(fd, 0, SEEK_SET) == 0 ? fd : -1;
}

int marked() {
  const int fd = file();
  fsetxattr(fd, "user.mosrun", "value", 5, 0);
  return fd;
}

int terminal() {
  int master, slave;
  return openpty(&master, &slave, nullptr, nullptr, nullptr) == 0 ? slave : -1;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int udp() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  const sockaddr_in any = loopback(0);
  return bind(fd, reinterpret_cast<const sockaddr *>(&any), sizeof any) == 0 ? fd : -1;
}

struct Pair {
  int from, to;
};
/** One has sent a datagram to the other. */
Pair connected() {
  const Pair pair{udp(), udp()};
  sockaddr_in to;
  socklen_t size = sizeof to;
  getsockname(pair.to, reinterpret_cast<sockaddr *>(&to), &size);
  connect(pair.from, reinterpret_cast<sockaddr *>(&to), size);
  return send(pair.from, "datagram", 8, 0) == 8 ? pair : Pair{-1, -1};
}

pid_t ended_child() {
  const pid_t child = fork();
  if (child == 0) _exit(3);
  siginfo_t info;
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  return child;
}

void block_usr1() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

siginfo_t queued() {
  siginfo_t info{};
  info.si_signo = SIGUSR1;
  info.si_code = SI_QUEUE;
  return info;
}

constexpr uint64_t USR1_ONLY = 1ull << (SIGUSR1 - 1);
const itimerspec LONG_TIMER{{0, 0}, {1000, 0}};

void names() {
  const auto at = [](unsigned nr, const char *what, int path, int buffer) {
    sample(nr, what, [=] {
      Call c;
      if (path == 1) c.set(0, AT_FDCWD);
      return c.memory(path, "/tmp").memory(buffer);
    });
  };
  at(SYS_stat, "stat", 0, 1);
  at(SYS_lstat, "lstat", 0, 1);
  at(SYS_statfs, "statfs", 0, 1);
  at(SYS_newfstatat, "newfstatat", 1, 2);
  sample(SYS_statx, "statx", [] { return Call().set(0, AT_FDCWD).memory(1, "/tmp").set(3, 0xfff).memory(4); });
  sample(SYS_fstat, "fstat", [] { return Call().set(0, file()).memory(1); });
  sample(SYS_fstatfs, "fstatfs", [] { return Call().set(0, file()).memory(1); });
  sample(SYS_getcwd, "getcwd", [] { return Call().memory(0).set(1, 4096); });
  sample(SYS_readlink, "readlink", [] { return Call().memory(0, "/proc/self").memory(1).set(2, 64); });
  sample(SYS_readlinkat, "readlinkat", [] { return Call().set(0, AT_FDCWD).memory(1, "/proc/self").memory(2).set(3, 64); });
  sample(SYS_getdents64, "getdents64", [] { return Call().set(0, open("/", O_RDONLY)).memory(1).set(2, 1000); },
         {.loose = 1 << 1}); // nothing between a name and the next entry
  sample(SYS_utimensat, "utimensat", [] { return Call().set(0, file()).memory(2).set(3, 0); });
  sample(SYS_utimes, "utimes", [] { return Call().memory(0, "/proc/self/fd/" + std::to_string(file())).memory(1); });
  sample(SYS_utime, "utime", [] { return Call().memory(0, "/proc/self/fd/" + std::to_string(file())).memory(1); });
  sample(SYS_futimesat, "futimesat", [] { return Call().set(0, AT_FDCWD).memory(1, "/proc/self/fd/" + std::to_string(file())).memory(2); });
  sample(SYS_openat2, "openat2", [] { return Call().set(0, AT_FDCWD).memory(1, "/tmp").memory(2).set(3, 24); });
  // An int without the flag AT_HANDLE_MNT_ID_UNIQUE, 64 bits with it; and a handle has room to spare.
  for (const unsigned unique : {0u, 1u})
    sample(SYS_name_to_handle_at, "name_to_handle_at",
           [=] { return Call().set(0, AT_FDCWD).memory(1, "/tmp").memory(2, std::string("\x80\0\0\0", 4)).memory(3).set(4, unique); },
           {.loose = unique != 0 ? 1u << 2 : 1u << 2 | 1u << 3});
  sample(SYS_ustat, "ustat", [] {
    struct stat s;
    stat("/", &s);
    return Call().set(0, s.st_dev).memory(1);
  });
  sample(451, "cachestat", [] { return Call().set(0, file()).memory(1).memory(2); });
  sample(457, "statmount", [] {
    struct { uint32_t size, spare; uint64_t mount, mask; } request{24, 0, 0, 1};
    struct statx s;
    statx(AT_FDCWD, "/", 0, 0x4000, &s); // STATX_MNT_ID_UNIQUE
    memcpy(&request.mount, reinterpret_cast<char *>(&s) + 0x90, 8);
    return Call().structure(0, request).memory(1).set(2, 1024);
  }, {.loose = 1 << 1});
  sample(458, "listmount", [] {
    struct { uint32_t size, spare; uint64_t mount, last; } request{24, 0, ~0ull, 0};
    return Call().structure(0, request).memory(1).set(2, 2);
  });
  sample(468, "file_getattr", [] { return Call().set(0, AT_FDCWD).memory(1, "/tmp").memory(2).set(3, 24); });
}

void files() {
  sample(SYS_read, "read", [] { return Call().set(0, file()).memory(1).set(2, 100); });
  sample(SYS_pread64, "pread64", [] { return Call().set(0, file()).memory(1).set(2, 100).set(3, 2); });
  sample(SYS_pipe, "pipe", [] { return Call().memory(0); });
  sample(SYS_pipe2, "pipe2", [] { return Call().memory(0); });
  sample(SYS_sendfile, "sendfile", [] { return Call().set(0, file()).set(1, file()).memory(2).set(3, 4); });
  sample(SYS_copy_file_range, "copy_file_range", [] { return Call().set(0, file()).memory(1).set(2, file()).memory(3).set(4, 4); });
  sample(SYS_splice, "splice", [] {
    int ends[2];
    (void)!pipe(ends);
    return Call().set(0, file()).memory(1).set(2, ends[1]).set(4, 4);
  });
  sample(SYS_fsetxattr, "fsetxattr", [] { return Call().set(0, file()).memory(1, "user.mosrun").memory(2, "value").set(3, 5); });
  for (const unsigned room : {0u, 40u}) {
    sample(SYS_fgetxattr, "fgetxattr", [=] { return Call().set(0, marked()).memory(1, "user.mosrun").memory(2).set(3, room); });
    sample(SYS_flistxattr, "flistxattr", [=] { return Call().set(0, marked()).memory(1).set(2, room); });
  }
  sample(SYS_fremovexattr, "fremovexattr", [] { return Call().set(0, marked()).memory(1, "user.mosrun"); });
  const struct flock lock{F_WRLCK, SEEK_SET, 0, 0, 0};
  for (const int cmd : {F_GETLK, F_SETLK, F_SETLKW, 36 /* F_OFD_GETLK */, 37, 38})
    sample(SYS_fcntl, "fcntl locks", [=] { return Call().set(0, file()).set(1, cmd).structure(2, lock); });
  const int self[2] = {F_OWNER_PID, getpid()};
  sample(SYS_fcntl, "fcntl F_SETOWN_EX", [=] { return Call().set(0, file()).set(1, F_SETOWN_EX).structure(2, self); });
  sample(SYS_fcntl, "fcntl F_GETOWN_EX", [] { return Call().set(0, file()).set(1, F_GETOWN_EX).memory(2); });
  sample(SYS_fcntl, "fcntl F_GETOWNER_UIDS", [] { return Call().set(0, file()).set(1, 17).memory(2); });
  for (const int cmd : {1035, 1036})
    sample(SYS_fcntl, "fcntl read and write hints", [=] { return Call().set(0, file()).set(1, cmd).memory(2); });
  for (const unsigned long cmd : {0x80086601ul /* FS_IOC_GETFLAGS */, 0x541bul /* FIONREAD */, 2ul /* FIGETBSZ */, 0x801c581ful /* FSGETXATTR */,
                                  0x5421ul /* FIONBIO */})
    sample(SYS_ioctl, "ioctl of a file", [=] { return Call().set(0, open("/bin/sh", O_RDONLY)).set(1, cmd).memory(2); });
}

void terminals() {
  for (const unsigned long cmd : std::initializer_list<unsigned long>{TCGETS, TIOCGWINSZ, TIOCSWINSZ, TIOCOUTQ, FIONREAD, TIOCGETD, TIOCSETD, TCGETA, 0x802c542aul /* TCGETS2 */,
                                  TIOCGSOFTCAR, 0x5456ul /* TIOCGLCKTRMIOS */, 0x80045440ul /* TIOCGEXCL */})
    sample(SYS_ioctl, ("terminal ioctl " + std::to_string(cmd)).c_str(), [=] { return Call().set(0, terminal()).set(1, cmd).memory(2); });
  for (const unsigned long cmd : std::initializer_list<unsigned long>{TCSETS, TCSETSW, TCSETSF, TCSETA})
    sample(SYS_ioctl, ("terminal ioctl " + std::to_string(cmd)).c_str(), [=] {
      const int fd = terminal();
      unsigned char now[64];
      ioctl(fd, cmd == TCSETA ? TCGETA : TCGETS, now);
      return Call().set(0, fd).set(1, cmd).structure(2, now);
    });
  sample(SYS_ioctl, "TIOCGPTN", [] { return Call().set(0, open("/dev/ptmx", O_RDWR)).set(1, TIOCGPTN).memory(2); });
}

void sockets() {
  sample(SYS_socketpair, "socketpair", [] { return Call().set(0, AF_UNIX).set(1, SOCK_STREAM).memory(3); });
  sample(SYS_getsockname, "getsockname", [] { return Call().set(0, udp()).memory(1).memory(2, std::string("\x10\0\0\0", 4)); });
  sample(SYS_getsockopt, "getsockopt", [] { return Call().set(0, udp()).set(1, SOL_SOCKET).set(2, SO_RCVBUF).memory(3).memory(4, std::string("\4\0\0\0", 4)); });
  sample(SYS_setsockopt, "setsockopt", [] { return Call().set(0, udp()).set(1, SOL_SOCKET).set(2, SO_REUSEADDR).memory(3).set(4, 4); });
  sample(SYS_getpeername, "getpeername", [] { return Call().set(0, connected().from).memory(1).memory(2, std::string("\x10\0\0\0", 4)); });
  sample(SYS_connect, "connect", [] { return Call().set(0, udp()).structure(1, loopback(9)).set(2, sizeof(sockaddr_in)); });
  sample(SYS_bind, "bind", [] { return Call().set(0, socket(AF_INET, SOCK_DGRAM, 0)).structure(1, loopback(0)).set(2, sizeof(sockaddr_in)); });
  sample(SYS_sendto, "sendto", [] {
    return Call().set(0, udp()).memory(1, "datagram").set(2, 8).structure(4, loopback(9)).set(5, sizeof(sockaddr_in));
  });
  sample(SYS_recvfrom, "recvfrom", [] {
    return Call().set(0, connected().to).memory(1).set(2, 20).memory(4).memory(5, std::string("\x20\0\0\0", 4));
  });
  for (const unsigned nr : {SYS_accept, SYS_accept4})
    sample(nr, "accept", [] {
      const int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in where = loopback(0);
      socklen_t size = sizeof where;
      bind(listener, reinterpret_cast<sockaddr *>(&where), size);
      listen(listener, 1);
      getsockname(listener, reinterpret_cast<sockaddr *>(&where), &size);
      connect(client, reinterpret_cast<sockaddr *>(&where), size);
      return Call().set(0, listener).memory(1).memory(2, std::string("\x20\0\0\0", 4));
    });
  for (const unsigned long cmd : std::initializer_list<unsigned long>{SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFINDEX, SIOCGIFADDR, SIOCGIFHWADDR, SIOCGIFTXQLEN})
    sample(SYS_ioctl, "ioctl of an interface", [=] { return Call().set(0, udp()).set(1, cmd).memory(2, "lo"); });
}

void waiting() {
  sample(SYS_poll, "poll", [] { return Call().structure(0, pollfd{file(), POLLIN, 0}).set(1, 1).set(2, 1000); });
  sample(SYS_ppoll, "ppoll", [] {
    return Call().structure(0, pollfd{file(), POLLIN, 0}).set(1, 1).structure(2, timespec{1, 0}).structure(3, USR1_ONLY).set(4, 8);
  });
  // The kernel reads no more bits than the table of descriptors has room for, and the table grows with the highest one (fs/select.c).
  for (const unsigned nfds : {0u, 1u, 64u, 65u, 200u})
    sample(SYS_select, "select", [=] { dup2(0, 255); return Call().set(0, nfds).memory(1).memory(2).memory(3).memory(4); }, {.loose = nfds == 0 ? 0xfu : 0});
  sample(SYS_epoll_ctl, "epoll_ctl", [] { return Call().set(0, epoll_create1(0)).set(1, EPOLL_CTL_ADD).set(2, terminal()).memory(3); });
  const auto ready = [] {
    const int epoll = epoll_create1(0);
    int ends[2];
    (void)!pipe(ends);
    epoll_event event{};
    event.events = EPOLLOUT;
    epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event);
    return epoll;
  };
  sample(SYS_epoll_wait, "epoll_wait", [=] { return Call().set(0, ready()).memory(1).set(2, 3).set(3, 100); });
  sample(SYS_epoll_pwait, "epoll_pwait", [=] { return Call().set(0, ready()).memory(1).set(2, 3).set(3, 100).structure(4, USR1_ONLY).set(5, 8); });
  sample(441, "epoll_pwait2", [=] { return Call().set(0, ready()).memory(1).set(2, 3).structure(3, timespec{1, 0}).structure(4, USR1_ONLY).set(5, 8); });
  sample(SYS_signalfd4, "signalfd4", [] { return Call().set(0, -1).memory(1).set(2, 8); });
}

void processes() {
  sample(SYS_uname, "uname", [] { return Call().memory(0); });
  sample(SYS_sysinfo, "sysinfo", [] { return Call().memory(0); });
  sample(SYS_getrlimit, "getrlimit", [] { return Call().set(0, RLIMIT_CORE).memory(1); });
  sample(SYS_setrlimit, "setrlimit", [] { return Call().set(0, RLIMIT_CORE).memory(1); });
  sample(SYS_prlimit64, "prlimit64", [] { return Call().set(1, RLIMIT_CORE).memory(2).memory(3); });
  sample(SYS_getrusage, "getrusage", [] { return Call().memory(1); });
  sample(SYS_times, "times", [] { return Call().memory(0); });
  sample(SYS_wait4, "wait4", [] { return Call().set(0, ended_child()).memory(1).memory(3); });
  sample(SYS_waitid, "waitid", [] { return Call().set(0, P_PID).set(1, ended_child()).memory(2).set(3, WEXITED).memory(4); },
         {.loose = 1 << 2}); // field by field, up to si_status
  sample(SYS_getresuid, "getresuid", [] { return Call().memory(0).memory(1).memory(2); });
  sample(SYS_getresgid, "getresgid", [] { return Call().memory(0).memory(1).memory(2); });
  sample(SYS_getgroups, "getgroups", [] { return Call().set(0, 100).memory(1); });
  const uint32_t header[2] = {_LINUX_CAPABILITY_VERSION_3, 0};
  sample(SYS_capget, "capget", [=] { return Call().structure(0, header).memory(1); });
  sample(SYS_capset, "capset", [=] { return Call().structure(0, header).memory(1); });
  sample(SYS_sched_getparam, "sched_getparam", [] { return Call().memory(1); });
  sample(SYS_sched_setparam, "sched_setparam", [] { return Call().memory(1); });
  sample(SYS_sched_setscheduler, "sched_setscheduler", [] { return Call().set(1, SCHED_BATCH).memory(2); });
  sample(SYS_sched_rr_get_interval, "sched_rr_get_interval", [] { return Call().memory(1); });
  sample(SYS_sched_getaffinity, "sched_getaffinity", [] { return Call().set(1, 128).memory(2); });
  sample(SYS_sched_setaffinity, "sched_setaffinity", [] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return Call().set(1, 128).structure(2, set);
  }, {.loose = 1 << 2}); // no more than the kernel's own mask has
  const gid_t groups[3] = {1, 2, 3};
  sample(SYS_setgroups, "setgroups", [=] { return Call().set(0, 3).structure(1, groups); });
  sample(SYS_sched_getattr, "sched_getattr", [] { return Call().memory(1).set(2, 48); });
  sample(SYS_sched_setattr, "sched_setattr", [] { return Call().memory(1, std::string("\x30\0\0\0", 4)); });
  sample(SYS_sched_setattr, "sched_setattr of no size", [] { return Call().memory(1); });
  for (const int option : {PR_GET_PDEATHSIG, PR_GET_NAME, PR_GET_TSC, PR_GET_CHILD_SUBREAPER})
    sample(SYS_prctl, "prctl", [=] { return Call().set(0, option).memory(1); });
  sample(SYS_prctl, "prctl PR_SET_NAME", [] { return Call().set(0, PR_SET_NAME).memory(1, "name"); });
  for (const int option : {0x1021, 0x1022})
    sample(SYS_arch_prctl, "arch_prctl", [=] { return Call().set(0, option).memory(1); });
}

void signals() {
  sample(SYS_rt_sigpending, "rt_sigpending", [] { return Call().memory(0).set(1, 8); });
  sample(SYS_rt_sigqueueinfo, "rt_sigqueueinfo", [] {
    block_usr1();
    return Call().set(0, getpid()).set(1, SIGUSR1).structure(2, queued());
  }, {.loose = 1 << 2}); // the rest of siginfo is read for codes the kernel does not know
  sample(SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo", [] {
    block_usr1();
    return Call().set(0, getpid()).set(1, getpid()).set(2, SIGUSR1).structure(3, queued());
  }, {.loose = 1 << 3});
  sample(SYS_pidfd_send_signal, "pidfd_send_signal", [] {
    block_usr1();
    return Call().set(0, syscall(SYS_pidfd_open, getpid(), 0)).set(1, SIGUSR1).structure(2, queued());
  }, {.loose = 1 << 2});
  sample(SYS_rt_sigtimedwait, "rt_sigtimedwait", [] {
    block_usr1();
    raise(SIGUSR1);
    return Call().structure(0, USR1_ONLY).memory(1).memory(2).set(3, 8);
  });
}

void times() {
  sample(SYS_getitimer, "getitimer", [] { return Call().memory(1); });
  sample(SYS_setitimer, "setitimer", [] { return Call().structure(1, LONG_TIMER).memory(2); });
  sample(SYS_clock_getres, "clock_getres", [] { return Call().set(0, CLOCK_REALTIME).memory(1); });
  sample(SYS_clock_gettime, "clock_gettime", [] { return Call().set(0, CLOCK_REALTIME).memory(1); });
  sample(SYS_adjtimex, "adjtimex", [] { return Call().memory(0); });
  sample(SYS_clock_adjtime, "clock_adjtime", [] { return Call().memory(1); });
  sample(SYS_timer_create, "timer_create", [] { return Call().set(0, CLOCK_MONOTONIC).structure(1, sigevent{{}, SIGUSR1, SIGEV_NONE, {}}).memory(2); });
  const auto timer = [] {
    int id = 0;
    sigevent quiet{};
    quiet.sigev_notify = SIGEV_NONE;
    syscall(SYS_timer_create, CLOCK_MONOTONIC, &quiet, &id);
    return id;
  };
  sample(SYS_timer_settime, "timer_settime", [=] { return Call().set(0, timer()).structure(2, LONG_TIMER).memory(3); });
  sample(SYS_timer_gettime, "timer_gettime", [=] { return Call().set(0, timer()).memory(1); });
  sample(SYS_timerfd_settime, "timerfd_settime", [] { return Call().set(0, timerfd_create(CLOCK_MONOTONIC, 0)).structure(2, LONG_TIMER).memory(3); });
  sample(SYS_timerfd_gettime, "timerfd_gettime", [] { return Call().set(0, timerfd_create(CLOCK_MONOTONIC, 0)).memory(1); });
}

void ipc() {
  const int messages = msgget(IPC_PRIVATE, 0600), semaphores = semget(IPC_PRIVATE, 2, 0600), memory = shmget(IPC_PRIVATE, 4096, 0600);
  const struct { long type; char text[6]; } message{1, "hello"};
  sample(SYS_msgsnd, "msgsnd", [=] { return Call().set(0, messages).structure(1, message).set(2, 6).set(3, IPC_NOWAIT); });
  msgsnd(messages, &message, 6, 0);
  msgsnd(messages, &message, 6, 0);
  sample(SYS_msgrcv, "msgrcv", [=] { return Call().set(0, messages).memory(1).set(2, 20).set(4, IPC_NOWAIT); });
  for (const int cmd : {2 /* IPC_STAT */, 3 /* IPC_INFO */, 12 /* MSG_INFO */})
    sample(SYS_msgctl, "msgctl", [=] { return Call().set(0, messages).set(1, cmd).memory(2); });
  for (const int cmd : {2, 3, 19 /* SEM_INFO */})
    sample(SYS_semctl, "semctl", [=] { return Call().set(0, semaphores).set(2, cmd).memory(3); });
  for (const int cmd : {2, 3, 14 /* SHM_INFO */})
    sample(SYS_shmctl, "shmctl", [=] { return Call().set(0, memory).set(1, cmd).memory(2); });
  const sembuf up{0, 1, 0};
  sample(SYS_semop, "semop", [=] { return Call().set(0, semaphores).structure(1, up).set(2, 1); });
  sample(SYS_semtimedop, "semtimedop", [=] { return Call().set(0, semaphores).structure(1, up).set(2, 1).structure(3, timespec{1, 0}); });
  msqid_ds queue_state;
  msgctl(messages, IPC_STAT, &queue_state);
  sample(SYS_msgctl, "msgctl IPC_SET", [=] { return Call().set(0, messages).set(1, IPC_SET).structure(2, queue_state); });
  semid_ds semaphore_state;
  semctl(semaphores, 0, IPC_STAT, &semaphore_state);
  sample(SYS_semctl, "semctl IPC_SET", [=] { return Call().set(0, semaphores).set(2, IPC_SET).structure(3, semaphore_state); });
  shmid_ds memory_state;
  shmctl(memory, IPC_STAT, &memory_state);
  sample(SYS_shmctl, "shmctl IPC_SET", [=] { return Call().set(0, memory).set(1, IPC_SET).structure(2, memory_state); });
  msgctl(messages, IPC_RMID, nullptr);
  semctl(semaphores, 0, IPC_RMID);
  shmctl(memory, IPC_RMID, nullptr);

  const char *name = "mosrun-descriptors";
  mq_attr attributes{};
  attributes.mq_maxmsg = 2;
  attributes.mq_msgsize = 16;
  sample(SYS_mq_open, "mq_open", [=] { return Call().memory(0, name).set(1, O_CREAT | O_RDWR).set(2, 0600).structure(3, attributes); });
  syscall(SYS_mq_unlink, name);
  const auto posix = [=] {
    const int fd = syscall(SYS_mq_open, name, O_CREAT | O_RDWR, 0600, &attributes);
    syscall(SYS_mq_unlink, name);
    syscall(SYS_mq_timedsend, fd, "hello", 5, 1, nullptr);
    return fd;
  };
  const timespec late{1ll << 32, 0};
  sample(SYS_mq_timedsend, "mq_timedsend", [=] { return Call().set(0, posix()).memory(1, "hello").set(2, 5).structure(4, late); });
  sample(SYS_mq_timedreceive, "mq_timedreceive", [=] { return Call().set(0, posix()).memory(1).set(2, 16).memory(3).structure(4, late); });
  sample(SYS_mq_getsetattr, "mq_getsetattr", [=] { return Call().set(0, posix()).memory(1).memory(2); });
  sigevent none{};
  none.sigev_notify = SIGEV_NONE;
  sample(SYS_mq_notify, "mq_notify", [=] { return Call().set(0, posix()).structure(1, none); });
}

void security() {
  sample(444, "landlock_create_ruleset", [] { return Call().memory(0, std::string("\1\0\0\0\0\0\0\0", 8)).set(1, 8); });
  sample(445, "landlock_add_rule", [] {
    const uint64_t handled = 1;
    const int ruleset = syscall(444, &handled, 8, 0);
    struct [[gnu::packed]] { uint64_t access; int32_t directory; } rule{1, open("/tmp", O_PATH)};
    return Call().set(0, ruleset).set(1, 1).structure(2, rule);
  });
  sample(461, "lsm_list_modules", [] { return Call().memory(0).memory(1, std::string("\x80\0\0\0", 4)); });
}

} // namespace

int main() {
  names();
  files();
  terminals();
  sockets();
  waiting();
  processes();
  signals();
  times();
  ipc();
  security();
  return probe::report() == 0 ? 0 : 1;
}
