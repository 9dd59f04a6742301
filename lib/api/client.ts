/** Requests to this node's daemon over its unix socket. */
import { request } from 'node:http';
import { MosrunError, errorFrom, systemCode } from '../shared/errors.js';

export const DEFAULT_SOCKET = '/run/mosrun/mosd.sock';

function connectionError(error: Error, socketPath: string): MosrunError {
  const code = systemCode(error);
  if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(code)) {
    return new MosrunError('no-daemon', `no daemon answers at ${socketPath}: start mosd, or ask the administrator`, {
      cause: error,
    });
  }
  if (code === 'EACCES')
    return new MosrunError('not-permitted', `${socketPath} may not be opened: ask the administrator`, { cause: error });
  if (code === 'ECONNRESET')
    return new MosrunError('no-daemon', 'the daemon went away while it was asked: see mosctl status', { cause: error });
  return new MosrunError('failed', `the daemon cannot be asked (${error.message}): see mosctl status`, { cause: error });
}

/** Asks the daemon; rejects with a MosrunError, whose code is the daemon's own where it answered with an error. */
export function ask(socketPath: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
    const outgoing = request({ socketPath, method, path, headers, agent: false }, (incoming) => {
      let answer = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (more: string) => {
        answer += more;
      });
      incoming.on('error', (error) => {
        reject(connectionError(error, socketPath));
      });
      incoming.on('end', () => {
        let parsed: { error?: { code: string; message: string } };
        try {
          parsed = JSON.parse(answer) as typeof parsed;
        } catch {
          reject(new MosrunError('failed', 'the daemon answered what is not understood: restart it, its version may differ'));
          return;
        }
        if (incoming.statusCode === 200) resolve(parsed);
        else reject(errorFrom(parsed.error?.code ?? 'failed', parsed.error?.message ?? 'the daemon failed: see its log'));
      });
    });
    outgoing.on('error', (error) => {
      reject(connectionError(error, socketPath));
    });
    outgoing.end(text);
  });
}
