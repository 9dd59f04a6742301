// Runs the command lines of a list, spread over the nodes: as many at a time on each as it has processors.
// Usage: node spread.mjs < LIST
import { text } from 'node:stream/consumers';
import { Cluster } from 'mosrun';

const lines = (await text(process.stdin)).split('\n').filter((line) => line.trim() !== '');
const cluster = await Cluster.connect();
const nodes = (await cluster.nodes()).filter((node) => node.state === 'up');
const places = nodes.flatMap((node) => Array(Math.max(1, Math.floor(node.cpus))).fill(node.name));
let failed = 0;

// Each place takes the next line when it has done its last.
async function work(place) {
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const program = await cluster.run('sh', ['-c', line], {
      on: place,
      fallBack: true,
      job: 'spread',
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const { code, signal } = await program.exit;
    console.error(`${place}: ${line}: ${signal ?? code}`);
    if (code !== 0) failed++;
  }
}
await Promise.all(places.map(work));
cluster.close();
process.exitCode = failed === 0 ? 0 : 1;
