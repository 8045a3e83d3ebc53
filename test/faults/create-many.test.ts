import { beforeAll, describe, expect, test } from 'vitest';
import {
  type ApiResponse,
  type Client,
  eventually,
  isLocal,
  newMerchant,
  useApi,
} from '../support/api.ts';
import {
  dynamodbError,
  every,
  type Faults,
  first,
  firstLate,
  useProxyOf,
} from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';
import { deviations } from '../support/openapi-document.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

/** Customers of a transaction. */
const CHUNK = 99;
/** Customers of three chunks, and of two. */
const BODIES = Array.from({ length: 2 * CHUNK + 2 }, (_, index) => ({ name: `Customer ${index}` }));
const FEW_BODIES = BODIES.slice(0, CHUNK + 2);
const THROTTLED = dynamodbError(400, 'ProvisionedThroughputExceededException');
/** The function ends after 29 seconds. */
const LONGEST_MS = 26_000;
const TICK_MS = 100;

const dynamodb = useProxyOf('dynamodb');
beforeAll(quiet);

/** Matches the transaction of a chunk of a new merchant, from 0. */
function transactionOf(chunk: number): RegExp {
  const id = String(chunk * CHUNK + 1).padStart(16, '0');
  return new RegExp(`^TransactWriteItems .*"CUSTOMER#${id}"`, 's');
}

interface Result {
  readonly status: number;
  readonly customer?: { readonly mexcParamvaluesetsid: number };
  readonly detail?: string;
}

const statusesOf = ({ body }: ApiResponse) => body.map(({ status }: Result) => status);
const idsOf = ({ body }: ApiResponse): number[] =>
  body.flatMap(({ customer }: Result) => customer?.mexcParamvaluesetsid ?? []);

/** The statuses if the second of three chunks, or of two, is not stored. */
const WITHOUT_SECOND = BODIES.map((_, index) =>
  index < CHUNK || index >= 2 * CHUNK ? 201 : expect.toBeOneOf([500, 503]),
);
const FEW_WITHOUT_SECOND = WITHOUT_SECOND.slice(0, FEW_BODIES.length);

