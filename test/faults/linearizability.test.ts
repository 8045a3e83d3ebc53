import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type ApiResponse,
  type Client,
  create,
  isLocal,
  newMerchant,
  useApi,
} from '../support/api.ts';
import {
  type CustomerRequest,
  type CustomerResponse,
  customerModel,
  type Fields,
} from '../support/customer-model.ts';
import { type Fault, type Faults, type Passing, useProxyOf } from '../support/fault-proxy.ts';
import { iterations } from '../support/iterations.ts';
import { type Operation, Undecided, violation } from '../support/linearizability.ts';
import { quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';
import { type Random, randomOf, SEED } from '../support/random.ts';
import { randomFaults } from '../support/random-faults.ts';

// Its requests would pass the proxies, too.
useApi({ recordChanges: false });

type Request = Operation<CustomerRequest, CustomerResponse>;

const dynamodb = useProxyOf('dynamodb');
beforeAll(quiet);

describe('Linearizability checker', () => {
  const OLD = { name: 'old' };
  const register = customerModel(OLD);
  const got = (version: number, name: string): CustomerResponse => ({
    status: 200,
    etag: `"${version}"`,
    fields: { name },
  });
  const request = (
    [invoked, returned]: readonly [number, number],
    input: CustomerRequest,
    output?: CustomerResponse,
  ): Request => ({ input, output, invoked, returned });
  const get: CustomerRequest = { method: 'GET' };
  const remove: CustomerRequest = { method: 'DELETE' };
  const patch = (name: string, ifMatch?: string): CustomerRequest => ({
    method: 'PATCH',
    changes: { name },
    ...(ifMatch && { ifMatch }),
  });
  const done = { status: 200 };
  const absent = { status: 404 };
  const stale = { status: 412 };

  test.each<[string, Request[]]>([
    ['an empty history', []],
    [
      'sequential requests',
      [
        request([0, 1], get, got(1, 'old')),
        request([2, 3], patch('a', '"1"'), got(2, 'a')),
        request([4, 5], patch('b', '"1"'), stale),
        request([6, 7], remove, done),
        request([8, 9], get, absent),
        request([10, 11], patch('c'), absent),
      ],
    ],
    [
      'an old and then a new read during a change',
      [
        request([0, 9], patch('a'), got(2, 'a')),
        request([1, 2], get, got(1, 'old')),
        request([3, 4], get, got(2, 'a')),
      ],
    ],
    [
      'changes in another order than their responses',
      [
        request([0, 8], patch('a'), got(3, 'a')),
        request([1, 9], patch('b'), got(2, 'b')),
        request([10, 11], get, got(3, 'a')),
      ],
    ],
    [
      'a change that changes nothing',
      [
        request([0, 1], patch('old'), got(1, 'old')),
        request([2, 3], patch('a', '"1"'), got(2, 'a')),
      ],
    ],
    [
      'a lost change that was never applied',
      [request([0, 1], patch('a')), request([2, 3], get, got(1, 'old'))],
    ],
    [
      'a lost change that was applied late',
      [
        request([0, 1], patch('a')),
        request([2, 3], get, got(1, 'old')),
        request([4, 5], get, got(2, 'a')),
      ],
    ],
    [
      'a lost deletion that was applied late',
      [
        request([0, 1], remove),
        request([2, 3], patch('a'), got(2, 'a')),
        request([4, 5], get, absent),
      ],
    ],
  ])('The checker accepts %s', (_, history) => {
    expect(violation(register, history)).toBeUndefined();
  });

  test.each<[string, Request[]]>([
    [
      'a stale read',
      [request([0, 1], patch('a'), got(2, 'a')), request([2, 3], get, got(1, 'old'))],
    ],
    [
      'a new and then an old read during a change',
      [
        request([0, 9], patch('a'), got(2, 'a')),
        request([1, 2], get, got(2, 'a')),
        request([3, 4], get, got(1, 'old')),
      ],
    ],
    [
      'a read of a value that was never written',
      [request([0, 3], patch('a'), got(2, 'a')), request([1, 2], get, got(2, 'b'))],
    ],
    [
      'a lost update',
      [
        request([0, 2], patch('a'), got(2, 'a')),
        request([1, 3], patch('b'), got(2, 'b')),
        request([4, 5], get, got(2, 'b')),
      ],
    ],
    [
      'a lost field after a change of another',
      [
        request([0, 2], { method: 'PATCH', changes: { fax: '1' } }, { status: 200, etag: '"2"' }),
        request([1, 3], patch('b'), { status: 200, etag: '"3"' }),
        request([4, 5], get, got(3, 'b')),
      ],
    ],
    [
      'two successful changes with the same If-Match',
      [
        request([0, 2], patch('a', '"1"'), got(2, 'a')),
        request([1, 3], patch('a', '"1"'), got(2, 'a')),
      ],
    ],
    [
      'a read after a deletion',
      [request([0, 1], remove, done), request([2, 3], get, got(1, 'old'))],
    ],
    ['a second deletion', [request([0, 1], remove, done), request([2, 3], remove, done)]],
    [
      'a 404 without a deletion',
      [request([0, 1], get, absent), request([2, 3], get, got(1, 'old'))],
    ],
    [
      'a 412 that applied its change',
      [request([0, 1], patch('a', '"1"'), stale), request([2, 3], get, got(2, 'a'))],
    ],
    [
      'a 412 for the current version',
      [request([0, 1], patch('a', '"1"'), stale), request([2, 3], get, got(1, 'old'))],
    ],
    [
      'a lost change that was applied twice',
      [
        request([0, 1], patch('a')),
        request([2, 3], get, got(2, 'a')),
        request([4, 5], patch('b'), got(3, 'b')),
        request([6, 7], get, got(4, 'a')),
      ],
    ],
    [
      'a lost change that was applied before it was sent',
      [request([0, 1], get, got(2, 'a')), request([2, 3], patch('a'))],
    ],
  ])('The checker rejects %s', (_, history) => {
    expect(violation(register, history)).toBeDefined();
  });

  test('The checker reports how much of a history it can explain', () => {
    const history = [
      request([0, 1], patch('a'), got(2, 'a')),
      request([2, 3], get, got(1, 'old')),
      request([4, 5], get, got(2, 'a')),
    ];
    expect(violation(register, history)).toEqual({
      explained: [history[0]],
      state: { version: 2, fields: { name: 'a' } },
      stuck: [history[1]],
    });
  });
});

/** Number of customers that are changed concurrently; a deleted one is replaced by another. */
const CUSTOMERS = 4;
const FIELDS = ['name', 'fax', 'notes'];
/** Lost responses to writes with which a history may be too much to check; measured: 15 to 21. */
const MAX_LOST = 12;

describe('Concurrent requests', () => {
  test(`Concurrent requests to the same customers are linearizable (SEED=${SEED})`, async () => {
    const merchant = await newMerchant();
    const { histories, statuses } = await work(merchant, randomOf(SEED), {
      clients: 16,
      requests: iterations({ short: 250, long: 3_000 }),
      seen: seenTimes([200, 404, 412], iterations({ short: 6, long: 21 })),
      // Includes equal values, which several clients write.
      value: (random) => random.pick(['', 'a', 'b', String(random.next())]),
    });
    expect([...statuses.keys()].sort()).toEqual([200, 404, 412]);
    expectLinearizable(histories);
  });

  test('Of concurrent PATCH requests with the same If-Match one succeeds and the others return 412', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const claim = () =>
      merchant.call('PATCH', `/customers/${id}`, {
        body: { notes: 'taken' },
        headers: { 'if-match': '"1"' },
      });
    const answers = await Promise.all(Array.from({ length: 8 }, claim));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, ...Array(7).fill(412)]);
  });
});

