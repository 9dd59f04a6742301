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

/** The corner of the frame in which a box of that size covers least of what is drawn. */
function cornerFor(width: number, height: number, drawn: readonly (readonly [number, number])[]): { left: number; top: number } {
  const corners = [frame.top + 4, frame.bottom - height - 4].flatMap((top) =>
    [frame.left + 6, frame.right - width - 6].map((left) => ({ left, top })),
  );
  const covered = corners.map(
    ({ left, top }) => drawn.filter(([x, y]) => x >= left && x <= left + width && y >= top && y <= top + height).length,
  );
  return at(corners, covered.indexOf(Math.min(...covered)));
}

/** Where a line is, every few pixels: between its points it is drawn, too. */
function along(points: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return points.flatMap(([x, y], index) => {
    const [nextX, nextY] = points[index + 1] ?? [x, y];
    const pieces = Math.ceil(Math.hypot(nextX - x, nextY - y) / 5) || 1;
    return Array.from({ length: pieces }, (_, piece) => {
      const part = piece / pieces;
      return [x + (nextX - x) * part, y + (nextY - y) * part] as const;
    });
  });
}

export function svgOf({ title, x, y, lines }: Plot): string {
  const across = scaleOf(
    x,
    lines.flatMap(({ points }) => points.map(([value]) => value)),
  );
  const isWithin = (part: number): boolean => part >= -1e-9 && part <= 1 + 1e-9;
  const up = scaleOf(
    y,
    lines.flatMap(({ points }) => points.flatMap(([value, other]) => (isWithin(across.part(value)) ? other : []))),
  );
  const toX = (value: number): number => frame.left + across.part(value) * (frame.right - frame.left);
  const toY = (value: number): number => frame.bottom - up.part(value) * (frame.bottom - frame.top);
  const grid = [
    ...across.ticks.map(
      (tick) => `<line x1="${short(toX(tick))}" x2="${short(toX(tick))}" y1="${frame.top}" y2="${frame.bottom}"/>`,
    ),
    ...up.ticks.map((tick) => `<line x1="${frame.left}" x2="${frame.right}" y1="${short(toY(tick))}" y2="${short(toY(tick))}"/>`),
  ];
  const seen = lines.map(({ points }) =>
    points.filter(([a, b]) => isWithin(across.part(a)) && isWithin(up.part(b))).map(([a, b]) => [toX(a), toY(b)] as const),
  );
  const colourOf = ({ colour }: Line, index: number): string => at(COLOURS, (colour ?? index) % COLOURS.length);
  const dash = ({ dashed }: Line): string => (dashed ? ' stroke-dasharray="6 4"' : '');
  const drawn = lines.map((line, index) => {
    const colour = colourOf(line, index);
    const points = at(seen, index).map(([a, b]) => [short(a), short(b)] as const);
    if (line.dots) return points.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="3.5" fill="${colour}"/>`).join('');
    return `<polyline points="${points.map((one) => one.join(',')).join(' ')}" stroke="${colour}"${dash(line)}/>`;
  });
  const longest = Math.max(...lines.map(({ label }) => label.length));
  const box = { width: 44 + longest * 7, height: lines.length * 18 + 4 };
  const corner = cornerFor(box.width, box.height, seen.flatMap(along));
  const legend = lines.map((line, index) => {
    const colour = colourOf(line, index);
    const [left, top] = [corner.left + 6, corner.top + 15 + index * 18];
    const sign = line.dots
      ? `<circle cx="${left + 12}" cy="${top - 4}" r="3.5" fill="${colour}"/>`
      : `<line x1="${left}" x2="${left + 24}" y1="${top - 4}" y2="${top - 4}" stroke="${colour}" stroke-width="2"${dash(line)}/>`;
    return sign + text(left + 32, top, line.label);
  });
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
    `<rect x="${corner.left}" y="${corner.top}" width="${box.width}" height="${box.height}" fill="white" fill-opacity="0.8"/>`,
    ...legend,
    '</svg>\n',
  ].join('\n');
}
