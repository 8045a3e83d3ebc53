import { describe, expect, test } from 'vitest';
import { FIELDS } from '../../shared/domain/fields.ts';
import { create, newMerchant, useApi } from '../support/api.ts';
import { EXAMPLE_CUSTOMER } from '../support/example-customer.ts';
import { untilKnown } from '../support/lost-responses.ts';

useApi();

const DOCUMENTED = FIELDS.filter(({ always }) => always).map(({ name }) => name);

describe('POST /customers', () => {
  test('POST accepts the documented example and returns its members in the same order', async () => {
    const merchant = await newMerchant(0, { mm3servicesid: 77, mexcModulesid: 5 });
    const { status, headers, body } = await merchant.call('POST', '/customers', {
      body: EXAMPLE_CUSTOMER,
    });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(Object.keys(EXAMPLE_CUSTOMER));
    expect(Object.keys(body)).toEqual(DOCUMENTED);
    const { mexcParamvaluesetsid, date, mexcModulesid, mm3servicesid, ...texts } = EXAMPLE_CUSTOMER;
    expect(body).toMatchObject(texts);
    expect(Date.now() - Date.parse(body.date)).toBeLessThan(60_000);
    expect(body.date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(headers.get('etag')).toBe('"1"');
    expect(headers.get('location')).toBe(`/customers/${body.mexcParamvaluesetsid}`);
  });

  test.runIf(!process.env.API_URL)('POST takes service and module from the token', async () => {
    const merchant = await newMerchant(0, { mm3servicesid: 77, mexcModulesid: 5 });
    expect(await create(merchant, EXAMPLE_CUSTOMER)).toMatchObject({
      mm3servicesid: 77,
      mexcModulesid: 5,
    });
  });

  test('POST returns 0 for service and module if the token names none, as do GET and the list', async () => {
    const merchant = await newMerchant();
    const created = await create(merchant, { name: 'Åsa' });
    const unset = { mexcModulesid: 0, mm3servicesid: 0 };
    expect(created).toMatchObject(unset);
    const one = await merchant.call('GET', `/customers/${created.mexcParamvaluesetsid}`);
    expect(one.body).toEqual(created);
    const list = await merchant.call('GET', '/customers');
    expect(list.body).toEqual([created]);
  });

  test('POST returns every documented field, as an empty string if it is not set', async () => {
    const merchant = await newMerchant();
    const body = await create(merchant, { name: 'Åsa' });
    expect(Object.keys(body)).toEqual(DOCUMENTED);
    expect(body).toMatchObject({ name: 'Åsa', address: '', notes: '', crediflowPartyId: '' });
  });

  test('POST stores the four fields beyond the documented ones, and GET returns them only if set', async () => {
    const merchant = await newMerchant();
    const further = {
      internalCreditLimit: '10',
      internalRegressLimit: '20',
      sendByPostOnly: '1',
      dontSendEFaktura: '0',
    };
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A', ...further });
    const { body } = await merchant.call('GET', `/customers/${id}`);
    expect(body).toMatchObject(further);
    expect(Object.keys(body)).toEqual(FIELDS.map(({ name }) => name));
  });

  test('Concurrent POST requests get distinct ids that ascend with the creation time', async () => {
    const merchant = await newMerchant();
    const bodies = await Promise.all(
      Array.from({ length: 30 }, (_, index) => create(merchant, { customerid: String(index) })),
    );
    expect(new Set(bodies.map((body) => body.mexcParamvaluesetsid)).size).toBe(30);
    const { body } = await merchant.call('GET', '/customers');
    const ids = body.map((c: { mexcParamvaluesetsid: number }) => c.mexcParamvaluesetsid);
    expect(ids).toEqual(ids.toSorted((a: number, b: number) => a - b));
    const dates = body.map((customer: { date: string }) => customer.date);
    expect(dates).toEqual(dates.toSorted());
  });

  test('POST never assigns the id of a deleted customer again', async () => {
    const merchant = await newMerchant();
    const first = await create(merchant, { name: 'A' });
    await merchant.call('DELETE', `/customers/${first.mexcParamvaluesetsid}`);
    const second = await create(merchant, { name: 'B' });
    expect(second.mexcParamvaluesetsid).toBeGreaterThan(first.mexcParamvaluesetsid);
  });
});

describe('GET /customers/{id}', () => {
  test('GET returns 404 for an id that the merchant does not have', async () => {
    const merchant = await newMerchant();
    const { status, headers, body } = await merchant.call('GET', '/customers/999999');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({
      type: '/problems/customer-not-found',
      title: 'Customer Not Found',
      status: 404,
      detail: expect.stringContaining('999999'),
    });
  });
});

describe('PATCH /customers/{id}', () => {
  test('PATCH sets the fields sent, clears empty ones and keeps the others', async () => {
    const merchant = await newMerchant();
    const before = await create(merchant, { name: 'A', address: 'Gatan 1', fax: '1' });
    const path = `/customers/${before.mexcParamvaluesetsid}`;
    const { status, headers, body } = await merchant.call('PATCH', path, {
      body: { name: 'B', fax: '', mobile: '070-174 06 05' },
    });
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"2"');
    expect(body).toEqual({ ...before, name: 'B', fax: '', mobile: '070-174 06 05' });
    expect((await merchant.call('GET', path)).body).toEqual(body);
  });

  test('PATCH accepts a whole customer and ignores its read-only members', async () => {
    const merchant = await newMerchant();
    const before = await create(merchant, EXAMPLE_CUSTOMER);
    const path = `/customers/${before.mexcParamvaluesetsid}`;
    const answer = await merchant.call('PATCH', path, { body: { ...before, date: 'x' } });
    expect(answer).toMatchObject({ status: 200, body: before });
  });

  test('PATCH returns 400 if the id in the body is not that of the path', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    for (const other of [id + 1, String(id + 1), 'x', null]) {
      const { status, body } = await merchant.call('PATCH', `/customers/${id}`, {
        body: { mexcParamvaluesetsid: other, name: 'B' },
      });
      expect(status).toBe(400);
      expect(body.errors[0].pointer).toBe('/mexcParamvaluesetsid');
    }
    expect((await merchant.call('GET', `/customers/${id}`)).body.name).toBe('A');
  });

  test('Concurrent PATCH requests of different fields lose no field', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const changes = ['address', 'fax', 'mobile', 'email', 'notes', 'state', 'country', 'rebate'];
    const answers = await Promise.all(
      changes.map((name) =>
        untilKnown(() => merchant.call('PATCH', `/customers/${id}`, { body: { [name]: name } })),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200));
    const { body, headers } = await merchant.call('GET', `/customers/${id}`);
    expect(body).toMatchObject(Object.fromEntries(changes.map((name) => [name, name])));
    expect(headers.get('etag')).toBe(`"${changes.length + 1}"`);
  });

  test('PATCH returns 404 and creates nothing if the customer does not exist', async () => {
    const merchant = await newMerchant();
    expect(await merchant.call('PATCH', '/customers/42', { body: { name: 'A' } })).toMatchObject({
      status: 404,
    });
    expect((await merchant.call('GET', '/customers')).body).toEqual([]);
  });
});
