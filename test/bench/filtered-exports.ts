import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import type { Customer } from '../../shared/domain/customer.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';
import { customerOf, type Shape } from './customers.ts';
import { environmentOf } from './environment.ts';
import { eventOf } from './events.ts';
import { exportAll, startExporter, startExportServers } from './exporting.ts';
import { writeCustomers } from './filters.ts';
import { type Comparison, compare, interleave, statsOf } from './harness.ts';
import type { Bench, Measure } from './measure.ts';
import { type ContenderProcess, startContender, startServer } from './processes.ts';

/** Merchants by the size of their customers. */
const MERCHANTS: readonly { shape: Shape; customers: number; quick: number }[] = [
  { shape: 'small', customers: 20_000, quick: 2_000 },
  { shape: 'typical', customers: 20_000, quick: 2_000 },
  { shape: 'large', customers: 1_000, quick: 200 },
];
/** Words that so many in a hundred customers have in their name. */
const SHARES = { few: 1, some: 30, most: 99 } as const;
type Word = keyof typeof SHARES;
const UNITS = { atMost: 1.2 };
/** 45 units of a page with a filter, against 24 of a page without. */
const PAGE_UNITS = { atMost: 1.9 };
const RATE = { atLeast: 0.8 };

/**
 * Measures what filters add to the cost of an export, in read units on dynalite and in rows per second,
 * and to that of a page of 100.
 */
export const measureFilteredExports: Measure = async (bench) => [
  ...(await compareUnits(bench)),
  ...(await compareRates(bench)),
];

async function compareUnits({ bundles, quick }: Bench): Promise<Comparison[]> {
  const dynalite = await startDynamoDb({ port: 0 });
  const s3 = await startServer('s3-sink');
  const comparisons: Comparison[] = [];
  try {
    for (const { shape, ...merchant } of MERCHANTS) {
      const customers = quick ? merchant.quick : merchant.customers;
      await writeCustomers(dynalite.endpoint, customers, shape, (id) => named(shape, id));
    }
    const proxy = await startCountingProxy(dynalite.endpoint);
    const environment = environmentOf({ dynamodb: proxy.endpoint, s3: s3.endpoint });
    const contender = async (name: string) =>
      startContender({ caller: bundles.caller, module: await bundles.ours(name), environment });
    const exporter = await contender('export-customers-csv');
    const lister = await contender('list-customers');
    try {
      for (const { shape } of MERCHANTS) {
        const unitsOfExport = unitsOf(proxy, exporter, 'export-customers-csv', shape);
        const all = await unitsOfExport('');
        for (const word of Object.keys(SHARES) as Word[]) {
          const name = `export of ${SHARES[word]} % of ${shape} customers`;
          const ours = await unitsOfExport(`filter=search&search=${word}`);
          comparisons.push(units(name, 'ours, export of all', ours, all, UNITS));
        }
      }
      const unitsOfPage = unitsOf(proxy, lister, 'list-customers', 'typical');
      const page = await unitsOfPage('limit=100');
      const filtered = await unitsOfPage('limit=100&filter=search&search=most');
      const against = 'ours, page of all';
      comparisons.push(units('page of 100 by filter', against, filtered, page, PAGE_UNITS));
    } finally {
      await Promise.all([exporter.stop(), lister.stop(), proxy.close()]);
    }
  } finally {
    s3.stop();
    await dynalite.close();
  }
  return comparisons;
}

function named(shape: Shape, id: number): Customer {
  const customer = customerOf(shape, id);
  // 37 spreads each share over the ids.
  const place = (id * 37) % 100;
  const words = (Object.keys(SHARES) as Word[]).filter((word) => place < SHARES[word]);
  return { ...customer, fields: { ...customer.fields, name: ['Alm', ...words].join(' ') } };
}

function unitsOf(proxy: CountingProxy, process: ContenderProcess, name: string, merchant: string) {
  return async (query: string): Promise<number> => {
    proxy.take();
    const { response } = await process.call({ event: eventOf(name, { merchant, query }) });
    if (response.statusCode !== 200) throw new Error(`${name}?${query}: ${response.body}`);
    return proxy.take().units;
  };
}

function units(
  name: string,
  against: string,
  ours: number,
  theirs: number,
  target: { atMost: number },
): Comparison {
  return compare({
    measure: 'filtered-exports',
    name,
    against,
    unit: 'read units',
    ours: statsOf([ours]),
    theirs: statsOf([theirs]),
    ratioOf: 'ours / theirs',
    target,
  });
}

/** Compares rows per second, whether they meet the filter (99 % do) or not. */
async function compareRates({ bundles, quick }: Bench): Promise<Comparison[]> {
  const servers = await startExportServers();
  const exporter = await startExporter('csv', 'ours', servers, bundles);
  const comparisons: Comparison[] = [];
  try {
    for (const { shape, rows } of [
      { shape: 'typical', rows: quick ? 10_000 : 100_000 },
      { shape: 'large', rows: quick ? 500 : 5_000 },
    ] as const) {
      const name = `export of 99 % of ${shape} customers`;
      const sampleOf = (query: string) => async () =>
        (await exportAll(exporter, 'csv', shape, rows, query)).rowsPerSecond;
      const [filtered = [], all = []] = await interleave(
        [
          { name: 'filtered', sample: sampleOf('filter=isCompany') },
          { name: 'all', sample: sampleOf('') },
        ],
        { title: name, rounds: quick ? 2 : 5, unit: 'rows/s' },
        (rowsPerSecond) => rowsPerSecond,
      );
      comparisons.push(
        compare({
          measure: 'filtered-exports',
          name,
          against: 'ours, export of all',
          unit: 'rows/s',
          ours: statsOf(filtered),
          theirs: statsOf(all),
          ratioOf: 'ours / theirs',
          target: RATE,
        }),
      );
    }
  } finally {
    await exporter.stop();
    servers.stop();
  }
  return comparisons;
}
