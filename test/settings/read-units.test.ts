import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seedCustomers } from '../../infra/local/seed-customers.ts';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import type { AppliedRow, PlannedRow } from '../../shared/domain/import.ts';
import * as limits from '../../shared/domain/limits.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { rawCustomerKey } from '../../shared/storage/table.ts';
import {
  type Consumption,
  type CountingProxy,
  startCountingProxy,
} from '../bench/counting-proxy.ts';
import { type Client, clientOf, eventually } from '../support/api.ts';
import { databaseOptions } from '../support/database.ts';
import { csvOf, importFile, pathOf } from '../support/imports.ts';

// The cost of calls in read units, as the server reports them (ReturnConsumedCapacity).

/** A customer of about 20,300 bytes, whose entry in the customer index has about 150. */
const TEXT = 'x'.repeat(10_000);
const LARGE = { companyno: '556703-7485', notes: TEXT, statuslog: TEXT };
const ITEM_BYTES = 20_300;
const COUNT = 100;
/** As many of these customers, whose export is a long one. */
const LONG = 300;
/** Bytes of one unit for a strongly consistent read; an eventually consistent one costs half. */
const UNIT = 4_096;
const ITEM_UNITS = Math.ceil(ITEM_BYTES / UNIT);
/** Maximum units for entries of the customer index. */
const entries = (count: number) => (count * 170) / UNIT / 2 + 1;

