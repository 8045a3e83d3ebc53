import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import {
  type Answer,
  type Client,
  create,
  eventually,
  isLocal,
  newMerchant,
  useApi,
} from '../support/api.ts';
import {
  dynamodbError,
  every,
  type Fault,
  type FaultProxy,
  first,
  s3Error,
  startProxyOf,
  unprocessed,
} from '../support/fault-proxy.ts';
import { filesOf } from '../support/files.ts';
import { logged, quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

const BROKEN_CONNECTIONS = [
  ['hangs up', 'hang up'],
  ['breaks off its answers', 'cut the answer'],
] satisfies [string, Fault][];
const DYNAMODB_FAULTS: [string, Fault][] = [
  ['throttles the table', dynamodbError(400, 'ProvisionedThroughputExceededException')],
  ['throttles the account', dynamodbError(400, 'ThrottlingException')],
  ['limits requests', dynamodbError(400, 'RequestLimitExceeded')],
  ['fails', dynamodbError(500, 'InternalServerError')],
  ['fails without a word', { status: 500, body: '' }],
  ['is replaced by a page', { status: 503, body: '<html>Service Unavailable</html>' }],
  ...BROKEN_CONNECTIONS,
];
const S3_FAULTS: [string, Fault][] = [
  ['asks to slow down', s3Error(503, 'SlowDown')],
  ['fails', s3Error(500, 'InternalError')],
  ['fails without a word', { status: 500, body: '' }],
  ...BROKEN_CONNECTIONS,
];
/** The SDK tries DynamoDB four times in all, and S3, where an attempt may take longer, three. */
const DYNAMODB_RETRIES = 3;
const S3_RETRIES = 2;

/** Somebody of whom nothing may be in a log. */
const ANNA = { name: 'Anna-Karin Öberg', companyno: '19900118-9811', email: 'anna@example.com' };

describe.runIf(isLocal)('behind the API', () => {
  let dynamodb: FaultProxy;
  let s3: FaultProxy;

  beforeAll(async () => {
    dynamodb = await startProxyOf('dynamodb');
    s3 = await startProxyOf('s3');
    quiet();
  });
  afterAll(async () => {
    await dynamodb.close();
    await s3.close();
  });

  /** A merchant with customers; its name picks out its requests among those of other tests. */
  async function merchantWith(count: number, body: Record<string, unknown> = ANNA) {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    const customers = [];
    for (let left = count; left > 0; left -= 1) customers.push(await create(merchant, body));
    const ids = customers.map((customer) => customer.mexcParamvaluesetsid);
    return { name, merchant, customers, ids };
  }

  const list = async (merchant: Client) => (await merchant.call('GET', '/customers')).body;

  function expectUnavailable(answer: Answer): void {
    expectProblem(answer, 503);
    expect(answer.body.detail).toBe(
      'The register is busy or cannot be reached. Try again shortly.',
    );
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }

  describe.concurrent('DynamoDB', () => {
    test('does not answer: 503 before the function runs out of time', async () => {
      const { name, merchant } = await merchantWith(1);
      dynamodb.inject(name, every('keep waiting'));
      expectUnavailable(await merchant.call('GET', '/customers'));
    });

    test.each(DYNAMODB_FAULTS)('%s for a while: the caller gets the answer', async (_, fault) => {
      const { name, merchant, customers } = await merchantWith(1);
      dynamodb.inject(name, first(DYNAMODB_RETRIES, fault));
      expect(await list(merchant)).toEqual(customers);
    });

    test.each(DYNAMODB_FAULTS)('%s for good: 503', async (_, fault) => {
      const { name, merchant, customers } = await merchantWith(1);
      dynamodb.inject(name, every(fault));
      expectUnavailable(await merchant.call('GET', '/customers'));
      dynamodb.heal(name);
      expect(await list(merchant)).toEqual(customers);
    });

    test.each(ENDPOINTS)('fails: $method $path is 503 and changes nothing', async (route) => {
      const { name, merchant, customers, ids } = await merchantWith(1);
      dynamodb.inject(name, every(dynamodbError(500, 'InternalServerError')));
      const path = route.path
        .replace('{mexcParamvaluesetsid}', String(ids[0]))
        .replace('{orgNum}', '5567037485')
        .replace('{exportId}', crypto.randomUUID());
      const body =
        /export/.test(path) || route.method === 'DELETE' ? ids : { ...ANNA, name: 'Bo Ek' };
      const hasBody = route.method !== 'GET';
      expectUnavailable(await merchant.call(route.method, path, hasBody ? { body } : {}));
      dynamodb.heal(name);
      expect(await list(merchant)).toEqual(customers);
    });

    test('cannot delete one of many: 503, and the next try deletes the rest', async () => {
      const { name, merchant, ids } = await merchantWith(3);
      const second = new RegExp(`^DeleteItem .*#0*${ids[1]}"`);
      dynamodb.inject(name, every(dynamodbError(500, 'InternalServerError'), second));
      const interrupted = await merchant.call('DELETE', '/customers', { body: ids });
      expect(interrupted).toMatchObject({ status: 503, body: { count: expect.any(Number) } });
      dynamodb.heal(name);
      expect(await merchant.call('DELETE', '/customers', { body: ids })).toMatchObject({
        status: 200,
      });
      expect(await list(merchant)).toEqual([]);
    });
  });

  describe.concurrent('a write whose answer is lost', () => {
    const CREATING = [
      ['the id', /^UpdateItem .*"SEQUENCE"/],
      ['the customer and the key', /^TransactWriteItems /],
    ] as const;
    const headers = { 'idempotency-key': 'k' };

    test.each(CREATING)('once, of %s, makes one customer', async (_, write) => {
      const { name, merchant } = await merchantWith(0);
      dynamodb.inject(name, first(1, 'cut the answer', write));
      const { status, body } = await merchant.call('POST', '/customers', { body: {}, headers });
      expect(status).toBe(200);
      expect(await list(merchant)).toEqual([body]);
    });

    test.each(CREATING)(
      'for good, of %s, is 503; the same key makes one customer',
      async (_, write) => {
        const { name, merchant } = await merchantWith(0);
        dynamodb.inject(name, every('cut the answer', write));
        expectUnavailable(await merchant.call('POST', '/customers', { body: {}, headers }));
        dynamodb.heal(name);
        const { status, body } = await merchant.call('POST', '/customers', { body: {}, headers });
        expect(status).toBe(200);
        expect(await list(merchant)).toEqual([body]);
      },
    );

    test('makes one customer also without a key', async () => {
      const { name, merchant } = await merchantWith(0);
      dynamodb.inject(name, first(1, 'cut the answer', /^TransactWriteItems/));
      const customer = await create(merchant, { name: 'A' });
      expect(await list(merchant)).toEqual([customer]);
    });

    test.each([{}, { 'if-match': '"1"' }])(
      'changes a customer once, with headers %o',
      async (headers) => {
        const { name, merchant, ids } = await merchantWith(1);
        dynamodb.inject(name, first(1, 'cut the answer', /^PutItem/));
        const answer = await merchant.call('PATCH', `/customers/${ids[0]}`, {
          body: { name: 'B' },
          headers,
        });
        expect(answer).toMatchObject({ status: 200, body: { name: 'B' } });
        expect(answer.headers.get('etag')).toBe('"2"');
      },
    );

    test.each([{}, { 'if-match': '"1"' }])(
      'deletes a customer, with headers %o',
      async (headers) => {
        const { name, merchant, ids } = await merchantWith(1);
        dynamodb.inject(name, first(1, 'cut the answer', /^DeleteItem/));
        const answer = await merchant.call('DELETE', `/customers/${ids[0]}`, { headers });
        expect(answer).toMatchObject({ status: 200, body: { result: 'Removed' } });
        expect(await list(merchant)).toEqual([]);
      },
    );

    test('is counted among many deletions', async () => {
      const { name, merchant, ids } = await merchantWith(3);
      dynamodb.inject(name, first(1, 'cut the answer', /^DeleteItem/));
      const { body } = await merchant.call('DELETE', '/customers', { body: ids });
      expect(body).toEqual({ result: 'Removed', count: 3 });
    });
  });

  describe.concurrent('keys that DynamoDB leaves unprocessed', () => {
    test('are asked for again', async () => {
      const { name, merchant, customers, ids } = await merchantWith(4);
      dynamodb.inject(name, first(2, { rewrite: onlyOne }, /^BatchGetItem/));
      const { body } = await merchant.call('GET', '/customers?start=1');
      expect(body).toEqual(customers.slice(1));
      dynamodb.inject(name, first(2, { rewrite: onlyOne }, /^BatchGetItem/));
      const answer = await merchant.call('POST', '/customers/export/csv', { body: ids });
      expect(answer).toMatchObject({ status: 200, body: { count: 4 } });
    });

    test('are asked for again also where the answer has nothing else', async () => {
      const { name, merchant, customers } = await merchantWith(2);
      const nothing = (body: string) =>
        JSON.stringify({ ...JSON.parse(none(body)), Responses: {} });
      dynamodb.inject(name, first(1, { rewrite: nothing }, /^BatchGetItem/));
      expect((await merchant.call('GET', '/customers?start=1')).body).toEqual(customers.slice(1));
    });

    test('are found in an answer with white space between its tokens', async () => {
      const { name, merchant, customers } = await merchantWith(2);
      const spaced = (body: string) => JSON.stringify(JSON.parse(body), null, 2);
      dynamodb.inject(name, every({ rewrite: spaced }));
      expect((await merchant.call('GET', '/customers?start=1')).body).toEqual(customers.slice(1));
      expect(await list(merchant)).toEqual(customers);
      dynamodb.heal(name);
    });

    test('time and again are 503', async () => {
      const { name, merchant } = await merchantWith(2);
      dynamodb.inject(name, every({ rewrite: none }, /^BatchGetItem/));
      expectUnavailable(await merchant.call('GET', '/customers?start=1'));
    });
  });

  test('an index that lags behind: who is gone or has another number by now is not found', async () => {
    const number = '556703-7485';
    const { name, merchant, ids } = await merchantWith(3, { name: 'A', companyno: number });
    const found = async () => {
      const { status, body } = await merchant.call('GET', `/customers/searchByOrgNumber/${number}`);
      return status === 404 ? undefined : body.company;
    };
    const [first, second, third] = ids;
    await merchant.call('PATCH', `/customers/${first}`, { body: { name: 'B' } });
    let before = '';
    const keep = (body: string) => {
      if (JSON.parse(body).Count === 3) before ||= body;
      return before || body;
    };
    dynamodb.inject(name, every({ rewrite: keep }, /^Query.*identityNumberIndex/));
    await eventually(async () => {
      expect(await found()).toBe('A');
      expect(before).not.toBe('');
    });
    await merchant.call('DELETE', `/customers/${third}`);
    await merchant.call('PATCH', `/customers/${second}`, { body: { companyno: '202100-5489' } });
    expect(await found()).toBe('B');
    await merchant.call('DELETE', `/customers/${first}`);
    expect(await found()).toBe(undefined);
    dynamodb.heal(name);
  });

  describe.concurrent('a throttled table', () => {
    const throttled = dynamodbError(400, 'ProvisionedThroughputExceededException');
    // More than the SDK retries for one request, by a margin that the time limit leaves.
    const forLong = (match: RegExp) => first(DYNAMODB_RETRIES + 3, throttled, match);

    test.each([
      ['GET', /^Query (?!.*ScanIndexForward)/],
      ['POST', /^BatchGetItem/],
    ])('makes an export by %s slower, and does not fail it', async (method, match) => {
      const { name, merchant, ids } = await merchantWith(3);
      dynamodb.inject(name, forLong(match));
      const options = method === 'POST' ? { body: ids } : {};
      const { status, body } = await merchant.call(method, '/customers/export/csv', options);
      expect(status).toBe(200);
      expect(body.count).toBe(3);
    });

    test('that stays so for good fails it with 503, and leaves no file', async () => {
      const { name, merchant, ids } = await merchantWith(1);
      dynamodb.inject(name, every(throttled, /^BatchGetItem/));
      const body = ids;
      expectUnavailable(await merchant.call('POST', '/customers/export/xml', { body }));
      expect(await filesOf(name)).toEqual([]);
    });
  });

  describe.concurrent('S3', () => {
    test.each(S3_FAULTS)('%s for a while: the file is there', async (_, fault) => {
      const { name, merchant } = await merchantWith(1);
      s3.inject(name, first(S3_RETRIES, fault, /^PUT/));
      const { status, body } = await merchant.call('GET', '/customers/export/csv');
      expect(status).toBe(200);
      expect(await download(body.url)).toContain(`,${ANNA.name},`);
    });

    test.each(S3_FAULTS)('%s for good: 503', async (_, fault) => {
      const { name, merchant } = await merchantWith(1);
      s3.inject(name, every(fault));
      expectUnavailable(await merchant.call('GET', '/customers/export/xml'));
      expectUnavailable(
        await merchant.call('GET', '/customers/export/xml', {
          headers: { accept: 'application/xml' },
        }),
      );
    });
  });

  describe('an export in several parts', () => {
    const START = /^POST \S+\?uploads/;
    const PART = /^PUT \S+partNumber=/;
    const FINISH = /^POST \S+uploadId=/;
    const COUNT = 150;
    const text = '😀'.repeat(10_000);
    let name: string;
    let merchant: Client;
    let lastId: number | undefined;

    beforeAll(async () => {
      let ids: number[];
      ({ name, merchant, ids } = await merchantWith(COUNT, { notes: text, statuslog: text }));
      lastId = ids.at(-1);
    });

    test.each([
      ['cannot be started', START, s3Error(503, 'SlowDown')],
      ['cannot be sent', PART, s3Error(503, 'SlowDown')],
      ['cannot be finished', FINISH, s3Error(500, 'InternalError')],
      ['fails after S3 has said 200', FINISH, s3Error(200, 'InternalError')],
      ['is cut off', PART, 'hang up'],
    ] as const)('that %s is 503 and leaves nothing behind', async (_, match, fault) => {
      s3.inject(name, every(fault, match));
      expectUnavailable(await merchant.call('GET', '/customers/export/csv'));
      expect(await filesOf(name)).toEqual([]);
    });

    test('that DynamoDB breaks off is 503 and leaves nothing behind', async () => {
      let started = false;
      s3.inject(name, ({ operation }) => {
        started ||= START.test(operation);
        return undefined;
      });
      const lastRange = new RegExp(
        `^Query (?!.*ScanIndexForward).*":to":\\{"S":"CUSTOMER#0*${lastId}"`,
      );
      dynamodb.inject(name, every(dynamodbError(500, 'InternalServerError'), lastRange));
      expectUnavailable(await merchant.call('GET', '/customers/export/csv'));
      expect(started).toBe(true);
      expect(await filesOf(name)).toEqual([]);
      dynamodb.heal(name);
    });

    test.each<[string, Fault]>([
      ['a fault', s3Error(500, 'InternalError')],
      ['a lost answer', 'lose the answer'],
    ])('outlives %s of each request', async (_, fault) => {
      const faults = [START, PART, FINISH].map((match) => first(1, fault, match));
      s3.inject(name, (passing) => faults.map((fault) => fault(passing)).find(Boolean));
      const { status, body } = await merchant.call('GET', '/customers/export/csv');
      expect(status).toBe(200);
      expect((await download(body.url)).trim().split('\r\n')).toHaveLength(COUNT + 1);
    });
  });

  describe('refused connections', () => {
    test('to DynamoDB are 503', async () => {
      const { merchant, customers } = await merchantWith(1);
      expectUnavailable(await dynamodb.whileDown(() => merchant.call('GET', '/customers')));
      expect(await list(merchant)).toEqual(customers);
    });

    test('to S3 are 503', async () => {
      const { merchant } = await merchantWith(1);
      const get = () => merchant.call('GET', '/customers/export/csv');
      expectUnavailable(await s3.whileDown(get));
      expect(await get()).toMatchObject({ status: 200 });
    });
  });

  describe.concurrent('what no retry mends', () => {
    test.each([
      ['missing permission', dynamodbError(400, 'AccessDeniedException')],
      ['a missing table', dynamodbError(400, 'ResourceNotFoundException')],
      ['a request that DynamoDB does not understand', dynamodbError(400, 'ValidationException')],
      ['an answer that cannot be read', { rewrite: () => '{"Item":' }],
    ] as const)('%s is 500, and only the log says why', async (_, fault) => {
      const { name, merchant, ids } = await merchantWith(1);
      dynamodb.inject(name, every(fault));
      const answer = await merchant.call('GET', `/customers/${ids[0]}`);
      expectProblem(answer, 500);
      expect(answer.body.detail).toBe('Something went wrong here.');
      expect(logged()).toContainEqual({
        level: 'error',
        what: expect.objectContaining({
          merchant: name,
          apiRequestId: answer.body.requestId,
          stack: expect.stringMatching(/^ +at /),
        }),
      });
      expect(answer.headers.get('retry-after')).toBeNull();
    });

    test('no permission to write files is 500', async () => {
      const { name, merchant } = await merchantWith(1);
      s3.inject(name, every(s3Error(403, 'AccessDenied')));
      const answer = await merchant.call('GET', '/customers/export/csv');
      expectProblem(answer, 500);
      expect(answer.body.detail).toBe('Something went wrong here.');
    });
  });
});

/** A BatchGetItem's answer as of a table that had room for one key, or for none. */
const onlyOne = (body: string) => unprocessed(body, 1);
const none = (body: string) => unprocessed(body, 0);

async function download(url: string): Promise<string> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return response.text();
}
