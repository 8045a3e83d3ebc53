import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const FUNCTIONS = join(import.meta.dirname, '../../functions');
const replacement = (file: string) => join(import.meta.dirname, file);

/** A function in one file, with all that it needs. */
interface Bundle {
  readonly code: Uint8Array;
  /** What is in it, and how much of each. */
  readonly metafile: Metafile;
}

/**
 * Makes one module of a function, with the SDK that was tested, and of it only what is in use.
 * Without a source map: it would be several times the code's size and slow every cold start, and
 * the same commit makes the same file, so that a place in a logged stack can be looked up later.
 *
 * @param name of the file in `functions/`, without its ending.
 */
export async function bundleFunction(name: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(FUNCTIONS, `${name}.ts`)],
    bundle: true,
    write: false,
    outdir: '.',
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
      '@smithy/core/event-streams': replacement('event-streams.ts'),
      'node:fs/promises': replacement('fs-promises.cjs'),
    },
    plugins: [plainBuiltins, literalKeys],
  });
  return { code: outputFiles[0]?.contents ?? new Uint8Array(), metafile };
}

/**
 * Bundles every function.
 *
 * @returns a folder, gone when this process ends, that has one for each function with its
 * `index.mjs`.
 */
export async function bundleFunctions(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'functions-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const names = readdirSync(FUNCTIONS).map((file) => parse(file).name);
  await Promise.all(
    names.map(async (name) => {
      const { code } = await bundleFunction(name);
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'index.mjs'), code);
    }),
  );
  return folder;
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
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * The SDK's descriptions of its operations have keys such as `[_h]`, with `_h` a constant text.
 * esbuild keeps whatever has a computed key, and with it the descriptions of all 130 operations of
 * S3, most of which are not in use; with the text in its place it can leave them out.
 */
const literalKeys: Plugin = {
  name: 'literal keys',
  setup({ onLoad }) {
    onLoad({ filter: /client-[\w-]+[\\/]dist-es[\\/]schemas[\\/]\w+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const constants = new Map(
        [...source.matchAll(/^const (\w+) = ("[^"]*");$/gm)].map(([, name, text]) => [name, text]),
      );
      const contents = source.replaceAll(/\[(\w+)\]:/g, (key, name) =>
        constants.has(name) ? `${constants.get(name)}:` : key,
      );
      return { contents };
    });
  },
};
