import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where every server of the local stack listens: on this machine only. */
export const HOST = '127.0.0.1';

/** A running server. */
export interface LocalServer {
  /** Address, without a slash at its end. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @param port 0 for any free one.
 * @throws an error with code EADDRINUSE, and the port, where that is taken.
 */
export async function start(server: Server, port: number): Promise<LocalServer> {
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    endpoint: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      // Clients keep their connections open for more.
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
