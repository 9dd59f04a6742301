// System V and POSIX semaphores, messages and queues, keys. (shmget, shmat and shmdt are with memory.)
import { command, fd, home, int, into, out, special, string, value } from '../model.js';

const SEMBUF = 6;
const MQ_ATTR = 64;
const TIMESPEC = 16;
/** long mtype, in front of the text that msgsz counts. */
const MTYPE = 8;

export const ipc = [
  home(31, 'shmctl', value, int, command('shmctl', 1)),
  home(64, 'semget', value, value, value),
  home(65, 'semop', value, into.arg(2, SEMBUF), int).blocks('eintr'),
  special(66, 'semctl', 'semctl', value, value, int, command('semctl', 2)).asks(),
  home(68, 'msgget', value, value),
  home(69, 'msgsnd', value, into.arg(2, 1, MTYPE), value, value).blocks('nohand'),
  home(70, 'msgrcv', value, out.ret(2, 1, MTYPE), value, value, value).blocks('nohand'),
  home(71, 'msgctl', value, int, command('msgctl', 1)),
  home(220, 'semtimedop', value, into.arg(2, SEMBUF), int, into.fixed(TIMESPEC)).blocks('eintr').timeout('timespec', 3),
  home(240, 'mq_open', string, value, value, into.fixed(MQ_ATTR)).returnsFd(),
  home(241, 'mq_unlink', string),
  // Time-outs of message queues are points in time of CLOCK_REALTIME.
  home(242, 'mq_timedsend', fd, into.arg(2), value, value, into.fixed(TIMESPEC)).blocks('sys').timeout('absolute', 4),
  home(243, 'mq_timedreceive', fd, out.ret(2), value, out.fixed(4), into.fixed(TIMESPEC)).blocks('sys').timeout('absolute', 4),
  // With SIGEV_THREAD sigev_value points to a cookie of 32 bytes: the stub looks, and brings the process home for it.
  special(244, 'mq_notify', 'mq_notify', fd, into.fixed(64)).asks(),
  home(245, 'mq_getsetattr', fd, into.fixed(MQ_ATTR), out.fixed(MQ_ATTR)),
  home(248, 'add_key', string, string, into.arg(3), value, value),
  home(249, 'request_key', string, string, string, value).blocks('sys'),
  home(250, 'keyctl', int, command('keyctl', 0), value, value, value),
];
