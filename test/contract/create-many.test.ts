import { beforeAll, describe, expect, test } from 'vitest';
import {
  type ApiResponse,
  type Client,
  eventually,
  isLocal,
  merchantsAvailable,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { EXAMPLE_CUSTOMER } from '../support/example-customer.ts';
import { deviations } from '../support/openapi-document.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

/** Maximum customers of a request. */
const MAX = 500;

const named = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `Customer ${index}` }));

function post(merchant: Client, body: unknown, key?: string): Promise<ApiResponse> {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  return merchant.call('POST', '/customers', { body, headers });
}

const customersOf = ({ body }: ApiResponse) =>
  body.map(({ customer }: { customer: Record<string, unknown> }) => customer);

async function allOf(merchant: Client) {
  return (await merchant.call('GET', '/customers?limit=1000')).body;
}

describe('Arrays', () => {
  test('POST of an array creates each customer and returns it with its entity tag, in order', async () => {
    const merchant = await newMerchant();
    const answer = await post(merchant, [EXAMPLE_CUSTOMER, {}, { name: 'Ek AB', fax: '' }]);
    expect(answer.status).toBe(201);
    expect(deviations('POST', '/customers', answer)).toEqual([]);
    expect(answer.body).toMatchObject([
      { status: 201, etag: '"1"', customer: { name: EXAMPLE_CUSTOMER.name } },
      { status: 201, etag: '"1"', customer: { name: '' } },
      { status: 201, etag: '"1"', customer: { name: 'Ek AB', fax: '' } },
    ]);
    const { date, mexcParamvaluesetsid, mexcModulesid, mm3servicesid, ...fields } =
      EXAMPLE_CUSTOMER;
    expect(customersOf(answer)[0]).toMatchObject(fields);
    expect(await allOf(merchant)).toEqual(customersOf(answer));
    for (const customer of customersOf(answer)) {
      const path = `/customers/${customer.mexcParamvaluesetsid}`;
      const one = await merchant.call('GET', path);
      expect(one).toMatchObject({ status: 200, body: customer });
      expect(one.headers.get('etag')).toBe('"1"');
    }
  });

  test.each([1, 99, 100, 198, 199, MAX])(
    'POST of an array creates %i customers with consecutive ids and one date',
    async (count) => {
      const merchant = await newMerchant();
      const before = (await post(merchant, { name: 'Before' })).body;
      const sent = named(count);
      const customers = customersOf(await post(merchant, sent));
      expect(customers).toMatchObject(sent);
      const first = before.mexcParamvaluesetsid + 1;
      expect(customers.map((one: typeof before) => one.mexcParamvaluesetsid)).toEqual(
        sent.map((_, index) => first + index),
      );
      const dates: string[] = customers.map(({ date }: { date: string }) => date);
      expect(new Set(dates).size).toBe(1);
      expect(dates[0] && dates[0] >= before.date).toBe(true);
      expect(await allOf(merchant)).toEqual([before, ...customers]);
      const after = (await post(merchant, { name: 'After' })).body;
      expect(after.mexcParamvaluesetsid).toBe(first + count);
    },
  );

  test('POST of an array creates customers of a whole megabyte', async () => {
    const merchant = await newMerchant();
    const notes = '"\\é\n'.repeat(2_500);
    const sent = Array.from({ length: 51 }, (_, index) => ({ name: `${index}`, notes }));
    expect(Buffer.byteLength(JSON.stringify(sent))).toBeGreaterThan(1_000_000);
    const answer = await post(merchant, sent);
    expect(answer.status).toBe(201);
    expect(customersOf(answer)).toMatchObject(sent);
    const { body } = await merchant.call('GET', '/customers/count');
    expect(body.count).toBe(51);
  });

  test('POST of an array creates customers whose search texts are many times as long as what is sent', async () => {
    const merchant = await newMerchant();
    // Unicode decomposes the character of three bytes to letters of a hundred.
    const texts = { name: 'ΐ'.repeat(255), name2: 'ΐ'.repeat(255), address: 'ﬃ'.repeat(255) };
    const answer = await post(merchant, Array(MAX - 50).fill(texts));
    expect(answer.status).toBe(201);
  });

  test('POST of an array creates the same customer as often as it is in the array', async () => {
    const merchant = await newMerchant();
    const answer = await post(merchant, Array(3).fill({ customerid: '7', name: 'A' }));
    expect(new Set(customersOf(answer).map((one: object) => JSON.stringify(one))).size).toBe(3);
    expect(await allOf(merchant)).toHaveLength(3);
  });

  test('POST of an array ignores system fields, so that an export can be sent back', async () => {
    const merchant = await newMerchant();
    const first = customersOf(await post(merchant, named(2)));
    const second = customersOf(await post(merchant, first));
    expect(second.map(({ name }: { name: string }) => name)).toEqual(['Customer 0', 'Customer 1']);
    expect(second[0].mexcParamvaluesetsid).toBe(first[1].mexcParamvaluesetsid + 1);
  });

  test('POST of an array creates customers that filters and searches find', async () => {
    const merchant = await newMerchant();
    await post(merchant, [{ name: 'Ek', companyno: '556703-7485' }, { name: 'Alm' }]);
    await eventually(async () => {
      const found = await merchant.call('GET', '/customers?filter=isCompany,search&search=ek');
      expect(found.body).toMatchObject([{ name: 'Ek' }]);
    });
  });

  test.runIf(merchantsAvailable > 1)(
    'POST of an array creates no customer of another merchant',
    async () => {
      const [one, other] = [await newMerchant(), await newMerchant(1)];
      const key = crypto.randomUUID();
      await post(one, named(2), key);
      const answer = await post(other, named(3), key);
      expect(answer.status).toBe(201);
      expect(await allOf(one)).toHaveLength(2);
      expect(await allOf(other)).toEqual(customersOf(answer));
    },
  );

  test.runIf(isLocal)(
    'POST of an array stores module and service of the token with each',
    async () => {
      const merchant = await newMerchant(0, { mm3servicesid: 17, mexcModulesid: 4 });
      const answer = await post(merchant, named(2));
      for (const customer of customersOf(answer)) {
        expect(customer).toMatchObject({ mm3servicesid: 17, mexcModulesid: 4 });
      }
    },
  );

  test.runIf(isLocal)('POST of an array is forbidden to a token that may only read', async () => {
    const name = crypto.randomUUID();
    const reader = await newMerchant(0, { merchant: name, scopes: ['customers:read'] });
    expect((await post(reader, named(2))).status).toBe(403);
    expect(await allOf(reader)).toEqual([]);
  });

  test.runIf(isLocal)(
    'POST of an array gives concurrent requests ids without overlap',
    async () => {
      const merchant = await newMerchant();
      const answers = await Promise.all(
        [3, 120, 1, 250].map((count) => post(merchant, named(count))),
      );
      for (const answer of answers) {
        expect(answer.status).toBe(201);
        const ids = customersOf(answer).map(
          (one: Record<string, number>) => one.mexcParamvaluesetsid,
        );
        expect(ids).toEqual(ids.map((_: number, index: number) => ids[0] + index));
      }
      expect(await allOf(merchant)).toHaveLength(374);
    },
  );
});

