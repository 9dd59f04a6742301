// Sockets. They stay at the home-node, so addresses, ports and peers are what they were.
//
// Addresses are `inout`: the kernel fills as much as the address is long, or nothing (recvfrom on a connected stream).
import { bits, fd, home, inout, int, into, is, mmsgIn, mmsgOut, msgIn, msgOut, out, special, value } from '../model.js';

const SOL_IP = 0;
const SOL_SOCKET = 1;
const SOL_TCP = 6;
const SOL_IPV6 = 41;
/** Also SO_GET_FILTER, whose length counts instructions, not bytes. */
const SO_ATTACH_FILTER = 26;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const TCP_ZEROCOPY_RECEIVE = 35;
/** 64 to 79 are netfilter's: tables that hold pointers to counters. */
const NETFILTER: [number, number] = [0xfffffff0, 64];

export const sockets = [
  home(41, 'socket', value, value, value).returnsFd(),
  home(42, 'connect', fd, into.arg(2), int).blocks('sys'),
  home(43, 'accept', fd, inout.pointer(2), inout.fixed(4)).blocks('sys').returnsFd(),
  home(44, 'sendto', fd, into.arg(2), value, value, into.arg(5), int).blocks('sys').bulk(),
  // With MSG_TRUNC the value returned may be more than there is room for.
  home(45, 'recvfrom', fd, out.ret(2), value, value, inout.pointer(5), inout.fixed(4)).blocks('sys').bulk(),
  special(46, 'sendmsg', 'sendmsg', fd, msgIn, value).blocks('sys').bulk().asks(),
  special(47, 'recvmsg', 'recvmsg', fd, msgOut, value).blocks('sys').bulk().asks(),
  home(48, 'shutdown', fd, value),
  home(49, 'bind', fd, into.arg(2), int),
  home(50, 'listen', fd, value),
  home(51, 'getsockname', fd, inout.pointer(2), inout.fixed(4)),
  home(52, 'getpeername', fd, inout.pointer(2), inout.fixed(4)),
  // The numbers are written before the pair is made, and stay where that fails.
  home(53, 'socketpair', value, value, value, inout.fixed(8)).returnsFd().outOnError(),
  home(54, 'setsockopt', fd, value, value, into.arg(4), int)
    .because("the option's structure holds pointers")
    .comehomeIf(is(1, SOL_SOCKET), is(2, SO_ATTACH_FILTER))
    .comehomeIf(is(1, SOL_SOCKET), is(2, SO_ATTACH_REUSEPORT_CBPF))
    .comehomeIf(is(1, SOL_IP), bits(2, ...NETFILTER))
    .comehomeIf(is(1, SOL_IPV6), bits(2, ...NETFILTER)),
  // Some options read the buffer before they fill it.
  home(55, 'getsockopt', fd, value, value, inout.pointer(4), inout.fixed(4))
    .outOnError()
    .because("the option's structure holds pointers")
    .comehomeIf(is(1, SOL_SOCKET), is(2, SO_ATTACH_FILTER))
    .comehomeIf(is(1, SOL_TCP), is(2, TCP_ZEROCOPY_RECEIVE))
    .comehomeIf(is(1, SOL_IP), bits(2, ...NETFILTER))
    .comehomeIf(is(1, SOL_IPV6), bits(2, ...NETFILTER)),
  home(288, 'accept4', fd, inout.pointer(2), inout.fixed(4), value).blocks('sys').returnsFd(),
  special(299, 'recvmmsg', 'recvmmsg', fd, mmsgOut(2), int, value, inout.fixed(16))
    .blocks('sys')
    .timeout('timespec_inout', 4)
    .bulk()
    .asks(),
  special(307, 'sendmmsg', 'sendmmsg', fd, mmsgIn(2), int, value).blocks('sys').bulk().asks(),
];
