// Runs a program, moves it to another node and back while it runs, and says what that cost.
// Usage: node run-and-move.mjs NODE PROGRAM [ARGUMENT...]
import { Cluster, MosrunError } from 'mosrun';

const [node, command, ...args] = process.argv.slice(2);
if (!command) throw new Error('usage: node run-and-move.mjs NODE PROGRAM [ARGUMENT...]');
const cluster = await Cluster.connect();
const program = await cluster.run(command, args, { stdio: 'inherit' });
try {
  for (const to of [node, 'home']) {
    const moved = await program.migrate(to, { signal: AbortSignal.timeout(60_000) });
    const milliseconds = (moved.freeze_seconds * 1000).toFixed(1);
    console.error(`process ${moved.pid} went from ${moved.from} to ${moved.to}, frozen for ${milliseconds} ms`);
  }
} catch (error) {
  // It runs on where it is.
  if (!(error instanceof MosrunError)) throw error;
  console.error(`it was not moved (${error.code}): ${error.message}`);
}
const { code, signal } = await program.exit;
console.error(`it ended with ${signal ?? code}`);
cluster.close();
