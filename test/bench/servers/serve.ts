import type { Server } from 'node:http';
import { start } from '../../../infra/local/server.ts';

/** Starts this process's server, tells the parent its address, and ends with the parent. */
export async function serve(server: Server): Promise<void> {
  // Contenders keep connections open between rounds.
  server.keepAliveTimeout = 0;
  const { endpoint } = await start(server, 0);
  process.once('disconnect', () => process.exit());
  process.send?.(endpoint);
}