describe.runIf(isLocal)('Lost responses of DynamoDB', () => {
  async function merchantWithCustomer() {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    return { name, merchant, path: `/customers/${id}` };
  }

  describe('Lost responses to a change', () => {
    /** Whether a request is the customer's first change, by its condition. */
    const isChange = ({ operation, body }: Passing) =>
      operation === 'PutItem' && /":version":\{"N":"1"\}/.test(body);

    /** Injects a fault into the change, and calls `act` before the SDK's retry. */
    function between(fault: Fault, act: () => Promise<unknown>): Faults {
      let tries = 0;
      return async (passing) => {
        if (!isChange(passing)) return undefined;
        tries += 1;
        if (tries === 1) return fault;
        if (tries === 2) await act();
        return undefined;
      };
    }

    test.each([{}, { 'if-match': '"1"' }])(
      'PATCH with headers %o returns 503 and is not repeated if its response is lost and another change follows',
      async (headers) => {
        const { name, merchant, path } = await merchantWithCustomer();
        const act = () => merchant.call('PATCH', path, { body: { name: 'C' } });
        dynamodb.inject(name, between('lose the answer', act));
        expectBusy(await merchant.call('PATCH', path, { body: { name: 'B' }, headers }));
        const { headers: after, body } = await merchant.call('GET', path);
        expect(body.name).toBe('C');
        expect(after.get('etag')).toBe('"3"');
      },
    );

    test('PATCH returns 503 if its response is lost and the customer is deleted', async () => {
      const { name, merchant, path } = await merchantWithCustomer();
      const act = () => merchant.call('DELETE', path);
      dynamodb.inject(name, between('lose the answer', act));
      expectBusy(await merchant.call('PATCH', path, { body: { name: 'B' } }));
      expect(await merchant.call('GET', path)).toMatchObject({ status: 404 });
    });

    test.each([
      [{}, 200, 'B'],
      [{ 'if-match': '"1"' }, 412, 'A'],
    ])(
      'PATCH with headers %o that DynamoDB did not receive returns %i after another change',
      async (headers, status, expected) => {
        const { name, merchant, path } = await merchantWithCustomer();
        const act = () => merchant.call('PATCH', path, { body: { fax: '1' } });
        dynamodb.inject(name, between('hang up', act));
        const answer = await merchant.call('PATCH', path, { body: { name: 'B' }, headers });
        expect(answer).toMatchObject({ status });
        const { body } = await merchant.call('GET', path);
        expect(body).toMatchObject({ name: expected, fax: '1' });
      },
    );
  });

  describe('A refused connection', () => {
    const refusals: string[] = [];
    afterEach(async () => {
      const { dynamodb: client } = await import('../../shared/storage/dynamodb.ts');
      client.middlewareStack.remove('refuse');
      refusals.length = 0;
    });

    /** Has the first attempt of an operation find no server, and calls `act` before the SDK's retry. */
    async function refuseFirst(operation: string, act: () => Promise<unknown>): Promise<void> {
      // Loaded when the stack has set the environment.
      const { dynamodb: client } = await import('../../shared/storage/dynamodb.ts');
      let isFirst = true;
      client.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            if (!commandName?.startsWith(operation) || !isFirst) return next(args);
            isFirst = false;
            try {
              return await dynamodb.whileDown(async () => {
                // Until the client has noticed that its idle connections are closed.
                await setTimeout(50);
                return next(args);
              });
            } catch (error) {
              refusals.push((error as { code?: string }).code ?? '');
              await act();
              throw error;
            }
          },
        { step: 'deserialize', priority: 'low', name: 'refuse' },
      );
    }

    test.each([
      [{}, 200, 'B'],
      [{ 'if-match': '"1"' }, 412, 'C'],
    ])(
      'of a PATCH with headers %o has written nothing, which returns %i though others change the customer twice',
      async (headers, status, expected) => {
        const { merchant, path } = await merchantWithCustomer();
        await refuseFirst('Put', async () => {
          await merchant.call('PATCH', path, { body: { name: 'C' } });
          await merchant.call('PATCH', path, { body: { fax: '1' } });
        });
        const answer = await merchant.call('PATCH', path, { body: { name: 'B' }, headers });
        expect(refusals).toEqual(['ECONNREFUSED']);
        expect(answer).toMatchObject({ status });
        const { body } = await merchant.call('GET', path);
        expect(body).toMatchObject({ name: expected, fax: '1' });
      },
    );

    test('of a PATCH has written nothing, which returns 404 if the customer is deleted', async () => {
      const { merchant, path } = await merchantWithCustomer();
      await refuseFirst('Put', () => merchant.call('DELETE', path));
      expectProblem(await merchant.call('PATCH', path, { body: { name: 'B' } }), 404);
      expect(refusals).toEqual(['ECONNREFUSED']);
    });

    test.each([{}, { 'if-match': '"1"' }])(
      'of a DELETE with headers %o has deleted nothing, which returns 404 if another deletes the customer',
      async (headers) => {
        const { merchant, path } = await merchantWithCustomer();
        await refuseFirst('Delete', () => merchant.call('DELETE', path));
        expectProblem(await merchant.call('DELETE', path, { headers }), 404);
        expect(refusals).toEqual(['ECONNREFUSED']);
      },
    );
  });

  test('DELETE with If-Match returns 404 if another DELETE comes first', async () => {
    const { name, merchant, path } = await merchantWithCustomer();
    let isFirst = true;
    dynamodb.inject(name, async ({ operation }) => {
      if (operation === 'DeleteItem' && isFirst) {
        isFirst = false;
        await merchant.call('DELETE', path);
      }
      return undefined;
    });
    const answer = await merchant.call('DELETE', path, { headers: { 'if-match': '"1"' } });
    expectProblem(answer, 404);
  });

  test(`Concurrent requests are linearizable if responses of DynamoDB are lost (SEED=${SEED})`, async () => {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    const random = randomOf(SEED);
    const faults = randomFaults(random);
    dynamodb.inject(name, faults.dynamodb);
    const { histories, statuses } = await work(merchant, random, {
      clients: 12,
      requests: iterations({ short: 180, long: 2_000 }),
      seen: new Map([
        ...seenTimes([200, 404, 412], 1),
        ...seenTimes([503], iterations({ short: 2, long: 6 })),
      ]),
      value: () => String(random.next()),
      settle: async () => {
        faults.end();
        await faults.settle();
      },
    });
    dynamodb.heal(name);
    expect([...statuses.keys()].sort()).toEqual([200, 404, 412, 503]);
    expectLinearizable(histories, { outages: true });
  });
});

