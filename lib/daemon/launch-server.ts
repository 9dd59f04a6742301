/** Answers launchers: understands their command line, makes the job, decides where it starts, and says go. */
import { constants } from 'node:os';
import { type Server, type Socket, createServer } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import type { NodeView } from '../cluster/index.js';
import type { Conduct, PeerCredentials } from '../engine/index.js';
import type { Job, JobOptions, StartAway } from '../processes/index.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import type { LaunchExplanationDocument } from '../shared/documents.js';
import { startOf } from './explain.js';
import { Connections } from './connections.js';
import { checkMayKill, localCaller } from './permission.js';
import { checkIsUp } from './services.js';
import { printableLines } from '../shared/printable.js';
import type { InterpretLaunch, Launch, LaunchDecision } from '../shared/launch-decision.js';
import {
  LAUNCH_PROTOCOL_VERSION,
  FrameReader,
  busyFrame,
  errorFrame,
  exitFrame,
  goFrame,
  type ProgramFound,
  outFrame,
  programFrame,
  readLaunch,
  readProgram,
} from '../shared/launch-frames.js';

/** As env(1): the command itself failed, before any program ran. */
const OWN_FAILURE = 125;

export interface LaunchServices {
  interpret: InterpretLaunch;
  identify(socket: Socket): PeerCredentials;
  /** The job the launcher itself belongs to: a mosrun within a mosrun. */
  outerJob(pid: number): Job | null;
  /** @param launched settles when the launcher has become its program, or has ended. */
  createJob(launcherPid: number, options: JobOptions, command: string, launched: Promise<void>): Job | null;
  /** Where a program with these options is best started. */
  bestNode(launcherPid: number, options: JobOptions): string;
  /** Are processes placed where nothing else is asked for? */
  isAutomatic(): boolean;
  /** By name, address or number; throws when there is none. */
  findNode(name: string): NodeView;
  /** By name, address, number or label; throws when there is none. */
  findNodes(name: string): NodeView[];
  /** Takes a process out of its job; throws when that cannot be. */
  leaveJob(pid: number): void;
  explain(
    launcherPid: number,
    found: ProgramFound,
    start: { node: string; because: string },
    options: JobOptions,
  ): Promise<LaunchExplanationDocument>;
  /** Are files read ahead of programs that say nothing about it, and need they not wait for what they write? */
  conduct(): { read_ahead: boolean; write_behind: boolean; awake: boolean; lazy: boolean };
  /** Name of this node. */
  self: string;
  startAway(launcherPid: number, node: string, conduct: Conduct, command: string): StartAway;
  log(message: string, facts: Record<string, unknown>): void;
}

/** A mosrun within a mosrun keeps the outer one's options, unless it says otherwise. */
export function jobOptions(
  launch: Launch,
  outer: JobOptions | null,
  usual = { read_ahead: true, write_behind: true, awake: true, lazy: false },
): JobOptions {
  return {
    id: launch.jobId ?? outer?.id ?? null,
    locked: launch.locked ?? outer?.locked ?? false,
    clock: launch.clock ?? outer?.clock ?? 'home',
    unserved: launch.unserved ?? outer?.unserved ?? 'home',
    read_ahead: launch.readAhead ?? outer?.read_ahead ?? usual.read_ahead,
    write_behind: launch.writeBehind ?? outer?.write_behind ?? usual.write_behind,
    awake: launch.awake ?? outer?.awake ?? usual.awake,
    lazy: launch.lazy ?? outer?.lazy ?? usual.lazy,
    decay: launch.decay ?? outer?.decay ?? null,
    pure: launch.pure ?? outer?.pure ?? false,
    freezing_class: launch.freezingClass ?? outer?.freezing_class ?? null,
    memory_bytes: launch.memoryBytes ?? outer?.memory_bytes ?? 0,
    abroad: launch.abroad ?? outer?.abroad ?? false,
  };
}

export function launchServer(services: LaunchServices): Server {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    try {
      connections.admit(socket, `${services.identify(socket).uid}`, busyFrame());
    } catch {
      socket.destroy();
    }
    // One that hangs up, or sends what is no frame, gets no answer.
    if (socket.writable) answer(socket, services).catch(() => socket.destroy());
  });
  const connections = new Connections(server);
  return server;
}

/** The process that launches. Who connected may have ended, and its number be somebody else's by now. */
function launcherOf(socket: Socket, services: LaunchServices): number {
  const peer = services.identify(socket);
  checkMayKill(localCaller(peer), peer.pid);
  return peer.pid;
}

interface Frame {
  type: string;
  body: Buffer;
}

/** A launcher says what it has to say at once. */
const FRAME_SECONDS = 5;

