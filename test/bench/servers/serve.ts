import type { Server } from 'node:http';
import { start } from '../../../infra/local/server.ts';

/** Starts the server of this process, sends its URL to the parent, and ends with the parent. */
export async function serve(server: Server): Promise<void> {
  // Contenders keep connections open between rounds.
  server.keepAliveTimeout = 0;
  const { endpoint } = await start(server, 0);
  process.once('disconnect', () => process.exit());
  process.send?.(endpoint);
}
