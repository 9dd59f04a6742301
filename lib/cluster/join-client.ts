/** The machine's side of joining a cluster: it tells its secret only to a node whose certificate the token's authority has signed. */
import { X509Certificate } from 'node:crypto';
import { request } from 'node:http';
import { type TLSSocket, connect } from 'node:tls';
import { MosrunError, errorFrom, systemCode } from '../shared/errors.js';
import { type JoinAnswer, type JoinRequest, joinAnswer } from '../shared/wire.js';
import { holderOf } from './holders.js';
import { type Token, fingerprintOf } from './invitations.js';

const PATIENCE_MS = 10_000;
const LONGEST_ANSWER_BYTES = 1 << 20;

/** The other side has shown that it holds the key of the last certificate; that one must be of the token's authority, which it sends along. */
function checkPeer(socket: TLSSocket, token: Token): void {
  const node = socket.getPeerCertificate(true);
  const authority = node.issuerCertificate as typeof node | undefined;
  // A tool's certificate is the authority's too, but good for no server.
  const isNode = holderOf(node.subject)?.role === 'node';
  const isOurs = isNode && authority?.raw !== undefined && fingerprintOf(authority.raw).equals(token.fingerprint);
  const now = Date.now();
  if (isOurs && new X509Certificate(node.raw).verify(new X509Certificate(authority.raw).publicKey)) {
    if (Date.parse(node.valid_from) <= now && now <= Date.parse(node.valid_to)) return;
    throw new MosrunError('failed', `the certificate of ${socket.remoteAddress} is not valid now: compare the clocks`);
  }
  throw new MosrunError(
    'not-permitted',
    `${socket.remoteAddress}:${socket.remotePort} is no node of the token's cluster; it was told nothing: check the address and the token`,
  );
}

function reach(host: string, port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // Who it is follows from the token, by checkPeer(); no list of authorities knows it.
    const socket = connect({ host, port, minVersion: 'TLSv1.3', rejectUnauthorized: false });
    const why = (reason: string): MosrunError =>
      new MosrunError(
        'unreachable',
        `${host}:${port} cannot be reached (${reason}): check that mosd runs there and that the port is open`,
      );
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      reject(why(`no answer within ${PATIENCE_MS / 1000} s`));
    });
    socket.once('error', (error) => {
      reject(why(error.message));
    });
    socket.once('secureConnect', () => {
      resolve(socket);
    });
  });
}

function post(socket: TLSSocket, host: string, body: JoinRequest): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), connection: 'close' };
    const outgoing = request({ createConnection: () => socket, method: 'POST', path: '/v1/join', headers });
    const failed = (why: string): void => {
      reject(new MosrunError('unreachable', `the answer did not come (${why}): see the log of mosd there, then try again`));
      socket.destroy();
    };
    socket.setTimeout(PATIENCE_MS, () => {
      failed('too late');
    });
    outgoing.once('error', (error) => {
      // What a node does with whoever has no certificate while it expects nobody.
      if (systemCode(error) !== 'ECONNRESET') failed(error.message);
      else
        reject(
          new MosrunError(
            'refused',
            `${host} expects nobody: the token was used or has expired; make a new one with mosconf invite`,
          ),
        );
    });
    outgoing.once('response', (incoming) => {
      let answer = '';
      incoming.setEncoding('utf8').on('data', (more: string) => {
        answer += more;
        if (answer.length > LONGEST_ANSWER_BYTES) failed('it has no end');
      });
      incoming.once('end', () => {
        try {
          resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(answer) as unknown });
        } catch {
          failed('it is not understood');
        }
      });
    });
    outgoing.end(text);
  });
}

/**
 * Asks to be let in.
 * @param describe what this machine says of itself, given the address it reaches the other from.
 * @throws MosrunError: unreachable, not-permitted, or what the node itself says.
 */
export async function askToJoin(
  host: string,
  port: number,
  token: Token,
  describe: (ownAddress: string) => Omit<JoinRequest, 'secret'>,
): Promise<JoinAnswer> {
  const socket = await reach(host, port);
  try {
    checkPeer(socket, token);
    const { status, body } = await post(socket, host, {
      secret: token.secret.toString('hex'),
      ...describe(socket.localAddress ?? ''),
    });
    const parsed = joinAnswer.safeParse(body);
    if (status === 200 && parsed.success) {
      if (fingerprintOf(parsed.data.ca).equals(token.fingerprint)) return parsed.data;
      throw new MosrunError('protocol', `${host} sent another authority than the token's: make a new invitation`);
    }
    const { error } = (body ?? {}) as { error?: { code?: string; message?: string } };
    throw errorFrom(
      error?.code ?? 'failed',
      error?.message ?? `${host} answered what is not understood: compare the versions of mosrun`,
    );
  } finally {
    socket.destroy();
  }
}
