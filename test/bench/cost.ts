/**
 * Prints the README's table of the cost of calls: `node test/bench/cost.ts`. Read units and round
 * trips are measured on dynalite; the rest is calculated from AWS's prices and limits.
 */
import type { APIGatewayProxyStructuredResultV2 as ApiResponse } from 'aws-lambda';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { startS3 } from '../../infra/local/s3.ts';
import { type Consumption, startCountingProxy } from './counting-proxy.ts';
import { environmentOf } from './environment.ts';
import { eventOf } from './events.ts';
import { writeCustomers } from './filters.ts';

/** US dollars in us-east-1, on-demand, as published in 2025. */
const PRICES = {
  readUnit: 0.125e-6,
  lambdaGbSecond: 13.3334e-6,
  lambdaCall: 0.2e-6,
  gatewayCall: 1e-6,
  s3Put: 5e-6,
};
/** Assumed round trip to DynamoDB in the same region. */
const ROUND_TRIP_MS = 5;
/** Maximum read units per second of one partition. */
const UNITS_PER_SECOND = 3_000;
const PART_BYTES = 8 * 1024 * 1024;
/** Customers of the measured merchants; the third column is calculated from the second. */
const SIZES = [10, 10_000] as const;
const LARGEST = { size: 1_000_000, times: 100 };

const CALLS = [
  { name: 'get', handler: 'get-customer', pathParameters: { mexcParamvaluesetsid: '3' }, gb: 1 },
  { name: 'list of 100', handler: 'list-customers', query: 'limit=100', gb: 1 },
  { name: 'search', handler: 'list-customers', query: 'filter=search&search=quistg', gb: 1 },
  { name: 'count with filters', handler: 'count-customers', query: 'filter=isCompany', gb: 1 },
  { name: 'export of all', handler: 'export-customers-csv', gb: 1.73, isExport: true },
] as const;

interface Cost {
  readonly units: number;
  readonly ms: number;
  readonly dollars: number;
}

const dynalite = await startDynamoDb({ port: 0 });
const s3 = await startS3({ port: 0, bucket: 'customer-exports' });
for (const size of SIZES) await writeCustomers(dynalite.endpoint, size, String(size));
const proxy = await startCountingProxy(dynalite.endpoint);
Object.assign(process.env, environmentOf({ dynamodb: proxy.endpoint, s3: s3.endpoint }));

console.log(
  `| | ${[...SIZES, LARGEST.size].map((size) => size.toLocaleString('en')).join(' | ')} |`,
);
console.log('|---|---|---|---|');
for (const call of CALLS) {
  const measured = [];
  for (const size of SIZES) measured.push(await measure(call, String(size)));
  const [small, large] = measured as [Measured, Measured];
  const grows = call.name !== 'get' && call.name !== 'list of 100';
  const largest = grows
    ? { ...large, units: large.units * LARGEST.times, bytes: large.bytes * LARGEST.times }
    : large;
  console.log(
    `| ${call.name} | ${[small, large, largest].map((m) => format(costOf(call, m))).join(' | ')} |`,
  );
}
await proxy.close();
await dynalite.close();
await s3.close();
process.exit();

type Call = (typeof CALLS)[number];
type Measured = Consumption & { readonly bytes: number };

async function measure(call: Call, merchant: string): Promise<Measured> {
  const { handler } = await import(`../../functions/${call.handler}/handler.ts`);
  proxy.take();
  const { statusCode, body = '' }: ApiResponse = await handler(
    eventOf(call.handler, { merchant, ...call }),
    { getRemainingTimeInMillis: () => 29_000 },
  );
  if (statusCode !== 200) throw new Error(`${call.name} answered ${body}`);
  return { ...proxy.take(), bytes: 'isExport' in call ? JSON.parse(body).bytes : 0 };
}

function costOf(call: Call, { units, inSequence, bytes }: Measured): Cost {
  const ms = ROUND_TRIP_MS * inSequence + (units / UNITS_PER_SECOND) * 1_000;
  const puts = 'isExport' in call ? Math.ceil(bytes / PART_BYTES) + 2 : 0;
  const dollars =
    units * PRICES.readUnit +
    (ms / 1_000) * call.gb * PRICES.lambdaGbSecond +
    PRICES.lambdaCall +
    PRICES.gatewayCall +
    puts * PRICES.s3Put;
  return { units, ms, dollars };
}

/** Formats read units, milliseconds, and dollars of a thousand calls. */
function format({ units, ms, dollars }: Cost): string {
  const number = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
  return `${number(units)} · ${number(ms)} ms · $${number(dollars * 1_000)}`;
}
