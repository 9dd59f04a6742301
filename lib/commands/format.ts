/** How facts are printed for people: columns as wide as their content, nothing cut off. */
import { printable } from '../shared/printable.js';

export { printable, printableLines } from '../shared/printable.js';

export interface Column<T> {
  head: string;
  right?: boolean;
  text(row: T): string;
}

export function tableText<T>(rows: readonly T[], shape: readonly Column<T>[], header: boolean): string {
  const cells = rows.map((row) => shape.map((column) => printable(column.text(row))));
  if (header) cells.unshift(shape.map((column) => column.head));
  const widths = shape.map((_column, index) => Math.max(0, ...cells.map((line) => line[index]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, index) => (shape[index]?.right ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** As many of them, in words. */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

export const jsonText = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;

/** 0.0123 → "12.3 ms". */
export function durationText(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

/** How far one clock is from another: -0.0123 → "-12.3 ms". */
export const offsetText = (seconds: number): string => `${seconds < 0 ? '-' : '+'}${durationText(Math.abs(seconds))}`;

/** IEC: 1536 → "1.5 KiB". */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

/** What is used of swap space. */
export const swapText = (bytes: number, free: number): string =>
  bytes === 0 ? 'none' : `${bytesText(Math.max(0, bytes - free))} of ${bytesText(bytes)}`;
