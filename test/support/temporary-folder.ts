import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the test run a temporary folder of its own, and deletes it with all in it at the end. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'customers-test-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
