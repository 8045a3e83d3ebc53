import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { bundleFunction } from '../../infra/bundle/bundle.ts';

/**
 * Packages that are not modules call `require`, which a module has to make for itself; this is
 * how the makers of Powertools advise to bundle them.
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

/** Options that everybody has: one minified module of Node's. */
const USUAL = {
  format: 'esm',
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  plugins: [ONE_SDK],
} satisfies BuildOptions;

/** Makes bundles, each once, in a folder of its own. */
export interface Bundles {
  /** One of our functions as it is deployed. */
  ours(name: string): Promise<string>;
  /** A bare client of DynamoDB, from `bare/`, as one bundles without further thought. */
  bare(name: string): Promise<string>;
  /** The same endpoint the usual way, from `usual/`, minified as usual. */
  usual(name: string): Promise<string>;
  /** What loads them in a process of its own. */
  readonly caller: string;
  remove(): void;
}

/** Prepares the folder for the bundles. */
export async function createBundles(): Promise<Bundles> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const made = new Map<string, Promise<string>>();
  const make = (source: string, name: string, options: BuildOptions = {}): Promise<string> => {
    const outfile = join(folder, `${name}.mjs`);
    const built = made.get(outfile) ?? bundle(source, outfile, options);
    made.set(outfile, built);
    return built;
  };
  return {
    ours: async (name) => {
      const ours = join(folder, 'ours', name);
      if (!existsSync(ours)) await bundleFunction(name, ours);
      return join(ours, 'index.mjs');
    },
    bare: (name) => make(join(import.meta.dirname, `bare/${name}.ts`), `bare-${name}`),
    usual: (name) =>
      make(join(import.meta.dirname, `usual/${name}.ts`), `usual-${name}`, {
        banner: { js: REQUIRE },
      }),
    caller: await make(join(import.meta.dirname, 'child/caller.ts'), 'caller'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

async function bundle(source: string, outfile: string, options: BuildOptions): Promise<string> {
  await build({
    ...USUAL,
    ...options,
    entryPoints: [source],
    bundle: true,
    platform: 'node',
    outfile,
  });
  return outfile;
}