describe('Arrays that are not valid', () => {
  let merchant: Client;
  beforeAll(async () => {
    merchant = await newMerchant();
  });

  async function expectRefused(body: unknown, pointers: readonly string[]): Promise<ApiResponse> {
    const answer = await post(merchant, body);
    expectProblem(
      answer,
      400,
      pointers.map((pointer) => ({ pointer })),
    );
    expect(await allOf(merchant)).toEqual([]);
    return answer;
  }

  test('POST of an array that is not valid creates nothing and lists the errors of all elements, each with a pointer', async () => {
    const { body } = await expectRefused(
      [{}, { nmae: 'A', email: 1 }, 'x', { fax: 'x'.repeat(256) }, null, [], { 'a/b~': '' }],
      ['/1/email', '/1/nmae', '/2', '/3/fax', '/4', '/5', '/6/a~1b~0'],
    );
    expect(body.errors[1].detail).toBe('is not a field of a customer; did you mean `name`?');
  });

  test('POST of an array that is not valid creates nothing and refuses an empty array', async () => {
    const { body } = await expectRefused([], ['']);
    expect(body.detail).toContain('must have at least one customer');
  });

  test('POST of an array that is not valid creates nothing and refuses more than 500 customers by their number alone', async () => {
    const { body } = await expectRefused(Array(MAX + 1).fill({ nmae: 1 }), ['']);
    expect(body.errors[0].detail).toBe('must have at most 500 customers');
  });

  test('POST of an array that is not valid creates nothing and lists 99 errors if there are more, and says that there are', async () => {
    const wrong = { email: 1, fax: 2 };
    const pointers = Array.from({ length: 99 }, (_, index) =>
      // Fields come in the order of the register.
      index % 2 === 0 ? `/${index / 2}/fax` : `/${(index - 1) / 2}/email`,
    );
    const { body } = await expectRefused(Array(MAX).fill(wrong), [...pointers, '']);
    expect(body.errors[99].detail).toBe('has more errors than these 99');
  });

  test('POST of an array that is not valid creates nothing and refuses names of prototypes in elements', async () => {
    await expectRefused('[{}, {"__proto__": {"name": "A"}}]', ['/1/__proto__']);
  });

  test('POST of an array that is not valid creates nothing and refuses a body of more than 1 MiB', async () => {
    const answer = await post(merchant, Array(200).fill({ notes: 'x'.repeat(6_000) }));
    expectProblem(answer, 413);
    expect(await allOf(merchant)).toEqual([]);
  });

  test('POST of an array that is not valid creates nothing and refuses an array in an array', async () => {
    await expectRefused([named(2)], ['/0']);
  });
});

