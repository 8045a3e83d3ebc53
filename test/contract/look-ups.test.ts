import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, create, eventually, newMerchant, useApi } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

let merchant: Client;
/** Ids of customers, by the name that the test gives them. */
const ids: Record<string, number> = {};

const CUSTOMERS: Readonly<Record<string, Record<string, string>>> = {
  björk: {
    name: 'Björk AB',
    customerid: 'K1',
    email: 'Faktura@Björk.example',
    telephone: '08-123 456 78',
    mobile: '070-174 06 05, 08-999 99 99',
    vatregno: 'SE 556703-7485 01',
    glncode: '73 00009-05500 8',
    companyno: '556703-7485',
    reversetax: '1',
  },
  alm: { name: 'Alm', customerid: 'k1', email: 'alm@example.com', telephone: '+46 70 174 06 05' },
  ek: {
    name: 'Ek',
    customerid: ' K2, b/c% ',
    countrycode: 'NO',
    telephone: '22 33 44 55',
    companyno: 'ABC 123',
    vatregno: 'x',
    glncode: 'n/a',
  },
  // Its NFC form is not the form in which it is stored.
  öhn: { name: 'Öhn', customerid: 'O\u0308hn', telephone: '12345678901234567890' },
  blank: { name: 'Blank', customerid: '  ', email: '\u200b', telephone: '-', companyno: '-' },
};

beforeAll(async () => {
  merchant = await newMerchant();
  for (const [name, fields] of Object.entries(CUSTOMERS)) {
    ids[name] = (await create(merchant, fields)).mexcParamvaluesetsid;
  }
  await eventually(async () => expect(await found('customerid=O%CC%88hn')).toEqual(['öhn']));
});

