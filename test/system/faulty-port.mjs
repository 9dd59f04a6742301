// Stands in front of a node's data port and fails in one way:
//   silent        takes connections and never says anything
//   cut N         passes N bytes on in all, then resets every connection
//   stall N       passes N bytes on in all, then nothing any more, and keeps the connections
//   change N      passes all on, with a bit of byte N changed
//   end N         passes N bytes on in all, then closes them in the ordinary way
// node - MODE BYTES LISTEN_PORT DATA_PORT ADDRESS
import net from 'node:net';

const [mode, bytes, listen, data, address] = process.argv.slice(2);
let left = Number(bytes);
const all = new Set();

/** The chunk as it is passed on; null: not at all. */
function passed(chunk) {
  const at = left;
  left -= chunk.length;
  if (mode !== 'change') return at <= 0 ? null : chunk.subarray(0, at);
  if (at >= 0 && at < chunk.length) chunk[at] ^= 4;
  return chunk;
}

function fail() {
  if (mode === 'stall') return;
  for (const socket of all) {
    if (mode === 'cut') socket.resetAndDestroy();
    else socket.end();
  }
}

net
  .createServer((client) => {
    all.add(client);
    client.on('error', () => {}).on('close', () => all.delete(client));
    if (mode === 'silent') {
      client.resume();
      return;
    }
    const gate = net.connect(Number(data), address);
    all.add(gate);
    gate.on('error', () => {}).on('close', () => all.delete(gate));
    client.on('data', (chunk) => {
      const part = passed(chunk);
      if (part) gate.write(part);
      if (part && left <= 0 && mode !== 'change') setTimeout(fail, 20);
    });
    gate.on('data', (chunk) => {
      if (mode === 'change' || left > 0) client.write(chunk);
    });
    if (mode === 'change') {
      client.on('close', () => gate.destroy());
      gate.on('close', () => client.destroy());
    }
    client.on('end', () => gate.end());
    gate.on('end', () => client.end());
  })
  .listen(Number(listen), address, () => console.log('listening'));
