/**
 * Every error a user or a program can meet, with its stable code. A message says what happened, to which process or node, and what to
 * do: `what: advice`.
 */
interface Kind {
  /** Exit status of a command that ends with it (sysexits(3) for 69 and 77). */
  readonly exit: number;
  /** HTTP status of the API's answer. */
  readonly http: 400 | 403 | 404 | 409 | 422 | 500 | 502 | 503 | 504;
  /** For the documentation. */
  readonly when: string;
}

export const errorKinds = {
  usage: { exit: 2, http: 400, when: 'the request is not understood' },
  configuration: { exit: 1, http: 500, when: 'a wrong configuration' },
  'no-daemon': { exit: 69, http: 503, when: 'no daemon answers on this node' },
  'not-permitted': { exit: 77, http: 403, when: "somebody else's process, or root's business" },
  'not-found': { exit: 1, http: 404, when: 'no such process, or not one started by mosrun here' },
  'unknown-node': { exit: 1, http: 404, when: 'no node is called so' },
  'node-down': { exit: 1, http: 503, when: 'the node has given no sign of life' },
  refused: { exit: 1, http: 409, when: 'the node does not take the process; the message says why' },
  unreachable: { exit: 1, http: 502, when: 'the node cannot be reached' },
  timeout: { exit: 1, http: 504, when: 'the answer comes too late' },
  cut: { exit: 1, http: 502, when: 'the connection to the node was cut during the move' },
  'disk-full': { exit: 1, http: 503, when: 'there is no room on the disk for frozen processes' },
  'no-memory': { exit: 1, http: 503, when: 'the node has no memory for the process' },
  protocol: { exit: 1, http: 502, when: 'the node speaks another version, or not as agreed' },
  busy: { exit: 1, http: 409, when: 'the process is being moved already, or does not settle: five further tries have failed' },
  'cannot-move': { exit: 1, http: 422, when: 'something the process has cannot travel; the message says what' },
  lost: { exit: 1, http: 502, when: 'the other side was lost in the middle' },
  failed: { exit: 1, http: 500, when: 'anything else' },
} as const satisfies Record<string, Kind>;

export type ErrorCode = keyof typeof errorKinds;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorKinds, code);

export class MosrunError extends Error {
  override readonly name = 'MosrunError';
  readonly code: ErrorCode;

  /** @param message what went wrong, to which process or node; then, after a colon, what to do. No prefix, no full stop. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return errorKinds[this.code].exit;
  }

  get httpStatus(): Kind['http'] {
    return errorKinds[this.code].http;
  }

  toDocument(): { code: ErrorCode; message: string } {
    return { code: this.code, message: this.message };
  }
}

/** What a helper or another node reported: codes we do not know become `failed`, the text stays. */
export function errorFrom(code: string, message: string): MosrunError {
  return new MosrunError(isErrorCode(code) ? code : 'failed', message);
}

/** Any thrown value as one of ours. */
export function asMosrunError(thrown: unknown): MosrunError {
  if (thrown instanceof MosrunError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new MosrunError('failed', message, { cause: thrown });
}

/** The `code` of a system error (ENOENT, ...), or an empty string. */
export function systemCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
