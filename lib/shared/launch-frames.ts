/**
 * What the launcher (native/launcher/launcher.cc) and mosd say to each other; the layout is drawn there. Strings are kept byte for byte
 * (latin1), because file names and arguments need not be UTF-8.
 */
export const LAUNCH_PROTOCOL_VERSION = 1;
const HEADER_BYTES = 5;
/** The kernel takes 6 MB of arguments and environment at most (execve(2)), and a launcher's directory is a path. */
export const LONGEST_FRAME_BYTES = 7 * 2 ** 20;

export interface LaunchRequest {
  version: number;
  argv: string[];
  directory: string;
  environment: Record<string, string>;
}

function frame(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(body.length, 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
}

const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
};

export const outFrame = (text: string): Buffer => frame('O', Buffer.from(text));
export const errorFrame = (text: string): Buffer => frame('E', Buffer.from(text));
export const waitFrame = (why: string): Buffer => frame('W', Buffer.from(why));
/** Too many launchers of its user are here: it is to come again. */
export const busyFrame = (): Buffer => frame('B', Buffer.alloc(0));
export const exitFrame = (code: number): Buffer => frame('X', number32(code));

/** Asks what the launcher would execute. */
export const programFrame = (index: number): Buffer => frame('P', number32(index));

export interface ProgramFound {
  /** Its path; where `error` is set, its name. */
  path: string;
  /** A number of errno(3); 0: it can be executed. */
  error: number;
  /** Its first bytes; none where it cannot be read. */
  head: Buffer;
}

/** Throws RangeError on a malformed body. */
export function readProgram(body: Buffer): ProgramFound {
  const end = body.indexOf(0, 4);
  if (end < 0) throw new RangeError('a string without its end');
  return { error: body.readUInt32LE(0), path: body.toString('utf8', 4, end), head: body.subarray(end + 1) };
}

export interface Go {
  programIndex: number;
  /** -z: the word after the program is its argv[0]. */
  argumentsStartAtName: boolean;
  environment: Record<string, string>;
}

export function goFrame(go: Go): Buffer {
  const entries = Object.entries(go.environment);
  return frame(
    'G',
    Buffer.concat([
      number32(go.programIndex),
      Buffer.from([go.argumentsStartAtName ? 1 : 0]),
      number32(entries.length),
      ...entries.map(([name, value]) => Buffer.from(`${name}=${value}\0`, 'latin1')),
    ]),
  );
}

/** Cuts the first frame from what has arrived; null while it is incomplete. */
export function takeFrame(bytes: Buffer): { type: string; body: Buffer } | null {
  if (bytes.length < HEADER_BYTES) return null;
  const length = bytes.readUInt32LE(0);
  if (length > LONGEST_FRAME_BYTES) throw new RangeError(`a frame of ${length} bytes`);
  if (bytes.length < HEADER_BYTES + length) return null;
  return { type: bytes.toString('latin1', 4, 5), body: bytes.subarray(HEADER_BYTES, HEADER_BYTES + length) };
}

/** Puts what arrives together; what has come is copied once, however small the pieces. */
export class FrameReader {
  private pieces: Buffer[] = [];
  private have = 0;
  private need = HEADER_BYTES;

  /** The frame, once it is whole. Throws RangeError when it would be too long. */
  take(more: Buffer): { type: string; body: Buffer } | null {
    this.pieces.push(more);
    this.have += more.length;
    if (this.have < this.need) return null;
    const bytes = Buffer.concat(this.pieces);
    const frame = takeFrame(bytes);
    if (!frame) this.need = HEADER_BYTES + bytes.readUInt32LE(0);
    this.pieces = [bytes];
    return frame;
  }
}

/** Throws RangeError on a malformed body. */
export function readLaunch(body: Buffer): LaunchRequest {
  let at = 0;
  const string = (): string => {
    const end = body.indexOf(0, at);
    if (end < 0) throw new RangeError('a string without its end');
    const text = body.toString('latin1', at, end);
    at = end + 1;
    return text;
  };
  const strings = (): string[] => {
    const count = body.readUInt32LE(at);
    at += 4;
    if (count > body.length) throw new RangeError(`${count} strings`);
    return Array.from({ length: count }, string);
  };
  const version = body.readUInt16LE(at);
  at += 2;
  const argv = strings();
  const directory = string();
  const environment: Record<string, string> = {};
  for (const entry of strings()) {
    const equals = entry.indexOf('=');
    if (equals > 0) environment[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  return { version, argv, directory, environment };
}
