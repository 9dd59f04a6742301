/** The API on the unix socket: who asks is known by the kernel (SO_PEERCRED), what he may do follows from that. */
import { type Server, createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { PeerCredentials } from '../engine/index.js';
import { descriptorOf } from './descriptors.js';
import { MosrunError } from '../shared/errors.js';
import { Connections, serverTimes } from './connections.js';
import { type Handlers, httpApi } from './http-api.js';
import { localCaller } from './permission.js';

export type Identify = (descriptor: number) => PeerCredentials;

export function peerOf(socket: Socket, identify: Identify): PeerCredentials {
  return identify(descriptorOf(socket));
}

export function localServer(handlers: Handlers, identify: Identify): Server {
  // Who connected is asked once, at the start: later the process may be another.
  const peers = new WeakMap<Socket, PeerCredentials>();
  const server = createServer(
    serverTimes,
    httpApi(handlers, (socket) => {
      const peer = peers.get(socket);
      if (!peer) throw new MosrunError('not-permitted', 'it is not known who asks: connect again');
      return localCaller(peer);
    }),
  );
  const connections = new Connections(server);
  server.on('connection', (socket: Socket) => {
    try {
      const peer = peerOf(socket, identify);
      peers.set(socket, peer);
      connections.admit(socket, `${peer.uid}`);
    } catch {
      socket.destroy();
    }
  });
  return server;
}