describe.runIf(isLocal).concurrent('Arrays of customers under faults', () => {
  async function merchantWith(faults: Faults) {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    dynamodb.inject(name, faults);
    return { merchant, heal: () => dynamodb.heal(name) };
  }

  function post(merchant: Client, key?: string, body = BODIES): Promise<ApiResponse> {
    const headers = key === undefined ? {} : { 'idempotency-key': key };
    return merchant.call('POST', '/customers', { body, headers });
  }
  const postFew = (merchant: Client, key?: string) => post(merchant, key, FEW_BODIES);

  async function namesOf(merchant: Client): Promise<string[]> {
    const { body } = await merchant.call('GET', '/customers?limit=1000');
    return body.map(({ name }: { name: string }) => name);
  }

  /** Deletes customers, at once or, if a busy machine has used up the SDK's retries, by repeats. */
  async function removeAll(merchant: Client, ids: readonly number[]): Promise<void> {
    const { status, body } = await merchant.call('DELETE', '/customers', { body: ids });
    if (status === 200) expect(body.count).toBe(ids.length);
    else expect([status, body.type]).toEqual([503, '/problems/interrupted-deletion']);
    await eventually(async () => {
      const again = await merchant.call('DELETE', '/customers', { body: ids });
      expect([again.status, again.body.count]).toEqual([200, 0]);
    });
  }

  const NAMES = BODIES.map(({ name }) => name);
  const FEW_NAMES = NAMES.slice(0, FEW_BODIES.length);

  test('POST of an array of which some cannot be stored returns 207, and a retry with the Idempotency-Key stores the rest', async () => {
    const { merchant, heal } = await merchantWith(every(THROTTLED, transactionOf(1)));
    const partial = await post(merchant, 'k');
    heal();
    expect(partial.status).toBe(207);
    expect(partial.headers.get('retry-after')).toBe('2');
    expect(deviations('POST', '/customers', partial)).toEqual([]);
    expect(statusesOf(partial)).toEqual(WITHOUT_SECOND);
    expect(partial.body[CHUNK]).toEqual({
      status: 503,
      detail: expect.stringMatching(/Send the whole request again with its Idempotency-Key\.$/),
    });
    expect(await namesOf(merchant)).toEqual(NAMES.toSpliced(CHUNK, CHUNK));

    const complete = await post(merchant, 'k');
    expect(complete.status).toBe(201);
    expect(idsOf(complete)).toEqual(BODIES.map((_, index) => index + 1));
    expect(idsOf(complete).toSpliced(CHUNK, CHUNK)).toEqual(idsOf(partial));
    expect(await namesOf(merchant)).toEqual(NAMES);
    expect((await post(merchant, 'k')).body).toEqual(complete.body);
  });

  test('POST of an array without an Idempotency-Key names the customers that may not be stored', async () => {
    const { merchant, heal } = await merchantWith(every(THROTTLED, transactionOf(1)));
    const partial = await postFew(merchant);
    heal();
    expect(partial.status).toBe(207);
    expect(statusesOf(partial)).toEqual(FEW_WITHOUT_SECOND);
    expect(partial.body[CHUNK].detail).toMatch(/look before you send it again\.$/);
    expect(await namesOf(merchant)).toEqual(FEW_NAMES.slice(0, CHUNK));
  });

  test('POST of an array returns 503 and stores nothing if the first customers cannot be stored', async () => {
    const { merchant, heal } = await merchantWith(every(THROTTLED, transactionOf(0)));
    const refused = await postFew(merchant, 'k');
    heal();
    expectProblem(refused, 503);
    expect(await namesOf(merchant)).toEqual([]);
    expect((await postFew(merchant, 'k')).status).toBe(201);
    expect(await namesOf(merchant)).toEqual(FEW_NAMES);
  });

  test('A defect while some of an array are stored is a 500 of these alone', async () => {
    const defect = dynamodbError(400, 'ValidationException');
    const { merchant, heal } = await merchantWith(every(defect, transactionOf(1)));
    const partial = await post(merchant, 'k');
    heal();
    expect(partial.status).toBe(207);
    expect(statusesOf(partial)).toEqual(WITHOUT_SECOND);
    expect(partial.body[CHUNK].status).toBe(500);
    expect(JSON.stringify(partial.body)).not.toContain('arn:aws');
  });

  test('A retry that completes an array restores no customer that was deleted meanwhile', async () => {
    const { merchant, heal } = await merchantWith(every(THROTTLED, transactionOf(1)));
    const partial = await postFew(merchant, 'k');
    heal();
    await merchant.call('DELETE', '/customers', { body: idsOf(partial) });
    const complete = await postFew(merchant, 'k');
    expect(complete.status).toBe(201);
    expect(await namesOf(merchant)).toEqual(FEW_NAMES.slice(CHUNK));
  });

  test.each([0, 1])(
    'A lost response to the transaction of chunk %i of an array creates no customer twice',
    async (chunk) => {
      const lost = first(1, 'lose the answer', transactionOf(chunk));
      const { merchant } = await merchantWith(lost);
      const answer = await postFew(merchant, 'k');
      expect(answer.status).toBe(201);
      expect(await namesOf(merchant)).toEqual(FEW_NAMES);
      expect((await postFew(merchant, 'k')).body).toEqual(answer.body);
    },
  );

  test.each([0, 1, 2])(
    'A late write of chunk %i of an array that is retried with its Idempotency-Key restores no deleted customer',
    async (chunk) => {
      const { faults, begun, landed } = firstLate(transactionOf(chunk));
      const { merchant } = await merchantWith(faults);
      const slow = post(merchant, 'k');
      await begun;
      const answer = await post(merchant, 'k');
      expect(answer.status).toBe(201);
      await removeAll(merchant, idsOf(answer));
      expect((await slow).body).toEqual(answer.body);
      await landed;
      expect(await namesOf(merchant)).toEqual([]);
    },
  );

  test('A late write of an array without an Idempotency-Key restores no deleted customer', async () => {
    const { faults, landed } = firstLate(transactionOf(1));
    const { merchant } = await merchantWith(faults);
    const answer = await postFew(merchant);
    expect(answer.status).toBe(201);
    await merchant.call('DELETE', '/customers', { body: idsOf(answer) });
    await landed;
    expect(await namesOf(merchant)).toEqual([]);
  });

  test('POST of an array returns before the function times out, however long DynamoDB takes', async () => {
    const hanging = [
      first(3, 'keep waiting', transactionOf(0)),
      every('keep waiting', transactionOf(1)),
    ];
    const { merchant, heal } = await merchantWith(
      (passing) => hanging[0]?.(passing) ?? hanging[1]?.(passing),
    );
    // Time that a busy machine takes away has no ticks.
    let ticks = 0;
    const clock = setInterval(() => {
      ticks += 1;
    }, TICK_MS);
    const partial = await postFew(merchant, 'k');
    clearInterval(clock);
    expect(ticks * TICK_MS).toBeLessThan(LONGEST_MS);
    heal();
    expect(partial.status).toBe(207);
    expect(statusesOf(partial)).toEqual(FEW_WITHOUT_SECOND);
    expect(partial.body[CHUNK].status).toBe(503);
    expect((await postFew(merchant, 'k')).status).toBe(201);
    expect(await namesOf(merchant)).toEqual(FEW_NAMES);
  });
});
