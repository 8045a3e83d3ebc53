import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { ensureTable } from '../../infra/local/ensure-table.ts';
import { mapConcurrently } from '../../shared/concurrency.ts';
import type { Customer } from '../../shared/domain/customer.ts';
import { toItem } from '../../shared/storage/customer-item.ts';
import { sequenceKey } from '../../shared/storage/table.ts';
import { type Consumption, type CountingProxy, startCountingProxy } from './counting-proxy.ts';
import { customerOf } from './customers.ts';
import { environmentOf, TABLE } from './environment.ts';
import { eventOf } from './events.ts';
import { type Comparison, checkSame, compare, interleave, progress, statsOf } from './harness.ts';
import type { Bench, Measure } from './measure.ts';
import { type ContenderProcess, startContender } from './processes.ts';

const MERCHANT = '1001';
const BATCH = 25;
const BATCHES_AT_ONCE = 8;
const RARE_NAME = 'Quistgaard Övermåla AB';
/** One customer in this many has the rare name. */
const RARITY = 5_000;
const UNITS = { atLeast: 6 };
const ROUND_TRIPS = { atLeast: 4 };

/** A call whose cost is measured. */
interface Case {
  readonly name: string;
  readonly function: 'count-customers' | 'list-customers';
  readonly usual: 'count' | 'list';
  readonly query: string;
}

/**
 * Measures what filters, searches and offsets consume with 100,000 customers on dynalite: read units
 * and sequential round trips.
 */
export const measureFilters: Measure = async (bench) => {
  const customers = bench.quick ? 10_000 : 100_000;
  const dynalite = await startDynamoDb({ port: 0 });
  try {
    await writeCustomers(dynalite.endpoint, customers);
    const proxy = await startCountingProxy(dynalite.endpoint);
    try {
      return await compareAll(bench, proxy, customers);
    } finally {
      await proxy.close();
    }
  } finally {
    await dynalite.close();
  }
};

async function compareAll(
  { bundles }: Bench,
  proxy: CountingProxy,
  customers: number,
): Promise<Comparison[]> {
  const environment = environmentOf({ dynamodb: proxy.endpoint });
  const search = encodeURIComponent('övermåla');
  const start = customers * 0.9;
  const cases: Case[] = [
    {
      name: 'filtered count',
      function: 'count-customers',
      usual: 'count',
      query: 'filter=isCompany,!isEFaktura',
    },
    {
      name: 'count of a search',
      function: 'count-customers',
      usual: 'count',
      query: `filter=search&search=${search}`,
    },
    {
      name: 'search',
      function: 'list-customers',
      usual: 'list',
      query: `filter=search&search=${search}`,
    },
    {
      name: `start=${start}&limit=100`,
      function: 'list-customers',
      usual: 'list',
      query: `start=${start}&limit=100`,
    },
  ];
  const contender = async (module: string) =>
    startContender({ caller: bundles.caller, module, environment });
  const comparisons: Comparison[] = [];
  for (const each of cases) {
    const ours = await contender(await bundles.ours(each.function));
    const theirs = await contender(await bundles.usual(each.usual));
    try {
      comparisons.push(...(await compareCase(each, { ours, theirs, proxy })));
      if (each === cases.at(-1)) comparisons.push(await compareCursor(ours, each, proxy));
    } finally {
      await Promise.all([ours.stop(), theirs.stop()]);
    }
  }
  return comparisons;
}

