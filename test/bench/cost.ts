/**
 * Prints the tables of what calls cost in `infra/README.md`: `npm run bench:cost`. Request units,
 * round trips and bytes are measured on dynalite; the rest follows from AWS's prices and limits.
 *
 * `--region eu-north-1` takes the prices of another region. `--customers 20000` prints the monthly
 * bill of a merchant with so many customers, with `--calls get=9000,search=400` for its calls.
 */
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { APIGatewayProxyStructuredResultV2 as ApiResponse } from 'aws-lambda';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { startS3 } from '../../infra/local/s3.ts';
import { start } from '../../infra/local/server.ts';
import type { ExportJobInput } from '../../shared/domain/export.ts';
import type { ImportJobInput } from '../../shared/domain/import-job.ts';
import { LONG_EXPORT_ROWS, SNAPSHOT_FROM_ID } from '../../shared/domain/limits.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { createLargeMerchant } from '../support/large-merchant.ts';
import {
  BILL_LINES,
  type Bill,
  type CostOptions,
  monthlyBill,
  NOTHING,
  parseCostOptions,
  priceOf,
  totalOf,
  type Usage,
} from './bill.ts';
import { CALL_NAMES, CALLS, type CallName, type MeasuredCall } from './calls.ts';
import { type Consumption, startCountingProxy } from './counting-proxy.ts';
import { environmentOf } from './environment.ts';
import { eventOf } from './events.ts';
import { runExportWorker } from './export-worker.ts';
import { writeCustomers } from './filters.ts';
import { type ImportPart, measureImportCosts, PLANNED_ROWS } from './import-costs.ts';
import { MERCHANTS, type Merchant } from './merchants.ts';
import { PRICES, type Prices, REGIONS } from './prices.ts';

/** Assumed round trip to DynamoDB in the same region. */
const ROUND_TRIP_MS = 5;
/** Maximum read units per second of one partition. */
const UNITS_PER_SECOND = 3_000;
const PART_BYTES = 8 * 1024 * 1024;
/** Parts that one run of the export worker uploads. */
const PARTS_PER_RUN = 50;
/** Steps of a long export besides its parts. */
const OTHER_STEPS = 3;
/** Memory of the functions, in GB. */
const GB = { endpoint: 1, export: 1.73 } as const;
/** Share of calls with a cold start, and how long that takes: assumed. Lambda bills it. */
const COLD_START = { share: 0.01, seconds: 0.25 };
/** Bytes of a line of the access log, and of Lambda's lines for a run: start and report. */
const LOG_BYTES = { request: 310, run: 800 };

/** Merchants that are measured, by number of customers. */
const SMALL = 10;
const LARGE = 10_000;
const LONG = 50_000;
/** Merchants with a snapshot, by number of customers. */
const WITH_SNAPSHOT = [100_000, 1_000_000] as const;
/** Limit of the synchronous exports here, so that the exports of LONG are long ones. */
const LONG_EXPORT_ROWS_HERE = 20_000;
/** Numbers of customers in the table of calls that grow. */
const SIZES = [SMALL, LARGE, 1_000_000];

/** What a call consumed, and the execution of the export worker that it started, if any. */
interface Measured {
  readonly call: Consumption;
  readonly worker?: Consumption;
  /** Parts of a file that is uploaded in parts. */
  readonly parts: number;
  /** Bytes of the response, and of the file of an export. */
  readonly sentBytes: number;
}

const options = optionsOf(process.argv.slice(2));
const dynalite = await startDynamoDb({ port: 0 });
const s3 = await startS3({ port: 0, bucket: 'customer-exports' });
for (const size of [SMALL, LARGE, LONG])
  await writeCustomers(dynalite.endpoint, size, String(size));
