/** How fast a program that is away reads files that are at home, from one end to the other: the link is to be the limit. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import type { Benchmark, Effort } from '../benchmark.js';
import { type Figure, type Judge, figure, turns } from '../figure.js';
import { type Nodes, program, type Traveller, type Worker } from '../nodes.js';
import { Sshfs, whyNoSshfs } from '../sshfs.js';

const large = 200e6;
const small = 10e6;
const often = 1000;
const many = 500;

const share = (of: number): Judge => ({ text: `at least ${of} of the bare network`, holds: ({ ratio }) => ratio.median >= of });
const most = (of: number): Judge => ({ text: `ratio at most ${of}`, holds: ({ ratio }) => ratio.median <= of });

const text =
  'A file of 200 MB at home, in the page cache, is read by a program that is away, in pieces of 64 KiB and of 4 KiB: bytes by time, against a plain send(2) of as many ' +
  'bytes over one TCP connection between the same nodes. md5sum(1) of it, started away by `mosrun -r`, from its start to its end, against what it takes at home or what the bare send takes, ' +
  'whichever is longer. And a file of 10 MB, read a thousand times, opened anew each time, against the same at home and one bare send of it; it may be sent but once. Beside it what one would take instead: ' +
  'the same files on the other node by sshfs(1), mounted anew each time, without the encryption of ssh.';

async function measure(
  nodes: Nodes,
  { rounds }: Effort,
  least: { large: Judge; small: Judge },
  note: (text: string) => void,
): Promise<Figure[]> {
  const directory = mkdtempSync('/tmp/mosrun-bench-');
  const [big, ten] = [path.join(directory, 'big'), path.join(directory, 'ten')];
  writeFileSync(big, randomBytes(large));
  const reader = await nodes.away(program('reads'));
  const plain = await nodes.plain(1, program('reads'));
  const wire = await nodes.wire(1);
  for (const home of [reader, wire.client]) home.pin('0');
  reader.pinGuest('1');
  wire.server.pin('1');
  const clock = (command: string[]): number => {
    const begin = performance.now();
    const { status, stderr } = spawnSync(path.resolve('scripts/testbed'), command, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return (performance.now() - begin) / 1000;
  };
  const inNode = ['run', '1', '--name', nodes.testbed.name, '--'];
  // A node has to be entered: that is no part of it.
  const summed = (...words: string[]): number => clock([...inNode, ...words, 'md5sum', big]) - clock([...inNode, 'true']);
  const sent = async (): Promise<number> => {
    const { processes } = await nodes.testbed.json<{ processes: { pid: number; bytes_out: number }[] }>(1, 'mosps', '--json');
    return processes.find(({ pid }) => pid === reader.number)?.bytes_out ?? Number.NaN;
  };
  const sendSeconds = (bytes: number) => wire.send(Math.floor(bytes / 8) * 8);
  try {
    const figures: Figure[] = [];
    for (const { size, label, aim } of [
      { size: 65536, label: '64 KiB', aim: least.large },
      { size: 4096, label: '4 KiB', aim: least.small },
    ]) {
      const pairs = await turns(
        rounds(20),
        async () => large / (await reader.order(`whole ${big} ${size} 1`)),
        async () => large / (await sendSeconds(large)),
      );
      figures.push(
        figure(
          { name: `200 MB in pieces of ${label}`, measures: 'bytes read by time', against: 'bare send', unit: 'B/s', aim },
          pairs,
        ),
      );
    }
    const missing = whyNoSshfs();
    if (missing) note(`Not beside sshfs: ${missing}.`);
    else figures.push(...(await besideSshfs(nodes, { rounds }, reader, directory)));
    const sums = await turns(
      rounds(20),
      async () => summed('mosrun', '-r', 'node2'),
      async () => Math.max(summed(), await sendSeconds(large)),
    );
    figures.push(
      figure(
        {
          name: 'md5sum of 200 MB',
          measures: 'time of md5sum',
          against: 'the longer of md5sum at home and a bare send',
          unit: 's',
          aim: most(1.3),
        },
        sums,
      ),
    );
    const again = await turns(
      rounds(10),
      async () => {
        writeFileSync(ten, randomBytes(small));
        await sleep(2200); // its times are to be older than a tick of their clock
        const before = await sent();
        const seconds = await reader.order(`whole ${ten} 65536 ${often}`);
        const bytes = (await sent()) - before;
        if (!(bytes < small * 1.1)) throw new Error(`reading it ${often} times sent ${bytes} bytes`);
        return seconds;
      },
      async () => (await plain.order(`whole ${ten} 65536 ${often}`)) + (await sendSeconds(small)),
    );
    figures.push(
      figure(
        { name: `10 MB, ${often} times`, measures: 'time of all', against: 'the same at home and one bare send', unit: 's' },
        again,
      ),
    );
    return figures;
  } finally {
    rmSync(directory, { recursive: true, force: true });
    for (const one of [reader, plain, wire]) await one.end();
  }
}

/** The same files on node 2 by what one would take instead. */
async function besideSshfs(
  nodes: Nodes,
  { rounds }: Pick<Effort, 'rounds'>,
  reader: Traveller,
  directory: string,
): Promise<Figure[]> {
  const sshfs = await Sshfs.up(nodes.testbed, directory, '0');
  const other = await nodes.beside('1', program('reads'));
  const seconds = (worker: Worker, file: string, size: number) => worker.order(`whole ${file} ${size} 1`);
  const figures: Figure[] = [];
  mkdirSync(path.join(directory, 'many'));
  for (let i = 0; i < many; i++) writeFileSync(path.join(directory, 'many', `${i}`), randomBytes(4096));
  try {
    for (const [size, label] of [
      [65536, '64 KiB'],
      [4096, '4 KiB'],
    ] as const) {
      const pairs = await turns(
        rounds(10),
        async () => large / (await seconds(reader, path.join(directory, 'big'), size)),
        async () => {
          sshfs.remount('1');
          return large / (await seconds(other, path.join(sshfs.mount, 'big'), size));
        },
      );
      figures.push(
        figure(
          { name: `200 MB in pieces of ${label}, beside sshfs`, measures: 'bytes read by time', against: 'sshfs', unit: 'B/s' },
          pairs,
        ),
      );
    }
    const pairs = await turns(
      rounds(10),
      () => reader.order(`each ${path.join(directory, 'many')} ${many}`),
      async () => {
        sshfs.remount('1');
        return other.order(`each ${path.join(sshfs.mount, 'many')} ${many}`);
      },
    );
    figures.push(
      figure({ name: `${many} files of 4 KiB, beside sshfs`, measures: 'time of all', against: 'sshfs', unit: 's' }, pairs),
    );
    return figures;
  } finally {
    await other.end();
    sshfs.end();
  }
}

export const files: Benchmark = {
  name: 'files',
  title: 'Files read from one end to the other',
  how: `${text} Home on one processor, away on another.`,
  run: (nodes, effort, note) => measure(nodes, effort, { large: share(0.9), small: share(0.3) }, note),
};

export const filesOverGigabit: Benchmark = {
  name: 'files-gigabit',
  title: 'The same over a link of 1 Gbit/s',
  how: 'As above; the links of both nodes are limited to that rate.',
  testbed: ['--rate', '1gbit'],
  run: (nodes, effort, note) => measure(nodes, effort, { large: share(0.9), small: share(0.6) }, note),
};
