import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  IMPORT_FORMATS,
  type ImportFormat,
  type ImportOptions,
} from '../../shared/domain/import.ts';
import type { Bundles } from './bundles.ts';
import { type Comparison, compare, interleave, statsOf } from './harness.ts';
import { type Rows, writeFile } from './import-files.ts';
import { type ImportStack, type SentFile, startImports } from './importing.ts';
import type { Measure } from './measure.ts';
import { startContender } from './processes.ts';
import { cannedMerchant } from './servers/canned-table.ts';

const MEGABYTE = 1_000_000;
const ROWS = 100_000;
/** Seconds of the function for a plan. */
const LIMIT_S = 60;
/** Seconds of a run of the function, in which a file is read. */
const RUN_S = 15 * 60;
const LIMIT_MB = 300;
/** What reads each format alone. */
const READERS: Readonly<Record<ImportFormat, string>> = {
  csv: 'csv-parse',
  xml: 'saxes',
  xlsx: 'exceljs',
  jsonl: 'JSON.parse',
};

/** A file that is planned. */
interface Plan extends Rows {
  /** Customers of the register, of the same shape. */
  readonly customers: number;
  readonly match: ImportOptions['match'];
}

/** New customers; rows of which each field is wrong; customers of the register, each field of which changes. */
const creations = (rows: Rows): Plan => ({ ...rows, customers: 0, match: ['customerid'] });
const errors = (rows: Rows): Plan => ({ ...creations(rows), isWrong: true });
const updates = (rows: Rows): Plan => ({
  ...rows,
  isChanged: true,
  customers: rows.count,
  match: ['mexcParamvaluesetsid'],
});

/** What a contender needed for a file. */
interface Sample {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly maxRss: number;
}

/**
 * Measures plans of 100,000 full rows by the deployed function, each in a new process: its time, CPU
 * time and memory, against limits, and against what a library takes to read the file alone.
 */
export const measureImports: Measure = async ({ bundles, quick }) => {
  const count = quick ? ROWS / 10 : ROWS;
  const plans = [
    ...IMPORT_FORMATS.map((format) => creations({ format, shape: 'full', count })),
    updates({ format: 'csv', shape: 'full', count }),
  ];
  return withStack(bundles, async (stack, folder) => {
    const comparisons: Comparison[] = [];
    for (const plan of plans) {
      const file = await writeFile(folder, plan);
      const [ours = [], theirs = []] = await interleave(
        [
          { name: 'plan', sample: () => samplePlan(stack, plan, file) },
          { name: READERS[plan.format], sample: () => sampleReader(bundles, file) },
        ],
        { title: titleOf(plan), rounds: quick ? 1 : 3, warmUps: 0, unit: 's of CPU time' },
        ({ cpuSeconds }) => cpuSeconds,
      );
      rmSync(file.path);
      comparisons.push(
        compareTo(plan, 'CPU seconds', READERS[plan.format], ours, theirs, 'cpuSeconds'),
        compareTo(plan, 'MB', READERS[plan.format], ours, theirs, 'maxRss'),
        ...limits('imports', plan, ours, LIMIT_S),
      );
    }
    return comparisons;
  });
};

/**
 * Measures the largest files: a million rows, and nearly 256 MiB. The memory must not grow, and a run
 * of the function ends after 15 minutes.
 */
