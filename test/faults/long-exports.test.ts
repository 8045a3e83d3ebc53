import type { DurableLambdaHandler } from '@aws/durable-execution-sdk-js';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { createAuthorizer } from '../../infra/local/authorizer.ts';
import { createGateway } from '../../infra/local/gateway.ts';
import { AUDIENCE } from '../../infra/local/issuer.ts';
import { createLambda } from '../../infra/local/lambda.ts';
import { start } from '../../infra/local/server.ts';
import { EVERYONE } from '../../shared/domain/customer-filter.ts';
import { TTL_ATTRIBUTE } from '../../shared/storage/table.ts';
import {
  type Client,
  clientOf,
  create,
  eventually,
  isLocal,
  localStack,
  useApi,
} from '../support/api.ts';
import { keysInBucket } from '../support/export-bucket.ts';
import { sheetIn } from '../support/export-files.ts';
import { useExportWorker } from '../support/export-worker.ts';
import { every, first, s3Error } from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';
import { randomText } from '../support/random-text.ts';
import { newMerchantWith, type SeededMerchant } from '../support/seed.ts';

useApi();

/** Maximum rows of a synchronous export in this test. */
const FEW = 20;
/** As CSV two parts; of every other one as XML also two, since texts of ampersands are five times as long. */
const MANY = 260;
const CSV = '/customers/export/csv';
const XML = '/customers/export/xml';
const XLSX = '/customers/export/xlsx';
const JSON_LINES = '/customers/export/jsonl';
/** Selects every other of these customers. */
const HALF = 'filter=search&search=half';
const PROGRESS = ['exportId', 'format', 'state', 'rowsDone', 'rowsExpected', 'started', 'updated'];
const FILE = ['url', 'expires', 'filename', 'contentType', 'count', 'bytes'];
describe.runIf(isLocal)('Long exports', () => {
  const worker = useExportWorker(FEW);
  const { dynamodb, s3, lambda } = worker;
  let name: string;
  let merchant: Client;
  let ids: readonly number[];

  beforeAll(async () => {
    quiet();
    const texts = { other: '😀'.repeat(7_000), half: '&'.repeat(10_000) };
    ({ name, merchant, ids } = await newMerchantWith(MANY, (index) => {
      const customerid = index % 2 === 0 ? 'other' : 'half';
      return { notes: texts[customerid], statuslog: texts[customerid], customerid };
    }));
  });

  /** Starts an export that continues in the background, and returns its location. */
  async function startLongExport(client: Client, path = CSV): Promise<string> {
    const { status, headers, body } = await client.call('GET', path);
    expect(status, JSON.stringify(body)).toBe(202);
    return headers.get('location') as string;
  }

  /** Polls until the export has ended, and returns every status; `rowsSeen` gets the rows of each. */
  async function watch(client: Client, location: string, rowsSeen = new Set<number>()) {
    // biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
    const statuses: any[] = [];
    await vi.waitFor(
      async () => {
        const { status, body } = await client.call('GET', location);
        expect(status).toBe(200);
        statuses.push(body);
        rowsSeen.add(body.rowsDone);
        expect(body.state).not.toBe('running');
      },
      { timeout: 50_000, interval: 100 },
    );
    return { statuses, last: statuses.at(-1) };
  }

  /** Files of synchronous exports by ids, each exported once. */
  const synchronousFiles = new Map<string, Promise<Buffer>>();
  function synchronousExport(
    client: Client,
    path: string,
    ids: readonly number[],
  ): Promise<Buffer> {
    const key = [client.token, path, ids].join();
    const file = synchronousFiles.get(key) ?? exportNow(client, path, ids);
    synchronousFiles.set(key, file);
    return file;
  }
  async function exportNow(client: Client, path: string, ids: readonly number[]) {
    const { status, body } = await client.call('POST', path, { body: ids });
    expect(status).toBe(200);
    return download(body.url);
  }

  test.each([
    ['CSV of all customers', CSV],
    ['XML of the customers that filters select', `${XML}?${HALF}`],
  ])('A long export as %s equals the synchronous export byte for byte', async (_, path) => {
    const selected = path.includes(HALF) ? ids.filter((_, index) => index % 2 === 1) : ids;
    const count = selected.length;
    const before = Date.now();
    const parts = new Set<number>();
    const rowsSeen = new Set<number>();
    s3.inject(name, async ({ operation }) => {
      const part = Number(/partNumber=(\d+)/.exec(operation)?.[1]);
      if (!part) return undefined;
      parts.add(part);
      // A poll sees the progress before each part, however busy the machine is.
      await eventually(() => expect(rowsSeen.size).toBeGreaterThanOrEqual(part));
      return undefined;
    });
    const answer = await merchant.call('GET', path);
    expect(answer).toMatchObject({
      status: 202,
      body: {
        state: 'running',
        rowsDone: 0,
        // Of filters it is estimated.
        rowsExpected: path === CSV ? count : expect.closeTo(count, -2),
      },
    });
    expect(Object.keys(answer.body)).toEqual([...PROGRESS, 'changesFrom']);
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    const location = answer.headers.get('location') as string;
    expect(location).toMatch(/^\/customers\/exports\/[0-9a-f-]{36}$/);

    const { statuses, last } = await watch(merchant, location, rowsSeen);
    s3.heal(name);
    const rows = statuses.map(({ rowsDone }) => rowsDone);
    expect(rows).toEqual(rows.toSorted((a, b) => a - b));
    // None, those of the first part, and all.
    expect(rowsSeen.size).toBe(3);
    expect(parts).toEqual(new Set([1, 2]));
    for (const body of statuses.slice(0, -1))
      expect(Object.keys(body)).toEqual([...PROGRESS, 'changesFrom']);

    expect(Object.keys(last)).toEqual([...PROGRESS, ...FILE, 'changesFrom']);
    expect(last).toMatchObject({ state: 'ready', rowsDone: count, count });
    expect(Date.parse(last.started)).toBeGreaterThanOrEqual(before);
    const extension = path.startsWith(CSV) ? 'csv' : 'xml';
    expect(last.filename).toMatch(new RegExp(`^customers-\\d{4}-\\d\\d-\\d\\d\\.${extension}$`));
    const file = await download(last.url);
    expect(file.byteLength).toBe(last.bytes);
    const pathOfAll = path.split('?')[0] as string;
    expect(file.equals(await synchronousExport(merchant, pathOfAll, selected))).toBe(true);

    const again = await merchant.call('GET', location);
    expect(again.headers.get('retry-after')).toBeNull();
    expect(Date.parse(again.body.expires)).toBeGreaterThan(Date.parse(last.expires) - 1);
  });

  test.each([
    ['CSV for Excel', `${CSV}?delimiter=semicolon&bom=true`],
    ['CSV of chosen columns', `${CSV}?columns=name,date&headers=sv`],
    ['JSON Lines', JSON_LINES],
  ])('A long export as %s equals the synchronous export byte for byte', async (_, path) => {
    const { merchant, ids } = await newMerchantWith(FEW + 1);
    const { last } = await watch(merchant, await startLongExport(merchant, path));
    const file = await download(last.url);
    expect(file.equals(await synchronousExport(merchant, path, ids))).toBe(true);
  });

  test('An export of a large register is synchronous if few customers match the filters', async () => {
    const { status, body } = await merchant.call('GET', `${CSV}?filter=isCompany`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ count: 0 });
  });

  test('An export with one row more than the synchronous maximum continues in the background', async () => {
    const few = await newMerchantWith(FEW);
    expect(await few.merchant.call('GET', CSV)).toMatchObject({ status: 200 });
    await create(few.merchant, { name: 'B' });
    const { last } = await watch(few.merchant, await startLongExport(few.merchant));
    expect(last).toMatchObject({ state: 'ready', count: FEW + 1 });
  });

  describe('Failures of S3', () => {
    test('A long export fails with a reason and leaves no file if S3 rejects a part', async () => {
      const before = await keysInBucket(name);
      s3.inject(name, every(s3Error(403, 'AccessDenied'), /^PUT \S+partNumber=2/));
      const location = await startLongExport(merchant);
      const { last } = await watch(merchant, location);
      s3.heal(name);
      expect(last).toMatchObject({
        state: 'failed',
        reason: 'A defect of the API ended the export. Report it with its exportId.',
      });
      expect(last.rowsDone).toBeGreaterThan(0);
      expect(Object.keys(last)).toEqual([...PROGRESS, 'reason']);
      expect(await keysInBucket(name)).toEqual(before);
      // The failed status is final.
      expect((await merchant.call('GET', location)).body).toEqual(last);
    });

    test('A long export waits and succeeds if S3 is down for longer than one attempt of a step', async () => {
      const { name, merchant, ids } = await newMerchantWith(FEW + 1);
      // The SDK makes three attempts in one attempt of the step.
      s3.inject(name, first(4, s3Error(503, 'SlowDown'), /^PUT \S+partNumber=1/));
      const { last } = await watch(merchant, await startLongExport(merchant));
      s3.heal(name);
      const file = await download(last.url);
      expect(file.equals(await synchronousExport(merchant, CSV, ids))).toBe(true);
    });

    test('A long export is ready if the response to the completed upload is lost', async () => {
      const { name, merchant } = await newMerchantWith(FEW + 1);
      s3.inject(name, first(1, 'cut the answer', /^POST \S+uploadId=/));
      const { last } = await watch(merchant, await startLongExport(merchant));
      s3.heal(name);
      expect(last).toMatchObject({ state: 'ready', count: FEW + 1 });
      expect((await download(last.url)).byteLength).toBe(last.bytes);
    });
  });

  describe('Failures of the export function', () => {
    test('A long export whose function is killed resumes after its last checkpoint', async () => {
      // The second step uploads its first part, so the first step's checkpoint is saved.
      const secondStep = Promise.withResolvers<void>();
      s3.inject(name, ({ operation }) => {
        if (!/^PUT \S+partNumber=2/.test(operation)) return undefined;
        secondStep.resolve();
        return 'keep waiting';
      });
      const location = await startLongExport(merchant);
      await secondStep.promise;
      await worker.stop();
      const statusBefore = (await merchant.call('GET', location)).body;
      expect(statusBefore.state).toBe('running');

      const parts: string[] = [];
      const reads: string[] = [];
      s3.inject(name, ({ operation }) => {
        parts.push(...(/partNumber=\d+/.exec(operation) ?? []));
        return undefined;
      });
      dynamodb.inject(name, ({ operation, body }) => {
        if (operation === 'Query') reads.push(body);
        return undefined;
      });
      await worker.restart();
      const { statuses, last } = await watch(merchant, location);
      s3.heal(name);
      dynamodb.heal(name);

      expect(last).toMatchObject({ state: 'ready', count: MANY });
      for (const { rowsDone } of statuses)
        expect(rowsDone).toBeGreaterThanOrEqual(statusBefore.rowsDone);
      expect(parts).toEqual(['partNumber=2']);
      // Customers already in the bucket are not read again, but for the query of the newest id.
      const inBucket = ids[statusBefore.rowsDone - 1] as number;
      const begins = reads
        .map((body) => JSON.parse(body))
        .filter(({ ScanIndexForward }) => ScanIndexForward !== false)
        .map((query) => Number(query.ExpressionAttributeValues[':from'].S.split('#')[1]));
      expect(begins.length).toBeGreaterThan(0);
      for (const from of begins) expect(from).toBeGreaterThan(inBucket);
      const file = await download(last.url);
      expect(file.equals(await synchronousExport(merchant, CSV, ids))).toBe(true);
    });

    test('A long export as XLSX whose function is killed has the same sheet as a synchronous one', async () => {
      // Texts that hardly become smaller, since a text comes again after more bytes than a compressor looks
      // back: two parts of 8 MiB, of which the second is not full.
      const texts = { notes: randomText(10_000), statuslog: randomText(10_000) };
      const other = await newMerchantWith(260, () => texts);
      const path = `${XLSX}?columns=notes,mexcParamvaluesetsid,date,statuslog&headers=sv`;
      const secondPart = Promise.withResolvers<void>();
      s3.inject(other.name, ({ operation }) => {
        if (!/^PUT \S+partNumber=2/.test(operation)) return undefined;
        secondPart.resolve();
        return 'keep waiting';
      });
      const location = await startLongExport(other.merchant, path);
      await secondPart.promise;
      await worker.stop();
      const parts: string[] = [];
      s3.inject(other.name, ({ operation }) => {
        parts.push(...(/partNumber=\d+/.exec(operation) ?? []));
        return undefined;
      });
      await worker.restart();
      const { last } = await watch(other.merchant, location);
      s3.heal(other.name);
      expect(parts).toEqual(['partNumber=2']);
      expect(last).toMatchObject({ state: 'ready', format: 'xlsx', count: 260 });
      const file = await download(last.url);
      expect(file.byteLength).toBe(last.bytes);
      // Pages are compressed one by one, and may be others than those of an export by ids.
      const expected = await synchronousExport(other.merchant, path, other.ids);
      expect(sheetIn(file) === sheetIn(expected)).toBe(true);
    });

    test('The export function is called again if it cannot save a checkpoint', async () => {
      const few = await newMerchantWith(FEW + 1);
      // The SDK makes three attempts; then the invocation fails.
      let lost = 0;
      lambda.inject('/checkpoint', ({ body }) => {
        if (!/"Name":"complete"/.test(body) || lost === 3) return undefined;
        lost += 1;
        return 'hang up';
      });
      const { last } = await watch(few.merchant, await startLongExport(few.merchant));
      lambda.heal('/checkpoint');
      expect(lost).toBe(3);
      expect(last).toMatchObject({ state: 'ready', count: FEW + 1 });
      expect(await keysInBucket(few.name)).toHaveLength(1);
    });

    test('A long export writes one file if its function is started twice after a lost response', async () => {
      const few = await newMerchantWith(FEW + 1);
      let starts = 0;
      lambda.inject(few.name, ({ operation }) => {
        if (!operation.endsWith('/invocations')) return undefined;
        starts += 1;
        return starts === 1 ? 'cut the answer' : undefined;
      });
      const { last } = await watch(few.merchant, await startLongExport(few.merchant));
      lambda.heal(few.name);
      expect(starts).toBe(2);
      expect(last).toMatchObject({ state: 'ready', count: FEW + 1 });
      expect(await keysInBucket(few.name)).toHaveLength(1);
    });

    test('An export returns 503 if its function cannot be started', async () => {
      const few = await newMerchantWith(FEW + 1);
      lambda.inject(few.name, every('hang up', /invocations/));
      expectProblem(await few.merchant.call('GET', CSV), 503);
      lambda.heal(few.name);
    });
  });

  test('A small export that takes too long continues in the background', async () => {
    const few = await newMerchantWith(FEW);
    // Five seconds are reserved for the start of the background export.
    const invoke = createLambda(
      async (file) => (await import(`../../functions/${file}/handler.ts`)).handler,
      {
        timeoutMs: 5_500,
      },
    );
    const authorize = createAuthorizer(localStack().issuer, AUDIENCE);
    const shortTimeout = await start(createGateway({ routes: ENDPOINTS, authorize, invoke }), 0);
    s3.inject(few.name, first(1, 'keep waiting', /^PUT/));
    const client = clientOf(shortTimeout.endpoint, few.merchant.token);
    const { last } = await watch(few.merchant, await startLongExport(client, XML));
    s3.heal(few.name);
    await shortTimeout.close();
    expect(last).toMatchObject({ state: 'ready', count: FEW, rowsExpected: FEW });
    const file = await download(last.url);
    expect(file.equals(await synchronousExport(few.merchant, XML, few.ids))).toBe(true);
  });

  test('The export workflow runs with the same steps in the test runner of the SDK', async () => {
    const few = await newMerchantWith(1);
    const { handler } = await import('../../functions/run-export/handler.ts');
    const id = crypto.randomUUID();
    const file = {
      key: `exports/${few.name}/${id}.csv`,
      filename: 'a.csv',
      contentType: 'text/csv',
    };
    const { addExportJob, getExportJob } = await import('../../shared/storage/export-jobs.ts');
    await addExportJob(few.name, {
      id,
      state: 'running',
      format: 'csv',
      file,
      rowsDone: 0,
      rowsExpected: 1,
      changesFrom: { entry: 0, index: 0, sinceMs: 0 },
      started: new Date().toISOString(),
      updated: new Date().toISOString(),
    });
    await LocalDurableTestRunner.setupTestEnvironment({ skipTime: false });
    const runner = new LocalDurableTestRunner({
      handlerFunction: handler as unknown as DurableLambdaHandler,
    });
    const format = { name: 'csv', delimiter: 'comma', bom: false } as const;
    const input = { merchantId: few.name, id, format, file, filter: EVERYONE };
    const execution = await runner.run({ payload: input });
    await LocalDurableTestRunner.teardownTestEnvironment();
    expect(execution.getStatus()).toBe('SUCCEEDED');
    expect(execution.getOperations().map((operation) => operation.getName())).toEqual([
      'start',
      'part 1',
      'complete',
      'note ready',
    ]);
    expect(await getExportJob(few.name, id)).toMatchObject({ state: 'ready', rowsDone: 1 });
  });

  describe('Unknown exports', () => {
    let location: string;
    let few: SeededMerchant;
    beforeAll(async () => {
      few = await newMerchantWith(FEW + 1);
      location = await startLongExport(few.merchant);
      await watch(few.merchant, location);
    });

    test('GET of an export returns 404 to another merchant', async () => {
      expectProblem(await merchant.call('GET', location), 404);
    });

    test('GET of an export returns 404 for an unknown id', async () => {
      const other = `/customers/exports/${crypto.randomUUID()}`;
      expectProblem(await few.merchant.call('GET', other), 404);
    });

    test('GET of an export returns 404 once it has expired, even before DynamoDB deletes it', async () => {
      const documents = DynamoDBDocumentClient.from(new DynamoDBClient());
      const Key = { pk: `MERCHANT#${few.name}`, sk: `EXPORT#${location.split('/').at(-1)}` };
      await documents.send(
        new UpdateCommand({
          TableName: localStack().table,
          Key,
          UpdateExpression: `SET ${TTL_ATTRIBUTE} = :now`,
          ExpressionAttributeValues: { ':now': Math.floor(Date.now() / 1_000) },
        }),
      );
      documents.destroy();
      expectProblem(await few.merchant.call('GET', location), 404);
    });
  });

  test.each(['1', 'x', `${crypto.randomUUID()}0`, crypto.randomUUID().toUpperCase()])(
    'GET of an export returns 400 for the malformed id %s',
    async (id) => {
      const answer = await merchant.call('GET', `/customers/exports/${id}`);
      expectProblem(answer, 400, [{ parameter: 'exportId' }]);
    },
  );
});

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}