function expectBusy(answer: ApiResponse): void {
  expectProblem(answer, 503);
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
}

interface Work {
  readonly clients: number;
  /** How many requests are sent at least. */
  readonly requests: number;
  /** How often each status is seen before the clients stop: which of them race is up to chance. */
  readonly seen: ReadonlyMap<number, number>;
  readonly value: (random: Random) => string;
  /** Waits for writes that are still on their way. */
  readonly settle?: () => Promise<void>;
}

/** Returns that each of these statuses is seen so many times. */
const seenTimes = (statuses: readonly number[], times: number) =>
  new Map(statuses.map((status) => [status, times]));

/** Requests to a customer and their responses. */
interface History {
  readonly id: number;
  readonly fields: Fields;
  readonly requests: Request[];
}

/** Sends random requests from concurrent clients, and records their responses. */
async function work(merchant: Client, random: Random, options: Work) {
  const { clients, requests, seen, value, settle } = options;
  const histories: History[] = [];
  const statuses = new Map<number, number>();
  let now = 0;
  const time = () => {
    now += 1;
    return now;
  };

  async function newCustomer(): Promise<History> {
    const fields = { name: 'old', fax: '1' };
    const answer = await merchant.call('POST', '/customers', { body: fields });
    // If it was created all the same, the test does not know of it.
    if (answer.status === 503) return newCustomer();
    expect(answer.status).toBe(200);
    const id: number = answer.body.mexcParamvaluesetsid;
    const history = { id, fields, requests: [] };
    histories.push(history);
    return history;
  }
  const current = await Promise.all(Array.from({ length: CUSTOMERS }, newCustomer));

  function note(status: number): void {
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }

  async function list(): Promise<void> {
    const known = histories.slice(-2 * CUSTOMERS);
    const invoked = time();
    const { status, body } = await merchant.call('GET', '/customers?limit=1000');
    const returned = time();
    note(status);
    if (status !== 200) return;
    for (const { id, requests } of known) {
      const found = body.find(
        (customer: { mexcParamvaluesetsid: number }) => customer.mexcParamvaluesetsid === id,
      );
      const output = found ? { status: 200, fields: fieldsOf(found) } : { status: 404 };
      requests.push({ input: { method: 'GET' }, output, invoked, returned });
    }
  }

  async function ask({ id, requests }: History, input: CustomerRequest): Promise<ApiResponse> {
    const { method, changes, ifMatch } = input;
    const invoked = time();
    const answer = await merchant.call(method, `/customers/${id}`, {
      ...(changes && { body: changes }),
      ...(ifMatch && { headers: { 'if-match': ifMatch } }),
    });
    const { status, headers, body } = answer;
    const returned = time();
    note(status);
    const output: CustomerResponse | undefined = ![200, 404, 412].includes(status)
      ? undefined
      : status === 200 && method !== 'DELETE'
        ? { status, etag: headers.get('etag') ?? 'none', fields: fieldsOf(body) }
        : { status };
    requests.push({ input, output, invoked, returned });
    return answer;
  }

  async function client(): Promise<void> {
    const etags = new Map<number, string>();
    while (sent < requests || !hasSeenAll()) {
      // A status that stays away fails the test.
      if (sent > 20 * requests) throw new Error(`only saw ${[...statuses].join(' ')}`);
      sent += 1;
      if (random.chance(0.03)) {
        await list();
        continue;
      }
      const place = random.below(CUSTOMERS);
      const removed = random.chance(0.05) && histories.at(-CUSTOMERS - 1);
      const customer = removed || (current[place] as History);
      const ifMatch = random.chance(0.4) ? etags.get(customer.id) : undefined;
      const guarded = ifMatch ? { ifMatch } : {};
      if (random.chance(0.02)) {
        const { status } = await ask(customer, { method: 'DELETE', ...guarded });
        if (status === 200) current[place] = await newCustomer();
        continue;
      }
      const changes = Object.fromEntries(
        FIELDS.filter(() => random.chance(0.4)).map((name) => [name, value(random)]),
      );
      const isRead = random.chance(0.4) || Object.keys(changes).length === 0;
      const { headers } = await ask(
        customer,
        isRead ? { method: 'GET' } : { method: 'PATCH', changes, ...guarded },
      );
      const etag = headers.get('etag');
      if (etag) etags.set(customer.id, etag);
    }
  }

  let sent = 0;
  const hasSeenAll = () =>
    [...seen].every(([status, times]) => (statuses.get(status) ?? 0) >= times);
  await Promise.all(Array.from({ length: clients }, client));
  await settle?.();
  // Also those that are deleted: none may have come back.
  for (const history of histories) await ask(history, { method: 'GET' });
  return { histories, statuses };
}

function fieldsOf(customer: Record<string, string>): Fields {
  return Object.fromEntries(FIELDS.map((name) => [name, customer[name] ?? '']));
}

function expectLinearizable(
  histories: readonly History[],
  options: { outages?: boolean } = {},
): void {
  let decided = 0;
  for (const { id, fields, requests } of histories) {
    try {
      const found = violation(customerModel(fields, options), requests);
      const last = found && { ...found, explained: found.explained.slice(-5) };
      expect(last, `customer ${id}, SEED=${SEED}`).toBeUndefined();
      decided += 1;
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      // Checking is NP-complete, in the number of writes that may have been made or not.
      const lost = requests.filter(({ input, output }) => !output && input.method !== 'GET');
      expect(lost.length, `customer ${id}, SEED=${SEED}`).toBeGreaterThan(MAX_LOST);
    }
  }
  expect(histories.length).toBeGreaterThan(3);
  expect(decided).toBeGreaterThan(histories.length / 2);
}
