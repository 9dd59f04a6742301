// Sends all programs that run on a node elsewhere, wherever their homes are: each to the least busy of the other nodes.
// Usage: node drain.mjs NODE CERTIFICATES   (a directory made by mosconf tool with --operate)
import { Cluster } from 'mosrun';

const [drained, certificates] = process.argv.slice(2);
if (!certificates) throw new Error('usage: node drain.mjs NODE CERTIFICATES');
const here = await Cluster.connect();
const nodes = (await here.nodes()).filter((node) => node.state === 'up');
here.close();
const others = nodes.filter((node) => node.name !== drained);
// A program more makes a node busier, though its load shows that a little later.
const busy = new Map(others.map((node) => [node.name, node.load / node.cpus]));
let failed = false;

for (const node of nodes) {
  const home = await Cluster.connect({ host: node.address, port: node.control_port, node: node.name, certificates });
  for (const { pid, where, command } of await home.processes()) {
    if (where !== drained) continue;
    const [[to]] = [...busy].sort(([, one], [, other]) => one - other);
    try {
      await home.migrate(pid, to);
      busy.set(to, busy.get(to) + 1 / others.find(({ name }) => name === to).cpus);
      console.log(`${command} (process ${pid} of ${node.name}) is on ${to} now`);
    } catch (error) {
      failed = true;
      console.log(`${command} (process ${pid} of ${node.name}) stays: ${error.message}`);
    }
  }
  home.close();
}
process.exitCode = failed ? 1 : 0;