/** The next frame from the launcher; what it sends unasked is dropped. */
function nextFrame(socket: Socket): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const frames = new FrameReader();
    const late = setTimeout(() => socket.destroy(), FRAME_SECONDS * 1000);
    const take = (more: Buffer): void => {
      try {
        const frame = frames.take(more);
        if (!frame) return;
        clearTimeout(late);
        socket.off('data', take);
        socket.on('data', () => {});
        resolve(frame);
      } catch (error) {
        reject(error);
      }
    };
    socket.on('data', take);
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error('the launcher hung up'));
    });
  });
}

async function answer(socket: Socket, services: LaunchServices): Promise<void> {
  const frame = await nextFrame(socket);
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
    if (decision.kind === 'native') {
      const pid = launcherOf(socket, services);
      services.leaveJob(pid);
      services.log('runs natively', { pid });
      socket.end(goFrame({ programIndex: decision.programIndex, argumentsStartAtName: false, environment: {} }));
      return;
    }
    if (decision.kind === 'explain') {
      await explainIt(socket, decision, services);
      return;
    }
    await launchIt(socket, request.argv, decision.launch, services);
  } catch (thrown) {
    socket.write(errorFrame(`mosrun: ${printableLines(asMosrunError(thrown).message)}\n`));
    socket.end(exitFrame(OWN_FAILURE));
  }
}

async function launchIt(socket: Socket, argv: readonly string[], launch: Launch, services: LaunchServices): Promise<void> {
  const pid = launcherOf(socket, services);
  const options = jobOptions(launch, services.outerJob(pid), services.conduct());
  const node = destination(pid, launch, options, services);
  const command = commandLine(argv, launch);
  // exec(2) closes the launcher's end.
  const launched = new Promise<void>((resolve) => void socket.once('close', resolve));
  const job = services.createJob(pid, options, command, launched);
  if (!job) throw new MosrunError('failed', 'mosd cannot see this process: start it in the same pid namespace');
  services.log('launch', { pid, job: job.number, id: options.id, at: node?.name ?? 'home' });
  if (node && !node.self) {
    try {
      checkIsUp(node);
      await services.startAway(pid, node.name, options, command).armed;
    } catch (error) {
      // What -F and -b ask for is a running program; what -r asks for is that node.
      if (!launch.fallBack && (launch.start.at === 'node' || launch.start.at === 'some')) throw error;
      services.log('starts at home instead', { pid, error: asMosrunError(error).message });
    }
  }
  const { programIndex, argumentsStartAtName, environment } = launch;
  socket.end(goFrame({ programIndex, argumentsStartAtName, environment }));
}

/** As env(1): the program is not found, or is there and cannot be executed. */
const NOT_FOUND = 127;
const CANNOT_EXECUTE = 126;

async function explainIt(
  socket: Socket,
  { launch, present }: Extract<LaunchDecision, { kind: 'explain' }>,
  services: LaunchServices,
): Promise<void> {
  const pid = launcherOf(socket, services);
  const options = jobOptions(launch, services.outerJob(pid), services.conduct());
  const start = startOf(launch, destination(pid, launch, options, services)?.name ?? null, services.self);
  socket.write(programFrame(launch.programIndex));
  const { type, body } = await nextFrame(socket);
  if (type !== 'F') throw new MosrunError('usage', 'the launcher is not understood: install mosrun again');
  const found = readProgram(body);
  if (found.error !== 0) {
    const missing = found.error === constants.errno.ENOENT;
    const advice = missing ? 'check the name and PATH' : 'check the file and its permissions';
    socket.write(errorFrame(`mosrun: cannot run ${found.path}: ${getSystemErrorMap().get(-found.error)?.[1]}: ${advice}\n`));
    socket.end(exitFrame(missing ? NOT_FOUND : CANNOT_EXECUTE));
    return;
  }
  socket.write(outFrame(present(await services.explain(pid, found, start, options))));
  socket.end(exitFrame(0));
}

/** As the program's own /proc/PID/cmdline will read. */
function commandLine(argv: readonly string[], launch: Launch): string {
  const words = argv.slice(launch.programIndex + (launch.argumentsStartAtName ? 1 : 0));
  return Buffer.from(words.join(' '), 'latin1').toString('utf8');
}

/** null: home. */
function destination(pid: number, launch: Launch, options: JobOptions, services: LaunchServices): NodeView | null {
  const { start, fallBack } = launch;
  if (start.at === 'node') return services.findNode(start.node);
  if (start.at === 'some') {
    const named = start.nodes.flatMap((name) => services.findNodes(name));
    const up = named.filter((node) => node.state !== 'down');
    // That one of them is down is no reason to fail; that all are is told by the one that is tried.
    const from = up.length > 0 || fallBack ? up : named;
    return from[Math.floor(Math.random() * from.length)] ?? null;
  }
  if (start.at === 'home' || (start.at === 'unsaid' && !services.isAutomatic())) return null;
  return services.findNode(services.bestNode(pid, options));
}
