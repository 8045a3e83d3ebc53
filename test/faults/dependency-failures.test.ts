import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import {
  type ApiResponse,
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  useApi,
} from '../support/api.ts';
import { keysInBucket } from '../support/export-bucket.ts';
import {
  dynamodbError,
  every,
  type Fault,
  first,
  s3Error,
  unprocessed,
  useProxyOf,
} from '../support/fault-proxy.ts';
import { bodyOfImport } from '../support/imports.ts';
import { logged, quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';
import { newMerchantWith } from '../support/seed.ts';

// Its requests would pass the proxies, too.
useApi({ recordChanges: false });

const BROKEN_CONNECTIONS = [
  ['hangs up', 'hang up'],
  ['cuts its responses', 'cut the answer'],
] satisfies [string, Fault][];
const DYNAMODB_FAULTS: [string, Fault][] = [
  ['throttles the table', dynamodbError(400, 'ProvisionedThroughputExceededException')],
  ['throttles the account', dynamodbError(400, 'ThrottlingException')],
  ['limits requests', dynamodbError(400, 'RequestLimitExceeded')],
  ['responds with 500', dynamodbError(500, 'InternalServerError')],
  ['responds with an empty 500', { status: 500, body: '' }],
  ['responds with HTML', { status: 503, body: '<html>Service Unavailable</html>' }],
  ...BROKEN_CONNECTIONS,
];
const S3_FAULTS: [string, Fault][] = [
  ['asks to slow down', s3Error(503, 'SlowDown')],
  ['responds with 500', s3Error(500, 'InternalError')],
  ['responds with an empty 500', { status: 500, body: '' }],
  ...BROKEN_CONNECTIONS,
];
/** The SDK makes four attempts at DynamoDB, and three at S3, where an attempt may take longer. */
const DYNAMODB_RETRIES = 3;
const S3_RETRIES = 2;

/** A person whose data no log may contain. */
const ANNA = { name: 'Anna-Karin Öberg', companyno: '19900118-9811', email: 'anna@example.com' };

describe.runIf(isLocal)('Failures of dependencies', () => {
  const dynamodb = useProxyOf('dynamodb');
  const s3 = useProxyOf('s3');

  beforeAll(quiet);

  /** Creates a merchant with customers; its name selects the requests that get faults. */
  const merchantWith = (count: number, fields: CustomerFields = ANNA) =>
    newMerchantWith(count, () => fields);

  const list = async (merchant: Client) => (await merchant.call('GET', '/customers')).body;

  function expectUnavailable(answer: ApiResponse): void {
    expectProblem(answer, 503);
    expect(answer.body.detail).toBe(
      'The register is busy or cannot be reached. Try again shortly.',
    );
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }

  describe.concurrent('DynamoDB', () => {
    test('A request returns 503 before the function times out if DynamoDB does not respond', async () => {
      const { name, merchant } = await merchantWith(1);
      dynamodb.inject(name, every('keep waiting'));
      expectUnavailable(await merchant.call('GET', '/customers'));
    });

    test.each(DYNAMODB_FAULTS)(
      'A request succeeds after retries if DynamoDB temporarily %s',
      async (_, fault) => {
        const { name, merchant, customers } = await merchantWith(1);
        dynamodb.inject(name, first(DYNAMODB_RETRIES, fault));
        expect(await list(merchant)).toEqual(customers);
      },
    );

    test.each(DYNAMODB_FAULTS)(
      'A request returns 503 if DynamoDB permanently %s',
      async (_, fault) => {
        const { name, merchant, customers } = await merchantWith(1);
        dynamodb.inject(name, every(fault));
        expectUnavailable(await merchant.call('GET', '/customers'));
        dynamodb.heal(name);
        expect(await list(merchant)).toEqual(customers);
      },
    );

    test.each(ENDPOINTS)(
      '$method $path returns 503 and changes nothing if DynamoDB fails',
      async (route) => {
        const { name, merchant, customers, ids } = await merchantWith(1);
        dynamodb.inject(name, every(dynamodbError(500, 'InternalServerError')));
        const path = route.path
          .replace('{mexcParamvaluesetsid}', String(ids[0]))
          .replace('{orgNum}', '5567037485')
          .replace('{exportId}', crypto.randomUUID())
          .replace('{importId}', crypto.randomUUID());
        const ofCustomers =
          /export/.test(path) || route.method === 'DELETE' ? ids : { ...ANNA, name: 'Bo Ek' };
        const body = bodyOfImport(path) ?? ofCustomers;
        const options = { ...(route.method !== 'GET' && { body }), headers: { 'if-match': '"1"' } };
        expectUnavailable(await merchant.call(route.method, path, options));
        dynamodb.heal(name);
        expect(await list(merchant)).toEqual(customers);
      },
    );

    test('DELETE of several customers returns 503 if one deletion fails, and a retry deletes the rest', async () => {
      const { name, merchant, ids } = await merchantWith(3);
      const second = new RegExp(`^DeleteItem .*#0*${ids[1]}"`);
      dynamodb.inject(name, every(dynamodbError(500, 'InternalServerError'), second));
      const interrupted = await merchant.call('DELETE', '/customers', { body: ids });
      expect(interrupted).toMatchObject({
        status: 503,
        body: { type: '/problems/interrupted-deletion', count: expect.any(Number) },
      });
      dynamodb.heal(name);
      expect(await merchant.call('DELETE', '/customers', { body: ids })).toMatchObject({
        status: 200,
      });
      expect(await list(merchant)).toEqual([]);
    });
  });

  describe.concurrent('Lost responses to writes', () => {
    const CREATING = [
      ['the assignment of the id', /^UpdateItem .*"SEQUENCE"/],
      ['the transaction of customer and key', /^TransactWriteItems /],
    ] as const;
    const headers = { 'idempotency-key': 'k' };

    test.each(CREATING)(
      'POST creates one customer if the response to %s is lost once',
      async (_, write) => {
        const { name, merchant } = await merchantWith(0);
        dynamodb.inject(name, first(1, 'cut the answer', write));
        const { status, body } = await merchant.call('POST', '/customers', { body: {}, headers });
        expect(status).toBe(200);
        expect(await list(merchant)).toEqual([body]);
      },
    );

    test.each(CREATING)(
      'POST returns 503 if each response to %s is lost, and a retry creates one customer',
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

    test('POST without an Idempotency-Key creates one customer if a response is lost', async () => {
      const { name, merchant } = await merchantWith(0);
      dynamodb.inject(name, first(1, 'cut the answer', /^TransactWriteItems/));
      const customer = await create(merchant, { name: 'A' });
      expect(await list(merchant)).toEqual([customer]);
    });

    test.each([{}, { 'if-match': '"1"' }])(
      'PATCH with headers %o changes a customer once if a response is lost',
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
      'DELETE with headers %o deletes a customer if a response is lost',
      async (headers) => {
        const { name, merchant, ids } = await merchantWith(1);
        dynamodb.inject(name, first(1, 'cut the answer', /^DeleteItem/));
        const answer = await merchant.call('DELETE', `/customers/${ids[0]}`, { headers });
        expect(answer).toMatchObject({ status: 200, body: { result: 'Removed' } });
        expect(await list(merchant)).toEqual([]);
      },
    );

    test('DELETE of several customers counts one whose response is lost', async () => {
      const { name, merchant, ids } = await merchantWith(3);
      dynamodb.inject(name, first(1, 'cut the answer', /^DeleteItem/));
      const { body } = await merchant.call('DELETE', '/customers', { body: ids });
      expect(body).toEqual({ result: 'Removed', count: 3 });
    });
  });

  describe.concurrent('Unprocessed keys', () => {
    test('Unprocessed keys are requested again', async () => {
      const { name, merchant, customers, ids } = await merchantWith(4);
      dynamodb.inject(name, first(2, { rewrite: onlyOne }, /^BatchGetItem/));
      const { body } = await merchant.call('GET', '/customers?start=1');
      expect(body).toEqual(customers.slice(1));
      dynamodb.inject(name, first(2, { rewrite: onlyOne }, /^BatchGetItem/));
      const answer = await merchant.call('POST', '/customers/export/csv', { body: ids });
      expect(answer).toMatchObject({ status: 200, body: { count: 4 } });
    });

    test('Unprocessed keys are requested again if the response has no items', async () => {
      const { name, merchant, customers } = await merchantWith(2);
      const nothing = (body: string) =>
        JSON.stringify({ ...JSON.parse(none(body)), Responses: {} });
      dynamodb.inject(name, first(1, { rewrite: nothing }, /^BatchGetItem/));
      expect((await merchant.call('GET', '/customers?start=1')).body).toEqual(customers.slice(1));
    });

    test('Responses of DynamoDB with white space between JSON tokens are read', async () => {
      const { name, merchant, customers } = await merchantWith(2);
      const spaced = (body: string) => JSON.stringify(JSON.parse(body), null, 2);
      dynamodb.inject(name, every({ rewrite: spaced }));
      expect((await merchant.call('GET', '/customers?start=1')).body).toEqual(customers.slice(1));
      expect(await list(merchant)).toEqual(customers);
      dynamodb.heal(name);
    });

    test('A list returns 503 if keys stay unprocessed', async () => {
      const { name, merchant } = await merchantWith(2);
      dynamodb.inject(name, every({ rewrite: none }, /^BatchGetItem/));
      expectUnavailable(await merchant.call('GET', '/customers?start=1'));
    });
  });

  test('searchByOrgNumber finds no customer that a stale index has and that is deleted or changed', async () => {
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

  test('A look-up finds the newest customer if the index entries of its number fill several pages', async () => {
    const companyno = '556703-7485';
    const { name, merchant, ids } = await merchantWith(3, { name: 'A', companyno });
    await create(merchant, { name: 'Z', companyno });
    const server = new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint });
    let pages = 0;
    // DynamoDB ends a page at 1 MB, which is some 10,000 entries. This one ends it after one.
    dynamodb.inject(name, async ({ operation, body }) => {
      if (operation !== 'Query' || !body.includes('identityNumberIndex')) return undefined;
      const query = new QueryCommand({ ...JSON.parse(body), Limit: 1 });
      const { $metadata, ...page } = await server.send(query);
      pages += page.Count ?? 0;
      return { status: 200, body: JSON.stringify(page) };
    });
    await eventually(async () => {
      pages = 0;
      const { body } = await merchant.call('GET', `/customers/searchByOrgNumber/${companyno}`);
      // In any order: DynamoDB does not say which comes first.
      expect(pages).toBe(ids.length + 1);
      expect(body.company).toBe('Z');
    });
    dynamodb.heal(name);
    server.destroy();
  });

  test('searchByOrgNumber returns 503 if it cannot count the look-ups of a merchant', async () => {
    const { name, merchant } = await merchantWith(0);
    const fault = dynamodbError(500, 'InternalServerError');
    dynamodb.inject(name, every(fault, /^UpdateItem .*LOOK_UPS#/));
    expectUnavailable(await merchant.call('GET', '/customers/searchByOrgNumber/999990010'));
    dynamodb.heal(name);
    const { status } = await merchant.call('GET', '/customers/searchByOrgNumber/999990010');
    expect(status).toBe(200);
  });

  test.each([
    ['999990010', 200],
    ['999990053', 404],
  ])(
    'searchByOrgNumber of %s returns %i if the result cannot be cached',
    async (number, status) => {
      const { name, merchant } = await merchantWith(0);
      dynamodb.inject(
        name,
        every(dynamodbError(500, 'InternalServerError'), /^PutItem .*COMPANY#/),
      );
      expect(await merchant.call('GET', `/customers/searchByOrgNumber/${number}`)).toMatchObject({
        status,
      });
      dynamodb.heal(name);
    },
  );

  describe.concurrent('Throttled table', () => {
    const throttled = dynamodbError(400, 'ProvisionedThroughputExceededException');
    // More than the SDK retries for one request, by a margin that the time limit leaves.
    const forLong = (match: RegExp) => first(DYNAMODB_RETRIES + 3, throttled, match);

    test.each([
      ['GET', /^Query (?!.*ScanIndexForward)/],
      ['POST', /^BatchGetItem/],
    ])(
      'An export by %s waits and succeeds if the table is throttled for long',
      async (method, match) => {
        const { name, merchant, ids } = await merchantWith(3);
        dynamodb.inject(name, forLong(match));
        const options = method === 'POST' ? { body: ids } : {};
        const { status, body } = await merchant.call(method, '/customers/export/csv', options);
        expect(status).toBe(200);
        expect(body.count).toBe(3);
      },
    );

    test('An export returns 503 and leaves no file if the table stays throttled', async () => {
      const { name, merchant, ids } = await merchantWith(1);
      dynamodb.inject(name, every(throttled, /^BatchGetItem/));
      const body = ids;
      expectUnavailable(await merchant.call('POST', '/customers/export/xml', { body }));
      expect(await keysInBucket(name)).toEqual([]);
    });
  });

  describe.concurrent('S3', () => {
    test.each(S3_FAULTS)(
      'An export succeeds after retries if S3 temporarily %s',
      async (_, fault) => {
        const { name, merchant } = await merchantWith(1);
        s3.inject(name, first(S3_RETRIES, fault, /^PUT/));
        const { status, body } = await merchant.call('GET', '/customers/export/csv');
        expect(status).toBe(200);
        expect(await download(body.url)).toContain(`,${ANNA.name},`);
      },
    );

    test.each(S3_FAULTS)('An export returns 503 if S3 permanently %s', async (_, fault) => {
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

  describe('Exports in several parts', () => {
    const START = /^POST \S+\?uploads/;
    const PART = /^PUT \S+partNumber=/;
    const FINISH = /^POST \S+uploadId=/;
    // As XML, 100 KB each. The last page of the table has customers of the second part alone.
    const COUNT = 105;
    const text = '&'.repeat(10_000);
    const path = '/customers/export/xml';
    let name: string;
    let merchant: Client;
    let lastId: number | undefined;

    beforeAll(async () => {
      let ids: readonly number[];
      ({ name, merchant, ids } = await merchantWith(COUNT, { notes: text, statuslog: text }));
      lastId = ids.at(-1);
    });

    test.each([
      ['the upload cannot be started', START, s3Error(503, 'SlowDown')],
      ['a part cannot be uploaded', PART, s3Error(503, 'SlowDown')],
      ['the upload cannot be completed', FINISH, s3Error(500, 'InternalError')],
      ['S3 fails after status 200', FINISH, s3Error(200, 'InternalError')],
      ['the connection is cut', PART, 'hang up'],
    ] as const)(
      'An export in several parts returns 503 and leaves nothing in the bucket if %s',
      async (_, match, fault) => {
        s3.inject(name, every(fault, match));
        expectUnavailable(await merchant.call('GET', path));
        expect(await keysInBucket(name)).toEqual([]);
      },
    );

    test('An export in several parts returns 503 and leaves nothing in the bucket if DynamoDB fails', async () => {
      let started = false;
      s3.inject(name, ({ operation }) => {
        started ||= START.test(operation);
        return undefined;
      });
      const lastRange = new RegExp(
        `^Query (?!.*ScanIndexForward).*":to":\\{"S":"CUSTOMER#0*${lastId}"`,
      );
      dynamodb.inject(name, every(dynamodbError(500, 'InternalServerError'), lastRange));
      expectUnavailable(await merchant.call('GET', path));
      expect(started).toBe(true);
      expect(await keysInBucket(name)).toEqual([]);
      dynamodb.heal(name);
    });

    test.each<[string, Fault]>([
      ['an error', s3Error(500, 'InternalError')],
      ['a lost response', 'lose the answer'],
    ])('An export in several parts succeeds after %s of each request to S3', async (_, fault) => {
      const faults = [START, PART, FINISH].map((match) => first(1, fault, match));
      s3.inject(name, (passing) => faults.map((fault) => fault(passing)).find(Boolean));
      const { status, body } = await merchant.call('GET', path);
      expect(status).toBe(200);
      expect((await download(body.url)).match(/<customer>/g)).toHaveLength(COUNT);
    });
  });

  describe('Refused connections', () => {
    test('A request returns 503 if DynamoDB refuses connections', async () => {
      const { merchant, customers } = await merchantWith(1);
      expectUnavailable(await dynamodb.whileDown(() => merchant.call('GET', '/customers')));
      expect(await list(merchant)).toEqual(customers);
    });

    test('An export returns 503 if S3 refuses connections', async () => {
      const { merchant } = await merchantWith(1);
      const get = () => merchant.call('GET', '/customers/export/csv');
      expectUnavailable(await s3.whileDown(get));
      expect(await get()).toMatchObject({ status: 200 });
    });
  });

  describe.concurrent('Permanent errors', () => {
    test.each([
      ['A missing permission', dynamodbError(400, 'AccessDeniedException')],
      ['A missing table', dynamodbError(400, 'ResourceNotFoundException')],
      ['A request that DynamoDB finds invalid', dynamodbError(400, 'ValidationException')],
      ['A response of DynamoDB that is no JSON', { rewrite: () => '{"Item":' }],
    ] as const)('%s returns 500, and only the log has the cause', async (_, fault) => {
      const { name, merchant, ids } = await merchantWith(1);
      dynamodb.inject(name, every(fault));
      const answer = await merchant.call('GET', `/customers/${ids[0]}`);
      expectProblem(answer, 500);
      expect(answer.body.detail).toBe(
        'A defect of the API made the request fail. Report it with its requestId.',
      );
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

    test('An export returns 500 if the permission to write files is missing', async () => {
      const { name, merchant } = await merchantWith(1);
      s3.inject(name, every(s3Error(403, 'AccessDenied')));
      const answer = await merchant.call('GET', '/customers/export/csv');
      expectProblem(answer, 500);
      expect(answer.body.detail).toBe(
        'A defect of the API made the request fail. Report it with its requestId.',
      );
    });
  });
});

/** Responses to BatchGetItem with all keys but one, or all keys, unprocessed. */
const onlyOne = (body: string) => unprocessed(body, 1);
const none = (body: string) => unprocessed(body, 0);

async function download(url: string): Promise<string> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return response.text();
}
