// Writes a C file that keeps a compiler busy: the same on every machine.  generate-c.mjs FUNCTIONS > file.c
const count = Number(process.argv[2]);
let seed = 7;
const next = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
const out = ['#include <stdio.h>', '#include <stdlib.h>', '#include <string.h>', 'static int table[256];'];
for (let f = 0; f < count; f++) {
  out.push(`int f${f}(int a, int b) {`, '  int c = a ^ b, d = a + b;');
  for (let line = 0; line < 25; line++) {
    const [x, y] = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
      ['d', 'a'],
      ['b', 'd'],
    ][next(5)];
    out.push(
      `  for (int i = 0; i < ${1 + next(40)}; ++i) ${x} = (${x} * ${1 + next(1000)} + table[(${y} + i) & 255]) ^ ${next(10000)};`,
    );
    if (f > 0 && line % 9 === 0) out.push(`  if ((${y} & 1023) == ${next(1024)}) ${x} += f${next(f)}(${x}, ${y});`);
  }
  out.push('  return a + b + c + d;', '}');
}
out.push(
  'int main(void) {',
  '  int sum = 0;',
  ...Array.from({ length: count }, (_, f) => `  sum ^= f${f}(${f}, sum);`),
  '  printf("%d\\n", sum);',
  '  return 0;',
  '}',
);
console.log(out.join('\n'));