const proxy = await startCountingProxy(dynalite.endpoint);
/** Inputs with which durable functions were started, and have not been run. */
const jobs: (ExportJobInput | ImportJobInput)[] = [];
const lambda = await start(
  createServer(async (request, response) => {
    jobs.push(JSON.parse((await buffer(request)).toString()));
    response.writeHead(202).end();
  }),
  0,
);
Object.assign(process.env, environmentOf({ dynamodb: proxy.endpoint, s3: s3.endpoint }), {
  [ENVIRONMENT.longExportRows]: String(LONG_EXPORT_ROWS_HERE),
  [ENVIRONMENT.snapshotFromId]: String(SNAPSHOT_FROM_ID),
  AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
});

const changesTokens = await logChanges();
const measured = new Map<CallName, Record<number, Measured>>();
for (const name of CALL_NAMES) measured.set(name, await measureSizes(CALLS[name]));
/** First searches of an execution environment, by number of customers. */
const firstSearch: Record<number, Measured> = {};
await measureSnapshots();
const imports = await measureImportCosts({ dynamodb: dynalite.endpoint, table: proxy, takeJob });
const { region, merchant } = options;
if (merchant) {
  printBill(`monthly bill, ${region}`, [merchant], PRICES[region]);
} else {
  printCalls(PRICES[region]);
  printGrowingCalls(PRICES[region]);
  printSnapshotCalls(PRICES[region]);
  printImports(PRICES[region]);
  printBill(`monthly bill, ${region}`, MERCHANTS, PRICES[region]);
  printRegions();
  const { body } = await respond({ handler: 'count-customers', query: 'filter=isCompany' }, LARGE);
  console.log(`\nOf ${number(LARGE)} customers the filter of the export: ${body}`);
}
await Promise.all([proxy.close(), lambda.close()]);
await dynalite.close();
await s3.close();
process.exit();

