import { parseArgs } from 'node:util';
import { measureAppliedImports } from './applied-imports.ts';
import { createBundles } from './bundles.ts';
import { measureColdStarts } from './cold-start.ts';
import { measureExports } from './export.ts';
import { measureFilteredExports } from './filtered-exports.ts';
import { measureFilters } from './filters.ts';
import { type Comparison, progress } from './harness.ts';
import { measureImports, measureLargestImports } from './imports.ts';
import type { Measure } from './measure.ts';
import { measureMemory } from './memory.ts';
import { toTable, writeResults } from './report.ts';
import { measureSnapshots } from './snapshots.ts';
import { measureWarmCalls } from './warm.ts';

const MEASURES: Readonly<Record<string, Measure>> = {
  export: measureExports,
  memory: measureMemory,
  cold: measureColdStarts,
  warm: measureWarmCalls,
  filters: measureFilters,
  'filtered-exports': measureFilteredExports,
  snapshots: measureSnapshots,
  imports: measureImports,
};

/** Measures that take so long that they run by name alone. */
const LONG_MEASURES: Readonly<Record<string, Measure>> = {
  'largest-imports': measureLargestImports,
  'applied-imports': measureAppliedImports,
};

const ALL: Readonly<Record<string, Measure>> = { ...MEASURES, ...LONG_MEASURES };

const USAGE = `Usage: npm run bench -- [--quick] [${Object.keys(ALL).join('] [')}]
Measures the functions against alternatives; without names, all but ${Object.keys(LONG_MEASURES).join(' and ')}.
  --quick  fewer rows and rounds, for a first impression; results.json and results.svg stay`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(MEASURES);
const wrong = names.find((name) => !Object.hasOwn(ALL, name));
if (values.help || wrong !== undefined) {
  console.error(wrong === undefined ? USAGE : `There is no measure ${wrong}.\n${USAGE}`);
  process.exit(values.help ? 0 : 1);
}
await run();

async function run(): Promise<void> {
  const started = performance.now();
  const bundles = await createBundles();
  const comparisons: Comparison[] = [];
  try {
    for (const name of names) {
      comparisons.push(...(await (ALL[name] as Measure)({ bundles, quick: values.quick })));
    }
  } finally {
    bundles.remove();
  }
  console.log(toTable(comparisons));
  if (!values.quick) writeResults(comparisons);
  progress(`Took ${Math.round((performance.now() - started) / 1_000)} s.`);
}
