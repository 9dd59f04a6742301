/** Requests to a daemon: this node's over its unix socket, another's over mutual TLS. */
import { readFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as overSocket } from 'node:http';
import { request as overTls } from 'node:https';
import { isIP } from 'node:net';
import path from 'node:path';
import { type PeerCertificate, checkServerIdentity } from 'node:tls';
import { MosrunError, errorFrom, systemCode } from '../shared/errors.js';
import type { Answer, Question, RouteName } from '../shared/routes.js';

export const DEFAULT_SOCKET = '/run/mosrun/mosd.sock';
const DEFAULT_PORT = 7070;
/** Bound for reaching another node. */
const CONNECT_SECONDS = 5;

export interface ConnectOptions {
  /** The socket of this node's daemon; else MOSRUN_SOCKET, else /run/mosrun/mosd.sock. */
  socket?: string;
  /** Another node instead: its name or address; `certificates` is needed then. */
  host?: string;
  /** Its control port, 7070 unless said otherwise. */
  port?: number;
  /** The node its certificate must name: `host`, unless that is an address; then any node of the cluster may answer. */
  node?: string;
  /** The directory that `mosconf tool` has made: ca.pem, tool.pem and tool.key. */
  certificates?: string;
  /** Gives up connecting. */
  signal?: AbortSignal;
}

interface Place {
  /** As errors name it. */
  name: string;
  isLocal: boolean;
  send(options: RequestOptions, onResponse: (incoming: IncomingMessage) => void): ClientRequest;
}

function localPlace(socketPath: string): Place {
  const send: Place['send'] = (options, onResponse) => overSocket({ ...options, socketPath, agent: false }, onResponse);
  return { name: socketPath, isLocal: true, send };
}

function remotePlace({ host = '', port = DEFAULT_PORT, node, certificates }: ConnectOptions): Place {
  if (certificates === undefined) {
    throw new MosrunError('usage', `certificates for ${host} are missing: name the directory made by mosconf tool`);
  }
  const read = (name: string): Buffer => {
    const file = path.join(certificates, name);
    try {
      return readFileSync(file);
    } catch (error) {
      throw new MosrunError('usage', `${file} cannot be read (${systemCode(error)}): make it with mosconf tool`, {
        cause: error,
      });
    }
  };
  const wanted = node ?? (isIP(host) ? null : host);
  const tls = {
    ca: read('ca.pem'),
    cert: read('tool.pem'),
    key: read('tool.key'),
    minVersion: 'TLSv1.3',
    ...(wanted === null ? {} : { servername: wanted }),
    // Only nodes have certificates of the cluster that are good for a server.
    checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
      wanted === null ? undefined : checkServerIdentity(wanted, certificate),
  } as const;
  const send: Place['send'] = (options, onResponse) => {
    const outgoing = overTls({ ...options, ...tls, host, port, agent: false }, onResponse);
    const tooLate = (): void => void outgoing.destroy(new Error(`no connection within ${CONNECT_SECONDS} s`));
    const timer = setTimeout(tooLate, CONNECT_SECONDS * 1000);
    outgoing.on('socket', (socket) => socket.once('secureConnect', () => clearTimeout(timer)));
    outgoing.on('close', () => clearTimeout(timer));
    return outgoing;
  };
  return { name: `${host}:${port}`, isLocal: false, send };
}

function connectionError(error: Error, { name, isLocal }: Place): MosrunError {
  const code = systemCode(error);
  const cause = { cause: error };
  if (!isLocal) {
    return new MosrunError('unreachable', `${name} cannot be reached (${error.message}): check that mosd runs there`, cause);
  }
  if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(code)) {
    return new MosrunError('no-daemon', `no daemon answers at ${name}: start mosd, or ask the administrator`, cause);
  }
  if (code === 'EACCES') return new MosrunError('not-permitted', `${name} may not be opened: ask the administrator`, cause);
  if (code === 'ECONNRESET') {
    return new MosrunError('no-daemon', 'the daemon went away while it was asked: see mosctl status', cause);
  }
  return new MosrunError('failed', `the daemon cannot be asked (${error.message}): see mosctl status`, cause);
}

/** RFC 9110, 15.5.9: a request that had not come in time was not read, and may be sent again. A daemon with very much to do is late itself. */
const TOO_LATE = 408;
const TRIES = 5;

const notUnderstood = (): MosrunError =>
  new MosrunError('failed', 'the daemon answered what is not understood: restart it, its version may differ');

interface Parts {
  params?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
}

function pathOf(pattern: string, { params = {}, query = {} }: Parts): string {
  const plain = pattern.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(params[name] ?? ''));
  const words: [string, string][] = [];
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.push([name, String(value)]);
  const search = new URLSearchParams(words).toString();
  return search === '' ? plain : `${plain}?${search}`;
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const more of incoming.setEncoding('utf8')) text += more as string;
  return text;
}

export class Client {
  private readonly place: Place;
  private readonly closing = new AbortController();

  constructor(options: ConnectOptions) {
    this.place =
      options.host === undefined
        ? localPlace(options.socket ?? process.env.MOSRUN_SOCKET ?? DEFAULT_SOCKET)
        : remotePlace(options);
  }

  /** Is it this node's own daemon? */
  get isLocal(): boolean {
    return this.place.isLocal;
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Ends whatever is under way; later requests fail. */
  close(): void {
    this.closing.abort(new MosrunError('failed', 'this connection is closed: connect again'));
  }

  /** Asks for a document; rejects with a MosrunError, whose code is the daemon's own where it answered with an error. */
  async ask<R extends RouteName>(route: R, question: Question<R>, signal?: AbortSignal): Promise<Answer<R>> {
    const incoming = await this.send(route, question as Parts, signal);
    let text: string;
    try {
      text = await textOf(incoming);
    } catch (error) {
      throw this.reasonOf(error as Error, signal);
    }
    try {
      return JSON.parse(text) as Answer<R>;
    } catch {
      throw notUnderstood();
    }
  }

  /** Sends a request; gives the answer's text as it comes. Rejects as {@link ask}. */
  async send(route: RouteName, parts: Parts, signal?: AbortSignal): Promise<IncomingMessage> {
    const [method = '', pattern = ''] = route.split(' ');
    const text = parts.body === undefined ? '' : JSON.stringify(parts.body);
    const type = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
    const ends = AbortSignal.any([this.closing.signal, ...(signal ? [signal] : [])]);
    ends.throwIfAborted();
    const once = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const options = { method, path: pathOf(pattern, parts), headers: { ...parts.headers, ...type }, signal: ends };
        this.place
          .send(options, resolve)
          .on('error', (error) => {
            reject(this.reasonOf(error, signal));
          })
          .end(text);
      });
    let incoming = await once();
    for (let tries = 1; incoming.statusCode === TOO_LATE; tries++) {
      incoming.destroy();
      if (tries === TRIES) throw new MosrunError('timeout', 'the daemon has too much to do to answer: try again later');
      incoming = await once();
    }
    if (incoming.statusCode === 200) return incoming;
    let error: { code: string; message: string } | undefined;
    try {
      ({ error } = JSON.parse(await textOf(incoming)) as { error?: { code: string; message: string } });
    } catch {
      throw notUnderstood();
    }
    throw errorFrom(error?.code ?? 'failed', error?.message ?? 'the daemon failed: see its log');
  }

  private reasonOf(error: Error, signal: AbortSignal | undefined): Error {
    if (signal?.aborted) return signal.reason as Error;
    if (this.isClosed) return this.closing.signal.reason as Error;
    return connectionError(error, this.place);
  }
}