describe('Idempotency-Keys of arrays', () => {
  test.each([1, 99, 250])(
    'An Idempotency-Key of an array creates %i customers once and returns the first response again',
    async (count) => {
      const merchant = await newMerchant();
      const key = crypto.randomUUID();
      const first = await post(merchant, named(count), key);
      expect(first.status).toBe(201);
      const again = await post(
        merchant,
        named(count).map((one) => ({ fax: '', ...one })),
        key,
      );
      expect(again.status).toBe(201);
      expect(again.body).toEqual(first.body);
      expect(await allOf(merchant)).toEqual(customersOf(first));
    },
  );

  test('An Idempotency-Key of an array creates the customers of concurrent requests once', async () => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post(merchant, named(210), key)),
    );
    for (const { status, body } of answers) {
      expect(status).toBe(201);
      expect(body).toEqual(answers[0]?.body);
    }
    expect(await allOf(merchant)).toEqual(customersOf(answers[0] as ApiResponse));
  });

  test('An Idempotency-Key of an array undoes no later change and restores no deleted customer', async () => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    const first = await post(merchant, named(205), key);
    const ids = customersOf(first).map((one: Record<string, number>) => one.mexcParamvaluesetsid);
    await merchant.call('PATCH', `/customers/${ids[0]}`, { body: { name: 'Changed' } });
    const { body } = await merchant.call('DELETE', '/customers', { body: ids.slice(1) });
    expect(body.count).toBe(204);
    const again = await post(merchant, named(205), key);
    expect(again.body).toEqual(first.body);
    expect(await allOf(merchant)).toMatchObject([{ name: 'Changed' }]);
  });

  test.each<[string, unknown, unknown]>([
    ['another array', named(2), named(3)],
    ['the customers in another order', named(2), named(2).toReversed()],
    ['one customer that was sent in an array', [{ name: 'A' }], { name: 'A' }],
    ['an array of the customer that was sent alone', { name: 'A' }, [{ name: 'A' }]],
    ['an array of one empty customer in place of an empty one', {}, [{}]],
    ['an empty customer in place of an array of one', [{}], {}],
  ])('An Idempotency-Key of an array is refused with %s', async (_, sent, other) => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    expect((await post(merchant, sent, key)).status).toBeLessThan(300);
    const before = await allOf(merchant);
    const places = [{ header: 'Idempotency-Key' }];
    const refused = await post(merchant, other, key);
    expectProblem(refused, 422, places, '/problems/reused-idempotency-key');
    expect(await allOf(merchant)).toEqual(before);
  });

  test('An Idempotency-Key of an array can be used again after a request that was not valid', async () => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    expect((await post(merchant, [{ nmae: 'A' }], key)).status).toBe(400);
    expect((await post(merchant, [{ name: 'A' }], key)).status).toBe(201);
  });
});

interface Change {
  readonly change: string;
  readonly mexcParamvaluesetsid: number;
  readonly customer: object;
}

test.runIf(isLocal)('Changes list each customer of an array as created', async () => {
  const merchant = await newMerchant();
  const { body: start } = await merchant.call('GET', '/customers/changes');
  const created = customersOf(await post(merchant, named(230)));
  await eventually(async () => {
    const path = `/customers/changes?after=${start.next}&limit=1000`;
    const changes: Change[] = (await merchant.call('GET', path)).body.changes;
    // Parts of the array are written at the same time, and so recorded in any order.
    const byId = changes.toSorted((a, b) => a.mexcParamvaluesetsid - b.mexcParamvaluesetsid);
    expect(byId.map(({ change, customer }) => [change, customer])).toEqual(
      created.map((customer: object) => ['created', customer]),
    );
  });
});
