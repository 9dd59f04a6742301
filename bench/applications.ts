/**
 * Programs of others that compute for a minute with more and more input and output: a tenth of the four in table I of A. Barak and A. Shiloh,
 * The MOSIX Cluster Management System for Distributed Computing on Linux Clusters and Multi-Cluster Private Clouds (white paper).
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Effort } from './benchmark.js';
import { aminoAcids, clauses, nucleotides, sequences } from './inputs.js';

export interface Application {
  /** The Debian package. */
  name: string;
  command: string[];
  env?: Record<string, string>;
  /** What else it needs on the PATH to make its input. */
  tools?: string[];
  /** Writes its input into the directory where it is to run. */
  prepare: (directory: string, effort: Effort) => void;
  /** Files that it writes (`out`: its standard output), and what in them is its result: all but times. */
  results: Record<string, RegExp>;
  /** What calls of read and write do not show. */
  besides?: string;
}

const line = /^.*$/gm;

const melt = (steps: number): string => `
units lj
atom_style atomic
lattice fcc 0.8442
region box block 0 10 0 10 0 10
create_box 1 box
create_atoms 1 box
mass 1 1.0
velocity all create 1.44 87287 loop geom
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0 2.5
neighbor 0.3 bin
neigh_modify every 20 delay 0 check no
fix 1 all nve
thermo 1000
group some id <= 1000
dump 1 some custom 46 dump id type x y z
run ${steps}
`;

export const applications: Application[] = [
  {
    name: 'cadical',
    // Its reports tell how much memory it has, for which it comes home each time.
    command: ['cadical', '--report=0', 'clauses'],
    prepare(directory, { times }) {
      // Six times as long with 30 variables more.
      const variables = Math.round(316 - 16.2 * Math.log(60 / times(60)));
      writeFileSync(path.join(directory, 'clauses'), clauses(variables, 5));
    },
    results: { out: /^(s .*|c (conflicts|decisions|propagations|learned|reduced|restarts): +\d+)/gm },
  },
  {
    name: 'hmmer',
    command: ['phmmer', '--cpu', '0', '--max', 'query', 'proteins'],
    prepare(directory, { times }) {
      writeFileSync(path.join(directory, 'query'), sequences(aminoAcids, 1000, 1450, 1));
      writeFileSync(path.join(directory, 'proteins'), sequences(aminoAcids, times(9e6), 360, 2));
    },
    results: { out: /^(?!#).*$/gm },
  },
  {
    name: 'lammps',
    command: ['lmp', '-in', 'melt', '-log', 'none'],
    // Of Open MPI no daemon is wanted, nor memory that processes share.
    env: { OMP_NUM_THREADS: '1', OMPI_MCA_ess_singleton_isolated: '1', OMPI_MCA_btl: 'self' },
    prepare: (directory, { times }) => writeFileSync(path.join(directory, 'melt'), melt(times(32_000))),
    results: { dump: line, out: /^ +\d+ +-?[\d.]+ +.*$/gm },
  },
  {
    name: 'ncbi-blast+',
    command: 'blastn -task blastn -num_threads 1 -outfmt 6 -query query -db database'.split(' '),
    tools: ['makeblastdb'],
    prepare(directory, { times }) {
      writeFileSync(path.join(directory, 'query'), sequences(nucleotides, 1.5e6, 1000, 3));
      // Four letters make a byte of the database.
      writeFileSync(path.join(directory, 'nucleotides'), sequences(nucleotides, times(192e6), 3000, 4));
      const words = ['-in', 'nucleotides', '-dbtype', 'nucl', '-out', 'database'];
      const { status, stderr } = spawnSync('makeblastdb', words, { cwd: directory, encoding: 'utf8' });
      if (status !== 0) throw new Error(`makeblastdb: ${stderr}`);
    },
    results: { out: line },
    besides: 'it maps its database instead of reading it',
  },
];

function onPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((directory) => {
    try {
      accessSync(path.join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why they cannot be run here; undefined if they can. */
export function whyNoApplications(): string | undefined {
  const missing = applications.filter(({ command, tools = [] }) => ![command[0] ?? '', ...tools].every(onPath));
  if (missing.length === 0) return undefined;
  return `Debian packages are missing: ${missing.map(({ name }) => name).join(' ')}: run "scripts/install-deps --bench" as root`;
}
