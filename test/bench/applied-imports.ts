import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { customerOf } from './customers.ts';
import { type Call, eventOf } from './events.ts';
import { writeCustomers } from './filters.ts';
import { type Comparison, compare, progress, statsOf } from './harness.ts';
import { type Rows, writeFile } from './import-files.ts';
import { type ImportStack, startImports, type Work } from './importing.ts';
import type { Measure } from './measure.ts';

const MEGABYTE = 1_000_000;
const ROWS = 100_000;
/** What one partition of DynamoDB gives in a second. */
const PARTITION = { readUnits: 3_000, writeUnits: 1_000 };
/** The pace of imports. */
const UNITS_PER_SECOND = 500;
const LIMIT_MB = 300;
const MERCHANT = '1001';
const OTHER = '1002';
/** Pause between two calls of other callers, and how many are made while no import runs. */
const PAUSE_MS = 100;
const IDLE_CALLS = 100;

/** An import that is applied and undone. */
interface AppliedImport {
  readonly title: string;
  readonly rows: Pick<Rows, 'isChanged' | 'firstId'>;
  readonly match: 'mexcParamvaluesetsid' | 'customerid';
  /** The call that does the same for one customer, whose units are compared. */
  readonly single: { readonly name: string } & Omit<Call, 'merchant'>;
}

/**
 * Measures how fast imports of 100,000 rows are applied and undone by the deployed function, at its pace;
 * the write units of a row; and how long other callers wait meanwhile. The table throttles
 * as a partition does that has saved up nothing; that it must not happen.
 */
export const measureAppliedImports: Measure = async ({ bundles, quick }) => {
  const count = quick ? ROWS / 50 : ROWS;
  const folder = mkdtempSync(join(tmpdir(), 'imports-'));
  const stack = await startImports(bundles, { limits: PARTITION });
  try {
    for (const merchant of [MERCHANT, OTHER]) {
      // One more than are imported, which other callers change.
      const customers = merchant === MERCHANT ? count + 1 : 1;
      await writeCustomers(stack.dynamodb, customers, merchant, (id) => customerOf('typical', id));
    }
    const imports: readonly AppliedImport[] = [
      {
        title: `${count.toLocaleString('en')} updates`,
        rows: { isChanged: true },
        match: 'mexcParamvaluesetsid',
        single: {
          name: 'update-customer',
          pathParameters: { mexcParamvaluesetsid: String(count + 1) },
          body: { name: 'A' },
        },
      },
      {
        title: `${count.toLocaleString('en')} creations by customerid`,
        rows: { firstId: count + 10 },
        match: 'customerid',
        single: { name: 'put-customer', pathParameters: { customerid: 'A' }, body: { name: 'A' } },
      },
    ];
    const comparisons: Comparison[] = [];
    for (const each of imports)
      comparisons.push(...(await measureImport(stack, folder, count, each)));
    if (stack.table.throttled() > 0) {
      throw new Error(`${stack.table.throttled()} requests were throttled.`);
    }
    return comparisons;
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true });
  }
};

async function measureImport(
  stack: ImportStack,
  folder: string,
  count: number,
  { title, rows, match, single }: AppliedImport,
): Promise<Comparison[]> {
  const { name, ...call } = single;
  stack.table.take();
  const function_ = await stack.load(name);
  await function_.call({ event: eventOf(name, { merchant: MERCHANT, ...call }) });
  const ofCall = stack.table.take().writeUnits;
  const idle = await callsOfOthers(stack, count, (calls) => calls < IDLE_CALLS);
  const file = await writeFile(folder, { format: 'csv', shape: 'typical', count, ...rows });
  const { status, ...plan } = await stack.plan(MERCHANT, file, { match: [match] });
  progress(`${title}: planned in ${Math.round(plan.seconds)} s`);
  const comparisons: Comparison[] = [];
  for (const task of ['apply', 'undo'] as const) {
    stack.table.take();
    let isRunning = true;
    const waits = callsOfOthers(stack, count, () => isRunning);
    const work = await stack.run(MERCHANT, task, status).finally(() => {
      isRunning = false;
    });
    checkCounts(work, task, count);
    const others = await waits;
    // Each of the calls has written a unit.
    const units = stack.table.take().writeUnits - 2 * others.own.length;
    progress(`${title}: ${task} in ${Math.round(work.seconds)} s, ${units / count} units a row`);
    const of = { measure: 'applied-imports', name: `${task} of ${title}` } as const;
    const ratioOf = 'ours / theirs';
    const [ours, limit] = [statsOf([units / work.seconds]), statsOf([UNITS_PER_SECOND])];
    comparisons.push(
      compare({
        ...of,
        against: 'half of a partition',
        unit: 'write units/s of the table',
        ours,
        theirs: limit,
        ratioOf,
        target: { atMost: 1.02 },
      }),
      compare({
        ...of,
        against: `${name} for each`,
        unit: 'write units of the table a row',
        ours: statsOf([units / count]),
        theirs: statsOf([ofCall]),
        ratioOf,
      }),
      compare({
        ...of,
        against: `limit of ${LIMIT_MB} MB`,
        unit: 'MB',
        ours: statsOf([work.maxRss / MEGABYTE]),
        theirs: statsOf([LIMIT_MB]),
        ratioOf,
        target: { atMost: 1 },
      }),
      ...(['own', 'other'] as const).map((who) =>
        compare({
          ...of,
          name: `PATCH of ${who === 'own' ? 'the same' : 'another'} merchant during ${of.name}`,
          against: 'the same without an import',
          unit: 'ms',
          ours: statsOf(others[who]),
          theirs: statsOf(idle[who]),
          ratioOf,
        }),
      ),
    );
  }
  rmSync(file.path);
  return comparisons;
}

function checkCounts({ status }: Work, task: 'apply' | 'undo', count: number): void {
  const counts = (task === 'apply' ? status.results : status.undone) ?? {};
  if (!Object.values(counts).includes(count)) throw new Error(JSON.stringify(status));
}

/** Changes a customer of the same merchant and one of another in turn; returns how long they waited, in ms. */
async function callsOfOthers(
  stack: ImportStack,
  count: number,
  goesOn: (calls: number) => boolean,
): Promise<Record<'own' | 'other', number[]>> {
  const update = await stack.load('update-customer');
  const waits: Record<'own' | 'other', number[]> = { own: [], other: [] };
  const change = async (merchant: string, id: number, ms: number[]) => {
    const body = { fax: crypto.randomUUID() };
    const pathParameters = { mexcParamvaluesetsid: String(id) };
    const event = eventOf('update-customer', { merchant, pathParameters, body });
    const called = await update.call({ event });
    if (called.response.statusCode !== 200) throw new Error(called.response.body);
    ms.push(called.ms);
  };
  for (let calls = 0; calls === 0 || goesOn(calls); calls += 1) {
    await change(MERCHANT, count + 1, waits.own);
    await change(OTHER, 1, waits.other);
    await setTimeout(PAUSE_MS);
  }
  return waits;
}
