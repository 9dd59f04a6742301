// Stands in front of a node's data port and fails in one way:
//   silent        takes connections and never says anything
//   cut N         passes N bytes on in all, then resets every connection
//   stall N       passes N bytes on in all, then nothing any more, and keeps the connections
//   end N         passes N bytes on in all, then closes them in the ordinary way
// node - MODE BYTES LISTEN_PORT DATA_PORT ADDRESS
import net from 'node:net';

const [mode, bytes, listen, data, address] = process.argv.slice(2);
let left = Number(bytes);
const all = new Set();

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
      if (left <= 0) return;
      const part = chunk.subarray(0, left);
      left -= part.length;
      gate.write(part);
      if (left <= 0) setTimeout(fail, 20);
    });
    gate.on('data', (chunk) => {
      if (left > 0) client.write(chunk);
    });
    client.on('end', () => gate.end());
    gate.on('end', () => client.end());
  })
  .listen(Number(listen), address, () => console.log('listening'));
