import type { Shape } from './customers.ts';
import {
  checkSameFile,
  type ExportServers,
  exportAll,
  type FileType,
  startExporter,
  startExportServers,
  USUAL_EXPORTS,
} from './exporting.ts';
import { type Comparison, compare, interleave, progress, statsOf } from './harness.ts';
import type { Bench, Measure } from './measure.ts';

const TARGET = { atLeast: 4 };
/** Of texts of 10 kB both spend their time on the bytes. */
const LARGE_TARGET = { atLeast: 1 };
/** Enough for every different customer, several pages and several parts. */
const ROWS_CHECKED = 9_000;
/** Of customers of 20 kB so many fewer. */
const LARGE_FACTOR = 20;
const CASES: readonly { type: FileType; shape: 'full' | 'sparse' | 'large'; rounds: number }[] = [
  { type: 'csv', shape: 'full', rounds: 5 },
  { type: 'csv', shape: 'sparse', rounds: 5 },
  { type: 'csv', shape: 'large', rounds: 5 },
  // XML builders are slow.
  { type: 'xml', shape: 'full', rounds: 3 },
  { type: 'xml', shape: 'sparse', rounds: 3 },
  { type: 'xlsx', shape: 'full', rounds: 3 },
  { type: 'xlsx', shape: 'sparse', rounds: 3 },
  { type: 'jsonl', shape: 'full', rounds: 3 },
];

/** Measures exports of 100,000 rows, or 5,000 of customers of 20 kB, in rows per second. */
export const measureExports: Measure = async (bench) => {
  const servers = await startExportServers();
  const comparisons: Comparison[] = [];
  try {
    for (const { type, shape, rounds } of CASES) {
      comparisons.push(...(await race(bench, servers, type, shape, bench.quick ? 2 : rounds)));
    }
  } finally {
    servers.stop();
  }
  return comparisons;
};

async function race(
  { bundles, quick }: Bench,
  servers: ExportServers,
  type: FileType,
  shape: Shape,
  rounds: number,
): Promise<Comparison[]> {
  const factor = shape === 'large' ? LARGE_FACTOR : 1;
  const rows = (quick ? 10_000 : 100_000) / factor;
  const name = `${type.toUpperCase()}, ${shape} rows`;
  const alternatives = USUAL_EXPORTS[type];
  const exporters = await Promise.all(
    ['ours', ...alternatives].map((who) => startExporter(type, who, servers, bundles)),
  );
  try {
    const [ours, ...others] = exporters as [(typeof exporters)[0], ...typeof exporters];
    for (const [index, who] of alternatives.entries()) {
      const theirs = others[index] as typeof ours;
      await checkSameFile(servers, [ours, theirs], {
        type,
        shape,
        rows: ROWS_CHECKED / factor,
        who,
      });
    }
    progress(`export ${name}: the files are the same`);
    const contenders = ['ours', ...alternatives].map((who, index) => ({
      name: who,
      sample: async () =>
        (await exportAll(exporters[index] as typeof ours, type, shape, rows)).rowsPerSecond,
    }));
    const [own = [], ...samples] = await interleave(
      contenders,
      // In full runs the check of the files is warm-up enough.
      { title: `export ${name}`, rounds, warmUps: quick ? 2 : 0, unit: 'rows/s' },
      (rowsPerSecond) => rowsPerSecond,
    );
    return alternatives.map((who, index) =>
      compare({
        measure: 'export',
        name,
        against: who,
        unit: 'rows/s',
        ours: statsOf(own),
        theirs: statsOf(samples[index] ?? []),
        ratioOf: 'ours / theirs',
        target: shape === 'large' ? LARGE_TARGET : TARGET,
      }),
    );
  } finally {
    await Promise.all(exporters.map((exporter) => exporter.stop()));
  }
}
