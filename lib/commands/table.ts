/** Every command, its options and what they mean: the one source of parsing and help. */
import type { CommandSpec, OptionSpec } from './options.js';

const json: OptionSpec = { long: 'json', help: 'print one JSON document' };

export const commands = {
  mosrun: {
    name: 'mosrun',
    section: 1,
    synopsis: ['[options] program [argument...]'],
    summary: 'run a program so that it can migrate',
    description:
      "Runs a program so that it can move between the nodes of the cluster while it runs. Exit status, signals, terminal, files and output are those of the program itself. mosrun's own errors end with 125, a program that cannot be executed with 126, one that is not found with 127.",
    passThrough: true,
    options: [
      { short: 'r', long: 'node', value: 'NODE', help: 'start on that node: a name, an address or a number' },
      { short: 'h', long: 'home', help: 'start on the home-node (default)' },
      { short: 'b', long: 'best', help: 'start on the best node' },
      { short: 'F', long: 'fall-back', help: 'do not fail when the asked node is down or refuses: run here' },
      { short: 'L', long: 'locked', help: 'no automatic migration (default with -r and -h)' },
      { short: 'l', long: 'unlocked', help: 'automatic migration (default otherwise)' },
      { short: 'J', long: 'job', value: 'ID', help: 'a job id that bundles processes' },
      { short: 'z', long: 'argv0', help: 'the word after the program is its argv[0]' },
      { short: 't', long: 'host-clock', help: 'the program sees the clock of the node it runs on' },
      { short: 'T', long: 'home-clock', help: 'the program sees the clock of its home-node (default)' },
    ],
    examples: [
      ['mosrun ./simulate input.dat', 'run here, able to move'],
      ['mosrun -r node2 python3 job.py', 'start on node2'],
    ],
  },
  migrate: {
    name: 'migrate',
    section: 1,
    synopsis: ['[options] PID NODE', '[options] PID home', '[options] PID out', '[options] -J ID NODE|home|out'],
    summary: 'move a process to another node, or home',
    description:
      'Orders a process to a node (a name, an address or a number), home, or out to the best other node. Whoever may kill the process may move it. A move that fails leaves the process running where it was.',
    options: [
      { long: 'wait', help: 'wait until it is over; print what happened and how long the process was frozen' },
      { short: 'J', long: 'job', value: 'ID', help: 'all processes with this job id' },
      json,
    ],
    examples: [['migrate 4711 node2 --wait', 'move process 4711 to node2']],
  },
  mosps: {
    name: 'mosps',
    section: 1,
    synopsis: ['[options]'],
    summary: 'list the processes that can migrate, and where they are',
    description: 'Lists the processes whose home is this node, wherever they run.',
    options: [
      { short: 'J', long: 'job', value: 'ID', help: 'only processes with this job id' },
      { long: 'guests', help: 'the guests from other nodes instead' },
      { long: 'explain', value: 'PID', help: 'say whether this process could move, and what keeps it' },
      { long: 'history', value: 'PID', help: 'say where this process ran, why it moved and what that cost' },
      { long: 'no-header', help: 'leave the headings out' },
      json,
    ],
  },
  mosctl: {
    name: 'mosctl',
    section: 8,
    synopsis: ['[options] status|nodes|doctor'],
    summary: 'ask a node about itself and its cluster',
    description: 'Says how the daemon, the cluster and the node are.',
    verbs: [
      ['status', 'the daemon of this node'],
      ['nodes', 'the nodes of the cluster'],
      ['doctor', 'what this node has of what mosrun needs, and what is lost without the rest'],
    ],
    options: [{ long: 'no-header', help: 'leave the headings out' }, json],
  },
  mosconf: {
    name: 'mosconf',
    section: 8,
    synopsis: [
      'init --cluster NAME --node NAME --number N --address IP [--directory DIR]',
      'add NODE --number N --address IP [--directory DIR] [--output DIR]',
      'check [--directory DIR | --config FILE]',
    ],
    summary: "make and check a cluster's configuration",
    description:
      "Writes the configuration and certificates of a cluster's first node and of further ones, and checks what is there. The directory is that of the node that holds the cluster's key, /etc/mosrun unless named.",
    verbs: [
      ['init', 'make a cluster: its certificate authority, and the files of its first node'],
      [
        'add',
        "make another node's files, to be copied to its /etc/mosrun; and add it to the list of every node made here before",
      ],
      ['check', 'check a configuration and its certificates'],
    ],
    options: [
      { long: 'cluster', value: 'NAME', help: 'name of the new cluster' },
      { long: 'node', value: 'NAME', help: 'name of its first node' },
      { long: 'number', value: 'N', help: "the node's number, 1 to 65535" },
      { long: 'address', value: 'IP', help: "the node's address" },
      { long: 'control-port', value: 'PORT', help: 'port for other daemons (7070)' },
      { long: 'data-port', value: 'PORT', help: 'port for moving processes (7071)' },
      { long: 'directory', value: 'DIR', help: 'where the configuration is or goes (/etc/mosrun)' },
      { long: 'output', value: 'DIR', help: "where the other node's files go (DIRECTORY/nodes/NODE)" },
      { long: 'config', value: 'FILE', help: 'the configuration to check' },
      { long: 'force', help: 'replace what is there' },
    ],
    examples: [
      ['mosconf init --cluster lab --node node1 --number 1 --address 10.0.0.1', 'make a cluster on its first node'],
      ['mosconf add node2 --number 2 --address 10.0.0.2', 'make the files of a second node in /etc/mosrun/nodes/node2'],
    ],
  },
  mosd: {
    name: 'mosd',
    section: 8,
    synopsis: ['[--config FILE]'],
    summary: "the node's daemon",
    description:
      'Runs in the foreground and logs JSON lines to standard error. SIGTERM ends it, SIGHUP makes it read its configuration again. Running programs, at home or away, need no daemon: they go on when it ends, and it finds them again.',
    options: [{ long: 'config', value: 'FILE', help: 'the configuration (MOSRUN_CONFIG, /etc/mosrun/mosrun.toml)' }],
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof commands;
