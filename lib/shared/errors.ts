/**
 * Every error a user or a program can meet, with its stable code. A message says what happened, to which process or node, and what to
 * do: `what: advice`.
 */
interface Kind {
  /** Exit status of a command that ends with it (sysexits(3) for 69 and 77). */
  readonly exit: number;
  /** HTTP status of the API's answer. */
  readonly http: 400 | 403 | 404 | 409 | 422 | 500 | 502 | 503 | 504;
}

const kinds = {
  usage: { exit: 2, http: 400 },
  configuration: { exit: 1, http: 500 },
  'no-daemon': { exit: 69, http: 503 },
  'not-permitted': { exit: 77, http: 403 },
  'not-found': { exit: 1, http: 404 },
  'unknown-node': { exit: 1, http: 404 },
  'node-down': { exit: 1, http: 503 },
  refused: { exit: 1, http: 409 },
  unreachable: { exit: 1, http: 502 },
  timeout: { exit: 1, http: 504 },
  cut: { exit: 1, http: 502 },
  'no-memory': { exit: 1, http: 503 },
  protocol: { exit: 1, http: 502 },
  busy: { exit: 1, http: 409 },
  'cannot-move': { exit: 1, http: 422 },
  lost: { exit: 1, http: 502 },
  failed: { exit: 1, http: 500 },
} as const satisfies Record<string, Kind>;

export type ErrorCode = keyof typeof kinds;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(kinds, code);

export class MosrunError extends Error {
  override readonly name = 'MosrunError';
  readonly code: ErrorCode;

  /** @param message what went wrong, to which process or node; then, after a colon, what to do. No prefix, no full stop. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return kinds[this.code].exit;
  }

  get httpStatus(): Kind['http'] {
    return kinds[this.code].http;
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
