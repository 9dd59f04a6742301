// Says what happens on this node, as it happens, until it is interrupted.
// Usage: node watch.mjs
import { Cluster } from 'mosrun';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort());

const cluster = await Cluster.connect();
try {
  for await (const event of cluster.events({ signal: interrupted.signal })) {
    const { version: _version, id: _id, at, node, type, ...facts } = event;
    console.log(new Date(at * 1000).toISOString(), node, type, JSON.stringify(facts));
  }
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
} finally {
  cluster.close();
}