async function compareCase(
  { name, query, ...rest }: Case,
  on: { ours: ContenderProcess; theirs: ContenderProcess; proxy: CountingProxy },
): Promise<Comparison[]> {
  const event = eventOf(rest.function, { merchant: MERCHANT, query });
  const bodies: string[] = [];
  const sampleOf = (process: ContenderProcess, place: number) => async () => {
    on.proxy.take();
    const { response } = await process.call({ event });
    if (response.statusCode !== 200) throw new Error(`${name} returned ${response.body}`);
    bodies[place] = response.body;
    return on.proxy.take();
  };
  const [own = [], others = []] = await interleave(
    [
      { name: 'ours', sample: sampleOf(on.ours, 0) },
      { name: 'usual', sample: sampleOf(on.theirs, 1) },
    ],
    { title: `filters ${name}`, rounds: 2, warmUps: 0, unit: 'read units' },
    ({ units }) => units,
  );
  checkSame(name, bodies[0], bodies[1]);
  const of = (samples: Consumption[], key: keyof Consumption) =>
    statsOf(samples.map((consumption) => consumption[key]));
  const comparison = (unit: string, key: keyof Consumption, target?: { atLeast: number }) =>
    compare({
      measure: 'filters',
      name,
      against: 'filter expression',
      unit,
      ours: of(own, key),
      theirs: of(others, key),
      ratioOf: 'theirs / ours',
      ...(target && { target }),
    });
  const isOffset = query.startsWith('start=');
  return [
    comparison('read units', 'units', UNITS),
    comparison('round trips in sequence', 'inSequence', isOffset ? undefined : ROUND_TRIPS),
  ];
}

/** Compares the cost of a page by cursor far into the list with that of the first page. */
async function compareCursor(
  list: ContenderProcess,
  { query }: Case,
  proxy: CountingProxy,
): Promise<Comparison> {
  const call = async (withQuery: string) => {
    proxy.take();
    const event = eventOf('list-customers', { merchant: MERCHANT, query: withQuery });
    const { response } = await list.call({ event });
    return { response, units: proxy.take().units };
  };
  // The page before the one at `start` has the cursor.
  const start = Number(new URLSearchParams(query).get('start')) - 100;
  const before = await call(`start=${start}&limit=100`);
  const cursor = /[?&]cursor=([\w-]+)/.exec(before.response.headers?.link ?? '')?.[1];
  if (!cursor) throw new Error('The list has no cursor.');
  const first = await call('limit=100');
  const there = await call(`limit=100&cursor=${cursor}`);
  checkSame('cursor', there.response.body, (await call(query)).response.body);
  return compare({
    measure: 'filters',
    name: `cursor after ${start + 100}`,
    against: 'ours, first page',
    unit: 'read units',
    ours: statsOf([there.units]),
    theirs: statsOf([first.units]),
    ratioOf: 'ours / theirs',
    target: { atMost: 1 },
  });
}

/** Writes customers to the table, in the stored form, and the merchant's last id. */
export async function writeCustomers(
  endpoint: string,
  customers: number,
  merchant = MERCHANT,
  customerWith: (id: number) => Customer = searchable,
): Promise<void> {
  // For the clients here and in `ensureTable`.
  Object.assign(process.env, environmentOf({ dynamodb: endpoint }));
  const client = new DynamoDBClient({});
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  await ensureTable(endpoint, TABLE);
  const firsts = Array.from({ length: Math.ceil(customers / BATCH) }, (_, batch) => batch * BATCH);
  await mapConcurrently(firsts, BATCHES_AT_ONCE, async (first) => {
    const length = Math.min(BATCH, customers - first);
    const ids = Array.from({ length }, (_, index) => first + index + 1);
    const requests = ids.map((id) => ({
      PutRequest: { Item: toItem(merchant, customerWith(id)) },
    }));
    await documents.send(new BatchWriteCommand({ RequestItems: { [TABLE]: requests } }));
    if ((first + BATCH) % 10_000 === 0) progress(`${first + BATCH} customers written`);
  });
  const date = customerWith(customers).system.date;
  const Item = { ...sequenceKey(merchant), lastId: customers, lastDate: date };
  await documents.send(new PutCommand({ TableName: TABLE, Item }));
  client.destroy();
}

function searchable(id: number): Customer {
  const customer = customerOf('typical', id);
  if (id % RARITY !== 0) return customer;
  return { ...customer, fields: { ...customer.fields, name: RARE_NAME } };
}
