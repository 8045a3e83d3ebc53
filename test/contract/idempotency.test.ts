import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { idempotencyRecordKey } from '../../shared/storage/table.ts';
import { isLocal, localStack, merchantsAvailable, newMerchant, useApi } from '../support/api.ts';
import { EXAMPLE_CUSTOMER } from '../support/example-customer.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

describe('Idempotency-Key', () => {
  const withKey = (key: string, body: unknown) => ({ body, headers: { 'idempotency-key': key } });

  test('A retry with the same Idempotency-Key returns the first response and creates no customer', async () => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    const first = await merchant.call('POST', '/customers', withKey(key, { name: 'A', fax: '' }));
    const retry = await merchant.call('POST', '/customers', withKey(key, { name: 'A' }));
    expect(retry.status).toBe(200);
    expect(retry.body).toEqual(first.body);
    expect((await merchant.call('GET', '/customers')).body).toEqual([first.body]);
  });

  test('Concurrent requests with the same Idempotency-Key create one customer', async () => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        merchant.call('POST', '/customers', withKey(key, EXAMPLE_CUSTOMER)),
      ),
    );
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).toEqual(answers[0]?.body);
    }
    expect((await merchant.call('GET', '/customers')).body).toHaveLength(1);
  });

  test('A late retry returns the first response and undoes no later change', async () => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    const first = await merchant.call('POST', '/customers', withKey(key, { name: 'A' }));
    const path = first.headers.get('location') as string;
    await merchant.call('PATCH', path, { body: { name: 'B' } });
    const retry = await merchant.call('POST', '/customers', withKey(key, { name: 'A' }));
    expect(retry.body).toEqual(first.body);
    expect((await merchant.call('GET', path)).body.name).toBe('B');
    await merchant.call('DELETE', path);
    await merchant.call('POST', '/customers', withKey(key, { name: 'A' }));
    expect((await merchant.call('GET', path)).status).toBe(404);
  });

  test('POST returns 422 if the Idempotency-Key was used with another body', async () => {
    const merchant = await newMerchant();
    const key = crypto.randomUUID();
    await merchant.call('POST', '/customers', withKey(key, { name: 'A' }));
    const answer = await merchant.call('POST', '/customers', withKey(key, { name: 'B' }));
    const places = [{ header: 'Idempotency-Key' }];
    expectProblem(answer, 422, places, '/problems/reused-idempotency-key');
    expect((await merchant.call('GET', '/customers')).body).toHaveLength(1);
  });

  test.each([
    ['a key', '"a key"'],
    ['quotes and backslashes', String.raw`"a\"b\\c"`],
  ])(
    'POST accepts an Idempotency-Key with %s in the quoted form of the draft',
    async (_, quoted) => {
      const merchant = await newMerchant();
      const first = await merchant.call('POST', '/customers', withKey(quoted, { name: 'A' }));
      const retry = await merchant.call('POST', '/customers', withKey(quoted, { name: 'A' }));
      expect(first.status).toBe(200);
      expect(retry.body).toEqual(first.body);
    },
  );

  test('An Idempotency-Key is the same key quoted and unquoted', async () => {
    const merchant = await newMerchant();
    for (const [plain, quoted] of [
      ['8e03978e-40d5', '"8e03978e-40d5"'],
      ['a"b', String.raw`"a\"b"`],
    ] as const) {
      const first = await merchant.call('POST', '/customers', withKey(plain, { name: 'A' }));
      const retry = await merchant.call('POST', '/customers', withKey(quoted, { name: 'A' }));
      expect(retry.body).toEqual(first.body);
      const other = await merchant.call('POST', '/customers', withKey(quoted, { name: 'B' }));
      expect(other.status).toBe(422);
    }
    expect((await merchant.call('GET', '/customers')).body).toHaveLength(2);
  });

  test.each([
    '',
    'two words',
    'x'.repeat(256),
    '""',
    '"',
    '"a',
    '"a"b"',
    '"a";b=1',
    String.raw`"\a"`,
    `"${'x'.repeat(256)}"`,
    '"a", "b"',
  ])('POST returns 400 if the Idempotency-Key is %j', async (key) => {
    const merchant = await newMerchant();
    const answer = await merchant.call('POST', '/customers', withKey(key, {}));
    expectProblem(answer, 400, [{ header: 'Idempotency-Key' }]);
    expect((await merchant.call('GET', '/customers')).body).toEqual([]);
  });

  test.runIf(merchantsAvailable > 1)(
    'Two merchants may use the same Idempotency-Key independently',
    async () => {
      const one = await newMerchant();
      const other = await newMerchant(1);
      const key = crypto.randomUUID();
      await one.call('POST', '/customers', withKey(key, { name: 'A' }));
      const answer = await other.call('POST', '/customers', withKey(key, { name: 'B' }));
      expect(answer).toMatchObject({ status: 200, body: { name: 'B' } });
    },
  );

  test.runIf(isLocal)('An Idempotency-Key expires after 24 hours', async () => {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    await merchant.call('POST', '/customers', withKey('k', { name: 'A' }));
    const dynamodb = DynamoDBDocument.from(new DynamoDBClient());
    const record = {
      TableName: localStack().table,
      Key: idempotencyRecordKey(name, 'k'),
    };
    const { Item } = await dynamodb.get({ ...record, ConsistentRead: true });
    const lifetime = Item?.expiresAt - Date.now() / 1_000;
    expect(lifetime).toBeGreaterThan(24 * 3_600 - 60);
    expect(lifetime).toBeLessThanOrEqual(24 * 3_600);

    // DynamoDB deletes an expired record up to days later; the local one never does.
    await dynamodb.update({
      ...record,
      UpdateExpression: 'SET expiresAt = :past',
      ExpressionAttributeValues: { ':past': Math.floor(Date.now() / 1_000) - 1 },
    });
    const later = await merchant.call('POST', '/customers', withKey('k', { name: 'B' }));
    expect(later).toMatchObject({ status: 200, body: { name: 'B' } });
    expect((await merchant.call('GET', '/customers')).body).toHaveLength(2);
    dynamodb.destroy();
  });
});
