import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withCompileCache } from '../../infra/local/compile-cache.ts';

/**
 * Gives the test run a temporary folder of its own, and deletes it with all in it at the end. Processes
 * that tests start take their modules from the compile cache, which halves the CPU time of a command's
 * start.
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'customers-test-'));
  Object.assign(process.env, withCompileCache(), { TMPDIR: folder });
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