/** Returns the names of the customers that a query of the list finds. */
async function found(query: string, client = merchant): Promise<string[]> {
  const { status, body } = await client.call('GET', `/customers?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.map(
    ({ mexcParamvaluesetsid }: { mexcParamvaluesetsid: number }) =>
      Object.entries(ids).find(([, id]) => id === mexcParamvaluesetsid)?.[0],
  );
}

const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();

describe('Look-ups by value', () => {
  test.each([
    ['customerid', 'K1', ['björk']],
    ['customerid', ' k1 ', ['alm']],
    ['customerid', 'K2, b/c%', ['ek']],
    ['customerid', 'Öhn', ['öhn']],
    ['customerid', 'K', []],
    ['email', 'FAKTURA@björk.EXAMPLE', ['björk']],
    ['email', 'faktura@björk', []],
    ['telephone', '0812345678', ['björk']],
    ['telephone', '+46 (0)8-123 456 78', ['björk']],
    ['telephone', '070-1740605', ['björk', 'alm']],
    ['telephone', '0046701740605', ['björk', 'alm']],
    ['telephone', '08-999 99 99', []],
    ['telephone', '+47 22334455', ['ek']],
    ['telephone', '22334455', []],
    ['telephone', '12345678901234567890', ['öhn']],
    ['vatregno', 'se556703748501', ['björk']],
    ['vatregno', 'X', ['ek']],
    ['glncode', '7300009055008', ['björk']],
    ['companyno', '16556703-7485', ['björk']],
    ['companyno', 'SE556703748501', ['björk']],
    ['companyno', 'abc-123', ['ek']],
    ['companyno', '=ABC123', []],
  ])('The list with %s=%s has the customers %j', async (name, value, names) => {
    expect(await found(query({ [name]: value }))).toEqual(names);
  });

  test('Several values of one parameter find customers with any of them', async () => {
    expect(await found('customerid=K1&customerid=k1&customerid=none')).toEqual(['björk', 'alm']);
    expect(await found('customerid[0]=K1&customerid[1]=k1')).toEqual(['björk', 'alm']);
  });

  test('Several parameters find customers that meet all of them', async () => {
    expect(await found('telephone=0701740605&email=alm@example.com')).toEqual(['alm']);
    expect(await found('telephone=0701740605&email=none@example.com')).toEqual([]);
    expect(await found('customerid=K1&email=alm@example.com')).toEqual([]);
  });

  test.each([
    ['filter=isCompany', ['björk']],
    ['filter=!isCompany', ['alm']],
    ['filter=isUnknown', ['alm']],
    ['filter=isReverseTax', ['björk']],
    ['filter=!isReverseTax', ['alm']],
    ['filter=isCustomerType&isPrivate=0', []],
    ['filter=search&search=bjork', []],
    ['filter=search&search=björk', ['björk']],
    ['filter=searchInInvoiceForm&searchInInvoiceForm=k1&searchInInvoiceForm=alm', ['alm']],
    ['filter=rangeByDate&from=2020-01-01&to=2099-12-31', ['björk', 'alm']],
    ['filter=rangeByDate&from=2020-01-01&to=2020-12-31', []],
    ['filter=isCompany,!isCompany', []],
  ])('A look-up together with %s has the customers %j', async (filter, names) => {
    expect(await found(`telephone=0701740605&${filter}`)).toEqual(names);
  });

  test('Count and exports take the same look-ups as the list', async () => {
    const { body } = await merchant.call('GET', '/customers/count?telephone=0701740605');
    expect(body).toEqual({ count: 2 });
    const none = await merchant.call('GET', '/customers/count?telephone=1');
    expect(none.body).toEqual({ count: 0 });
    for (const format of ['csv', 'xml']) {
      const path = `/customers/export/${format}`;
      const some = await merchant.call('GET', `${path}?telephone=0701740605&filter=isCompany`);
      expect(some.body.count).toBe(1);
      const all = await merchant.call('GET', path);
      const [file, whole] = await Promise.all(
        [some, all].map(async (answer) => (await fetch(answer.body.url)).text()),
      );
      const row =
        format === 'csv'
          ? /^.*Björk AB.*$/m
          : /<customer>(?:(?!<customer>).)*Björk AB.*?<\/customer>/s;
      expect(row.exec(file as string)?.[0]).toBe(row.exec(whole as string)?.[0]);
      expect(file).toContain('Björk AB');
      expect(file).not.toContain('alm@example.com');
      const empty = await merchant.call('GET', `${path}?customerid=none`);
      expect(empty.body.count).toBe(0);
    }
  });

  test('A customer in a look-up is the same as in the list of all', async () => {
    const all = (await merchant.call('GET', '/customers')).body;
    const { body } = await merchant.call('GET', '/customers?customerid=K1');
    expect(body).toEqual([all[0]]);
  });

  test('A customer is found by its new value only after a change, and not at all after its deletion', async () => {
    const own = await newMerchant(1);
    const { mexcParamvaluesetsid: id } = await create(own, { email: 'a@example.com' });
    const count = async (email: string) =>
      (await own.call('GET', `/customers/count?email=${email}`)).body.count;
    await eventually(async () => expect(await count('a@example.com')).toBe(1));
    await own.call('PATCH', `/customers/${id}`, { body: { email: 'b@example.com' } });
    // The field itself is compared, so that an index that lags behind finds no other customer.
    expect(await count('a@example.com')).toBe(0);
    await eventually(async () => expect(await count('b@example.com')).toBe(1));
    await own.call('DELETE', `/customers/${id}`);
    expect(await count('b@example.com')).toBe(0);
  });

  test('Pages of a look-up lead through all of its customers', async () => {
    const own = await newMerchant(1);
    const phones = ['08-1', '+46 8 1', '08-2'];
    for (let index = 0; index < 9; index += 1) {
      await create(own, { name: String(index), telephone: `${phones[index % 3]}00 00 00` });
    }
    const count = async () =>
      (await own.call('GET', '/customers/count?telephone=08-1000000')).body.count;
    await eventually(async () => expect(await count()).toBe(6));
    const names: string[] = [];
    let path: string | undefined = '/customers?telephone=08-1000000&limit=2';
    while (path) {
      const { body, headers } = await own.call('GET', path);
      expect(body.length).toBeLessThanOrEqual(2);
      names.push(...body.map(({ name }: { name: string }) => name));
      path = /<https?:\/\/[^/]+(.+)>/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(names).toEqual(['0', '1', '3', '4', '6', '7']);
    const skipped = await own.call('GET', '/customers?telephone=08-1000000&start=4');
    expect(skipped.body.map(({ name }: { name: string }) => name)).toEqual(['6', '7']);
    expect(skipped.headers.get('link')).toBeNull();
  });

  test('A look-up finds no customers of another merchant', async () => {
    const other = await newMerchant(1);
    expect(await found('customerid=K1', other)).toEqual([]);
  });

  test('Values that look alike and long values are told apart', async () => {
    const own = await newMerchant(1);
    // Normalization makes three characters of four bytes of this one: more than an index key can have.
    const long = '\u{1D160}'.repeat(255);
    const near = `${'\u{1D160}'.repeat(254)}x`;
    const texts = [long, near, 'x'.repeat(255), `${'x'.repeat(254)}y`];
    for (const text of texts) {
      const fields = { customerid: text, email: text, companyno: text, vatregno: text };
      await create(own, { ...fields, telephone: text, glncode: text });
    }
    const bodyOf = async (name: string, value: string) =>
      (await own.call('GET', `/customers?${query({ [name]: value })}`)).body;
    await eventually(async () =>
      expect(await bodyOf('customerid', texts[3] as string)).toHaveLength(1),
    );
    for (const text of texts) {
      // A request line has at most 10 kB.
      if (text === long || text === near) continue;
      for (const name of ['customerid', 'email', 'companyno', 'vatregno']) {
        const customers = await bodyOf(name, text);
        expect(customers.map((each: Record<string, string>) => each[name])).toEqual([text]);
      }
    }
    const cut = await bodyOf('customerid', long);
    expect(cut.map((each: Record<string, string>) => each.customerid)).toEqual([long]);
  });

  test('Values without anything to compare are errors, all of them at once', async () => {
    const names = ['customerid', 'telephone', 'email', 'companyno', 'vatregno', 'glncode'];
    const blank = { customerid: ' ', telephone: 'x', email: ' ', companyno: '-', vatregno: '.' };
    const answer = await merchant.call('GET', `/customers?${query({ ...blank, glncode: 'n/a' })}`);
    expectProblem(
      answer,
      400,
      names.map((parameter) => ({ parameter })),
    );
    const many = Array.from({ length: 101 }, (_, index) => `customerid=${index}`).join('&');
    expectProblem(await merchant.call('GET', `/customers/count?${many}`), 400, [
      { parameter: 'customerid' },
    ]);
    const close = await merchant.call('GET', '/customers?customerId=K1');
    expectProblem(close, 400, [{ parameter: 'customerId' }]);
    expect(close.body.detail).toContain('customerid');
  });

  test('A hundred values are looked up in one request', async () => {
    const values = Array.from({ length: 99 }, (_, index) => `customerid=none-${index}`);
    expect(await found([...values, 'customerid=k1'].join('&'))).toEqual(['alm']);
  });
});
