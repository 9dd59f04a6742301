/** Answers launchers: understands their command line, makes the job, decides where it starts, and says go. */
import { type Server, type Socket, createServer } from 'node:net';
import type { NodeView } from '../cluster/index.js';
import type { PeerCredentials } from '../engine/index.js';
import type { Job, JobOptions, StartAway } from '../processes/index.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { checkIsUp } from './services.js';
import type { InterpretLaunch, Launch } from '../shared/launch-decision.js';
import {
  LAUNCH_PROTOCOL_VERSION,
  errorFrame,
  exitFrame,
  goFrame,
  outFrame,
  readLaunch,
  takeFrame,
} from '../shared/launch-frames.js';

/** As env(1): the command itself failed, before any program ran. */
const OWN_FAILURE = 125;

export interface LaunchServices {
  interpret: InterpretLaunch;
  identify(socket: Socket): PeerCredentials;
  /** The job the launcher itself belongs to: a mosrun within a mosrun. */
  outerJob(pid: number): Job | null;
  createJob(launcherPid: number, options: JobOptions): Job | null;
  bestNode(): NodeView | null;
  /** By name, address or number; throws when there is none. */
  findNode(name: string): NodeView;
  startAway(launcherPid: number, node: string, clock: 'home' | 'host', command: string): StartAway;
  log(message: string, facts: Record<string, unknown>): void;
}

/** A mosrun within a mosrun keeps the outer one's options, unless it says otherwise. */
export function jobOptions(launch: Launch, outer: JobOptions | null): JobOptions {
  return {
    id: launch.jobId ?? outer?.id ?? null,
    locked: launch.locked ?? outer?.locked ?? false,
    clock: launch.clock ?? outer?.clock ?? 'home',
  };
}

export function launchServer(services: LaunchServices): Server {
  return createServer((socket) => {
    let received = Buffer.alloc(0);
    let taken = false;
    socket.on('error', () => {});
    socket.on('data', (more: Buffer) => {
      if (taken) return;
      received = Buffer.concat([received, more]);
      try {
        const frame = takeFrame(received);
        if (!frame) return;
        taken = true;
        void answer(socket, frame, services);
      } catch {
        socket.destroy();
      }
    });
  });
}

async function answer(socket: Socket, frame: { type: string; body: Buffer }, services: LaunchServices): Promise<void> {
  try {
    if (frame.type !== 'L') throw new MosrunError('usage', 'the launcher is not understood: install mosrun again');
    const request = readLaunch(frame.body);
    if (request.version !== LAUNCH_PROTOCOL_VERSION) {
      throw new MosrunError(
        'usage',
        `the launcher speaks version ${request.version}, mosd ${LAUNCH_PROTOCOL_VERSION}: restart mosd`,
      );
    }
    const decision = services.interpret(request.argv);
    if (decision.kind === 'answer') {
      if (decision.output) socket.write(outFrame(decision.output));
      if (decision.error) socket.write(errorFrame(decision.error));
      socket.end(exitFrame(decision.exitCode));
      return;
    }
    await launchIt(socket, request.argv, decision.launch, services);
  } catch (thrown) {
    socket.write(errorFrame(`mosrun: ${asMosrunError(thrown).message}\n`));
    socket.end(exitFrame(OWN_FAILURE));
  }
}

async function launchIt(socket: Socket, argv: readonly string[], launch: Launch, services: LaunchServices): Promise<void> {
  const { pid } = services.identify(socket);
  const options = jobOptions(launch, services.outerJob(pid));
  const node = destination(launch, services);
  const job = services.createJob(pid, options);
  if (!job) throw new MosrunError('failed', 'mosd cannot see this process: start it in the same pid namespace');
  services.log('launch', { pid, job: job.number, id: options.id, at: node?.name ?? 'home' });
  if (node && !node.self) {
    try {
      checkIsUp(node);
      await services.startAway(pid, node.name, options.clock, commandLine(argv, launch)).armed;
    } catch (error) {
      // What -F and -b ask for is a running program; what -r asks for is that node.
      if (!launch.fallBack && launch.start.at === 'node') throw error;
      services.log('starts at home instead', { pid, error: asMosrunError(error).message });
    }
  }
  const { programIndex, argumentsStartAtName } = launch;
  socket.end(goFrame({ programIndex, argumentsStartAtName, environment: {} }));
}

/** As the program's own /proc/PID/cmdline will read. */
function commandLine(argv: readonly string[], launch: Launch): string {
  const words = argv.slice(launch.programIndex + (launch.argumentsStartAtName ? 1 : 0));
  return Buffer.from(words.join(' '), 'latin1').toString('utf8');
}

function destination(launch: Launch, services: LaunchServices): NodeView | null {
  if (launch.start.at === 'home') return null;
  if (launch.start.at === 'best') return services.bestNode();
  return services.findNode(launch.start.node);
}
