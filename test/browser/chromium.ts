import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium as playwright } from 'playwright-core';
import manifest from './package.json' with { type: 'json' };

const UNPACKED = join(
  import.meta.dirname,
  `.local/chromium-${manifest.devDependencies['@sparticuz/chromium']}`,
);
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

/** Flags without which Chromium calls its maker; and it has no sandbox as root, as in containers. */
const FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-sandbox',
];

/**
 * Returns the path of a Chromium: that of the variable CHROMIUM_PATH, or on Linux with an x64 processor
 * the one of the package, or an installed one; undefined if there is none.
 */
export async function findChromium(): Promise<string | undefined> {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  if (process.platform === 'linux' && process.arch === 'x64') return unpackChromium();
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

/** Starts a Chromium without a window. */
export function launch(executablePath: string): Promise<Browser> {
  return playwright.launch({ executablePath, args: FLAGS });
}

/** Unpacks the package's Chromium once: it takes several seconds and 200 MB. */
async function unpackChromium(): Promise<string> {
  if (!existsSync(UNPACKED)) {
    mkdirSync(join(UNPACKED, '..'), { recursive: true });
    const folder = mkdtempSync(`${UNPACKED}-`);
    // The package unpacks to the temporary folder, which a test run deletes.
    const { TMPDIR } = process.env;
    process.env.TMPDIR = folder;
    try {
      const { default: chromium } = await import('@sparticuz/chromium');
      await chromium.executablePath();
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
    try {
      renameSync(folder, UNPACKED);
    } catch (error) {
      // Another test file, at the same time, was first.
      if (!existsSync(UNPACKED)) throw error;
      rmSync(folder, { recursive: true });
    }
  }
  return join(UNPACKED, 'chromium');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
