import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/** File that Lambda imports. */
const ENTRY = 'index.mjs';

type Output = Metafile['outputs'][string];

/**
 * Joins the entry of a bundle with the files that it imports statically. esbuild writes such files, up to
 * twelve, for what the entry shares with code that is imported dynamically, and Node takes 0.4 ms to resolve
 * and read one. Files of the same names then export the same from the entry, for that other code.
 *
 * @param folder folder of the bundle.
 * @param metafile of the bundle; the inputs of the joined files become those of the entry.
 * @see shared/decisions/2026-11-29-one-file-per-cold-start.md
 */
export async function joinEntry(
  folder: string,
  metafile: Metafile,
  options: BuildOptions,
): Promise<void> {
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]),
  );
  const joined = new Set([ENTRY]);
  for (const file of joined) {
    for (const { kind, path } of outputs.get(file)?.imports ?? []) {
      if (kind === 'import-statement' && outputs.has(basename(path))) joined.add(basename(path));
    }
  }
  const [, ...shared] = joined;
  if (shared.length === 0) return;

  const files = shared.map((file, index) => {
    const names = outputs.get(file)?.exports ?? [];
    return {
      file,
      // With the index, since minified names recur in other files.
      inEntry: names.map((name) => `${name} as _${index}${name}`),
      fromEntry: names.map((name) => `_${index}${name} as ${name}`),
    };
  });
  const contents = [
    `export * from './${ENTRY}';`,
    ...files.map(({ file, inEntry }) => `export { ${inEntry} } from './${file}';`),
  ].join('\n');
  await build({
    ...options,
    stdin: { contents, resolveDir: folder },
    outfile: join(folder, ENTRY),
    allowOverwrite: true,
    plugins: [onlyStatic],
  });
  const entry = outputs.get(ENTRY) as Output;
  for (const { file, fromEntry } of files) {
    await writeFile(join(folder, file), `export{${fromEntry}}from"./${ENTRY}";`);
    const output = outputs.get(file) as Output;
    Object.assign(entry.inputs, output.inputs);
    output.inputs = {};
  }
}

/** Leaves dynamic imports as they are. */
const onlyStatic: Plugin = {
  name: 'only static',
  setup({ onResolve }) {
    onResolve({ filter: /^/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};
