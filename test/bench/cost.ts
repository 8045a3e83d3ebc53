/**
 * Prints the tables of what calls cost in `infra/README.md`: `npm run bench:cost`. Request units
 * and round trips are measured on dynalite; the rest follows from AWS's prices and limits.
 */
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { APIGatewayProxyStructuredResultV2 as ApiResponse } from 'aws-lambda';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { startS3 } from '../../infra/local/s3.ts';
import { start } from '../../infra/local/server.ts';
import type { ExportJobInput } from '../../shared/domain/export.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { type Consumption, startCountingProxy } from './counting-proxy.ts';
import { environmentOf } from './environment.ts';
import { eventOf } from './events.ts';
import { runExportWorker } from './export-worker.ts';
import { writeCustomers } from './filters.ts';

/** US dollars in us-east-1, on demand, as published in 2025. */
const PRICES = {
  readUnit: 0.125e-6,
  writeUnit: 0.625e-6,
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
/** Memory of the functions, in GB. */
const GB = { endpoint: 1, export: 1.73 } as const;

const SMALL = 10;
const LARGE = 10_000;
/** The largest merchant is calculated from one whose exports continue in the background, too. */
const LARGEST = 1_000_000;
const LONG = 50_000;
const LONG_EXPORT_ROWS = 20_000;
/** A merchant without customers. */
const NEW = 'new';

interface Call {
  readonly name: string;
  readonly handler: string;
  readonly query?: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /**
   * Write units of the indexes, which dynalite does not report: one for each entry that is written
   * or deleted, since entries are smaller than 1 kB.
   */
  readonly indexWrites?: number;
  readonly isExport?: boolean;
  /** Default: the one with as many customers as the column says. */
  readonly merchant?: string;
}

const id = (mexcParamvaluesetsid: string) => ({ pathParameters: { mexcParamvaluesetsid } });
const hundred = Array.from({ length: 100 }, (_, index) => index + 1_000);
const customer = {
  customerid: '10301',
  name: 'Gläntans Bageri AB',
  address: 'Storgatan 1',
  postcode: '111 20',
  postoffice: 'Stockholm',
  companyno: '556703-7485',
  email: 'faktura@glantans-bageri.example',
  notes: 'x'.repeat(400),
};

/** Calls whose cost does not depend on how many customers the merchant has. */
const CALLS: readonly Call[] = [
  { name: 'get', handler: 'get-customer', ...id('3') },
  { name: 'list of 100', handler: 'list-customers', query: 'limit=100' },
  { name: 'create', handler: 'create-customer', merchant: NEW, body: customer, indexWrites: 2 },
  {
    name: 'create with Idempotency-Key',
    handler: 'create-customer',
    body: customer,
    merchant: NEW,
    headers: { 'idempotency-key': 'a' },
    indexWrites: 2,
  },
  {
    name: 'look-up of an own customer',
    handler: 'search-by-org-number',
    merchant: NEW,
    pathParameters: { orgNum: '5567037485' },
  },
  { name: 'change of the e-mail', handler: 'update-customer', ...id('4'), body: { email: 'a@b' } },
  {
    name: 'change of the name',
    handler: 'update-customer',
    ...id('5'),
    body: { name: 'Ek' },
    indexWrites: 1,
  },
  { name: 'delete', handler: 'delete-customer', ...id('6'), indexWrites: 2 },
  { name: 'delete of 100', handler: 'delete-customers', body: hundred, indexWrites: 200 },
  {
    name: 'export of 100 by id',
    handler: 'export-customers-by-id-csv',
    body: hundred.map((each) => each + 1_000),
    isExport: true,
  },
];

/** Calls that read more the more customers there are. */
const GROWING: readonly Call[] = [
  { name: 'search', handler: 'list-customers', query: 'filter=search&search=quistg' },
  { name: 'count with filters', handler: 'count-customers', query: 'filter=isCompany' },
  { name: 'export of all', handler: 'export-customers-csv', isExport: true },
  {
    name: 'export with a filter',
    handler: 'export-customers-csv',
    query: 'filter=isCompany',
    isExport: true,
  },
];

interface Cost {
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly ms: number;
  readonly dollars: number;
}

/** What a call consumed, and the execution of the export worker that it started, if any. */
interface Measured {
  readonly call: Consumption;
  readonly worker?: Consumption;
  /** Requests to S3 that write. */
  readonly puts: number;
}

const dynalite = await startDynamoDb({ port: 0 });
const s3 = await startS3({ port: 0, bucket: 'customer-exports' });
for (const size of [SMALL, LARGE, LONG])
  await writeCustomers(dynalite.endpoint, size, String(size));
const proxy = await startCountingProxy(dynalite.endpoint);
const jobs: ExportJobInput[] = [];
const lambda = await start(
  createServer(async (request, response) => {
    jobs.push(JSON.parse((await buffer(request)).toString()));
    response.writeHead(202).end();
  }),
  0,
);
Object.assign(process.env, environmentOf({ dynamodb: proxy.endpoint, s3: s3.endpoint }), {
  [ENVIRONMENT.longExportRows]: String(LONG_EXPORT_ROWS),
  AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
});

printRow(['call', 'read units', 'write units', 'Lambda', '1,000 calls']);
printRow(['---', '---', '---', '---', '---']);
for (const call of CALLS) {
  const { readUnits, writeUnits, ms, dollars } = costOf(call, await measure(call, LARGE));
  printRow([call.name, number(readUnits), number(writeUnits), time(ms), money(dollars)]);
}
console.log();
printRow(['customers', ...[SMALL, LARGE, LARGEST].map(number)]);
printRow(['---', '---', '---', '---']);
for (const call of GROWING) {
  const [small, large] = [await measure(call, SMALL), await measure(call, LARGE)];
  const largest = call.isExport
    ? multiply(await measure(call, LONG), LARGEST / LONG)
    : { ...large, call: { ...large.call, units: (large.call.units * LARGEST) / LARGE } };
  const costs = [small, large, largest].map((measured) => costOf(call, measured));
  printRow([call.name, ...costs.map(format)]);
}
const { body } = await respond('count-customers', {
  merchant: String(LARGE),
  query: 'filter=isCompany',
});
console.log(`\nOf ${number(LARGE)} customers the filter of the export: ${body}`);
await Promise.all([proxy.close(), lambda.close()]);
await dynalite.close();
await s3.close();
process.exit();

async function measure(call: Call, merchant: number): Promise<Measured> {
  proxy.take();
  const response = await respond(call.handler, { merchant: String(merchant), ...call });
  const consumed = proxy.take();
  if (response.statusCode === 202) return { call: consumed, ...(await runWorker()) };
  if (response.statusCode !== 200) throw new Error(`${call.name}: ${response.body}`);
  const bytes = call.isExport ? JSON.parse(response.body ?? '').bytes : 0;
  const parts = bytes > PART_BYTES ? Math.ceil(bytes / PART_BYTES) + 2 : 1;
  return { call: consumed, puts: call.isExport ? parts : 0 };
}

async function respond(
  handler: string,
  { headers = {}, ...call }: Partial<Call> & { readonly merchant: string },
): Promise<ApiResponse> {
  const { handler: handle } = await import(`../../functions/${handler}/handler.ts`);
  const event = eventOf(handler, call);
  Object.assign(event.headers, headers);
  return handle(event, { getRemainingTimeInMillis: () => 29_000 });
}

/** Runs the worker on the job that was started last. */
async function runWorker(): Promise<Pick<Measured, 'worker' | 'puts'>> {
  const job = jobs.pop();
  if (!job) throw new Error('No export job was started.');
  const parts = await runExportWorker(job);
  return { worker: proxy.take(), puts: parts + 2 };
}

/** Returns what an export of `factor` times as many customers consumes. */
function multiply({ call, worker, puts }: Measured, factor: number): Measured {
  const larger = (consumed: Consumption): Consumption => ({
    units: consumed.units * factor,
    writeUnits: consumed.writeUnits * factor,
    inSequence: consumed.inSequence * factor,
    requests: consumed.requests * factor,
  });
  return {
    // Before it starts the worker, the call reads a few pages, however many customers there are.
    call,
    ...(worker && { worker: larger(worker) }),
    puts: puts * factor,
  };
}

function costOf(call: Call, { call: consumed, worker, puts }: Measured): Cost {
  const indexWrites = call.indexWrites ?? 0;
  const readUnits = consumed.units + (worker?.units ?? 0);
  const writeUnits = consumed.writeUnits + indexWrites + (worker?.writeUnits ?? 0);
  const callMs = timeOf(consumed);
  const workerMs = worker ? timeOf(worker) : 0;
  const memory = call.isExport ? GB.export : GB.endpoint;
  const dollars =
    readUnits * PRICES.readUnit +
    writeUnits * PRICES.writeUnit +
    ((callMs + workerMs) / 1_000) * memory * PRICES.lambdaGbSecond +
    (worker ? 2 : 1) * PRICES.lambdaCall +
    PRICES.gatewayCall +
    puts * PRICES.s3Put;
  return { readUnits, writeUnits, ms: callMs + workerMs, dollars };
}

function timeOf({ units, inSequence }: Consumption): number {
  return ROUND_TRIP_MS * inSequence + (units / UNITS_PER_SECOND) * 1_000;
}

/** Formats read units, time, and dollars of a thousand calls. */
function format({ readUnits, ms, dollars }: Cost): string {
  return `${number(readUnits)} · ${time(ms)} · ${money(dollars)}`;
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function time(ms: number): string {
  return ms < 1_000 ? `${number(ms)} ms` : `${number(ms / 1_000)} s`;
}

function money(dollars: number): string {
  const options = { minimumSignificantDigits: 2, maximumSignificantDigits: 2 };
  return `$${(dollars * 1_000).toLocaleString('en', options)}`;
}

function printRow(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}
