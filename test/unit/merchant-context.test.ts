import middy from '@middy/core';
import { afterEach, expect, test, vi } from 'vitest';
import { merchantContext } from '../../shared/http/merchant-context.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

const merchantOf = middy<ReturnType<typeof httpEvent>, string>()
  .use(merchantContext())
  .handler(async (_, { merchantId }) => merchantId);

const call = (claims: Record<string, string>) => merchantOf(httpEvent({ claims }), lambdaContext());

afterEach(() => vi.unstubAllEnvs());

test.each(['1001', 'A', 'merchant_1.a-b', 'x'.repeat(64)])(
  'A token may name the merchant %s',
  async (name) => {
    expect(await call({ merchant_id: name })).toBe(name);
  },
);

test.each(['', '.', '..', 'a/b', 'a#b', 'a b', 'x'.repeat(65), 'å'])(
  'A token that names the merchant "%s" is rejected with 403',
  async (name) => {
    await expect(call({ merchant_id: name })).rejects.toMatchObject({ status: 403 });
  },
);

test('A token without the claim is rejected with 403, which names the claim', async () => {
  await expect(call({ sub: '1001' })).rejects.toMatchObject({
    status: 403,
    message:
      "The token's claim merchant_id must name a merchant: 1 to 64 of A-Z, a-z, 0-9, _, . and -.",
  });
});

test('The environment variable MERCHANT_CLAIM sets the name of the claim', async () => {
  vi.stubEnv('MERCHANT_CLAIM', 'https://example.com/merchant');
  expect(await call({ 'https://example.com/merchant': '7', merchant_id: '8' })).toBe('7');
});
