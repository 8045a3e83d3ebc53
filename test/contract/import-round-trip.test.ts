import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Client,
  eventually,
  merchantsAvailable,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { customers } from '../support/arbitraries.ts';
import { apply, pathOf, rowsOf, sendFile } from '../support/imports.ts';
import { iterations } from '../support/iterations.ts';

useApi();

/** Customers with any texts, each with a customerid of its own. */
const ANY = fc
  .sample(customers, { numRuns: iterations({ short: 25, long: 60 }), seed: 15 })
  .map((customer, index) => ({ ...customer, customerid: `R${index}` }));

/** What differs between two merchants. */
const OF_MERCHANT = ['mexcParamvaluesetsid', 'date', 'mexcModulesid', 'mm3servicesid'];

describe.runIf(merchantsAvailable > 1)('A register that is exported', () => {
  let merchant: Client;
  let customersOfMerchant: object[];

  beforeAll(async () => {
    merchant = await newMerchant();
    const { status } = await merchant.call('POST', '/customers', { body: ANY });
    expect(status).toBe(201);
    customersOfMerchant = await listed(merchant);
    expect(customersOfMerchant).toHaveLength(ANY.length);
  });

  async function listed(client: Client) {
    const { body } = await client.call('GET', '/customers?limit=1000');
    return body.map((customer: object) =>
      Object.fromEntries(Object.entries(customer).filter(([name]) => !OF_MERCHANT.includes(name))),
    );
  }

  async function exported(client: Client, format: string): Promise<Buffer<ArrayBuffer>> {
    const { body } = await client.call('GET', `/customers/export/${format}`);
    return Buffer.from(await (await fetch(body.url)).arrayBuffer());
  }

  test.each([
    'csv',
    'csv?delimiter=semicolon&bom=true&headers=sv',
    'csv?formulas=keep',
    'xlsx',
    'xlsx?headers=sv',
    'xml',
    'jsonl',
  ])(
    'as %s and imported by another merchant is the same there, and planned again is unchanged',
    async (path) => {
      const other = await newMerchant(1);
      const [format] = path.split('?');
      const formulas = path.includes('keep') ? 'keep' : 'guarded';
      const file = await exported(merchant, path);
      const options = { format, formulas, match: ['customerid'] };
      const created = await sendFile(other, file, options);
      const planned = await other.call('POST', pathOf(created, 'plan'));
      expect(planned.body.counts).toMatchObject({ create: ANY.length });
      const applied = await apply(other, planned);
      expect(applied.body.results).toMatchObject({ created: ANY.length });
      expect(await listed(other)).toEqual(customersOfMerchant);

      const own = await sendFile(merchant, file, { ...options, match: ['mexcParamvaluesetsid'] });
      const again = await merchant.call('POST', pathOf(own, 'plan'));
      expect(again.body.counts).toMatchObject({ unchanged: ANY.length });
    },
  );

  test('with texts such as #N/A is unchanged if imported again, and invalid for another merchant unless formulas=keep', async () => {
    const [one, other] = [await newMerchant(), await newMerchant(1)];
    const odd = [
      { customerid: '1E+5', name: '#N/A' },
      { customerid: 'K1', name: '####', telephone: '7,3E+12', notes: '#SAKNAS!' },
    ];
    expect((await one.call('POST', '/customers', { body: odd })).status).toBe(201);
    const plannedFor = async (client: Client, file: Uint8Array, options: object) => {
      const sent = await sendFile(client, file, { match: ['customerid'], ...options });
      return client.call('POST', pathOf(sent, 'plan'));
    };
    const csv = await exported(one, 'csv');
    const xlsx = await exported(one, 'xlsx');
    const indexed = async () => {
      const { body } = await one.call('GET', '/customers?customerid=K1&customerid=1E%2B5');
      expect(body).toHaveLength(2);
    };
    await eventually(indexed);
    for (const options of [{}, { match: ['mexcParamvaluesetsid'] }]) {
      const ofCsv = await plannedFor(one, csv, options);
      const ofXlsx = await plannedFor(one, xlsx, { ...options, format: 'xlsx' });
      expect(ofCsv.body.counts).toMatchObject({ unchanged: 2 });
      expect(ofXlsx.body.counts).toMatchObject({ unchanged: 2 });
    }
    const doubted = await plannedFor(other, csv, {});
    expect(doubted.body.counts).toMatchObject({ invalid: 2 });
    const planned = await plannedFor(other, csv, { formulas: 'keep' });
    expect((await apply(other, planned)).body.results).toMatchObject({ created: 2 });
    expect(await listed(other)).toEqual(await listed(one));
  });

  test('and damaged by a spreadsheet has errors for the damaged texts alone', async () => {
    const client = await newMerchant();
    const body = { customerid: 'K1', name: 'Ek', companyno: '556703-7485', notes: '#N/A' };
    const { mexcParamvaluesetsid: id } = (await client.call('POST', '/customers', { body })).body;
    const file = `mexcParamvaluesetsid,name,companyno,notes\n${id},#NAMN?,5.56704E+11,#N/A\n`;
    const sent = await sendFile(client, file, { match: ['mexcParamvaluesetsid'] });
    const planned = await client.call('POST', pathOf(sent, 'plan'));
    const [row] = await rowsOf(client, planned);
    expect(row).toMatchObject({
      outcome: 'invalid',
      errors: [
        { column: 'name', code: 'spreadsheetError' },
        { column: 'companyno', code: 'shortenedNumber' },
      ],
    });
    expect(row.errors).toHaveLength(2);
  });
});
