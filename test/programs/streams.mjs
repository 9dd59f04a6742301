// Timers, worker_threads and file streams in node.  streams.mjs DIRECTORY ROUNDS
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createGunzip, createGzip } from 'node:zlib';

function sieve(limit) {
  const composite = new Uint8Array(limit + 1);
  let found = 0;
  for (let n = 2; n <= limit; n++) {
    if (composite[n]) continue;
    found++;
    for (let m = n * n; m <= limit; m += n) composite[m] = 1;
  }
  return found;
}

const inWorker = (limit) =>
  new Promise((done, fail) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: limit });
    worker.once('message', done);
    worker.once('error', fail);
  });

async function main() {
  const [directory, rounds] = [process.argv[2], Number(process.argv[3])];
  let ticks = 0;
  const ticker = setInterval(() => ticks++, 20);
  for (let round = 0; round < rounds; round++) {
    const workers = [inWorker(1_000_000 + round), inWorker(2_000_000 + round)];
    const plain = join(directory, `plain-${round % 3}`);
    const writer = createWriteStream(plain);
    const begun = performance.now();
    for (let line = 0; line < 20000; line++) {
      if (!writer.write(`${round} ${(line * 48271) % 65537}\n`)) await new Promise((done) => writer.once('drain', done));
    }
    await new Promise((done) => writer.end(done));
    await pipeline(createReadStream(plain), createGzip(), createWriteStream(`${plain}.gz`));
    await pipeline(createReadStream(`${plain}.gz`), createGunzip(), createWriteStream(`${plain}.again`));
    const digest = createHash('sha256')
      .update(await readFile(`${plain}.again`))
      .digest('hex')
      .slice(0, 16);
    await delay(20);
    const early = performance.now() - begun < 20;
    console.log(round, await Promise.all(workers), (await stat(plain)).size, digest, early);
  }
  clearInterval(ticker);
  console.log('ticked', ticks > 10);
}

if (isMainThread) await main();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
else parentPort.postMessage(sieve(workerData));
