import { describe, expect, test } from 'vitest';
import { create, newMerchant, useApi } from '../support/api.ts';

useApi();

async function merchantWith(count: number) {
  const merchant = await newMerchant();
  const created = await Promise.all(
    Array.from({ length: count }, (_, index) => create(merchant, { customerid: `C${index}` })),
  );
  const ids = created.map((customer) => customer.mexcParamvaluesetsid).sort((a, b) => a - b);
  return { merchant, ids };
}

describe('DELETE /customers/{id}', () => {
  test('DELETE deletes one customer and no other, and returns 404 afterwards', async () => {
    const { merchant, ids } = await merchantWith(2);
    const answer = await merchant.call('DELETE', `/customers/${ids[0]}`);
    expect(answer).toMatchObject({
      status: 200,
      body: { result: 'Removed', mexcParamvaluesetsid: ids[0] },
    });
    expect(await merchant.call('GET', `/customers/${ids[0]}`)).toMatchObject({ status: 404 });
    expect(await merchant.call('DELETE', `/customers/${ids[0]}`)).toMatchObject({ status: 404 });
    expect(await merchant.call('GET', `/customers/${ids[1]}`)).toMatchObject({ status: 200 });
  });
});

describe('DELETE /customers', () => {
  test('DELETE accepts ids as numbers and strings, and counts each deleted customer once', async () => {
    const { merchant, ids } = await merchantWith(4);
    const [a, b, c, d] = ids as [number, number, number, number];
    const { status, body } = await merchant.call('DELETE', '/customers', {
      body: [a, String(b), b, `00${a}`, c, 999_999],
    });
    expect(status).toBe(200);
    expect(body).toEqual({ result: 'Removed', count: 3 });
    const left = (await merchant.call('GET', '/customers')).body;
    expect(
      left.map((customer: { mexcParamvaluesetsid: number }) => customer.mexcParamvaluesetsid),
    ).toEqual([d]);
  });

  test('DELETE accepts 1,000 ids', async () => {
    const { merchant, ids } = await merchantWith(3);
    const many = Array.from({ length: 1_000 }, (_, index) => index + 1_000_000);
    many.splice(500, 3, ...ids);
    expect(await merchant.call('DELETE', '/customers', { body: many })).toMatchObject({
      status: 200,
      body: { count: 3 },
    });
  });

  test.each([
    ['an empty list', []],
    ['an object', { ids: [1] }],
    ['more than 1,000 ids', Array.from({ length: 1_001 }, (_, index) => index + 1)],
    ['zero', [1, 0]],
    ['a negative id', [1, -1]],
    ['a fraction', [1, 1.5]],
    ['an id above 2^53', '[1, 9007199254740993]'],
    ['a word', [1, 'abc']],
    ['an empty string', [1, '']],
    ['null', [1, null]],
    ['a nested list', [1, [2]]],
  ])('DELETE returns 400 for %s, and deletes nothing', async (_, body) => {
    const { merchant } = await merchantWith(2);
    const answer = await merchant.call('DELETE', '/customers', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0]).toMatchObject({ pointer: expect.any(String) });
    expect((await merchant.call('GET', '/customers')).body).toHaveLength(2);
  });
});
