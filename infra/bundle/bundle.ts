import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  type BuildOptions,
  type BuildResult,
  build,
  context,
  type Metafile,
  type Plugin,
} from 'esbuild';
import { BUNDLED_DOCUMENTS } from '../../shared/http/document-index.ts';
import { writeSite } from '../documents/site.ts';
import { DOCUMENTS_FUNCTION, ENDPOINTS } from '../endpoints.ts';
import { joinEntry } from './join-entry.ts';

// esbuild, a program in Go, takes half of its CPU time to collect garbage with Go's own default.
process.env.GOGC ??= '400';

const FUNCTIONS = join(import.meta.dirname, '../../functions');
const replacement = (file: string) => join(import.meta.dirname, file);

/** Every function, bundled. */
interface Bundles {
  /** Folder with a subfolder for each function. */
  readonly folder: string;
  /** esbuild's metafiles by function name. */
  readonly metafiles: ReadonlyMap<string, Metafile>;
}

/**
 * Bundles every function, and writes the documents that one of them serves.
 *
 * @param folder output folder; by default one that is deleted when this process exits.
 */
export async function bundleFunctions(folder = temporaryFolder()): Promise<Bundles> {
  const metafiles = new Map<string, Metafile>();
  await withBundler(async (bundle) => {
    for (const entry of readdirSync(FUNCTIONS, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      metafiles.set(entry.name, await bundle(entry.name, join(folder, entry.name)));
    }
  });
  await writeSite(join(folder, DOCUMENTS_FUNCTION, BUNDLED_DOCUMENTS));
  return { folder, metafiles };
}

/**
 * Bundles a function with the tested version of the SDK, of which it keeps only what is used. Code
 * that is imported dynamically becomes a file of its own, which a cold start does not load.
 * There is no source map: it would be several times the code's size. The same commit builds the same
 * file, so that a position in a logged stack can be looked up later.
 *
 * @param name folder in `functions/`.
 * @param folder output folder; `index.mjs` is the entry.
 * @returns esbuild's metafile: the inputs, and how many bytes of each are in the output files, by their
 * names.
 * @see shared/decisions/2026-11-25-bundling-and-sdk-trimming.md
 */
export function bundleFunction(name: string, folder: string): Promise<Metafile> {
  return withBundler((bundle) => bundle(name, folder));
}

/**
 * Calls `work` with a function that does what {@link bundleFunction} does, for one function after another:
 * esbuild parses each module once, which halves its CPU time.
 */
async function withBundler<T>(work: (bundle: typeof bundleFunction) => Promise<T>): Promise<T> {
  const current = { name: '', apart: new Set<string>() };
  const builder = await context({
    ...IN_MEMORY,
    entryPoints: [{ in: CURRENT, out: 'index' }],
    splitting: true,
    plugins: [...PLUGINS, currentHandler(current), apart(current)],
  });
  const builtApart = new Map<string, ReturnType<typeof buildApart>>();

  async function bundle(name: string, folder: string): Promise<Metafile> {
    Object.assign(current, { name, apart: new Set() });
    await mkdir(folder, { recursive: true });
    const { inputs, outputs } = await write(await builder.rebuild(), folder);
    await joinEntry(folder, { inputs, outputs }, OPTIONS);
    for (const file of current.apart) {
      const built = builtApart.get(file) ?? buildApart(file);
      builtApart.set(file, built);
      const own = await write(await built, folder);
      Object.assign(inputs, own.inputs);
      Object.assign(outputs, own.outputs);
    }
    return { inputs, outputs };
  }
  try {
    return await work(bundle);
  } finally {
    await builder.dispose();
  }
}

/** Builds a module that shares no code with the entry. */
function buildApart(file: string) {
  return build({
    ...IN_MEMORY,
    plugins: [...PLUGINS],
    entryPoints: [file],
    entryNames: `[name]${APART}`,
  });
}

/** Writes the files of a build to a folder, and returns its metafile with the names of these files. */
async function write(
  { outputFiles, metafile }: BuildResult<typeof IN_MEMORY>,
  folder: string,
): Promise<Metafile> {
  for (const { path, contents } of outputFiles) {
    await writeFile(join(folder, basename(path)), contents);
  }
  const outputs = Object.entries(metafile.outputs).map(([path, output]) => [
    basename(path),
    output,
  ]);
  return { inputs: metafile.inputs, outputs: Object.fromEntries(outputs) };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'functions-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Replaces imports of these Node modules. An import from an ES module reads all exports, which loads
 * what the module loads lazily: a fetch client in `http`, three streams in `process`.
 */
const plainBuiltins: Plugin = {
  name: 'plain builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(?:crypto|fs|http|process|util)$/ }, ({ path }) => ({
      path,
      namespace: 'builtin',
    }));
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => {
      const module = `process.getBuiltinModule(${JSON.stringify(path)})`;
      // Reads only the exports that are imported, so that the others stay unloaded.
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).map(
        (name) => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})();`,
      );
      return {
        contents: [`const builtin = ${module};`, 'export default builtin;', ...names].join('\n'),
      };
    });
  },
};

const modules = new Map<string, Promise<string>>();

/** Reads a module of a package, once for all functions. */
function readModule(path: string): Promise<string> {
  const read = modules.get(path) ?? readFile(path, 'utf8');
  modules.set(path, read);
  return read;
}

/**
 * Replaces computed keys in the SDK's schemas of operations, such as `[_h]` with a constant `_h`, by
 * their text. esbuild keeps an object with a computed key, and so the schemas of all 130 operations
 * of S3; with the text it drops those that are not used. The registration of errors of other
 * operations is dropped as well: such an error would keep its name, but have no class of its own.
 */
const ownSchemas: Plugin = {
  name: 'own schemas',
  setup({ onLoad }) {
    onLoad({ filter: /client-[\w-]+[\\/]dist-es[\\/]schemas[\\/]\w+\.js$/ }, async ({ path }) => {
      const source = await readModule(path);
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

/** Names of errors of operations that no function uses: on backups, tables, buckets, annotations. */
const OF_OTHER_OPERATIONS =
  /Backup|Export|Import|Replica(?!ted)|Global|Table|Policy|PointInTime|Restore|IndexNotFound|ResourceInUse|DuplicateItem|BucketAlready|Annotation|ActiveTier|WriteOffset/;

/**
 * Replaces the SDK's dynamic imports: of Node's HTTP, which is loaded anyway, and of code that no
 * function uses. Each would become a file, and the code that it shares with the rest another.
 */
const noDynamicImports: Plugin = {
  name: 'no dynamic imports',
  setup({ onLoad }) {
    onLoad({ filter: /@(?:aws-sdk|smithy)[\\/].+[\\/]dist-es[\\/].+\.js$/ }, async ({ path }) => {
      const source = await readModule(path);
      const contents = source.replaceAll(/await import\(("[^"]+")\)/g, (_, name) =>
        name === '"node:http"'
          ? `process.getBuiltinModule(${name})`
          : `(() => { throw new Error(${name} + " is left out of the bundle"); })()`,
      );
      return { contents };
    });
  },
};

/** Replaces the modules of the SDK whose exports are in `sdk-parts.ts`. */
const ownParts: Plugin = {
  name: 'own parts',
  setup({ onResolve }) {
    const names = [
      'configLoader',
      'calculateBodyLength',
      'v4',
      'HeaderFormatter',
      'AdaptiveRetryStrategy',
      'getInstanceMetadataRegion',
      'Sha1Js',
      'Sha256Js',
      'Md5Js',
    ];
    onResolve({ filter: RegExp(`^\\.{1,2}/(?:.+/)?(?:${names.join('|')})$`) }, () => ({
      path: replacement('sdk-parts.ts'),
    }));
  },
};

/** Drops the SDK's search for event streams in the schemas of each call: no operation in use has one. */
const noEventStreams: Plugin = {
  name: 'no event streams',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]schemas[\\/]NormalizedSchema\.js$/ }, async ({ path }) => {
      const source = await readModule(path);
      return { contents: source.replace('getEventStreamMember() {', '$& return "";') };
    });
  },
};

/** Drops the SDK's variants for browsers, which Node's variants import to handle web streams. */
const noBrowsers: Plugin = {
  name: 'no browsers',
  setup({ onLoad }) {
    onLoad({ filter: /@(?:aws-sdk|smithy)[\\/].+\.browser\.js$/ }, async ({ path }) => {
      const source = await readModule(path);
      const names = source.matchAll(/^export (?:const|(?:async )?function\*?|class) (\w+)/gm);
      return {
        contents: [...names].map(([, name]) => `export const ${name} = undefined;`).join(''),
      };
    });
  },
};

/** Reduces the SDK's package.json files to the version, of which the SDK builds its user agent. */
const versionsOnly: Plugin = {
  name: 'versions only',
  setup({ onLoad }) {
    onLoad({ filter: /client-[\w-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readModule(path));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Import of the handler of the function that is bundled. */
const CURRENT = 'current handler';

function currentHandler(current: { readonly name: string }): Plugin {
  return {
    name: CURRENT,
    setup({ onResolve }) {
      onResolve({ filter: RegExp(`^${CURRENT}$`) }, () => ({
        path: join(FUNCTIONS, current.name, 'handler.ts'),
      }));
    },
  };
}

/** Ends the names of files that share no code with the entry. */
const APART = '-apart';

/**
 * Leaves snapshots' clients of S3 and Lambda to be bundled by themselves, for functions without another one
 * of S3. Otherwise what they share with the entry's client of DynamoDB would be in a file that each cold
 * start loads, with the parts that only they use: 41 of 206 kB.
 *
 * @param current gets the modules to bundle.
 */
function apart(current: { readonly name: string; readonly apart: Set<string> }): Plugin {
  return {
    name: 'apart',
    setup({ onResolve }) {
      onResolve(
        { filter: /\/(?:snapshot-files|start-build)\.ts$/ },
        ({ path, kind, resolveDir }) => {
          const hasS3 = ENDPOINTS.every(
            (endpoint) => endpoint.function !== current.name || endpoint.files,
          );
          if (hasS3 || kind !== 'dynamic-import') return undefined;
          current.apart.add(join(resolveDir, path));
          return { path: path.replace(/\.ts$/, `${APART}.mjs`), external: true };
        },
      );
    },
  };
}

const PLUGINS: readonly Plugin[] = [
  plainBuiltins,
  ownSchemas,
  ownParts,
  noBrowsers,
  noEventStreams,
  noDynamicImports,
  versionsOnly,
];

/** Options of all bundles. */
const OPTIONS = {
  bundle: true,
  outExtension: { '.js': '.mjs' },
  metafile: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  minify: true,
  logLevel: 'warning',
  alias: {
    // These and the plugins shorten cold starts; `npm run bench -- cold` measures by how much.
    '@aws-sdk/credential-provider-node': replacement('credentials.ts'),
    '@aws-sdk/middleware-endpoint-discovery': replacement('endpoint-discovery.ts'),
    '@smithy/core/event-streams': replacement('event-streams.ts'),
  },
  define: { ReadableStream: 'undefined', Blob: 'undefined' },
} satisfies BuildOptions;

/** Options of builds whose files {@link write} writes: several functions have some of them. */
const IN_MEMORY = { ...OPTIONS, write: false, outdir: FUNCTIONS } satisfies BuildOptions;
