import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { CAPACITY } from '../../infra/capacity.ts';
import { CONCURRENT_EXPORTS } from '../../shared/domain/limits.ts';
import { EXPORT_LEASES, exportLeasesKey } from '../../shared/storage/table.ts';
import {
  type ApiResponse,
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { dynamodbError, every, useProxyOf } from '../support/fault-proxy.ts';
import { iterations } from '../support/iterations.ts';
import { logged, quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';

// One merchant overloads the API, and another must not be affected. The limits are those of
// production, but smaller, so that few calls exceed them; the long test has 50 executions of each
// export function, as production has.
const CALLS = 30;
/** Calls that the throttle accepts while one of them waits for the table. */
const TAKEN_ON = 20;
const exportConcurrency = iterations({
  short: 2 * CONCURRENT_EXPORTS,
  long: CAPACITY.exportConcurrency,
});
/** More than the reserved concurrency of a function. */
const SLOW_EXPORTS = exportConcurrency + 5;
useApi({
  capacity: { ...CAPACITY, exportConcurrency, concurrency: 5 * exportConcurrency + TAKEN_ON },
});

/** Longer than an export runs without a lease. */
const SLOW_MS = 600;

describe.runIf(isLocal)('Noisy neighbours', () => {
  const dynamodb = useProxyOf('dynamodb');
  const s3 = useProxyOf('s3');
  let flooding: Client;
  let other: Client;
  let name: string;

  beforeAll(async () => {
    quiet();
    name = crypto.randomUUID();
    flooding = await newMerchant(0, { merchant: name });
    other = await newMerchant(1);
    for (const client of [flooding, other]) await create(client, { name: 'A' });
  });

  /** Returns the statuses of sequential calls of the other merchant. */
  async function statusesOfOther(): Promise<Set<number>> {
    const statuses = new Set<number>();
    for (let call = 0; call < CALLS; call += 1) {
      const path = ['/customers', '/customers/1', '/customers/count'][call % 3] as string;
      statuses.add((await other.call('GET', path)).status);
    }
    statuses.add((await other.call('PATCH', '/customers/1', { body: { fax: '1' } })).status);
    return statuses;
  }

  /** One export by each of the four functions. */
  const exportsOf = (client: Client) => [
    client.call('GET', '/customers/export/csv'),
    client.call('GET', '/customers/export/xml'),
    client.call('POST', '/customers/export/csv', { body: [1] }),
    client.call('POST', '/customers/export/xml', { body: [1] }),
  ];

  test('While changes of one merchant cannot be recorded, those of others are, and its own once they can', async () => {
    const after = async (client: Client) =>
      (await client.call('GET', '/customers/changes')).body.next;
    const tokens = { flooding: await after(flooding), other: await after(other) };
    const changesOf = async (client: Client, token: string) => {
      const { body } = await client.call('GET', `/customers/changes?after=${token}`);
      const ids = body.changes.map(
        ({ mexcParamvaluesetsid }: { mexcParamvaluesetsid: number }) => mexcParamvaluesetsid,
      );
      return [...new Set(ids)];
    };
    const error = dynamodbError(500, 'InternalServerError');
    dynamodb.inject(name, every(error, /^PutItem .*CHANGES#/));
    // Their changes come in the same batches.
    const ids = { flooding: [] as number[], other: [] as number[] };
    for (let nth = 0; nth < 5; nth += 1) {
      ids.flooding.push((await create(flooding, { name: 'A' })).mexcParamvaluesetsid);
      ids.other.push((await create(other, { name: 'B' })).mexcParamvaluesetsid);
    }
    const failure = { level: 'error', what: expect.objectContaining({ merchant: name }) };
    await vi.waitFor(() => expect(logged()).toContainEqual(failure), { timeout: 50_000 });
    await eventually(async () => {
      expect(await changesOf(other, tokens.other)).toEqual(expect.arrayContaining(ids.other));
    });
    dynamodb.heal(name);
    await eventually(async () => {
      expect(await changesOf(flooding, tokens.flooding)).toEqual(
        expect.arrayContaining(ids.flooding),
      );
    });
  });

  test('While exports of one merchant hang, its share is used up and other merchants can export', async () => {
    // The SDK gives a request up after 6 seconds, and an upload after 18.
    const goingOn = Promise.withResolvers<undefined>();
    s3.inject(name, () => goingOn.promise);
    // None takes a lease, or is refused one, before all have come: it would make room for another.
    const allCame = Promise.withResolvers<undefined>();
    dynamodb.inject(name, ({ body }) =>
      body.includes('EXPORT-LEASES') ? allCame.promise : undefined,
    );
    const refusals: ApiResponse[] = [];
    const exports = Array.from({ length: SLOW_EXPORTS }, async () => {
      const answer = await flooding.call('GET', '/customers/export/csv');
      if (answer.status !== 200) refusals.push(answer);
      if (refusals.length === SLOW_EXPORTS - exportConcurrency) allCame.resolve(undefined);
      return answer.status;
    });
    const duringTheFlood = statusesOfOther();
    await vi.waitFor(() => expect(refusals).toHaveLength(SLOW_EXPORTS - CONCURRENT_EXPORTS), {
      timeout: 50_000,
    });
    for (const { status } of await Promise.all(exportsOf(other))) expect(status).toBe(200);
    expect(await duringTheFlood).toEqual(new Set([200]));
    // The share is that of all export endpoints together.
    for (const answer of await Promise.all(exportsOf(flooding))) expectRefused(answer);

    const byFunction = refusals.filter(({ status }) => status === 429);
    expect(byFunction).toHaveLength(exportConcurrency - CONCURRENT_EXPORTS);
    for (const answer of byFunction) expectRefused(answer);
    for (const { status, body } of refusals) {
      if (status !== 429) expect([status, body]).toEqual([503, { message: 'Service Unavailable' }]);
    }
    goingOn.resolve(undefined);
    s3.heal(name);
    dynamodb.heal(name);
    const statuses = await Promise.all(exports);
    expect(statuses.filter((status) => status === 200)).toHaveLength(CONCURRENT_EXPORTS);
    // Each export has released its lease.
    s3.inject(name, every({ delayMs: SLOW_MS }));
    for (const { status } of await Promise.all(exportsOf(flooding))) expect(status).toBe(200);
    s3.heal(name);
  });

  test('The lease of a function that crashed expires', async () => {
    s3.inject(name, every({ delayMs: SLOW_MS }));
    const until = (ms: number) => new Date(Date.now() + ms).toISOString();
    await writeLeases(name, until(60_000));
    expectRefused(await flooding.call('GET', '/customers/export/csv'));
    await writeLeases(name, until(-1));
    expect((await flooding.call('GET', '/customers/export/csv')).status).toBe(200);
    s3.heal(name);
  });

  test('A fast export takes no lease; a slow one costs a read and two writes', async () => {
    const requests: string[] = [];
    dynamodb.inject(name, ({ operation, body }) => {
      if (body.includes('EXPORT-LEASES')) requests.push(operation);
      return undefined;
    });
    const fast = await vi.waitFor(
      async () => {
        requests.length = 0;
        const started = performance.now();
        await flooding.call('GET', '/customers/export/csv');
        const ms = performance.now() - started;
        expect(ms).toBeLessThan(200);
        return [...requests];
      },
      { timeout: 50_000 },
    );
    expect(fast).toEqual([]);
    s3.inject(name, every({ delayMs: SLOW_MS }));
    expect((await flooding.call('GET', '/customers/export/csv')).status).toBe(200);
    expect(requests).toEqual(['GetItem', 'UpdateItem', 'UpdateItem']);
    s3.heal(name);
    dynamodb.heal(name);
  });

  test('While the partition of one merchant is throttled, other merchants are served', async () => {
    dynamodb.inject(name, every(dynamodbError(400, 'ProvisionedThroughputExceededException')));
    const calls = Array.from({ length: TAKEN_ON }, () => flooding.call('GET', '/customers/1'));
    expect(await statusesOfOther()).toEqual(new Set([200]));
    for (const { status } of await Promise.all(calls)) expect(status).toBe(503);
    dynamodb.heal(name);
    expect((await flooding.call('GET', '/customers/1')).status).toBe(200);
  });
});

function expectRefused(answer: ApiResponse): void {
  expectProblem(answer, 429);
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(answer.body.detail).toContain(`${CONCURRENT_EXPORTS} slow exports of yours are running`);
}

/** Writes leases of functions that ended without releasing them. */
async function writeLeases(merchantId: string, value: string): Promise<void> {
  const documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint }),
  );
  const leases = Object.fromEntries(EXPORT_LEASES.map((name) => [name, value]));
  await documents.send(
    new PutCommand({
      TableName: localStack().table,
      Item: { ...exportLeasesKey(merchantId), ...leases },
    }),
  );
  documents.destroy();
}
