/** Smaller commands about processes. */
import type { CommandSpec } from './options.js';
import { json, ordinaryExits, socketVariable } from './terms.js';

export const toolCommands = {
  moskillall: {
    name: 'moskillall',
    section: 1,
    synopsis: ['[-SIGNAL] [-J ID]'],
    summary: 'signal all processes of a job',
    description:
      'Sends a signal to the processes whose home is this node and that have the job id, wherever they run; without an id, to all that are your own. The signal is named (-TERM, -s HUP) or numbered (-9); it is TERM unless said otherwise. A process that is born meanwhile gets it too.',
    options: [
      { short: 's', long: 'signal', value: 'SIGNAL', help: 'the signal, by name or number (TERM)' },
      { short: 'J', long: 'job', value: 'ID', help: 'the processes with this job id' },
      json,
    ],
    environment: socketVariable,
    exitCodes: ordinaryExits,
    examples: [['moskillall -KILL -J nightly', 'end a job at once']],
  },
  mostimeof: {
    name: 'mostimeof',
    section: 1,
    synopsis: ['[options] PID...'],
    summary: 'tell the CPU time of a process over all nodes',
    description:
      'Tells how much CPU time a process has used at home and on each node it has been to. What a process that was born away used counts with the one it was born from. Where a node cannot be asked the figure is what was last heard of it, and is marked with a plus sign: it may be more.',
    options: [json],
    operands: [{ name: 'PID', help: 'the process', offers: ['@pid'] }],
    environment: socketVariable,
    exitCodes: ordinaryExits,
    examples: [['mostimeof 4711', 'the CPU time of process 4711']],
  },
  mosmon: {
    name: 'mosmon',
    section: 1,
    synopsis: ['[options]'],
    summary: 'watch the nodes of the cluster',
    description:
      'Shows load, memory, speed, guests and frozen processes of every node as this one knows them, again and again, with totals; where there is room, the size of the memory and what is used of the swap space; of nodes that are down, why. Keys are those of htop: ? shows them, / shows only some nodes, P, M, S, G, F and n sort by load, memory, speed, guests, frozen processes and number, I the other way round, q quits.',
    options: [
      { long: 'once', help: 'print it once, and end' },
      { long: 'interval', value: 'SECONDS', help: 'how often it is shown anew (1)' },
      { ...json, help: 'with --once: print one JSON document' },
    ],
    environment: [...socketVariable, ['NO_COLOR', 'no colours, if it is not empty']],
    exitCodes: ordinaryExits,
    examples: [['mosmon --once', 'how the cluster is now']],
  },
  mosbestnode: {
    name: 'mosbestnode',
    section: 1,
    synopsis: ['[options]'],
    summary: 'tell where a program would be started now',
    description:
      'Prints the name of the node that mosrun would start a program on if nothing else were asked for: this node, unless the program would cost another less and be faster there. The program is taken for one that computes all the time.',
    options: [
      { short: 'm', long: 'memory', value: 'MB', help: 'the memory it is expected to need' },
      { short: 'G', long: 'grid', help: 'it may go to other clusters that are partners' },
      { long: 'explain', help: 'say why, with the figures of all nodes' },
      json,
    ],
    environment: socketVariable,
    exitCodes: ordinaryExits,
    examples: [['mosbestnode -m 4096 --explain', 'where 4 GiB would go, and why']],
  },
  mostestload: {
    name: 'mostestload',
    section: 1,
    synopsis: ['[options]'],
    summary: 'a load of known size, for trying things out',
    description:
      'Uses CPU time and memory, and then ends and tells what it used. A small static program that can migrate: run it by mosrun. It counts the CPU time it uses in small steps, so that what it uses on each node it comes to is counted.',
    options: [
      { short: 'c', long: 'cpu', value: 'SECONDS', help: 'CPU time that each thread uses (10); 0: without end' },
      { short: 'm', long: 'memory', value: 'SIZE', help: 'memory that is written to again and again, as 64M or 2GiB (1M)' },
      { short: 's', long: 'still', help: 'write to all of the memory once, and then to the first MiB of each thread alone' },
      { short: 't', long: 'threads', value: 'N', help: 'so many threads (1)' },
      { short: 'p', long: 'progress', help: 'tell once a second how much of the CPU time is used' },
    ],
    exitCodes: [
      ['0', 'done'],
      ['1', 'failed: there is not so much memory, or no such number of threads'],
      ['2', 'wrong usage'],
    ],
    examples: [['mosrun -b mostestload --cpu 60 --memory 512M', 'a minute of load on the best node']],
  },
} as const satisfies Record<string, CommandSpec>;
