/** Where in a TOML text a value stands; the parser does not say. Good enough for messages: tables, arrays of tables and plain keys. */

/** The line (from 1) of the deepest part of the path that stands in the text; 0 when none does. */
export function lineOf(text: string, where: readonly PropertyKey[]): number {
  const wanted = where.map(String);
  let table: string[] = [];
  const counts = new Map<string, number>();
  let best = { depth: 0, line: 0 };
  const consider = (full: readonly string[], line: number): void => {
    let depth = 0;
    while (depth < full.length && depth < wanted.length && full[depth] === wanted[depth]) depth++;
    if (depth === full.length && depth > best.depth) best = { depth, line };
  };
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const array = /^\[\[([^\]]+)\]\]/.exec(line);
    const plain = /^\[([^[\]]+)\]/.exec(line);
    const key = /^("[^"]+"|'[^']+'|[A-Za-z0-9_.-]+)\s*=/.exec(line);
    if (array) {
      const name = (array[1] ?? '').trim();
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      table = [...name.split('.'), `${count}`];
      consider(table, index + 1);
    } else if (plain) {
      table = (plain[1] ?? '').trim().split('.');
      consider(table, index + 1);
    } else if (key) {
      consider([...table, ...(key[1] ?? '').replaceAll(/["']/g, '').split('.')], index + 1);
    }
  }
  return best.line;
}
