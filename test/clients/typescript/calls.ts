import { deepStrictEqual, strictEqual } from 'node:assert';
import createClient from 'openapi-fetch';
import type { components, paths } from '../.local/typescript/api.d.ts';

// What a caller does with openapi-fetch and the types of openapi-typescript.

const client = createClient<paths>({
  baseUrl: process.env.API_URL as string,
  headers: { authorization: `Bearer ${process.env.API_TOKEN}` },
});

const body: components['schemas']['NewCustomer'] = {
  name: 'Gläntans Bageri AB',
  companyno: '556703-7485',
  postcode: '123 41',
};
const created = await client.POST('/customers', { body });
const customer: components['schemas']['Customer'] | undefined = Array.isArray(created.data)
  ? undefined
  : created.data;
const id: number = customer?.mexcParamvaluesetsid ?? 0;
strictEqual(customer?.name, body.name);
const service: number | undefined = customer?.mm3servicesid;
strictEqual(service, 0);

const path = { mexcParamvaluesetsid: id };
const read = await client.GET('/customers/{mexcParamvaluesetsid}', { params: { path } });
deepStrictEqual(read.data, customer);

const changed = await client.PATCH('/customers/{mexcParamvaluesetsid}', {
  params: { path },
  body: { email: 'post@example.com' },
});
strictEqual(changed.data?.email, 'post@example.com');
strictEqual(changed.data?.name, body.name);

const list = await client.GET('/customers', {
  params: { query: { limit: 10, filter: ['isCompany', '!isEFaktura'], isCompany: '1' } },
});
deepStrictEqual(
  list.data?.map(({ mexcParamvaluesetsid }) => mexcParamvaluesetsid),
  [id],
);

const found = await client.GET('/customers/searchByOrgNumber/{orgNum}', {
  params: { path: { orgNum: '5567037485' } },
});
strictEqual(found.data?.zip, 12341);

const missing = await client.GET('/customers/{mexcParamvaluesetsid}', {
  params: { path: { mexcParamvaluesetsid: 999_999_999 } },
});
strictEqual(missing.response.status, 404);
strictEqual(missing.error && 'title' in missing.error && missing.error.title, 'Customer Not Found');

const refused = await client.GET('/customers', { params: { query: { limit: 0 } } });
const problem = refused.error as components['schemas']['Problem'];
strictEqual(problem.errors?.[0]?.parameter, 'limit');

const several = await client.POST('/customers', { body: [{ name: 'Alm' }, { name: 'Ask' }] });
const results = Array.isArray(several.data) ? several.data : [];
deepStrictEqual(
  results.map(({ status, customer }) => [status, customer?.name]),
  [
    [201, 'Alm'],
    [201, 'Ask'],
  ],
);

const ids = results.map(({ customer }) => customer?.mexcParamvaluesetsid ?? 0);
const removed = await client.DELETE('/customers', { body: [id, ...ids, '999999999'] });
deepStrictEqual(removed.data, { result: 'Removed', count: 3 });
