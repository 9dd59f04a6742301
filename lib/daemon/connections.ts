/** Nobody may take all the connections there are: so many for each user, or for each address. */
import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';

const MOST_CONNECTIONS = 1024;
const MOST_FOR_ONE = 128;

/** Bounds of both servers. A request must be there whole in time; how long its answer takes is its own matter. */
export const serverTimes = {
  headersTimeout: 5000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1000,
} as const;

export class Connections {
  private readonly counts = new Map<string, number>();

  constructor(server: Pick<HttpServer, 'maxConnections'>) {
    server.maxConnections = MOST_CONNECTIONS;
  }

  /**
   * Counts a new connection; one that is too many is closed.
   * @param key whose it is.
   * @param farewell what is said to it then.
   */
  admit(socket: Socket, key: string, farewell?: Buffer): void {
    const count = (this.counts.get(key) ?? 0) + 1;
    if (count > MOST_FOR_ONE) {
      if (farewell) {
        socket.write(farewell);
        socket.destroySoon();
      } else {
        socket.destroy();
      }
      return;
    }
    this.counts.set(key, count);
    socket.once('close', () => {
      const left = (this.counts.get(key) ?? 1) - 1;
      if (left > 0) this.counts.set(key, left);
      else this.counts.delete(key);
    });
  }
}
