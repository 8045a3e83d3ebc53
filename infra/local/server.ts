import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Address on which every server of the local stack listens: this machine only. */
export const HOST = '127.0.0.1';

/** A running server. */
export interface LocalServer {
  /** URL, without a trailing slash. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @param port 0 for any free port.
 * @throws an error with the code EADDRINUSE and the port, if that is in use.
 */
export async function start(server: Server, port: number): Promise<LocalServer> {
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    endpoint: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      // Clients keep idle connections open.
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
