import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
