import {
  DynamoDBClient,
  IdempotentParameterMismatchException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ensureTable } from '../../infra/local/ensure-table.ts';
import type { LocalServer } from '../../infra/local/server.ts';
import { CUSTOMER_INDEX } from '../../shared/storage/table.ts';
import { startTestDatabase } from '../support/database.ts';

const TableName = 'transactions';
const itemOf = (sk: string, more = {}) => ({ pk: 'p', sk, ...more });
const isNew = { ConditionExpression: 'attribute_not_exists(pk)' };

describe('TransactWriteItems of the local DynamoDB', () => {
  let server: LocalServer;
  let documents: DynamoDBDocumentClient;

  beforeAll(async () => {
    vi.stubEnv('AWS_REGION', 'local');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    server = await startTestDatabase();
    await ensureTable(server.endpoint, TableName);
    documents = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: server.endpoint }));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    documents.destroy();
    await server.close();
  });

  const transact = (
    TransactItems: TransactWriteCommandInput['TransactItems'],
    more: Partial<TransactWriteCommandInput> = {},
  ) => documents.send(new TransactWriteCommand({ TransactItems, ...more }));
  const put = (Item: object, more = {}) => ({
    Put: { TableName, Item: Item as Record<string, unknown>, ...more },
  });
  const get = async (sk: string) =>
    (await documents.send(new GetCommand({ TableName, Key: itemOf(sk), ConsistentRead: true })))
      .Item;

  test('a transaction writes all its items and their index entries', async () => {
    await documents.send(new PutCommand({ TableName, Item: itemOf('old') }));
    await transact([
      put(itemOf('all-1', { d: 1 })),
      put(itemOf('all-2', { d: 2 })),
      { Delete: { TableName, Key: itemOf('old') } },
    ]);
    expect([await get('all-1'), await get('all-2'), await get('old')]).toEqual([
      itemOf('all-1', { d: 1 }),
      itemOf('all-2', { d: 2 }),
      undefined,
    ]);
    const { Items } = await documents.send(
      new QueryCommand({
        TableName,
        IndexName: CUSTOMER_INDEX.name,
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': 'p' },
      }),
    );
    expect(Items).toEqual([itemOf('all-1', { d: 1 }), itemOf('all-2', { d: 2 })]);
  });

  test('a transaction with a failed condition writes nothing and returns each reason', async () => {
    await documents.send(new PutCommand({ TableName, Item: itemOf('taken', { a: 1 }) }));
    const refused = transact([
      put(itemOf('fresh'), isNew),
      put(itemOf('taken'), { ...isNew, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
      {
        ConditionCheck: {
          TableName,
          Key: itemOf('absent'),
          ConditionExpression: 'attribute_exists(pk)',
        },
      },
    ]);
    const error = await refused.catch((error) => error);
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error.CancellationReasons).toMatchObject([
      { Code: 'None' },
      { Code: 'ConditionalCheckFailed', Item: { a: { N: '1' } } },
      { Code: 'ConditionalCheckFailed' },
    ]);
    expect(await get('fresh')).toBeUndefined();
  });

  test('a repeat with the same token changes nothing', async () => {
    const request = [put(itemOf('token'), isNew)];
    const ClientRequestToken = crypto.randomUUID();
    await transact(request, { ClientRequestToken });
    await transact([{ Delete: { TableName, Key: itemOf('token') } }]);
    await transact(request, { ClientRequestToken });
    expect(await get('token')).toBeUndefined();
    await expect(transact([put(itemOf('other'))], { ClientRequestToken })).rejects.toBeInstanceOf(
      IdempotentParameterMismatchException,
    );
  });

  test('a failed request may be sent again with its token', async () => {
    const ClientRequestToken = crypto.randomUUID();
    const request = [put(itemOf('again'), isNew)];
    await documents.send(new PutCommand({ TableName, Item: itemOf('again') }));
    await expect(transact(request, { ClientRequestToken })).rejects.toThrow('ConditionalCheck');
    await transact([{ Delete: { TableName, Key: itemOf('again') } }]);
    await transact(request, { ClientRequestToken });
    expect(await get('again')).toEqual(itemOf('again'));
  });

  test('of many transactions on the same items at once, one wins each condition', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        transact(
          index % 2 === 0
            ? [put(itemOf('race-a', { index }), isNew), put(itemOf('race-b', { index }), isNew)]
            : [put(itemOf('race-b', { index }), isNew), put(itemOf('race-a', { index }), isNew)],
        ),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await get('race-a'))?.index).toBe((await get('race-b'))?.index);
  });

  test('a transaction costs twice the write units of its items', async () => {
    const { ConsumedCapacity } = await transact(
      [put(itemOf('units-1', { text: 'x'.repeat(1_500) })), put(itemOf('units-2'))],
      { ReturnConsumedCapacity: 'TOTAL' },
    );
    expect(ConsumedCapacity).toMatchObject([{ TableName, CapacityUnits: 2 * (2 + 1) }]);
  });

  test('a transaction returns the units of the table apart from those of its indexes', async () => {
    const { ConsumedCapacity } = await transact([put(itemOf('units-3', { d: 3 }))], {
      ReturnConsumedCapacity: 'INDEXES',
    });
    expect(ConsumedCapacity).toMatchObject([{ TableName, Table: { CapacityUnits: 2 } }]);
  });

  test.each<[string, TransactWriteCommandInput['TransactItems']]>([
    ['no items', []],
    ['one item twice', [put(itemOf('a')), put(itemOf('a'))]],
    ['more than 100 items', Array.from({ length: 101 }, (_, index) => put(itemOf(`${index}`)))],
    ['a condition that does not parse', [put(itemOf('a'), { ConditionExpression: 'pk =' })]],
  ])('a transaction of %s is refused', async (_, items) => {
    await expect(transact(items)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('an item without its key cancels a transaction, with the reason', async () => {
    const error = await transact([put(itemOf('whole')), put({ pk: 'p' })]).catch((error) => error);
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error.CancellationReasons).toMatchObject([
      { Code: 'None' },
      { Code: 'ValidationError', Message: expect.stringContaining('Missing the key sk') },
    ]);
    expect(await get('whole')).toBeUndefined();
  });

  test.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['another type', '[]'],
    ['items of another type', '{"TransactItems":7}'],
    ['an item that is null', '{"TransactItems":[null]}'],
    ['a write of another type', '{"TransactItems":[{"Put":1}]}'],
    [
      'a write with a key of another type',
      '{"TransactItems":[{"Delete":{"TableName":"t","Key":1}}]}',
    ],
    ['a token of another type', '{"TransactItems":[],"ClientRequestToken":{}}'],
  ])('a body that is %s is refused, and the server goes on', async (_, body) => {
    const response = await fetch(server.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.TransactWriteItems',
        'x-amz-date': '20260101T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=unchecked',
      },
      body,
    });
    expect(response.status).toBe(400);
    await transact([put(itemOf('after'))]);
  });
});
