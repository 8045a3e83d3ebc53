import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, merchantsAvailable, newMerchant, useApi } from '../support/api.ts';
import { customers } from '../support/arbitraries.ts';
import { apply, pathOf, sendFile } from '../support/imports.ts';

useApi();

/** Customers with any texts, each with a customerid of its own. */
const ANY = fc
  .sample(customers, { numRuns: 60, seed: 15 })
  .map((customer, index) => ({ ...customer, customerid: `R${index}` }));

/** What differs between two merchants. */
const OF_MERCHANT = ['mexcParamvaluesetsid', 'date', 'mexcModulesid', 'mm3servicesid'];

describe.runIf(merchantsAvailable > 1)('A register that is exported', () => {
  let merchant: Client;

  beforeAll(async () => {
    merchant = await newMerchant();
    const { status } = await merchant.call('POST', '/customers', { body: ANY });
    expect(status).toBe(201);
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
      expect(await listed(other)).toEqual(await listed(merchant));

      const own = await sendFile(merchant, file, { ...options, match: ['mexcParamvaluesetsid'] });
      const again = await merchant.call('POST', pathOf(own, 'plan'));
      expect(again.body.counts).toMatchObject({ unchanged: ANY.length });
    },
  );
});
