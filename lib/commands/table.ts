/** Every command, its options and what they mean: the one source of parsing and help. */
import type { CommandSpec } from './options.js';
import { startingCommands } from './table-starting.js';
import { toolCommands } from './table-tools.js';
import {
  configurationFiles,
  configurationVariable,
  daemonFiles,
  format,
  json,
  noHeader,
  ordinaryExits,
  place,
  socketVariable,
} from './terms.js';

export const commands = {
  ...startingCommands,
  migrate: {
    name: 'migrate',
    section: 1,
    synopsis: ['[options] PID NODE', '[options] PID home|out|freeze|continue', '[options] -J ID NODE|home|out|freeze|continue'],
    summary: 'move a process to another node, home, or to disk',
    description:
      'Orders a process to a node (a name, an address or a number), home, or out to the best other node. Whoever may kill the process may move it. `freeze` puts its memory on the disk of its home, where it stays until it is told to `continue`: the same process, with its pid, terminal, parent and files, but it does not run, and what is sent to it waits. A move that fails leaves the process running where it was; without --wait, mosps tells of it.',
    options: [
      { long: 'wait', help: 'wait until it is over; print what happened and how long the process was frozen' },
      { short: 'J', long: 'job', value: 'ID', help: 'all processes with this job id' },
      json,
    ],
    operands: [{ name: 'PID', help: 'the process', offers: ['@pid'], unless: 'job' }, place],
    environment: socketVariable,
    exitCodes: ordinaryExits,
    examples: [
      ['migrate 4711 node2 --wait', 'move process 4711 to node2'],
      ['migrate -J nightly home', 'bring all processes of a job home'],
      ['migrate 4711 freeze --wait', 'put process 4711 on disk, until it is to continue'],
    ],
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
      {
        long: 'explain',
        value: 'PID',
        help: 'say why this process is where it is, what keeps it from moving, and which nodes would take it',
      },
      { long: 'history', value: 'PID', help: 'say where this process ran, why it moved and what that cost' },
      format,
      noHeader,
      json,
    ],
    environment: socketVariable,
    exitCodes: ordinaryExits,
    examples: [
      ['mosps -J nightly', 'the processes of one job'],
      ['mosps --format pid,where,command', 'chosen facts alone'],
    ],
  },
  mosctl: {
    name: 'mosctl',
    section: 8,
    synopsis: [
      '[options] status|nodes|doctor|events',
      '[options] whois NODE|PID',
      '[options] block|noblock|stay|nostay|lstay|nolstay',
      '[options] expel|bring|shutdown',
    ],
    summary: 'ask a node about itself and its cluster, and tell it what to do',
    description:
      'Says how the daemon, the cluster and the node are, to everybody. The orders are for root; each may be given again and again. What moves processes waits until that is over, with progress on a terminal; Ctrl-C ends the waiting, not the operation, and ordering it again waits for the one that is under way. What cannot be moved stays where it is and goes on, and is named with its reason; the exit status is 1 then.\n\nSettings outlast the daemon and a reboot.',
    verbs: [
      ['status', 'the daemon of this node'],
      ['nodes', 'the nodes of the cluster'],
      ['doctor', 'what this node has of what mosrun needs, and what is lost without the rest'],
      ['events', 'what happens, as it happens, until interrupted; with --json one document a line'],
      ['whois', 'what node, process or guest this is'],
      ['block', 'take no guests from now on; those that are here stay'],
      ['noblock', 'take guests again'],
      ['stay', 'let no process leave by itself, neither own ones nor guests; orders are followed'],
      ['nostay', 'let them leave again'],
      ['lstay', 'let own processes not leave by themselves; mosrun -b starts them here'],
      ['nolstay', 'let them leave again'],
      ['expel', 'send all guests away: to other nodes, where their homes place them by themselves, else home'],
      ['bring', 'bring all own processes home'],
      ['shutdown', 'send all guests away, bring all own processes home, say goodbye to the other nodes, and end the daemon'],
    ],
    operands: [{ name: 'NODE|PID', help: 'of whois: a node by name, address or number; a process', offers: ['@node', '@pid'] }],
    options: [{ ...format, help: `with nodes: ${format.help}` }, noHeader, json],
    environment: socketVariable,
    exitCodes: ordinaryExits,
    examples: [
      ['mosctl nodes', 'who is there, and how busy'],
      ['mosctl block && mosctl expel', 'empty a node of guests, and keep it so'],
      ['mosctl bring', "bring this node's own processes home"],
    ],
  },
  mosconf: {
    name: 'mosconf',
    section: 8,
    synopsis: [
      'init [--cluster NAME] [--node NAME] [--number N] [--address IP] [--invite COUNT]',
      'invite [COUNT] [--hours H]',
      'join ADDRESS[:PORT] --token TOKEN [--node NAME] [--number N] [--address IP]',
      'remove NODE',
      'add NODE --number N --address IP [--directory DIR] [--output DIR]',
      'tool NAME [--operate] [--directory DIR] [--output DIR]',
      'check [--directory DIR | --config FILE]',
    ],
    summary: "make and check a cluster's configuration",
    description:
      "Makes a cluster on its first node, lets other machines in, and checks what is there. The first node holds the key of the cluster's authority: invitations are made there, and machines join by it. What join is not told about the new node it finds out: its host name, the address it reaches the other from, the next free number. Where systemd is at work, init and join start mosd. Everything is in /etc/mosrun, or the directory named.",
    verbs: [
      ['init', 'make a cluster: its certificate authority, and the files of its first node'],
      ['invite', 'print commands that each let one machine into the cluster, once, within a day'],
      ['join', 'make this machine a node: its key stays here, its certificate and the list of nodes come from the other'],
      ['remove', 'take a node off the list; the others no longer talk to it'],
      [
        'add',
        "make another node's files, to be copied to its /etc/mosrun; and add it to the list of every node made here before",
      ],
      ['tool', 'make the certificate with which a program elsewhere may use the API of every node'],
      ['check', 'check a configuration and its certificates'],
    ],
    options: [
      { long: 'cluster', value: 'NAME', help: 'name of the new cluster (mosrun)' },
      { long: 'node', value: 'NAME', help: 'name of this node (its host name)' },
      { long: 'number', value: 'N', help: "the node's number, 1 to 65535 (with init 1, with join the next free one)" },
      {
        long: 'address',
        value: 'IP',
        help: "the node's address (with init the machine's only IPv4 address, with join the one it reaches the other from)",
      },
      { long: 'invite', value: 'COUNT', help: 'with init: print so many invitations' },
      { long: 'hours', value: 'H', help: 'how long an invitation is open (24)' },
      { long: 'token', value: 'TOKEN', help: 'the invitation' },
      { long: 'no-start', help: 'do not start mosd' },
      { long: 'control-port', value: 'PORT', help: 'port for other daemons (7070)' },
      { long: 'data-port', value: 'PORT', help: 'port for moving processes (7071)' },
      { long: 'directory', value: 'DIR', help: 'where the configuration is or goes (/etc/mosrun)' },
      {
        long: 'output',
        value: 'DIR',
        help: "where the other node's or the tool's files go (DIRECTORY/nodes/NODE, DIRECTORY/tools/NAME)",
      },
      { long: 'operate', help: 'the tool may do what root may, not only look' },
      { long: 'config', value: 'FILE', help: 'the configuration to check' },
      { long: 'force', help: 'replace what is there' },
    ],
    examples: [
      ['mosconf init --cluster lab --invite 2', 'make a cluster on its first node, for two more'],
      ['mosconf join 192.0.2.1 --token ...', 'on another machine, as the first one said'],
      [
        'mosconf add node2 --number 2 --address 192.0.2.2',
        "make a node's files here, in /etc/mosrun/nodes/node2, to be copied there",
      ],
    ],
    environment: [configurationVariable],
    files: configurationFiles,
    exitCodes: ordinaryExits.filter(([status]) => status !== '69'),
  },
  mosd: {
    name: 'mosd',
    section: 8,
    synopsis: ['[--config FILE]'],
    summary: "the node's daemon",
    description:
      'Runs in the foreground and logs JSON lines to standard error. SIGTERM ends it, SIGHUP makes it read its configuration again. Running programs, at home or away, need no daemon: they go on when it ends, and it finds them again.',
    options: [{ long: 'config', value: 'FILE', help: 'the configuration (MOSRUN_CONFIG, /etc/mosrun/mosrun.toml)' }],
    environment: [configurationVariable],
    files: [...configurationFiles, ...daemonFiles],
    exitCodes: [
      ['0', 'ended by SIGTERM or SIGINT'],
      ['1', 'could not start: a wrong configuration, a port in use, another mosd at work'],
      ['2', 'wrong usage'],
    ],
  },
  ...toolCommands,
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof commands;
