import { chmodSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { type Server, connect } from 'node:net';
import type { Clock } from '../shared/clock.js';
import { MosrunError, systemCode } from '../shared/errors.js';
import { removeFile } from '../shared/files.js';

type Place = { path: string; mode: number } | { host: string; port: number };

/** Throws when a daemon answers there already. A socket file that a killed one left behind answers nothing. */
export async function checkIsAlone(path: string): Promise<void> {
  const isAnswered = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
  if (isAnswered) throw new MosrunError('failed', `a mosd is running already (${path}): stop it first`);
}

/** Listens; a socket file that is there is taken away. */
export async function listenOn(server: Server, place: Place): Promise<void> {
  if ('path' in place) removeFile(place.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const where = 'path' in place ? place.path : `${place.host}:${place.port}`;
      const advice = systemCode(error) === 'EADDRINUSE' ? 'another program has this port' : 'check the address in mosrun.toml';
      reject(new MosrunError('failed', `cannot listen on ${where} (${systemCode(error)}): ${advice}`, { cause: error }));
    });
    server.listen(place, resolve);
  });
  if ('path' in place) chmodSync(place.path, place.mode);
}

/** Stops listening, and lets go of who is connected; waits a second at most. */
export async function closeServers(servers: readonly Server[], clock: Clock): Promise<void> {
  const closed = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        // An HTTPS server is no HttpServer, but closes its connections in the same way.
        const { closeAllConnections } = server as Partial<HttpServer>;
        closeAllConnections?.call(server);
      }),
  );
  const enough = new Promise<void>((resolve) => {
    clock.after(1, resolve);
  });
  await Promise.race([Promise.all(closed), enough]);
}
