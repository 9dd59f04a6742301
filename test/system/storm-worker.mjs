// Runs on the home-node and moves a process and its descendants out and home, at random moments, until the process ends.
//   node storm-worker.mjs '{"pid":4711,"to":"node2","away":[0.1,0.4],"home":[0,0.02],"moves":null,"seed":1}'
// With "on":"node3" it goes ten times from the one node to the other before it comes home.
// Prints a line of JSON for each move, and at the end {"event":"end"}. A line on standard input ends the storm with all at home.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const { pid: root, to, on, away, home, moves, seed, api, tree = true } = JSON.parse(process.argv[2]);
const { Cluster } = await import(api);
const cluster = await Cluster.connect();

let state = seed;
const random = ([least, most]) => {
  state = (state * 48271) % 2147483647;
  return (least + ((most - least) * state) / 2147483647) * 1000;
};
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie with more than one thread is a first thread that has ended before the others.
    const dead = (fields[0] === 'Z' && Number(fields[17]) <= 1) || fields[0] === 'X';
    return { parent: Number(fields[1]), start: fields[19], dead, program: readFileSync(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return undefined;
  }
}

const lives = (pid, start) => {
  const found = stat(pid);
  return found !== undefined && !found.dead && found.start === start;
};

// The root and its descendants; those that were orphaned still belong to process 1 and are not ours to move.
function family() {
  const parents = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const found = stat(entry);
    if (found && !found.dead) parents.set(Number(entry), found.parent);
  }
  const belongs = (pid) => pid === root || (parents.has(pid) && parents.get(pid) > 1 && belongs(parents.get(pid)));
  return [...parents.keys()].filter((pid) => belongs(pid));
}

let done = 0;
let stop = false;
const enough = () => stop || (moves !== null && done >= moves);

async function order(pid, start, destination) {
  const at = performance.now();
  const program = stat(pid)?.program;
  try {
    const result = await cluster.migrate(pid, destination, { wait: true });
    if (!result.moved) return true; // it is there already
    done++;
    say({
      event: 'move',
      pid,
      to: destination,
      from: result.from,
      freeze_seconds: result.freeze_seconds,
      total_seconds: result.total_seconds,
      bytes: result.bytes,
      saved_bytes: result.saved_bytes,
      live: result.live,
      stood: result.stood,
      seconds: (performance.now() - at) / 1000,
    });
    return true;
  } catch (error) {
    // A process that ended on the way, or became another program by execve (which is always at home), is no failure of the move.
    if (!lives(pid, start) || error.code === 'not-found') return false;
    if (stat(pid)?.program !== program) return true;
    say({
      event: 'failed',
      pid,
      to: destination,
      code: error.code ?? null,
      message: error.message,
      seconds: (performance.now() - at) / 1000,
    });
    await sleep(50);
    return true;
  }
}

async function follow(pid) {
  const start = stat(pid)?.start;
  while (lives(pid, start) && !enough()) {
    for (let stay = 0; stay < (on ? 11 : 1) && !enough(); stay++) {
      if (!lives(pid, start) || !(await order(pid, start, stay % 2 === 0 ? to : on))) return;
      await sleep(random(away));
    }
    if (!lives(pid, start) || !(await order(pid, start, 'home'))) return;
    await sleep(random(home));
  }
}

process.stdin.on('data', () => (stop = true)).unref?.();
const begun = stat(root)?.start;
const followed = new Map();
while (lives(root, begun) && !enough()) {
  for (const pid of tree ? family() : [root]) {
    const start = stat(pid)?.start;
    if (followed.get(pid) === start) continue;
    followed.set(pid, start);
    void follow(pid);
  }
  await sleep(10);
}
say({ event: 'end', moves: done });
process.exit(0);
