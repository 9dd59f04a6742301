/** What several entries of the table of commands say alike. */
import type { CommandSpec, OperandSpec, OptionSpec } from './options.js';

type Terms = NonNullable<CommandSpec['environment']>;

export const json: OptionSpec = { long: 'json', help: 'print one JSON document' };
export const noHeader: OptionSpec = { long: 'no-header', help: 'leave the headings out' };
export const format: OptionSpec = {
  long: 'format',
  value: 'FIELDS',
  help: 'print these fields of --json alone, without headings, a line for each; FIELDS are apart by commas, and by tabs in what is printed',
};

export const place: OperandSpec = {
  name: 'NODE',
  help: 'a node by name, address or number; home; out, the best other node; freeze, its disk; or continue, from there',
  offers: ['@node', 'home', 'out', 'freeze', 'continue'],
};

/** Of every command but those that start a program. */
export const ordinaryExits: Terms = [
  ['0', 'done'],
  ['1', 'failed; the message says what, and what to do'],
  ['2', 'wrong usage'],
  ['69', 'no daemon answers on this node'],
  ['77', 'not permitted'],
];

export const startingExits: Terms = [
  ['125', 'the command itself failed, before any program ran'],
  ['126', 'the program cannot be executed'],
  ['127', 'the program is not found'],
  ['else', "the program's own; one that dies by a signal dies by the same"],
];

export const socketVariable: Terms = [['MOSRUN_SOCKET', "the daemon's socket (/run/mosrun/mosd.sock)"]];
export const launchVariable: Terms = [['MOSRUN_LAUNCH_SOCKET', "the daemon's socket for launches (/run/mosrun/launch.sock)"]];
export const configurationVariable = ['MOSRUN_CONFIG', 'the configuration, where --config names none'] as const;

export const configurationFiles: Terms = [
  ['/etc/mosrun/mosrun.toml', 'the configuration'],
  ['/etc/mosrun/ca.pem, node.pem, node.key', "certificates of the cluster's authority and of this node, and its key"],
  ['/etc/mosrun/ca.key', "the authority's key, only on the node that made the cluster"],
];

export const daemonFiles: Terms = [
  ['/run/mosrun/mosd.sock, launch.sock', 'where commands and mosrun ask'],
  ['/run/mosrun/', 'what is known of processes, jobs and guests; a restarted daemon finds it again'],
  ['/var/lib/mosrun/', 'what outlasts a reboot'],
];