function optionsOf(args: readonly string[]): CostOptions {
  try {
    return parseCostOptions(args);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

/** Measures a call of the merchants whose size makes a difference. */
async function measureSizes(call: MeasuredCall): Promise<Record<number, Measured>> {
  const sizes = call.grows ? [SMALL, LARGE, ...(call.isExport ? [LONG] : [])] : [LARGE];
  const results: Record<number, Measured> = {};
  for (const size of sizes) results[size] = await measure(call, size);
  return results;
}

/**
 * Measures calls of merchants with a snapshot: the first one, which loads it, and one after 20 customers
 * have changed.
 */
async function measureSnapshots(): Promise<void> {
  const names = CALL_NAMES.filter((name) => 'readsSnapshot' in CALLS[name]);
  for (const size of WITH_SNAPSHOT) {
    const stack = {
      dynamodbEndpoint: dynalite.endpoint,
      ownsDatabase: true,
      s3Endpoint: s3.endpoint,
      bucket: 'customer-exports',
      table: process.env[ENVIRONMENT.tableName] as string,
    };
    const { appendChanges } = await import('../../shared/storage/append-changes.ts');
    const { fileBytes, headBytes, changed } = await createLargeMerchant(stack, String(size), size);
    console.error(`Snapshot of ${number(size)}: ${fileBytes} bytes, its head ${headBytes}`);
    firstSearch[size] = await measure(CALLS.search, size);
    for (const name of names) {
      for (const id of changed) await appendChanges(String(size), [{ kind: 'M', id }]);
      const cpuStarted = process.cpuUsage();
      const next = await measure(CALLS[name], size);
      const { user, system } = process.cpuUsage(cpuStarted);
      console.error(`${name}: ${Math.round((user + system) / 1_000)} ms of CPU time`);
      measured.set(name, { ...measured.get(name), [size]: next });
    }
  }
}

async function measure(call: MeasuredCall, customers: number): Promise<Measured> {
  proxy.take();
  const response = await respond(call, customers);
  const consumed = proxy.take();
  const bytes = Buffer.byteLength(response.body ?? '');
  if (response.statusCode === 202) {
    const { worker, parts, fileBytes } = await runWorker();
    return { call: consumed, worker, parts, sentBytes: bytes + fileBytes };
  }
  if (response.statusCode !== 200 && response.statusCode !== 201) {
    throw new Error(`${call.title}: ${response.body}`);
  }
  const fileBytes = call.isExport ? JSON.parse(response.body ?? '').bytes : 0;
  const parts = fileBytes > PART_BYTES ? Math.ceil(fileBytes / PART_BYTES) : 0;
  return { call: consumed, parts, sentBytes: bytes + fileBytes };
}

/**
 * Logs changes of a hundred customers, whose ids are far apart, and returns the tokens before and after
 * them.
 */
async function logChanges(): Promise<Record<'start' | 'end', string>> {
  const { appendChanges } = await import('../../shared/storage/append-changes.ts');
  const { createChangesToken } = await import('../../shared/http/changes-token.ts');
  const merchant = String(LARGE);
  const changes = Array.from({ length: 100 }, (_, index) => ({
    kind: 'M' as const,
    id: 50 + index * 90,
  }));
  await appendChanges(merchant, changes);
  const tokenAt = (entry: number) =>
    createChangesToken(merchant, { entry, index: 0, sinceMs: Date.now() });
  return { start: tokenAt(0), end: tokenAt(changes.length) };
}

async function respond(
  { handler, headers = {}, query = '', ...call }: Omit<MeasuredCall, 'title'>,
  customers: number,
): Promise<ApiResponse> {
  const { handler: handle } = await import(`../../functions/${handler}/handler.ts`);
  const { start, end } = changesTokens;
  const event = eventOf(handler, {
    merchant: String(customers),
    query: query.replace('{start}', start).replace('{end}', end),
    ...call,
  });
  Object.assign(event.headers, headers);
  return handle(event, { getRemainingTimeInMillis: () => 29_000 });
}

/** Runs the worker on the job that was started last. */
async function runWorker() {
  const { parts, bytes } = await runExportWorker(takeJob());
  return { worker: proxy.take(), parts, fileBytes: bytes };
}

/** Takes the input of the durable function that was started last. */
function takeJob<T extends ExportJobInput | ImportJobInput>(): T {
  const job = jobs.pop();
  if (!job) throw new Error('No durable function was started.');
  return job as T;
}

/** Returns what a call of a merchant with so many customers consumes. */
function measuredOf(name: CallName, customers: number): Measured {
  const call: MeasuredCall = CALLS[name];
  const { [SMALL]: small, [LARGE]: large, [LONG]: long } = measured.get(name) ?? {};
  if (call.isExport && long && customers > LONG_EXPORT_ROWS) {
    return multiply(long, customers / LONG);
  }
  if (call.readsSnapshot && customers >= SNAPSHOT_FROM_ID) {
    return withSnapshot(measured.get(name) ?? {}, customers);
  }
  if (!small) return large as Measured;
  return mix(small, large as Measured, (customers - SMALL) / (LARGE - SMALL));
}

/** Returns what a call of a merchant with a snapshot consumes. */
function withSnapshot(bySize: Record<number, Measured>, customers: number): Measured {
  const [smaller, larger] = WITH_SNAPSHOT;
  const position = (customers - smaller) / (larger - smaller);
  return mix(bySize[smaller] as Measured, bySize[larger] as Measured, position);
}

/** Returns what a long export of `factor` times as many customers consumes. */
function multiply(long: Measured, factor: number): Measured {
  const larger = ({ units, writeUnits, inSequence, requests }: Consumption): Consumption => ({
    units: units * factor,
    writeUnits: writeUnits * factor,
    inSequence: inSequence * factor,
    requests: requests * factor,
  });
  return {
    // Before it starts the worker, the call reads a few pages, however many customers there are.
    call: long.call,
    ...(long.worker && { worker: larger(long.worker) }),
    parts: long.parts * factor,
    sentBytes: long.sentBytes * factor,
  };
}

/** Interpolates what two merchants consume; beyond the larger one, round trips stay as they are. */
function mix(small: Measured, large: Measured, position: number): Measured {
  const between = (a: number, b: number, at = Math.max(0, position)) => a + (b - a) * at;
  return {
    call: {
      units: between(small.call.units, large.call.units),
      writeUnits: between(small.call.writeUnits, large.call.writeUnits, Math.min(1, position)),
      inSequence: between(small.call.inSequence, large.call.inSequence, Math.min(1, position)),
      requests: between(small.call.requests, large.call.requests),
    },
    parts: between(small.parts, large.parts),
    sentBytes: between(small.sentBytes, large.sentBytes),
  };
}

function usageOf(
  name: CallName,
  customers: number,
  { call: consumed, worker, parts, sentBytes } = measuredOf(name, customers),
): Usage {
  const call: MeasuredCall = CALLS[name];
  const gb = call.isExport || call.readsAll ? GB.export : GB.endpoint;
  const runs = worker ? Math.ceil(parts / PARTS_PER_RUN) : 0;
  const seconds = (timeOf(consumed) + (worker ? timeOf(worker) : 0)) / 1_000;
  const uploads = parts > 0 ? parts + 2 : 1;
  return {
    readUnits: consumed.units + (worker?.units ?? 0) + (call.emptyReads ?? 0),
    writeUnits: consumed.writeUnits + (worker?.writeUnits ?? 0) + (call.indexWrites ?? 0),
    lambdaGbSeconds: (seconds + COLD_START.share * COLD_START.seconds) * gb,
    lambdaCalls: 1 + runs,
    durableOperations: worker ? parts + runs + OTHER_STEPS : 0,
    gatewayCalls: 1,
    puts: call.isExport ? uploads : 0,
    gets: 0,
    logBytes: LOG_BYTES.request + LOG_BYTES.run * (1 + runs),
    sentBytes,
  };
}

function timeOf({ units, inSequence }: Consumption): number {
  return ROUND_TRIP_MS * inSequence + (units / UNITS_PER_SECOND) * 1_000;
}

/** Returns the time of Lambda for a call, in milliseconds, without cold starts. */
function lambdaMs(name: CallName, customers: number): number {
  const { call, worker } = measuredOf(name, customers);
  return timeOf(call) + (worker ? timeOf(worker) : 0);
}

/** Returns the dollars of a thousand calls, without storage, and without data transfer. */
function ofThousand(name: CallName, customers: number, prices: Prices): number {
  const bill = priceOf(usageOf(name, customers), prices);
  return (
    1_000 *
    totalOf(
      bill,
      BILL_LINES.filter((line) => line !== 'Data transfer'),
    )
  );
}

function transferOfThousand(name: CallName, customers: number, prices: Prices): number {
  return 1_000 * priceOf(usageOf(name, customers), prices)['Data transfer'];
}

function printCalls(prices: Prices): void {
  printHead(['call', 'read units', 'write units', 'Lambda', '1,000 calls', 'their transfer']);
  for (const name of CALL_NAMES.filter((each) => !('grows' in CALLS[each]))) {
    const { readUnits, writeUnits } = usageOf(name, LARGE);
    printRow([
      CALLS[name].title,
      number(readUnits),
      number(writeUnits),
      time(lambdaMs(name, LARGE)),
      money(ofThousand(name, LARGE, prices)),
      money(transferOfThousand(name, LARGE, prices)),
    ]);
  }
}

function printGrowingCalls(prices: Prices): void {
  console.log();
  printHead(['customers', ...SIZES.map(number)]);
  for (const name of CALL_NAMES.filter((each) => 'grows' in CALLS[each])) {
    const { maxCustomers = Number.POSITIVE_INFINITY }: MeasuredCall = CALLS[name];
    const cells = SIZES.map((size) => {
      if (size > maxCustomers) return 'refused';
      return [
        number(usageOf(name, size).readUnits),
        time(lambdaMs(name, size)),
        money(ofThousand(name, size, prices)),
      ].join(' · ');
    });
    printRow([CALLS[name].title, ...cells]);
  }
}

function printSnapshotCalls(prices: Prices): void {
  console.log();
  printHead(['with a snapshot, customers', ...WITH_SNAPSHOT.map(number)]);
  const row = (title: string, of: (size: number) => Measured, name: CallName) => {
    const cells = WITH_SNAPSHOT.map((size) => {
      const usage = usageOf(name, size, of(size));
      const dollars = 1_000 * totalOf(priceOf({ ...usage, sentBytes: 0 }, prices));
      return [number(usage.readUnits), time(timeOf(of(size).call)), money(dollars)].join(' · ');
    });
    printRow([title, ...cells]);
  };
  for (const name of CALL_NAMES.filter((each) => 'readsSnapshot' in CALLS[each])) {
    row(`${CALLS[name].title}, after 20 changes`, (size) => measuredOf(name, size), name);
  }
  row(
    'search, the first of an execution environment',
    (size) => firstSearch[size] as Measured,
    'search',
  );
}

/** Prints imports of 10,000 rows: units, requests, time and dollars of a plan, and of applying and undoing it. */
function printImports(prices: Prices): void {
  const dollarsOf = (part: ImportPart) =>
    totalOf(
      priceOf(
        {
          ...NOTHING,
          readUnits: part.readUnits,
          writeUnits: part.tableWrites + part.indexWrites,
          lambdaGbSeconds: part.seconds * GB.export,
          lambdaCalls: 2,
          gatewayCalls: 1,
          durableOperations: part.durableOperations,
          puts: part.puts,
          gets: part.gets,
        },
        prices,
      ),
    );
  const cellOf = (part: ImportPart) =>
    [
      number(part.readUnits),
      number(part.tableWrites + part.indexWrites),
      number(part.puts + part.gets),
      time(part.seconds * 1_000),
      money(dollarsOf(part)),
    ].join(' · ');
  console.log();
  printHead([`import of ${number(PLANNED_ROWS)} rows`, 'plan', 'apply', 'undo']);
  for (const { title, plan, apply, undo } of imports) {
    printRow([title, cellOf(plan), cellOf(apply), cellOf(undo)]);
  }
}

function billOf(merchant: Merchant, prices: Prices): Bill {
  return monthlyBill(merchant, (name) => usageOf(name, merchant.customers), prices);
}

function printBill(title: string, merchants: readonly Merchant[], prices: Prices): void {
  const bills = merchants.map((each) => billOf(each, prices));
  console.log();
  printHead([title, ...merchants.map(({ customers }) => `${number(customers)} customers`)]);
  const calls = merchants.map((each) => Object.values(each.calls).reduce((sum, n) => sum + n, 0));
  printRow(['calls', ...calls.map(number)]);
  for (const line of BILL_LINES) printRow([line, ...bills.map((bill) => money(bill[line]))]);
  printRow(['**total**', ...bills.map((bill) => `**${money(totalOf(bill))}**`)]);
}

function printRegions(): void {
  console.log();
  printHead(['region', ...MERCHANTS.map(({ customers }) => `${number(customers)} customers`)]);
  for (const each of REGIONS) {
    printRow([each, ...MERCHANTS.map((one) => money(totalOf(billOf(one, PRICES[each]))))]);
  }
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function time(ms: number): string {
  return ms < 1_000 ? `${number(ms)} ms` : `${number(ms / 1_000)} s`;
}

function money(dollars: number): string {
  if (dollars === 0) return '–';
  const options = { minimumSignificantDigits: 2, maximumSignificantDigits: 2 };
  return `$${dollars.toLocaleString('en', options)}`;
}

function printHead(cells: readonly string[]): void {
  printRow(cells);
  printRow(cells.map(() => '---'));
}

function printRow(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}
