/**
 * Installs the packages of a folder beside this file on first use and after a change of its lock
 * file: `npm ci` of the project leaves them out. `npx node test/install.ts bench` installs the
 * alternatives that the benchmark measures, and the load generator; `npx node test/install.ts clients`
 * the linters of the OpenAPI document; `npx node test/install.ts browser` a Chromium.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

const [name = ''] = process.argv.slice(2);
const FOLDER = join(import.meta.dirname, name);

// npm writes this file at the end of an installation.
if (modifiedMs('node_modules/.package-lock.json') < modifiedMs('package-lock.json')) {
  console.error(`Installing the packages of test/${name}, once and after each change of its lock.`);
  // npm is a script on Windows, which only a shell can start.
  const shell = process.platform === 'win32';
  const { status } = spawnSync('npm', ['ci'], {
    cwd: FOLDER,
    shell,
    // The command's own output stays apart.
    stdio: ['ignore', process.stderr, process.stderr],
  });
  process.exitCode = status ?? 1;
}

/** Time of a file's last change, in milliseconds since 1970; 0 if there is no such file. */
function modifiedMs(file: string): number {
  return statSync(join(FOLDER, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