describe.skipIf(process.env.API_URL)('Read units', () => {
  let stack: LocalStack;
  let proxy: CountingProxy;
  let merchant: Client;
  let ids: number[];

  beforeAll(async () => {
    // A customer of 20 kB counts as 20 rows.
    process.env[ENVIRONMENT.longExportRows] = String(25 * COUNT);
    // Its requests would be counted as well.
    stack = await startLocalStack({ recordChanges: false, ...databaseOptions() });
    // A build reads in the background, and would be counted as well: it is in snapshot-units.test.ts.
    process.env[ENVIRONMENT.snapshotBuilder] = 'none';
    proxy = await startCountingProxy(stack.dynamodbEndpoint, { roundMs: 0 });
    // The handlers' SDK reads this on its first call.
    process.env.AWS_ENDPOINT_URL_DYNAMODB = proxy.endpoint;
    ({ client: merchant, ids } = await merchantWith(COUNT, (index) => ({
      ...LARGE,
      name: index % 50 === 7 ? 'Ek' : 'Alm',
    })));
    // The first export loads the S3 server, for longer than an export runs without a lease.
    await merchant.call('GET', '/customers/export/csv');
  });
  afterAll(async () => {
    await proxy.close();
    await stack.close();
  });

  async function merchantWith(count: number, fieldsOf: (index: number) => CustomerFields) {
    const name = crypto.randomUUID();
    const fields = Array.from({ length: count }, (_, index) => fieldsOf(index));
    const customers = await seedCustomers(stack, name, fields);
    return {
      client: clientOf(stack.url, await stack.token({ merchant: name })),
      ids: customers.map(({ system }) => system.mexcParamvaluesetsid),
    };
  }

  async function consumptionOf(method: string, path: string, body?: unknown) {
    proxy.take();
    const headers = { 'accept-encoding': 'gzip' };
    const answer = await merchant.call(method, path, { headers, ...(body ? { body } : {}) });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return { ...proxy.take(), answer };
  }

  describe('of changes', () => {
    const name = crypto.randomUUID();
    let client: Client;
    let token: string;
    let record: (kind: string, ids: readonly number[]) => Promise<Consumption>;

    beforeAll(async () => {
      const fields = Array.from({ length: 120 }, () => ({ name: 'A', notes: 'x'.repeat(900) }));
      await seedCustomers(stack, name, fields);
      client = clientOf(stack.url, await stack.token({ merchant: name }));
      token = (await client.call('GET', '/customers/changes')).body.next;
      const { handler } = await import('../../functions/record-changes/handler.ts');
      record = async (eventName, ids) => {
        proxy.take();
        const Records = ids.map((id) => ({
          eventName,
          dynamodb: { Keys: rawCustomerKey(name, id), SequenceNumber: String(id) },
        }));
        expect(await handler({ Records } as never)).toEqual({ batchItemFailures: [] });
        return proxy.take();
      };
    });

    async function poll(query = '') {
      proxy.take();
      const { status, body } = await client.call(
        'GET',
        `/customers/changes?after=${token}${query}`,
      );
      expect(status).toBe(200);
      token = body.next;
      return { ...proxy.take(), body };
    }

    test('An empty poll of changes is one read of at most one unit', async () => {
      const { units, requests } = await poll();
      expect(requests).toBe(1);
      // dynalite charges nothing for an empty page.
      expect(units).toBeLessThanOrEqual(1);
    });

    test('A change is recorded by two write units, and 100 of one batch by two as well', async () => {
      // The first one reads where the log ends.
      await record('INSERT', [1]);
      const single = await record('MODIFY', [1]);
      expect(single).toMatchObject({ writeUnits: 2, units: 0, requests: 2 });
      const batch = await record(
        'MODIFY',
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
      expect(batch).toMatchObject({ writeUnits: 2, units: 0, requests: 2 });
      await poll('&limit=1000');
    });

    test('A page of changed customers takes a unit for each, four more, and two round trips', async () => {
      // Distant ids, each of a batch of its own, are the dearest.
      const ids = Array.from({ length: 60 }, (_, index) => 2 * index + 1);
      for (const id of ids) await record('MODIFY', [id]);
      const { units, inSequence, body } = await poll();
      expect(body.changes).toHaveLength(60);
      expect(inSequence).toBe(2);
      expect(units).toBeLessThanOrEqual(64);
    });

    test('A page of changes without customers reads the log alone', async () => {
      await record('MODIFY', [1, 2, 3]);
      const { units, requests, body } = await poll('&fields=mexcParamvaluesetsid');
      expect(body.changes).toHaveLength(3);
      expect({ units, requests }).toEqual({ units: 1, requests: 1 });
    });
  });

  describe('of creations', () => {
    let client: Client;

    beforeAll(async () => {
      ({ client } = await merchantWith(1, () => ({ name: 'A' })));
    });

    async function creationOf(body: unknown, headers = {}) {
      proxy.take();
      const { status } = await client.call('POST', '/customers', { body, headers });
      expect(status).toBeLessThan(300);
      return proxy.take();
    }

    test.each([
      { count: 1, chunks: 1, inSequence: 2 },
      { count: 99, chunks: 1, inSequence: 2 },
      { count: 198, chunks: 2, inSequence: 3 },
      // Three transactions at a time after the first one.
      { count: 500, chunks: 6, inSequence: 4 },
    ])(
      'An array of $count costs two write units for each customer and one more, in $inSequence round trips',
      async ({ count, chunks, inSequence }) => {
        const body = Array.from({ length: count }, () => ({ name: 'A', notes: 'x'.repeat(500) }));
        const plain = await creationOf(body);
        expect(plain).toMatchObject({ units: 0, writeUnits: 2 * count + 1, requests: chunks + 1 });
        expect(plain.inSequence).toBeLessThanOrEqual(inSequence);
        // The Idempotency-Key costs a read more, and a record or a mark in each transaction.
        const headers = { 'idempotency-key': `array-${count}` };
        const keyed = await creationOf(body, headers);
        expect(keyed.units).toBeLessThanOrEqual(1);
        expect(keyed.writeUnits).toBe(plain.writeUnits + 2 * chunks);
        expect(keyed.inSequence).toBeLessThanOrEqual(inSequence + 1);
        // A repeat reads the record and the marks.
        const repeat = await creationOf(body, headers);
        expect(repeat).toMatchObject({ writeUnits: 0, requests: chunks });
        expect(repeat.units).toBeLessThanOrEqual(chunks);
      },
    );

    test('An array of 100 costs fewer write units than 100 customers one by one', async () => {
      const customer = { name: 'A' };
      const alone = await creationOf(customer, { 'idempotency-key': 'alone' });
      const array = await creationOf(Array(100).fill(customer), { 'idempotency-key': '100' });
      expect(array.writeUnits).toBeLessThan(100 * alone.writeUnits);
    });
  });

  describe('of imports', () => {
    const COUNT = 50;
    const notes = 'x'.repeat(500);
    const name = crypto.randomUUID();
    let apply: (rows: readonly PlannedRow[], importId?: string) => Promise<Measured>;
    let undo: (rows: readonly AppliedRow[], importId: string) => Promise<Consumption>;

    interface Measured extends Consumption {
      readonly applied: readonly AppliedRow[];
    }

    beforeAll(async () => {
      const { applyRows } = await import('../../shared/imports/apply-rows.ts');
      const { undoRows } = await import('../../shared/imports/undo-rows.ts');
      const unitsPerSecond = Number.POSITIVE_INFINITY;
      apply = async (rows, importId = crypto.randomUUID()) => {
        proxy.take();
        const options = { unitsPerSecond, references: {} };
        const applied = await applyRows(name, importId, rows, options);
        return { ...proxy.take(), applied };
      };
      undo = async (rows, importId) => {
        proxy.take();
        await undoRows(name, importId, rows, { unitsPerSecond });
        return proxy.take();
      };
    });

    const rows = (rowOf: (index: number) => object) =>
      Array.from(
        { length: COUNT },
        (_, index) => ({ row: 2 + index, ...rowOf(index) }) as PlannedRow,
      );

    test('A created customer takes two write units, and two more and half a read unit if its key is a customerid', async () => {
      const plain = rows((index) => ({ outcome: 'create', fields: { name: `A${index}`, notes } }));
      const created = await apply(plain);
      // Each transaction has a record; the step and the sequence are one write each.
      const transactions = COUNT / 25;
      expect(created.writeUnits).toBe(2 * COUNT + 2 * transactions + 2);
      expect(created.units).toBe(0);
      expect(created.requests).toBe(transactions + 2);
      const keyed = rows((index) => ({
        outcome: 'create',
        fields: { customerid: `K${index}`, notes },
        key: { field: 'customerid', value: `K${index}` },
      }));
      const importId = crypto.randomUUID();
      const claimed = await apply(keyed, importId);
      expect(claimed.writeUnits).toBe(4 * COUNT + 2 * transactions + 2);
      expect(claimed.units).toBeLessThanOrEqual(COUNT / 2);
      const repeat = await apply(keyed, importId);
      expect(repeat.applied).toEqual(claimed.applied);
      expect(repeat.writeUnits).toBeLessThanOrEqual(1);
      expect(repeat.units).toBeLessThanOrEqual(transactions);
      const undone = await undo(claimed.applied, importId);
      expect(undone).toMatchObject({ units: 0, writeUnits: 2 * COUNT + 1 });
    });

    test('An updated customer takes a read unit and a write unit, and the same again if it is undone', async () => {
      const created = await apply(
        rows(() => ({ outcome: 'create', fields: { name: 'A', notes } })),
      );
      const importId = crypto.randomUUID();
      const updates = rows((index) => ({
        outcome: 'update',
        id: (created.applied[index] as { id: number }).id,
        version: 1,
        changes: { name: ['A', 'B'] },
      }));
      const updated = await apply(updates, importId);
      expect(updated).toMatchObject({ units: COUNT, writeUnits: COUNT + 1 });
      const undone = await undo(updated.applied, importId);
      expect(undone).toMatchObject({ units: COUNT, writeUnits: COUNT + 1 });
    });

    test('A plan in the call takes a read unit for each customer, and one in the background half a unit', async () => {
      const { client, ids } = await merchantWith(COUNT, () => ({ name: 'A' }));
      const names = ids.map((id) => [String(id), 'B']);
      const file = csvOf([['mexcParamvaluesetsid', 'name'], ...names]);
      const query = 'match=mexcParamvaluesetsid';
      proxy.take();
      const inCall = await importFile(client, file, query);
      expect(inCall.body).toMatchObject({ state: 'planned', counts: { update: COUNT } });
      expect(proxy.take().units).toBeGreaterThanOrEqual(COUNT);
      let status = await importFile(client, file, query, { prefer: 'respond-async' });
      let polls = 0;
      for (; status.body.state === 'reading'; polls += 1) {
        await setTimeout(100);
        status = await client.call('GET', pathOf(status));
      }
      expect(status.body).toMatchObject({ state: 'planned', counts: { update: COUNT } });
      expect(proxy.take().units - polls).toBeLessThan(0.75 * COUNT);
    });
  });

  test('GET of a customer reads one item once', async () => {
    const { units, requests } = await consumptionOf('GET', `/customers/${ids[0]}`);
    expect(requests).toBe(1);
    expect(units).toBe(ITEM_UNITS);
  });

  test.each(['', '?filter=isCompany', '?filter=search&search=ek', '?filter=!isEFaktura'])(
    'GET /customers/count%s reads index entries only',
    async (query) => {
      const { units, requests } = await consumptionOf('GET', `/customers/count${query}`);
      // DynamoDB Local limits a page by the size of whole items, even if it reads an index.
      expect(units).toBeLessThanOrEqual(entries(COUNT) + requests / 2);
    },
  );

  test('A count by days costs at most 20 units more', async () => {
    const query = 'filter=rangeByDate&from=2020-01-01&to=2999-12-31';
    const { units } = await consumptionOf('GET', `/customers/count?${query}`);
    expect(units).toBeLessThanOrEqual(entries(COUNT) + 20);
  });

  test('A look-up costs half a unit for each value, and the customers that it finds', async () => {
    const { client } = await merchantWith(50, (index) => ({
      customerid: `K${index}`,
      email: `a${index % 10}@example.com`,
      telephone: '08-123 456',
    }));
    const unitsOf = async (query: string) => {
      proxy.take();
      const { status, body } = await client.call('GET', query);
      expect(status).toBe(200);
      return { body, ...proxy.take() };
    };
    const one = await unitsOf('/customers?customerid=K7');
    expect(one).toMatchObject({ units: 1.5, requests: 2 });
    // dynalite charges nothing for a query that finds nothing.
    const none = await unitsOf('/customers?customerid=none');
    expect([none.requests, none.units <= 0.5]).toEqual([1, true]);
    const three = await unitsOf('/customers?customerid=K7&customerid=K8&customerid=none');
    expect(three.body).toHaveLength(2);
    expect(three.units).toBeLessThanOrEqual(3.5);
    expect(three.inSequence).toBe(2);
    expect(await unitsOf('/customers/count?email=a3@example.com')).toMatchObject({ units: 5.5 });
    // Telephone and mobile have an index each.
    const both = await unitsOf('/customers?telephone=08-123456&email=a3@example.com&limit=2');
    expect(both.body).toHaveLength(2);
    expect(both.units).toBeLessThanOrEqual(1.5 + 3 + 0.5);
  });

  test('A list of 100 customers of 1 kB costs at most one unit more than without the keys of look-ups', async () => {
    const notes = 'x'.repeat(700);
    const values = (index: number) => ({
      customerid: `K${index}`,
      email: `a${index}@example.com`,
      telephone: `08-123 4${index}`,
      companyno: '556703-7485',
    });
    const [withKeys, without] = await Promise.all([
      merchantWith(100, (index) => ({ ...values(index), notes })),
      merchantWith(100, (index) => ({
        // As many bytes in fields that are not looked up.
        name: values(index).customerid,
        reference: values(index).email,
        deliveryaddress2: values(index).telephone.slice(0, -7),
        companyno: '556703-7485',
        notes,
      })),
    ]);
    const unitsOf = async (client: Client) => {
      proxy.take();
      await client.call('GET', '/customers?limit=100');
      return proxy.take().units;
    };
    const difference = (await unitsOf(withKeys.client)) - (await unitsOf(without.client));
    expect(difference).toBeLessThanOrEqual(1);
  });

  test('PUT by customerid reads claim and customer, and writes the customer alone if it replaces one', async () => {
    const { client } = await merchantWith(0, () => ({}));
    const consumed = async (method: string, path: string, body?: unknown) => {
      proxy.take();
      const { status } = await client.call(method, path, body ? { body } : {});
      expect(status).toBeLessThan(300);
      return proxy.take();
    };
    const path = '/customers/by-customerid/K1';
    // The sequence, and claim and customer written twice each by the transaction.
    const created = await consumed('PUT', path, { name: 'A' });
    expect(created).toMatchObject({ writeUnits: 5, inSequence: 4 });
    expect(created.units).toBeLessThanOrEqual(1.5);
    const replaced = await consumed('PUT', path, { name: 'B' });
    expect(replaced).toMatchObject({ units: 2, writeUnits: 1, inSequence: 3 });
    const same = await consumed('PUT', path, { name: 'B' });
    expect(same).toMatchObject({ units: 2, writeUnits: 0, inSequence: 2 });
    // The claim of a deleted customer is deleted as well.
    expect(await consumed('DELETE', '/customers/1')).toMatchObject({ units: 1, writeUnits: 2 });
    await client.call('POST', '/customers', { body: { customerid: 'K2' } });
    expect(await consumed('DELETE', '/customers/2')).toMatchObject({ units: 1, writeUnits: 1 });
  });

  test('A search reads only the customers that it finds as whole items', async () => {
    const { units, answer } = await consumptionOf('GET', '/customers?filter=search&search=ek');
    expect(answer.body).toHaveLength(COUNT / 50);
    expect(units).toBeLessThanOrEqual(entries(COUNT) + (COUNT / 50) * ITEM_UNITS + 1);
  });

  test('A page at an offset reads index entries up to the offset, and the customers of the page', async () => {
    const { units } = await consumptionOf('GET', '/customers?start=75&limit=2');
    expect(units).toBeLessThanOrEqual(entries(78) + 2 * ITEM_UNITS + 1);
  });

  test('A cursor costs the same wherever it leads', async () => {
    const first = await consumptionOf('GET', '/customers?limit=10');
    const before = await consumptionOf('GET', '/customers?limit=10&start=70');
    const link = /<(.+)>/.exec(before.answer.headers.get('link') ?? '')?.[1] ?? '';
    const there = await consumptionOf('GET', link.slice(merchant.url.length));
    expect(there.answer.body[0].mexcParamvaluesetsid).toBe(ids.toSorted((a, b) => a - b)[80]);
    expect(there.units).toBe(first.units);
    expect(there.requests).toBe(1);
  });

  test('An export by ids reads nearby customers together, each at the cost of a GET or less', async () => {
    const few = ids.toSorted((a, b) => a - b).slice(0, 40);
    const chosen = await consumptionOf('POST', '/customers/export/csv', few);
    // Some servers return at most 1 MB and leave the other keys unprocessed.
    expect(chosen.requests).toBeLessThanOrEqual(6);
    expect(chosen.units).toBeLessThanOrEqual(few.length * ITEM_UNITS + 1);
    expect(chosen.units).toBeGreaterThan(few.length * ITEM_UNITS * 0.95);
    const absent = Array.from({ length: 100 }, (_, index) => 1_000_000 + index);
    const more = await consumptionOf('POST', '/customers/export/csv', [...few, ...absent]);
    // A slow export takes a lease as well.
    expect(more.units).toBeLessThanOrEqual(chosen.units + 2);
  });

  test('An export by ids reads distant customers one by one, in one request, and the head of the change log beside it', async () => {
    const far = ids.toSorted((a, b) => a - b).filter((_, index) => index % 10 === 0);
    // Measured again if a slow machine took as long as an export that has to have a lease.
    const consumption = await eventually(async () => {
      const measured = await consumptionOf('POST', '/customers/export/csv', far);
      expect(measured.writeUnits).toBe(0);
      return measured;
    });
    expect(consumption).toMatchObject({ requests: 2, inSequence: 1 });
    expect(consumption.units).toBeLessThanOrEqual(far.length * ITEM_UNITS + 0.5);
    expect(consumption.units).toBeGreaterThanOrEqual(far.length * ITEM_UNITS);
  });

  test('An export with a filter that few customers of 20 kB meet costs less than a tenth of an export of all', async () => {
    const all = await consumptionOf('GET', '/customers/export/csv');
    const some = await consumptionOf('GET', '/customers/export/csv?filter=search&search=ek');
    expect(some.answer.body.count).toBe(COUNT / 50);
    expect(some.units).toBeLessThan(all.units / 10);
  });

  test('A long export with a filter that most customers meet costs at most 1.2 times a long export of all', async () => {
    const { client } = await merchantWith(LONG, (index) => ({
      ...LARGE,
      name: index % 100 ? 'Alm' : 'Ek',
    }));
    const longExport = async (query: string) => {
      proxy.take();
      const { status, headers } = await client.call('GET', `/customers/export/csv${query}`);
      expect(status).toBe(202);
      let polls = 0;
      let { body } = await client.call('GET', headers.get('location') ?? '');
      for (; body.state === 'running'; polls += 1) {
        await setTimeout(200);
        body = (await client.call('GET', headers.get('location') ?? '')).body;
      }
      expect(body.state).toBe('ready');
      return { units: proxy.take().units - polls, count: body.count };
    };
    const all = await longExport('');
    expect(all.count).toBe(LONG);
    expect(all.units).toBeGreaterThan((LONG * ITEM_BYTES) / UNIT / 2);
    const most = await longExport('?filter=search&search=alm');
    expect(most.count).toBe(LONG * 0.99);
    expect(most.units).toBeLessThan(all.units * 1.2);
  });

  describe.each([
    { bytes: 300, count: 1_000, notes: 150 },
    { bytes: 1_000, count: 600, notes: 700 },
    { bytes: 6_000, count: 200, notes: 5_700 },
  ])('Of $count customers of $bytes bytes', ({ count, notes, bytes }) => {
    let client: Client;
    let all: number;

    beforeAll(async () => {
      ({ client } = await merchantWith(count, (index) => ({
        // In a hundred customers in a row, `few` has one, `some` thirty and `most` ninety-nine.
        name: [
          'Alm',
          ...(index % 100 === 7 ? ['few'] : []),
          ...(index % 10 < 3 ? ['some'] : []),
          ...(index % 100 === 9 ? [] : ['most']),
        ].join(' '),
        notes: 'x'.repeat(notes),
      })));
      all = (await exportOf('')).units;
      expect((all * 2 * UNIT) / count / bytes).toBeCloseTo(1, 0);
    });

    async function exportOf(query: string) {
      proxy.take();
      const headers = { 'accept-encoding': 'gzip' };
      const answer = await client.call('GET', `/customers/export/csv${query}`, { headers });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      return { ...proxy.take(), rows: answer.body.count };
    }

    test.each([
      ['few', 0.01, 0.8],
      ['some', 0.3, 1.2],
      ['most', 0.99, 1.2],
      ['alm', 1, 1.2],
    ])(
      'an export of those named "%s", a share of %d, costs at most %d times an export of all',
      async (name, share, ratio) => {
        const { units, rows } = await exportOf(`?filter=search&search=${name}`);
        expect(rows).toBe(count * share);
        expect(units).toBeLessThan(all * ratio);
      },
    );

    test('an export by days costs at most 1.2 times an export of all', async () => {
      const days = 'filter=rangeByDate&from=2020-01-01&to=2999-12-31';
      const { units, rows } = await exportOf(`?${days}`);
      expect(rows).toBe(count);
      expect(units).toBeLessThan(all * 1.2);
    });
  });

  test('A page with a filter costs little more than a page of all customers', async () => {
    const page = await consumptionOf('GET', '/customers?limit=50');
    const filtered = await consumptionOf('GET', '/customers?limit=50&filter=isCompany');
    expect(filtered.answer.body).toEqual(page.answer.body);
    expect(filtered.units).toBeLessThan(page.units + entries(COUNT));
  });

  test('An export of all customers reads each once, eventually consistently', async () => {
    const { units } = await consumptionOf('GET', '/customers/export/csv');
    const all = (COUNT * ITEM_BYTES) / UNIT / 2;
    expect(units).toBeGreaterThan(all * 0.95);
    expect(units).toBeLessThan(all * 1.05 + ITEM_UNITS);
  });

  test('A digest reads each customer once, and at most 1 % more than an export of all', async () => {
    const exported = await consumptionOf('GET', '/customers/export/csv');
    const { units, answer } = await consumptionOf('GET', '/customers/digest');
    expect(answer.body.count).toBe(COUNT);
    expect(units).toBeLessThanOrEqual(exported.units * 1.01);
    expect(units).toBeGreaterThan(((COUNT * ITEM_BYTES) / UNIT / 2) * 0.95);
  });

  test('A descending page costs what an ascending one does, wherever it is', async () => {
    const ascending = await consumptionOf('GET', '/customers?limit=10');
    const first = await consumptionOf('GET', '/customers?limit=10&sort=-date');
    const link = /<(.+)>/.exec(first.answer.headers.get('link') ?? '')?.[1] ?? '';
    const second = await consumptionOf('GET', link.slice(merchant.url.length));
    expect([first.units, second.units]).toEqual([ascending.units, ascending.units]);
    expect(second.requests).toBe(1);
  });

  test('A page by name reads the index entries, and the customers of the page', async () => {
    const { units } = await consumptionOf('GET', '/customers?limit=10&sort=name');
    expect(units).toBeLessThanOrEqual(entries(COUNT) + 10 * ITEM_UNITS + 1);
  });

  test('A page by the time of the last change reads all customers eventually consistently', async () => {
    const { units } = await consumptionOf('GET', '/customers?limit=10&sort=updated');
    const all = (COUNT * ITEM_BYTES) / UNIT / 2;
    expect(units).toBeLessThanOrEqual(all * 1.1 + entries(COUNT) + 10 * ITEM_UNITS);
  });

  describe('Of more customers than can be sorted', () => {
    const { MAX_SORTED_BY_TEXT, MAX_SORTED_BY_UPDATED } = limits;
    let client: Client;

    beforeAll(async () => {
      // The others have no text to be ordered by, nor a key in another index, and count all the same.
      ({ client } = await merchantWith(MAX_SORTED_BY_TEXT + 1, (index) =>
        index < 5 ? { customerid: `K${index}`, name: `Few ${index}` } : {},
      ));
    }, 300_000);

    test.each([
      ['name', MAX_SORTED_BY_TEXT, 'narrow the filters, or sort by date'],
      ['-customerid', MAX_SORTED_BY_TEXT, 'narrow the filters, or sort by date'],
      ['-updated', MAX_SORTED_BY_UPDATED, 'narrow the filters, or follow GET /customers/changes'],
    ])(
      'the order by %s is refused after so many index entries, and says why',
      async (sort, max, advice) => {
        proxy.take();
        const { status, body } = await client.call('GET', `/customers?sort=${sort}`);
        const by = sort.replace('-', '');
        const detail = `cannot order more than ${max} customers by ${by}, and more match; ${advice}`;
        expect(status).toBe(400);
        expect(body.errors).toEqual([{ parameter: 'sort', detail }]);
        expect(proxy.take().units).toBeLessThanOrEqual(entries(max));
      },
      30_000,
    );

    test('a filter that fewer meet can be sorted by each', async () => {
      for (const sort of ['name', '-customerid', 'updated']) {
        const path = `/customers?sort=${sort}&filter=search&search=few`;
        const { status, body } = await client.call('GET', path);
        expect(status).toBe(200);
        expect(body).toHaveLength(5);
      }
    }, 30_000);

    test('the order by date has no limit', async () => {
      proxy.take();
      const { body } = await client.call('GET', '/customers?sort=-date&limit=1');
      expect(body[0].mexcParamvaluesetsid).toBe(MAX_SORTED_BY_TEXT + 1);
      expect(proxy.take().units).toBeLessThanOrEqual(1);
    });
  });

  test('A look-up by number reads the keys in the index and one customer', async () => {
    const { units, requests } = await consumptionOf(
      'GET',
      '/customers/searchByOrgNumber/556703-7485',
    );
    expect(requests).toBe(2);
    expect(units).toBeLessThanOrEqual(entries(COUNT) + ITEM_UNITS);
  });

  test('A look-up of a cached company costs at most one unit', async () => {
    const path = '/customers/searchByOrgNumber/999990010';
    await merchant.call('GET', path);
    const { units, requests, answer } = await consumptionOf('GET', path);
    expect(answer.headers.get('register-source')).toBe('brreg');
    // One request to the index, where no customer has the number, and one to the cache.
    expect(requests).toBe(2);
    expect(units).toBeLessThanOrEqual(1);
  });
});
