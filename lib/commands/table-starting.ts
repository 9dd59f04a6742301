/** The commands that start a program: mosrun and its kin. */
import type { CommandSpec, OperandSpec, OptionSpec } from './options.js';
import { launchVariable, startingExits } from './terms.js';

const program: OperandSpec = {
  name: 'program',
  help: 'what is run, looked for as the shell does, and its arguments',
  offers: ['@command'],
};

const noPrivateDirectory = 'a private directory needs a privileged launcher, and mosrun has no privilege';

const runOptions: readonly OptionSpec[] = [
  { short: 'r', long: 'node', value: 'NODE', help: 'start on that node: a name, an address or a number' },
  { short: 'h', long: 'home', help: 'start on the home-node' },
  { short: 'b', long: 'best', help: 'start on the best node (default)' },
  {
    short: 'j',
    long: 'some',
    value: 'LIST',
    help: 'start on one of these nodes, at random: names, addresses, numbers, ranges of numbers',
  },
  { short: 'F', long: 'fall-back', help: 'do not fail when the asked node is down or refuses: run here' },
  { short: 'L', long: 'locked', help: 'no automatic migration (default with -r and -h)' },
  { short: 'l', long: 'unlocked', help: 'automatic migration (default otherwise)' },
  {
    short: 'm',
    long: 'memory',
    value: 'MB',
    help: 'the memory the program is expected to need: it is placed where there is so much',
  },
  { short: 'c', long: 'cpu', help: 'take it for one that computes, whatever calls it makes' },
  {
    short: 'd',
    long: 'decay',
    value: 'RATE',
    help: 'of what the program was seen to do, the part that counts a second later (0.9)',
  },
  {
    short: 'G',
    long: 'grid',
    value: '[CLASS]',
    help: 'it may go to other clusters that are partners, and so may its descendants; CLASS, attached to the letter, says when it is frozen (freeze.toml)',
  },
  { short: 'J', long: 'job', value: 'ID', help: 'a job id that bundles processes' },
  { short: 'z', long: 'argv0', help: 'the word after the program is its argv[0]' },
  {
    short: 'e',
    long: 'error',
    help: 'a call that cannot be served away fails with ENOSYS; otherwise it brings the program home',
  },
  { short: 'w', long: 'warn', help: 'the same, and the first time of each call a line on standard error says so' },
  { short: 'u', long: 'end', help: 'such a call ends the program, by SIGSYS' },
  {
    short: 'X',
    long: 'private-directory',
    value: 'DIR',
    help: `refused: ${noPrivateDirectory}`,
    refused: noPrivateDirectory,
  },
  { short: 't', long: 'host-clock', help: 'the program sees the clock of the node it runs on' },
  { short: 'T', long: 'home-clock', help: 'the program sees the clock of its home-node (default)' },
  { long: 'read-ahead', help: 'files are read ahead of the program while it is away (default, unless configured otherwise)' },
  { long: 'no-read-ahead', help: 'they are not: each of its reads is carried out when it is made' },
  {
    long: 'write-behind',
    help: 'the program does not wait for its writes to files while it is away (default, unless configured otherwise)',
  },
  { long: 'no-write-behind', help: 'it does: the result of each is known when it returns' },
  {
    long: 'awake',
    help: 'away, the program stays awake for answers from home that come at once (default, unless configured otherwise)',
  },
  { long: 'no-awake', help: 'it sleeps until they are there, which takes longer and less of the processor' },
  {
    long: 'lazy',
    help: 'the program leaves its home-node at once, and its memory follows as it is touched: until then it waits for the connection where that is cut',
  },
  { long: 'no-lazy', help: 'its memory goes before it, while it runs (default, unless configured otherwise)' },
  { long: 'explain', help: 'run nothing: say whether and why the program could migrate, and where it would be put' },
  { long: 'json', help: 'with --explain: print one JSON document' },
];

export const startingCommands = {
  mosrun: {
    name: 'mosrun',
    section: 1,
    synopsis: ['[options] program [argument...]'],
    summary: 'run a program so that it can migrate',
    description:
      "Runs a program so that it can move between the nodes of the cluster while it runs. Exit status, signals, terminal, files and output are those of the program itself. mosrun's own errors end with 125, a program that cannot be executed with 126, one that is not found with 127.",
    passThrough: true,
    options: runOptions,
    examples: [
      ['mosrun ./simulate input.dat', 'run here, able to move'],
      ['mosrun -r node2 python3 job.py', 'start on node2'],
    ],
    operands: [program],
    environment: launchVariable,
    exitCodes: startingExits,
  },
  mosenv: {
    name: 'mosenv',
    section: 1,
    synopsis: ['[options] [NAME=VALUE...] program [argument...]'],
    summary: 'run a program so that it can migrate, with variables that a privileged start strips',
    description:
      'Is mosrun, and puts the variables named before the program into its environment. mosrun itself takes no variable away, for it has no privilege; but what starts it may have: sudo(8), su(1) and set-user-ID programs drop LD_LIBRARY_PATH, LD_PRELOAD, TMPDIR and others. Named here, they reach the program.',
    passThrough: true,
    options: runOptions,
    operands: [{ name: 'NAME=VALUE', help: 'a variable of the program', offers: [] }, program],
    environment: launchVariable,
    exitCodes: startingExits,
    examples: [['sudo mosenv LD_LIBRARY_PATH=/opt/lib ./simulate', 'a program whose libraries are at an unusual place']],
  },
  mosnative: {
    name: 'mosnative',
    section: 1,
    synopsis: ['program [argument...]'],
    summary: 'run a program natively, from within one that can migrate',
    description:
      'Takes itself out of the job it was started in, and then runs the program in its own place: that program and its descendants stay on the home-node, are not listed, and cost nothing. All other descendants of a program run by mosrun can migrate. A program that is away comes home to start another, so that this works there too.',
    passThrough: true,
    options: [],
    operands: [program],
    environment: launchVariable,
    exitCodes: startingExits,
    examples: [["mosrun sh -c './simulate | mosnative ./show'", 'one that computes and may leave, one that shows and may not']],
  },
} as const satisfies Record<string, CommandSpec>;
