import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GuardOptions, guardRequests } from './request-guard.ts';

/** Address on which every server of the local stack listens: this machine only. */
export const HOST = '127.0.0.1';
/** How long an idle connection stays open. */
const KEEP_ALIVE_MS = 120_000;

/** A running server. */
export interface LocalServer {
  /** URL, without a trailing slash. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Starts a server, which rejects requests of web pages (see {@link guardRequests}).
 *
 * @param port 0 for any free port.
 * @throws an error with the code EADDRINUSE and the port, if that is in use.
 */
export async function start(
  server: Server,
  port: number,
  guard?: GuardOptions,
): Promise<LocalServer> {
  guardRequests(server, guard);
  // By default idle connections end after 5 seconds, at which moment a client may send a request.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    endpoint: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        // Not the event `close`: dynalite calls back later, when it has closed its files.
        server.close(() => resolve());
        // Clients keep idle connections open.
        server.closeAllConnections();
      }),
  };
}