export const measureLargestImports: Measure = async ({ bundles, quick }) => {
  const million = quick ? ROWS / 2 : 10 * ROWS;
  const plans = [
    creations({ format: 'csv', shape: 'sparse', count: million }),
    updates({ format: 'csv', shape: 'sparse', count: million }),
    creations({ format: 'csv', shape: 'full', count: 0.35 * million }),
    creations({ format: 'xlsx', shape: 'sparse', count: million }),
    creations({ format: 'xlsx', shape: 'full', count: 0.8 * million }),
    creations({ format: 'xml', shape: 'full', count: 0.12 * million }),
    creations({ format: 'jsonl', shape: 'full', count: 0.12 * million }),
    errors({ format: 'csv', shape: 'full', count: million }),
  ];
  return withStack(bundles, async (stack, folder) => {
    const comparisons: Comparison[] = [];
    for (const plan of plans) {
      const file = await writeFile(folder, plan);
      const [ours = []] = await interleave(
        [{ name: 'plan', sample: () => samplePlan(stack, plan, file) }],
        { title: titleOf(plan), rounds: 1, warmUps: 0, unit: 's' },
        ({ seconds }) => seconds,
      );
      rmSync(file.path);
      comparisons.push(...limits('largest-imports', plan, ours, RUN_S));
    }
    return comparisons;
  });
};

async function withStack(
  bundles: Bundles,
  measure: (stack: ImportStack, folder: string) => Promise<Comparison[]>,
): Promise<Comparison[]> {
  const folder = mkdtempSync(join(tmpdir(), 'imports-'));
  const stack = await startImports(bundles, { isCanned: true });
  try {
    return await measure(stack, folder);
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true });
  }
}

async function samplePlan(stack: ImportStack, plan: Plan, file: SentFile): Promise<Sample> {
  const { shape, count, customers, match } = plan;
  const { status, ...sample } = await stack.plan(cannedMerchant(shape, customers), file, { match });
  const planned = status.counts?.[outcomeOf(plan)];
  if (planned !== count) throw new Error(`The plan has ${JSON.stringify(status.counts)}`);
  return sample;
}

/** Reads a file by a library alone, in a new process. */
async function sampleReader(bundles: Bundles, { path, format }: SentFile): Promise<Sample> {
  const reader = await startContender({
    caller: bundles.caller,
    module: await bundles.usual('read-file'),
    environment: {},
  });
  const { ms, cpuMs, maxRss } = await reader.call({ event: { file: path, format } });
  await reader.stop();
  return { seconds: ms / 1_000, cpuSeconds: cpuMs / 1_000, maxRss };
}

function outcomeOf({ isWrong, customers }: Plan) {
  if (isWrong) return 'invalid';
  return customers > 0 ? 'update' : 'create';
}

const NAMES = { create: 'creations', update: 'updates', invalid: 'rows of errors' } as const;

function titleOf(plan: Plan): string {
  const { format, shape, count } = plan;
  const what = NAMES[outcomeOf(plan)];
  return `plan of ${count.toLocaleString('en')} ${what}, ${format.toUpperCase()}, ${shape} rows`;
}

function compareTo(
  plan: Plan,
  unit: string,
  against: string,
  ours: readonly Sample[],
  theirs: readonly Sample[],
  key: keyof Sample,
): Comparison {
  const values = (samples: readonly Sample[]) =>
    statsOf(samples.map((sample) => sample[key] / (key === 'maxRss' ? MEGABYTE : 1)));
  return compare({
    measure: 'imports',
    name: titleOf(plan),
    against,
    unit,
    ours: values(ours),
    theirs: values(theirs),
    ratioOf: 'ours / theirs',
  });
}

/** Compares a plan with limits of the function's time and of its memory. */
function limits(
  measure: string,
  plan: Plan,
  ours: readonly Sample[],
  seconds: number,
): Comparison[] {
  const of = (unit: string, limit: number, values: readonly number[]) =>
    compare({
      measure,
      name: titleOf(plan),
      against: `limit of ${limit} ${unit}`,
      unit,
      ours: statsOf(values),
      theirs: statsOf([limit]),
      ratioOf: 'ours / theirs',
      target: { atMost: 1 },
    });
  return [
    of(
      's',
      seconds,
      ours.map((sample) => sample.seconds),
    ),
    of(
      'MB',
      LIMIT_MB,
      ours.map((sample) => sample.maxRss / MEGABYTE),
    ),
  ];
}
