import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../command.ts';

/**
 * Runs the CDK's CLI: that of the deployable, or the installed one. Its output is that of this
 * process, or returned.
 *
 * @param folder the deployable.
 * @returns the exit code and, if it is captured, the output.
 */
export function runCdk(
  folder: string,
  options: readonly string[],
  { capture = false } = {},
): { readonly status: number; readonly output: string } {
  const { status, stdout, error } = spawnSync(process.execPath, [cliOf(folder), ...options], {
    env: process.env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
    stdio: ['inherit', capture ? 'pipe' : 'inherit', 'inherit'],
  });
  if (error) throw error;
  return { status: status ?? 1, output: stdout ?? '' };
}

function cliOf(folder: string): string {
  const places = [join(folder, 'cdk/bin/cdk'), 'node_modules/aws-cdk/bin/cdk'];
  const found = places.find((path) => existsSync(path));
  if (!found) throw new UsageError(`The CDK's CLI is in neither of ${places.join(', ')}.`);
  return found;
}
