import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const FUNCTIONS = join(import.meta.dirname, '../../functions');
const replacement = (file: string) => join(import.meta.dirname, file);

/**
 * Bundles a function with the SDK that was tested, and of it only what is in use. What a function
 * imports while it runs becomes a file of its own, which a cold start does without.
 * Without a source map: it would be several times the code's size and slow every cold start, and
 * the same commit makes the same file, so that a place in a logged stack can be looked up later.
 *
 * @param name of its folder in `functions/`.
 * @param folder for its files, of which `index.mjs` is the one to load.
 * @returns what is in them, and how much of each.
 */
export async function bundleFunction(name: string, folder: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [join(FUNCTIONS, name, 'handler.ts')],
    bundle: true,
    splitting: true,
    outdir: folder,
    entryNames: 'index',
    outExtension: { '.js': '.mjs' },
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    logLevel: 'warning',
    alias: {
      // What follows is about cold starts; `npm run bench -- cold` tells what comes of it.
      '@aws-sdk/credential-provider-node': replacement('credentials.ts'),
      '@aws-sdk/middleware-endpoint-discovery': replacement('endpoint-discovery.ts'),
      '@smithy/core/event-streams': replacement('event-streams.ts'),
      'node:fs/promises': replacement('fs-promises.cjs'),
    },
    define: { ReadableStream: 'undefined', Blob: 'undefined' },
    plugins: [plainBuiltins, ownSchemas, noDynamicImports, nativeHashes, versionsOnly],
  });
  return metafile;
}

/** Every function, bundled. */
interface Bundles {
  /** Has a folder for each function, with its `index.mjs`; gone when this process ends. */
  readonly folder: string;
  /** What is in each, by the function's name. */
  readonly metafiles: ReadonlyMap<string, Metafile>;
}

/** Bundles every function. */
export async function bundleFunctions(): Promise<Bundles> {
  const folder = mkdtempSync(join(tmpdir(), 'functions-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const metafiles = await Promise.all(
    readdirSync(FUNCTIONS, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => [name, await bundleFunction(name, join(folder, name))] as const),
  );
  return { folder, metafiles: new Map(metafiles) };
}

/**
 * An import of these from a module makes Node read all they export, which loads what they have
 * kept for later: `http` brings a whole fetch client, `process` its three streams.
 */
const plainBuiltins: Plugin = {
  name: 'plain builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(?:fs|http|process|util)$/ }, ({ path }) => ({
      path,
      namespace: 'builtin',
    }));
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => {
      const module = `process.getBuiltinModule(${JSON.stringify(path)})`;
      // Only what is imported is looked at, so that the rest stays unloaded.
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).map(
        (name) => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})();`,
      );
      return {
        contents: [`const builtin = ${module};`, 'export default builtin;', ...names].join('\n'),
      };
    });
  },
};

/**
 * The SDK's descriptions of its operations have keys such as `[_h]`, with `_h` a constant text.
 * esbuild keeps whatever has a computed key, and with it the descriptions of all 130 operations of
 * S3, most of which are not in use; with the text in its place it can leave them out. Errors that
 * only other operations give are left out as well: one that came all the same would still have its
 * name, only not a class of its own.
 */
const ownSchemas: Plugin = {
  name: 'own schemas',
  setup({ onLoad }) {
    onLoad({ filter: /client-[\w-]+[\\/]dist-es[\\/]schemas[\\/]\w+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const constants = new Map(
        [...source.matchAll(/^const (\w+) = ("[^"]*");$/gm)].map(([, name, text]) => [name, text]),
      );
      const contents = source
        .replaceAll(/\[(\w+)\]:/g, (key, name) =>
          constants.has(name) ? `${constants.get(name)}:` : key,
        )
        .replaceAll(/^\w+\.registerError\((\w+)\$, \1\);$/gm, (registration, name) =>
          OF_OTHER_OPERATIONS.test(name) ? '' : registration,
        );
      return { contents };
    });
  },
};

/** Names of errors about what no function deals with: backups, tables, buckets, annotations. */
const OF_OTHER_OPERATIONS =
  /Backup|Export|Import|Replica(?!ted)|Global|Table|Policy|PointInTime|Restore|IndexNotFound|ResourceInUse|DuplicateItem|BucketAlready|Annotation|ActiveTier|WriteOffset/;

/**
 * What the SDK imports dynamically is Node's HTTP, which is there anyway, and what no function
 * needs. Each would become a file, and what it shares with the rest another, to load one by one.
 */
const noDynamicImports: Plugin = {
  name: 'no dynamic imports',
  setup({ onLoad }) {
    onLoad({ filter: /@(?:aws-sdk|smithy)[\\/].+[\\/]dist-es[\\/].+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replaceAll(/await import\(("[^"]+")\)/g, (_, name) =>
        name === '"node:http"'
          ? `process.getBuiltinModule(${name})`
          : `(() => { throw new Error(${name} + " is left out of the bundle"); })()`,
      );
      return { contents };
    });
  },
};

/** The SDK's hashes in JavaScript are for Nodes without OpenSSL. */
const nativeHashes: Plugin = {
  name: 'native hashes',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/(?:Sha1|Sha256|Md5)Js$/ }, ({ path }) => ({
      path: path.slice(2),
      namespace: 'left out',
    }));
    onLoad({ filter: /^/, namespace: 'left out' }, ({ path }) => ({
      contents: `export const ${path} = undefined;`,
    }));
  },
};

/** Of its package's description the SDK tells its version only. */
const versionsOnly: Plugin = {
  name: 'versions only',
  setup({ onLoad }) {
    onLoad({ filter: /client-[\w-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};
