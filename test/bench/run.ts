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
       npm run bench -- [--quick] cold --against <commit> [--against <commit>]
Measures the functions against alternatives; without names, all but ${Object.keys(LONG_MEASURES).join(' and ')}.
  --quick             fewer rows and rounds, for a first impression
  --against <commit>  the functions of an earlier commit, in place of the alternatives
Either leaves results.json and results.svg as they are.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    against: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(MEASURES);
const unknown = names.find((name) => !Object.hasOwn(ALL, name));
const fault =
  (unknown !== undefined && `There is no measure ${unknown}.`) ||
  (values.against.length > 0 &&
    names.join() !== 'cold' &&
    '--against is of the measure cold alone.');
if (values.help || fault) {
  console.error(fault ? `${fault}\n${USAGE}` : USAGE);
  process.exit(values.help ? 0 : 1);
}
await run();

async function run(): Promise<void> {
  const started = performance.now();
  const bundles = await createBundles();
  const comparisons: Comparison[] = [];
  try {
    for (const name of names) {
      const measure = ALL[name] as Measure;
      const bench = { bundles, quick: values.quick, commits: values.against };
      comparisons.push(...(await measure(bench)));
    }
  } finally {
    bundles.remove();
  }
  console.log(toTable(comparisons));
  if (!values.quick && values.against.length === 0) writeResults(comparisons);
  progress(`Took ${Math.round((performance.now() - started) / 1_000)} s.`);
}
