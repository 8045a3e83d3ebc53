import { describe, expect, test } from 'vitest';
import { request as applyImport } from '../../functions/apply-import/contract.ts';
import { request as createCustomer } from '../../functions/create-customer/contract.ts';
import { request as createImport } from '../../functions/create-import/contract.ts';
import { request as deleteCustomers } from '../../functions/delete-customers/contract.ts';
import { request as exportById } from '../../functions/export-customers-by-id-csv/contract.ts';
import { request as exportCsv } from '../../functions/export-customers-csv/contract.ts';
import { request as getImport } from '../../functions/get-import/contract.ts';
import { request as listCustomers } from '../../functions/list-customers/contract.ts';
import { request as listImportRows } from '../../functions/list-import-rows/contract.ts';
import { request as searchByOrgNumber } from '../../functions/search-by-org-number/contract.ts';
import { request as updateCustomer } from '../../functions/update-customer/contract.ts';
import { api } from '../../shared/http/api.ts';
import { MAX_BODY_BYTES } from '../../shared/http/json-body.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

// What a request costs before it is refused. Time depends on the machine, so that it is compared with
// that of a plain JSON.parse in the same process: of brackets, the slowest megabyte to parse.

const BRACKETS = '['.repeat(MAX_BODY_BYTES / 2) + ']'.repeat(MAX_BODY_BYTES / 2);
/** The most that a refused request may cost. Measured: 1.7. */
const MOST = 2.5;
const ROUNDS = 5;
/** API Gateway accepts request line and headers of 10,240 bytes. */
const HEAD_BYTES = 10_000;

const times = (count: number, text: string) => Array(count).fill(text).join();
const upTo = (bytes: number, text: string) => text.repeat(Math.floor(bytes / text.length));

const BODIES: Readonly<Record<string, string>> = {
  'arrays, nested as deep as fits': BRACKETS,
  'objects, nested as deep as fits': `${'{"a":'.repeat(170_000)}1${'}'.repeat(170_000)}`,
  'members twice, nested as deep as fits': `${'['.repeat(500_000)}{${times(200, '"a":0')}}${']'.repeat(500_000)}`,
  'members twice, behind elements that nest': `${'[0,'.repeat(250_000)}{${times(200, '"a":0')}}${']'.repeat(250_000)}`,
  'brackets that are not closed': '['.repeat(MAX_BODY_BYTES),
  'an array of 349,000 empty objects': `[${times(349_000, '{}')}]`,
  'an array of 300,000 ids': `[${times(300_000, '12')}]`,
  'an array of 10,000 empty objects': `[${times(10_000, '{}')}]`,
  'an array of 10,000 long numbers in strings': `[${times(10_000, `"${'9'.repeat(100)}"`)}]`,
  'one string of digits': `["${'0'.repeat(MAX_BODY_BYTES - 10)}x"]`,
  'one number': '1'.repeat(MAX_BODY_BYTES),
  'a name of a megabyte': JSON.stringify({ name: 'x'.repeat(MAX_BODY_BYTES - 20) }),
  'a name of emoji': JSON.stringify({ name: '😀'.repeat(MAX_BODY_BYTES / 4 - 10) }),
  'a name of control characters': `{"name":"${upTo(MAX_BODY_BYTES - 20, '\\u0001')}"}`,
  'a number of spaces': JSON.stringify({ companyno: ' '.repeat(MAX_BODY_BYTES - 20) }),
  '80,000 unknown members': `{${Array.from({ length: 80_000 }, (_, index) => `"x${index}":1`)}}`,
  'an unknown member with a name of a megabyte': `{"${'n'.repeat(MAX_BODY_BYTES - 10)}":1}`,
  'JSON that ends with an error': `[${upTo(MAX_BODY_BYTES - 10, '1,')}x`,
  'six megabytes': 'x'.repeat(6 * MAX_BODY_BYTES),
};

const QUERIES: Readonly<Record<string, string>> = {
  '1,000 unknown parameters': Array.from({ length: 1_000 }, (_, index) => `x${index}=1`).join('&'),
  '2,000 unknown filters': `filter=${Array.from({ length: 2_000 }, (_, index) => `x${index}`)}`,
  '1,400 blank searches': `filter=search&${Array(1_400).fill('search=').join('&')}`,
  'a long search': `filter=search&search=${'x'.repeat(HEAD_BYTES)}`,
  'a long day': `filter=rangeByDate&to=2026-01-01&from=${upTo(HEAD_BYTES, '2026-')}`,
  'a long time zone': `filter=rangeByDate&from=2026-01-01&to=2026-01-01&timezone=${upTo(HEAD_BYTES, 'A/')}`,
  'bytes that are not UTF-8': `search=${upTo(HEAD_BYTES, '%FF')}`,
};

