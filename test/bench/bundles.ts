import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { bundleFunction } from '../../infra/bundle/bundle.ts';

/**
 * CommonJS packages call `require`, which an ES module has to create; Powertools documents this
 * banner.
 */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

const ROOT = join(import.meta.dirname, '../..');

/**
 * Resolves the AWS SDK from the root's packages, also if a package of this folder imports it, so
 * that each bundle has one copy of it and all have the same version.
 */
const ONE_SDK: Plugin = {
  name: 'one-sdk',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@(?:aws|aws-sdk|smithy)\// }, async ({ path, kind, pluginData }) => {
      if (pluginData === ONE_SDK) return undefined;
      const found = await resolve(path, { kind, resolveDir: ROOT, pluginData: ONE_SDK });
      // What only this folder has, such as lib-storage, is resolved as usual.
      return found.errors.length > 0 ? undefined : found;
    });
  },
};

/** Options of all contenders' bundles: one minified ES module. */
const OPTIONS = {
  format: 'esm',
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  plugins: [ONE_SDK],
} satisfies BuildOptions;

/** Bundles functions on first use, in a temporary folder. */
export interface Bundles {
  /** Returns the bundle of one of our functions, as deployed. */
  ours(name: string): Promise<string>;
  /**
   * Returns the bundle of one of our functions as an earlier commit builds it, with the packages of this
   * one; undefined if the commit has no such function.
   */
  earlier(commit: string, name: string): Promise<string | undefined>;
  /** Returns the bundle of a bare DynamoDB client in `bare/`, with common options. */
  bare(name: string): Promise<string>;
  /** Returns the bundle of an alternative in `usual/`, with common options. */
  usual(name: string): Promise<string>;
  /** Bundle of the program that loads a handler in its own process. */
  readonly caller: string;
  /** Bundle of the program that counts customers of a snapshot. */
  readonly searcher: string;
  remove(): void;
}

/** Creates the folder of the bundles, and the bundle of the caller. */
export async function createBundles(): Promise<Bundles> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const bundles = new Map<string, Promise<string>>();
  const bundleOnce = (
    source: string,
    name: string,
    options: BuildOptions = {},
  ): Promise<string> => {
    const outfile = join(folder, `${name}.mjs`);
    const built = bundles.get(outfile) ?? bundle(source, outfile, options);
    bundles.set(outfile, built);
    return built;
  };
  return {
    ours: async (name) => {
      const ours = join(folder, 'ours', name);
      if (!existsSync(ours)) await bundleFunction(name, ours);
      return join(ours, 'index.mjs');
    },
    earlier: async (commit, name) => {
      const root = join(folder, commit);
      if (!existsSync(root)) checkOut(commit, root);
      if (!existsSync(join(root, 'functions', name))) return undefined;
      const theirs = join(folder, 'earlier', commit, name);
      if (!existsSync(theirs)) {
        const url = pathToFileURL(join(root, 'infra/bundle/bundle.ts')).href;
        const earlier: { bundleFunction: typeof bundleFunction } = await import(url);
        await earlier.bundleFunction(name, theirs);
      }
      return join(theirs, 'index.mjs');
    },
    bare: (name) => bundleOnce(join(import.meta.dirname, `bare/${name}.ts`), `bare-${name}`),
    usual: (name) =>
      bundleOnce(join(import.meta.dirname, `usual/${name}.ts`), `usual-${name}`, {
        banner: { js: REQUIRE },
      }),
    caller: await bundleOnce(join(import.meta.dirname, 'child/caller.ts'), 'caller'),
    searcher: await bundleOnce(join(import.meta.dirname, 'child/searcher.ts'), 'searcher'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Writes the files of a commit to a new folder, with a link to the packages. */
function checkOut(commit: string, root: string): void {
  const files = execFileSync('git', ['archive', commit], { cwd: ROOT, maxBuffer: 2 ** 30 });
  mkdirSync(root, { recursive: true });
  execFileSync('tar', ['-x'], { cwd: root, input: files });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'dir');
}

async function bundle(source: string, outfile: string, options: BuildOptions): Promise<string> {
  await build({
    ...OPTIONS,
    ...options,
    entryPoints: [source],
    bundle: true,
    platform: 'node',
    outfile,
  });
  return outfile;
}
