import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, create, newMerchant, useApi } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

const MERGE_PATCH = 'application/merge-patch+json';
/** Media types of a PATCH, in the order in which the API prefers them. */
const ACCEPT_PATCH = `application/json, ${MERGE_PATCH}`;

let merchant: Client;
let path: string;

beforeAll(async () => {
  merchant = await newMerchant();
  const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Ek AB', fax: '1' });
  path = `/customers/${id}`;
});

function send(method: string, target: string, type: string, body: unknown) {
  return merchant.call(method, target, { body, headers: { 'content-type': type } });
}

describe('a merge patch (RFC 7396)', () => {
  test('clears the fields that are null, sets those with a text, and keeps all others', async () => {
    const { mexcParamvaluesetsid: id } = await create(merchant, {
      name: 'A',
      fax: '1',
      email: 'e',
    });
    const target = `/customers/${id}`;
    const before = (await merchant.call('GET', target)).body;
    const patch = { fax: null, telephone: '+46 8 1', state: null, date: null };
    const { status, body } = await send('PATCH', target, MERGE_PATCH, patch);
    expect(status).toBe(200);
    expect(body).toEqual({ ...before, fax: '', telephone: '+46 8 1' });
    expect((await merchant.call('GET', target)).body).toEqual(body);
  });

  test.each([`${MERGE_PATCH}; charset=utf-8`, 'Application/Merge-Patch+JSON'])(
    'is recognised as %s',
    async (type) => {
      expect(await send('PATCH', path, type, { fax: null })).toMatchObject({
        status: 200,
        body: { fax: '' },
      });
    },
  );

  test.each<[unknown, string]>([
    [{ name: 1 }, '/name'],
    [{ nmae: null }, '/nmae'],
    [{ mexcParamvaluesetsid: null }, '/mexcParamvaluesetsid'],
    [[], ''],
    ['null', ''],
  ])('is 400 where it is %j', async (body, pointer) => {
    expectProblem(await send('PATCH', path, MERGE_PATCH, body), 400, [{ pointer }]);
  });

  test('that sends back a response with other members null is no other customer', async () => {
    const { body } = await merchant.call('GET', path);
    const sent = { ...body, mexcParamvaluesetsid: body.mexcParamvaluesetsid + 1 };
    expectProblem(await send('PATCH', path, MERGE_PATCH, sent), 400, [
      { pointer: '/mexcParamvaluesetsid' },
    ]);
  });
});

describe('null for a field in application/json', () => {
  test('is 400, and the error says how to clear the field', async () => {
    const before = (await merchant.call('GET', path)).body;
    const answer = await send('PATCH', path, 'application/json', { name: null });
    expectProblem(answer, 400, [{ pointer: '/name' }]);
    expect(answer.body.errors[0].detail).toBe(
      `must be a string, not null; an empty string clears it, as null does in ${MERGE_PATCH}`,
    );
    expect((await merchant.call('GET', path)).body).toEqual(before);
  });
});

describe('the body of a PATCH', () => {
  test.each([
    'application/json-patch+json',
    'application/vnd.example+json',
    'application/strategic-merge-patch+json',
    'text/json',
    'application/xml',
    'text/plain',
    `${MERGE_PATCH}; charset=latin1`,
  ])('is 415 as %s, and Accept-Patch has the types that are taken', async (type) => {
    const before = (await merchant.call('GET', path)).body;
    const answer = await send('PATCH', path, type, { fax: '2' });
    expectProblem(answer, 415, [{ header: 'Content-Type' }]);
    expect(answer.headers.get('accept-patch')).toBe(ACCEPT_PATCH);
    expect(answer.headers.get('accept')).toBe(ACCEPT_PATCH);
    expect((await merchant.call('GET', path)).body).toEqual(before);
  });
});

describe('a body that is not that of a PATCH', () => {
  test.each(['application/json', 'application/vnd.example+json', ''])(
    'is taken as %j',
    async (type) => {
      expect((await send('POST', '/customers', type, { name: 'B' })).status).toBe(200);
    },
  );

  test.each([MERGE_PATCH, 'application/json-patch+json', 'text/json'])(
    'is 415 with Accept as %s',
    async (type) => {
      for (const [method, target] of [
        ['POST', '/customers'],
        ['DELETE', '/customers'],
        ['POST', '/customers/export/csv'],
      ] as const) {
        const answer = await send(method, target, type, method === 'POST' ? { name: 'C' } : [1]);
        expectProblem(answer, 415, [{ header: 'Content-Type' }]);
        expect(answer.headers.get('accept')).toBe('application/json');
        expect(answer.headers.get('accept-patch')).toBe(null);
      }
    },
  );
});

describe('a compressed body', () => {
  test.each([
    ['POST', '/customers'],
    ['PATCH', '/customers/{id}'],
    ['DELETE', '/customers'],
    ['POST', '/customers/export/xml'],
  ])('of %s %s is 415 with Accept-Encoding', async (method, target) => {
    const response = await fetch(merchant.url + target.replace('/customers/{id}', path), {
      method,
      headers: {
        authorization: `Bearer ${merchant.token}`,
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      },
      body: gzipSync('{"name":"D"}'),
    });
    const { status, headers } = response;
    const body = await response.json();
    expectProblem({ status, headers, body }, 415, [{ header: 'Content-Encoding' }]);
    expect(headers.get('accept-encoding')).toBe('identity');
    expect(headers.get('accept')).toBe(null);
  });

  test.each(['identity', 'Identity', ''])('is none with Content-Encoding %j', async (coding) => {
    const headers = { 'content-encoding': coding };
    const answer = await merchant.call('PATCH', path, { body: { fax: '3' }, headers });
    expect(answer).toMatchObject({ status: 200, body: { fax: '3' } });
  });
});
