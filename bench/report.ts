/** Figures as people read them. */
import type { Figure, Unit } from './figure.js';
import type { Machine, Noise } from './machine.js';
import type { Estimate } from './statistics.js';

/** What build/bench/results/NAME.json holds, or that of quick/. Seconds, bytes and bytes per second. */
export interface Result {
  version: 1;
  name: string;
  title: string;
  how: string;
  taken_at: string;
  quick: boolean;
  machine: Machine;
  noise: Noise;
  figures: Figure[];
  /** Sentences of what only the run could tell. */
  notes?: string[];
}

const scales: Record<Unit, [number, string][]> = {
  s: [
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
    [1e-9, 'ns'],
  ],
  'B/s': [
    [2 ** 30, 'GiB/s'],
    [2 ** 20, 'MiB/s'],
  ],
  B: [
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ],
  '': [[1, '']],
};

/** Three digits that mean something. */
export function quantity(value: number, unit: Unit): string {
  const scale = scales[unit];
  const [factor, name] = scale.find(([each]) => Math.abs(value) >= each) ?? scale.at(-1) ?? [1, unit];
  return `${digits(value / factor)} ${name}`.trimEnd();
}

const digits = (value: number): string => {
  const whole = Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))) + 1;
  return value.toFixed(Math.max(0, Math.min(2, 3 - whole)));
};

/** With as many digits as the width of the interval gives a meaning to. */
function interval({ median, low, high }: Estimate): string {
  const width = high - low;
  const text = width < 0.1 ? (value: number) => value.toFixed(Math.min(4, 1 + Math.ceil(-Math.log10(width)))) : digits;
  return `${text(median)} (${text(low)} to ${text(high)})`;
}

const columns = ['', 'measured', 'floor', 'ratio', 'difference', 'aim'];

function row({ name, measured, floor, ratio, difference, unit, bytes, aim }: Figure): string[] {
  const speed = bytes === null ? '' : `, ${quantity(bytes / measured.median, 'B/s')}`;
  const more = unit === 's' ? quantity(difference.median, unit) : '';
  const verdict = aim ? `${aim.text}: ${aim.met ? 'met' : 'MISSED'}` : '';
  return [name, quantity(measured.median, unit) + speed, quantity(floor.median, unit), interval(ratio), more, verdict];
}

/** For the terminal. */
export function table({ title, figures, notes = [] }: Result): string {
  const rows = [columns, ...figures.map(row)];
  const widths = columns.map((_, n) => Math.max(...rows.map((cells) => (cells[n] ?? '').length)));
  const lines = rows.map((cells) => `  ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ')}`.trimEnd());
  return [title, ...lines, ...notes.map((note) => `  ${note}`)].join('\n');
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

export const noiseText = ({ load, before, during, stolen }: Noise): string =>
  `Others used ${percent(before)} of the processors just before (load ${load.toFixed(2)}), ${percent(during)} meanwhile; the hypervisor ` +
  `took ${percent(stolen)}.`;

/** What the page shows of one benchmark; `file` from the page. */
export interface Section {
  result: Result;
  pictures: { file: string; title: string }[];
}

const day = ({ taken_at }: Result): string => taken_at.slice(0, 10);

const where = ({ machine }: Result): string =>
  `${machine.virtual} with ${machine.processors} and ${Math.round(machine.memory_bytes / 2 ** 30)} GiB, Linux ${machine.kernel}, Node ` +
  `${machine.node.slice(1)}, transparent huge pages "${machine.huge_pages}"${machine.memory_kept ? ', free memory kept from the hypervisor' : ''}`;

function section({ result, pictures }: Section, usual: string): string {
  const { title, how, figures, noise, notes = [], machine } = result;
  const rounds = figures[0]?.pairs.length ?? 0;
  const confidence = figures[0]?.ratio.confidence ?? 0;
  const cells = (each: string[]) => `| ${each.join(' | ')} |`;
  const sides = [...new Set(figures.map(({ measures, against }) => `${measures} against ${against}`))].join('; ');
  return [
    `## ${title}`,
    '',
    how,
    '',
    cells(columns),
    cells(columns.map(() => '---')),
    ...figures.map((each) => cells(row(each))),
    '',
    ...pictures.flatMap((picture) => [`![${picture.title}](${picture.file})`, '']),
    ...(notes.length > 0 ? [...notes.map((note) => `- ${note}`), ''] : []),
    `${sides}. ${rounds} rounds; intervals hold with ${(confidence * 100).toFixed(1)} %. ${noiseText(noise)} Taken on ${day(result)} at commit ` +
      `${machine.commit}${where(result) === usual ? '' : `, on ${where(result)}`}.`,
    '',
  ].join('\n');
}

/** docs/performance.md. */
export function page(sections: Section[]): string {
  const newest = sections
    .map(({ result }) => result)
    .toSorted((a, b) => a.taken_at.localeCompare(b.taken_at))
    .at(-1);
  if (!newest) throw new Error('there are no results to write about');
  return [
    '# Performance',
    '',
    'Written by `npm run bench -- --document` from its own measurements, which lie in [performance](performance) as JSON. Every figure stands beside',
    'its floor, what the bare machine or the bare network does, and both were taken in turns in the same run. "Measured" and "floor" are medians; the',
    'ratio is the median over the rounds of measured by floor, with its interval by order statistics. Two nodes on one machine share its processors:',
    'between two real machines the network is slower, and neither side takes processor time from the other.',
    '',
    `Taken on ${where(newest)}, where a section does not say otherwise. The nodes are network namespaces joined by veth pairs and a bridge ` +
      '([testbed](testbed.md)), with no limit of rate but where one is told of. Such a machine is noisy: trust ratios more than times.',
    '',
    ...sections.map((each) => section(each, where(newest))),
  ].join('\n');
}
