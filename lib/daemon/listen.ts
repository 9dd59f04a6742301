import { chmodSync } from 'node:fs';
import { type Server, connect } from 'node:net';
import { MosrunError, systemCode } from '../shared/errors.js';
import { removeFile } from '../shared/files.js';

type Place = { path: string; mode: number } | { host: string; port: number };

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** Listens; a socket file that a killed daemon left behind is taken away, one that answers is not. */
export async function listenOn(server: Server, place: Place): Promise<void> {
  if ('path' in place) {
    if (await answers(place.path)) throw new MosrunError('failed', `a mosd is running already (${place.path}): stop it first`);
    removeFile(place.path);
  }
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