const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a long If-Match': { 'if-match': `"${'1'.repeat(HEAD_BYTES)}` },
  'an If-Match of many tags': { 'if-match': upTo(HEAD_BYTES, '"1",') },
  'a long Idempotency-Key': { 'idempotency-key': `"${upTo(HEAD_BYTES, '\\\\')}` },
  'an Accept of many types': { accept: upTo(HEAD_BYTES, 'a/b,') },
  'an Accept-Encoding of many codings': { 'accept-encoding': upTo(HEAD_BYTES, 'a,') },
  'a Prefer of many preferences': { prefer: upTo(HEAD_BYTES, ' ,') },
  'a long Content-Type': { 'content-type': `application/${upTo(HEAD_BYTES, 'a+')}` },
};

const WITH_BODY = {
  createCustomer,
  updateCustomer,
  deleteCustomers,
  exportById,
  createImport,
  applyImport,
};
const WITH_QUERY = { listCustomers, exportCsv, listImportRows, createImport };
const WITH_HEADERS = { createCustomer, updateCustomer, createImport, applyImport };
const PATHS = { searchByOrgNumber, updateCustomer, getImport };

const parse = async () => JSON.parse(BRACKETS);
let reference = Number.POSITIVE_INFINITY;
for (let round = 0; round < ROUNDS; round += 1)
  reference = Math.min(reference, await cpuMsOf(parse));

describe.each(Object.entries(WITH_BODY))('A body of %s', (_, request) => {
  test.each(Object.entries(BODIES))(
    `with %s is refused for at most ${MOST} times the cost of parsing JSON`,
    (__, body) => expectRefused(request, { body }),
  );
});

describe.each(Object.entries(WITH_QUERY))('A query of %s', (_, request) => {
  test.each(Object.entries(QUERIES))('with %s is refused at little cost', (__, query) =>
    expectRefused(request, { query }),
  );
});

describe.each(Object.entries(WITH_HEADERS))('A request of %s', (_, request) => {
  test.each(Object.entries(HEADERS))('with %s is answered at little cost', (__, headers) =>
    expectRefused(request, { headers, body: '{"x":1}' }),
  );
});

test.each(Object.entries(PATHS))('A long path of %s is refused at little cost', (_, request) => {
  const long = '1'.repeat(HEAD_BYTES);
  return expectRefused(request, {
    pathParameters: { orgNum: long, mexcParamvaluesetsid: long, importId: long },
  });
});

async function expectRefused(
  request: RequestSchemas,
  event: Partial<Parameters<typeof httpEvent>[0]>,
): Promise<void> {
  const handler = api(request).handler(() => {
    throw new Error('The request was accepted.');
  });
  const importId = crypto.randomUUID();
  const pathParameters = { mexcParamvaluesetsid: '1', orgNum: '5567037485', importId };
  let response = { statusCode: 0, body: '' };
  const send = async () => {
    const sent = httpEvent({ pathParameters, ...event });
    response = (await handler(sent as never, lambdaContext())) as typeof response;
  };
  const ratio = await ratioOf(send);
  expect(response.statusCode, response.body).toBeGreaterThanOrEqual(400);
  expect(response.statusCode, response.body).toBeLessThan(500);
  expect(JSON.parse(response.body).errors?.length ?? 1).toBeLessThanOrEqual(100);
  expect(ratio).toBeLessThan(MOST);
}

/**
 * Returns how many times the processor time of plain JSON.parse some work takes. Unless that is little at
 * once, both are measured by turns, and the fastest of each compared: the speed of a busy machine drifts
 * by a half within seconds.
 */
async function ratioOf(work: () => Promise<unknown>): Promise<number> {
  let cost = await cpuMsOf(work);
  if (cost < MOST * reference) return cost / reference;
  let parsing = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    cost = Math.min(cost, await cpuMsOf(work));
    parsing = Math.min(parsing, await cpuMsOf(parse));
  }
  return cost / parsing;
}
