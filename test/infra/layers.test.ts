import { execFile } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const ARCHITECTURE = readFileSync(join(ROOT, 'shared/README.md'), 'utf8');
/** A row of the table of layers: its folder, and the layers that it may import. */
const LAYER = /^\| \[`([\w-]+)`\]\(\1\/\)[^|]*\|[^|]*\| ([^|]*)\|$/gm;
const LAYERS = [...ARCHITECTURE.matchAll(LAYER)].map(([, name = '', allowed = '']) => ({
  name,
  allowed: [...allowed.matchAll(/`([\w-]+)`/g)].map(([, other = '']) => other),
}));
const NAMES = LAYERS.map(({ name }) => name);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layers-'));
  cpSync(join(ROOT, '.biome.json'), join(folder, '.biome.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Returns which imports of files the linter refuses.
 *
 * @param files by their paths, what they import: paths from the root of the repository, or packages.
 */
async function refused(files: Readonly<Record<string, readonly string[]>>) {
  for (const [path, imports] of Object.entries(files)) {
    const lines = imports.map((each) => `export * from '${fromFile(path, each)}';`);
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), lines.join('\n'));
  }
  const lint = promisify(execFile)(
    join(ROOT, 'node_modules/.bin/biome'),
    [
      'lint',
      '--vcs-enabled=false',
      '--only=style/noRestrictedImports',
      '--reporter=json',
      '--max-diagnostics=none',
      ...Object.keys(files),
    ],
    { cwd: folder },
  );
  // It ends with 1 if it refuses any.
  const { stdout } = await lint.catch((error: { stdout: string }) => error);
  const lines = new Set(
    JSON.parse(stdout).diagnostics.map(
      ({ location }: { location: { path: string; start: { line: number } } }) =>
        `${location.path}:${location.start.line}`,
    ),
  );
  return Object.fromEntries(
    Object.entries(files).map(([path, imports]) => [
      path,
      imports.filter((_, index) => lines.has(`${path}:${index + 1}`)),
    ]),
  );
}

function fromFile(path: string, imported: string): string {
  if (!imported.endsWith('.ts')) return imported;
  const between = relative(dirname(path), imported);
  return between.startsWith('.') ? between : `./${between}`;
}

test('A layer may import only layers above it in the table, so that there are no circles', () => {
  for (const [index, { allowed }] of LAYERS.entries()) {
    expect(NAMES.slice(0, index)).toEqual(expect.arrayContaining(allowed));
  }
});

test('The linter refuses what the table of layers does not allow, in each folder of a layer', async () => {
  expect(LAYERS.length).toBeGreaterThan(5);
  const subfolders = globSync('shared/*/*/', { cwd: ROOT }).map((path) => path.slice(7));
  const files = [...NAMES, ...subfolders].map((path) => {
    const { name, allowed } = layerOf(path);
    const others = NAMES.filter((other) => other !== name);
    const inShared = (layers: readonly string[]) => layers.map((each) => `shared/${each}/any.ts`);
    return {
      path: `shared/${path}/probe.ts`,
      allowed: [...inShared(allowed), ...(name === 'domain' ? [] : ['shared/environment.ts'])],
      refused: [
        ...inShared(others.filter((other) => !allowed.includes(other))),
        ...(name === 'domain' ? ['shared/environment.ts'] : []),
        ...['functions/any.ts', 'functions/any/handler.ts', 'infra/any.ts', 'test/any.ts'],
        ...(['domain', 'formats', 'http'].includes(name) ? ['@aws-sdk/client-dynamodb'] : []),
      ],
    };
  });
  expect(
    await refused(
      Object.fromEntries(files.map((file) => [file.path, [...file.allowed, ...file.refused]])),
    ),
  ).toEqual(Object.fromEntries(files.map((file) => [file.path, file.refused])));
});

test('The linter refuses the fast path of reads but by its entrance', async () => {
  const serializer = 'shared/storage/serialized-items/item-serializer.ts';
  const entrance = 'shared/storage/serialized-items/index.ts';
  const ofStorage = ['shared/storage/probe.ts', 'shared/storage/snapshots/probe.ts'];
  expect(
    await refused(Object.fromEntries(ofStorage.map((path) => [path, [entrance, serializer]]))),
  ).toEqual(Object.fromEntries(ofStorage.map((path) => [path, [serializer]])));
});

test('The linter lets functions import what is shared, contracts nothing that runs, and infrastructure no function', async () => {
  const handler = ['functions/other/handler.ts', 'infra/any.ts', 'test/any.ts'];
  const ofContract = [...handler, 'functions/any-handler.ts', 'shared/environment.ts'];
  const expected = {
    'functions/any-responses.ts': handler,
    'functions/any/handler.ts': handler,
    'functions/any-contract.ts': [...ofContract, '@aws-sdk/client-s3'],
    'functions/any/contract.ts': [...ofContract, '@aws-sdk/client-s3'],
    ...Object.fromEntries(
      ['infra', 'infra/bundle', 'infra/deploy', 'infra/documents', 'infra/restore'].map((path) => [
        `${path}/probe.ts`,
        ['functions/other/handler.ts', 'shared/exports/any.ts', 'test/any.ts'],
      ]),
    ),
  };
  const allowed = ['shared/http/api.ts', 'shared/domain/fields.ts'];
  expect(
    await refused(
      Object.fromEntries(
        Object.entries(expected).map(([path, imports]) => [path, [...allowed, ...imports]]),
      ),
    ),
  ).toEqual(expected);
});

function layerOf(path: string) {
  const layer = LAYERS.find(({ name }) => name === path.split('/')[0]);
  if (!layer) throw new Error(`The table of layers has no row for shared/${path}`);
  return layer;
}
