#!/bin/sh
# A small C project: its files are written, made by four jobs at a time, run, changed and made again.  project.sh FILES
set -eu
files=$1
objects=
for n in $(seq 1 "$files"); do
  objects="$objects part-$n.o"
  {
    echo '#include "project.h"'
    echo "static int table_$n[64];"
    for f in 1 2 3 4 5 6 7 8; do
      echo "static int f_${n}_$f(int a, int b) { for (int i = 0; i < $((n + f)); ++i) a = (a * 31 + table_$n[(b + i) & 63]) ^ $((n * f)); return a - b; }"
    done
    echo "int part_$n(int x) { table_$n[x & 63] = x; return f_${n}_1(f_${n}_2(f_${n}_3(x, 3), f_${n}_4(x, 5)), f_${n}_5(f_${n}_6(x, 1), f_${n}_7(f_${n}_8(x, 2), 7))); }"
  } > "part-$n.c"
done
{
  echo '#include <stdio.h>'
  echo '#include "project.h"'
  echo 'int main(void) { int sum = 0;'
  for n in $(seq 1 "$files"); do echo "  sum ^= part_$n(sum + $n);"; done
  printf '%s\n' '  printf("%d\n", sum); return 0; }'
} > main.c
for n in $(seq 1 "$files"); do echo "int part_$n(int x);"; done > project.h
cat > Makefile <<END
CFLAGS = -O2 -Wall
project: main.o$objects
	\$(CC) -o \$@ \$^
main.o$objects: project.h
clean:
	rm -f project *.o
END
make -s -j4
./project
make -q && echo "nothing to do"
rm part-1.o part-2.o main.o
make -s -j4
./project
make -s clean
make -j4 2>&1 | sort | sha256sum
./project
