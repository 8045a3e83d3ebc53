import { describe, expect, test } from 'vitest';
import { create, newMerchant, useApi } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

describe('GET', () => {
  test('GET returns 304 if If-None-Match names the current version', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const first = await merchant.call('GET', `/customers/${id}`);
    const etag = first.headers.get('etag') as string;
    const again = (tag: string) =>
      merchant.call('GET', `/customers/${id}`, { headers: { 'if-none-match': tag } });
    expect(await again(etag)).toMatchObject({ status: 304, body: '' });
    expect(await again(`"x", W/${etag}`)).toMatchObject({ status: 304 });
    expect(await again('"other"')).toMatchObject({ status: 200 });
    await merchant.call('PATCH', `/customers/${id}`, { body: { name: 'B' } });
    expect(await again(etag)).toMatchObject({ status: 200, body: { name: 'B' } });
  });
});

describe('PATCH', () => {
  test('PATCH that changes nothing keeps the version, and returns 412 if If-Match names another', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    for (const body of [{}, { name: 'A' }, { fax: '' }]) {
      const { status, headers } = await merchant.call('PATCH', `/customers/${id}`, { body });
      expect(status).toBe(200);
      expect(headers.get('etag')).toBe('"1"');
    }
    const headers = { 'if-match': '"0"' };
    const answer = await merchant.call('PATCH', `/customers/${id}`, { body: {}, headers });
    expectProblem(answer, 412, [{ header: 'If-Match' }], '/problems/stale-version');
  });

  test('PATCH returns 412 if If-Match names an older version', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const patch = (name: string, ifMatch: string) =>
      merchant.call('PATCH', `/customers/${id}`, {
        body: { name },
        headers: { 'if-match': ifMatch },
      });
    expect(await patch('B', '"1"')).toMatchObject({ status: 200 });
    expect(await patch('C', '"1"')).toMatchObject({ status: 412 });
    expect(await patch('C', 'W/"2"')).toMatchObject({ status: 412 });
    expect(await patch('C', '*')).toMatchObject({ status: 200 });
    expect((await merchant.call('GET', `/customers/${id}`)).body.name).toBe('C');
  });
});

describe('DELETE', () => {
  test('DELETE returns 412 if If-Match names an older version', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const path = `/customers/${id}`;
    await merchant.call('PATCH', path, { body: { name: 'B' } });
    const remove = (tag: string) => merchant.call('DELETE', path, { headers: { 'if-match': tag } });
    expect(await remove('"1"')).toMatchObject({ status: 412 });
    expect(await remove('"2"')).toMatchObject({ status: 200 });
  });
});
