/** Line plots as SVG: axes with units, grid, legend; nothing that would need a library. */
import { at } from './lists.js';

export interface Line {
  label: string;
  points: readonly (readonly [number, number])[];
  /** Drawn as points; else as a line. */
  dots?: boolean;
  dashed?: boolean;
  /** Lines of one number have one colour; usually each its own. */
  colour?: number;
}

export interface Axis {
  label: string;
  log?: boolean;
  /** As far as the points go. */
  from?: number;
  to?: number;
}

export interface Plot {
  title: string;
  x: Axis;
  y: Axis;
  lines: readonly Line[];
}

const [WIDTH, HEIGHT] = [720, 440];
const frame = { left: 70, right: WIDTH - 20, top: 50, bottom: HEIGHT - 60 };
/** Okabe and Ito's colours, which those can tell apart who see fewer. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const TICKS = 6;

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const short = (value: number): string => `${Number(value.toFixed(1))}`;
const figure = (value: number): string =>
  Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(0) : `${Number(value.toPrecision(6))}`;

interface Scale {
  ticks: number[];
  /** 0 to 1. */
  part: (value: number) => number;
}

/** Round numbers, a few of them. */
function linearTicks(from: number, to: number): number[] {
  const rough = (to - from) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((times) => times * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(from / step); index * step <= to * (1 + 1e-9); index++) ticks.push(index * step);
  return ticks;
}

function logTicks(from: number, to: number): number[] {
  const ticks: number[] = [];
  // Where few powers of ten are seen, some between them.
  const times = to / from > 1000 ? [1] : to / from > 20 ? [1, 3] : [1, 1.5, 2, 3, 5, 7];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++)
    for (const time of times) {
      const tick = time * 10 ** power;
      if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) ticks.push(tick);
    }
  return ticks;
}

function scaleOf({ log = false, from, to }: Axis, values: readonly number[]): Scale {
  const shown = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  const low = from ?? (log ? Math.min(...shown) : Math.min(0, ...shown));
  const most = to ?? Math.max(...shown);
  const high = most > low ? most : low + 1;
  if (log) return { ticks: logTicks(low, high), part: (value) => Math.log(value / low) / Math.log(high / low) };
  return { ticks: linearTicks(low, high), part: (value) => (value - low) / (high - low) };
}

const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${short(x)}" y="${short(y)}"${more}>${escape(words)}</text>`;

export function svgOf({ title, x, y, lines }: Plot): string {
  const values = (index: 0 | 1): number[] => lines.flatMap(({ points }) => points.map((point) => point[index]));
  const [across, up] = [scaleOf(x, values(0)), scaleOf(y, values(1))];
  const toX = (value: number): number => frame.left + across.part(value) * (frame.right - frame.left);
  const toY = (value: number): number => frame.bottom - up.part(value) * (frame.bottom - frame.top);
  const isShown = ([one, other]: readonly [number, number]): boolean => {
    const [a, b] = [across.part(one), up.part(other)];
    return a >= -1e-9 && a <= 1 + 1e-9 && b >= -1e-9 && b <= 1 + 1e-9;
  };
  const grid = [
    ...across.ticks.map(
      (tick) => `<line x1="${short(toX(tick))}" x2="${short(toX(tick))}" y1="${frame.top}" y2="${frame.bottom}"/>`,
    ),
    ...up.ticks.map((tick) => `<line x1="${frame.left}" x2="${frame.right}" y1="${short(toY(tick))}" y2="${short(toY(tick))}"/>`),
  ];
  const drawn = lines.map(({ points, dots, dashed, colour: number }, index) => {
    const colour = at(COLOURS, (number ?? index) % COLOURS.length);
    const seen = points.filter(isShown).map(([a, b]) => [short(toX(a)), short(toY(b))] as const);
    if (dots) return seen.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="3.5" fill="${colour}"/>`).join('');
    const dash = dashed ? ' stroke-dasharray="6 4"' : '';
    return `<polyline points="${seen.map((one) => one.join(',')).join(' ')}" stroke="${colour}"${dash}/>`;
  });
  const legend = lines.map(({ label, dots, dashed, colour: number }, index) => {
    const colour = at(COLOURS, (number ?? index) % COLOURS.length);
    const [left, top] = [frame.left + 12, frame.top + 16 + index * 18];
    const sign = dots
      ? `<circle cx="${left + 12}" cy="${top - 4}" r="3.5" fill="${colour}"/>`
      : `<line x1="${left}" x2="${left + 24}" y1="${top - 4}" y2="${top - 4}" stroke="${colour}" stroke-width="2"${dashed ? ' stroke-dasharray="6 4"' : ''}/>`;
    return sign + text(left + 32, top, label);
  });
  const longest = Math.max(...lines.map(({ label }) => label.length));
  const middle = (frame.top + frame.bottom) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(WIDTH / 2, 26, title, ' text-anchor="middle" font-size="15"'),
    `<g stroke="#ddd">${grid.join('')}</g>`,
    `<rect x="${frame.left}" y="${frame.top}" width="${frame.right - frame.left}" height="${frame.bottom - frame.top}" fill="none" stroke="#444"/>`,
    ...across.ticks.map((tick) => text(toX(tick), frame.bottom + 18, figure(tick), ' text-anchor="middle"')),
    ...up.ticks.map((tick) => text(frame.left - 8, toY(tick) + 4, figure(tick), ' text-anchor="end"')),
    text((frame.left + frame.right) / 2, HEIGHT - 18, x.label, ' text-anchor="middle"'),
    text(18, middle, y.label, ` text-anchor="middle" transform="rotate(-90 18 ${middle})"`),
    `<g fill="none" stroke-width="2">${drawn.join('')}</g>`,
    `<rect x="${frame.left + 6}" y="${frame.top + 4}" width="${44 + longest * 7}" height="${lines.length * 18 + 4}" fill="white" fill-opacity="0.8"/>`,
    ...legend,
    '</svg>\n',
  ].join('\n');
}
