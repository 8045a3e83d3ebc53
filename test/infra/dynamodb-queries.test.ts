import dynalite from 'dynalite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDatabase } from '../../infra/local/dynamodb.ts';
import { requestDynamoDb } from '../../infra/local/dynamodb-request.ts';
import { ensureTable } from '../../infra/local/ensure-table.ts';
import { type LocalServer, start } from '../../infra/local/server.ts';
import { writeItems } from '../../infra/local/write-items.ts';
import { toItem } from '../../shared/storage/customer-item.ts';
import { CUSTOMER_INDEX, customerKey, LOOK_UP_INDEXES } from '../../shared/storage/table.ts';

// The local DynamoDB reads pages by code of its own, which must return what dynalite does.

const TABLE = 'customers';
const CUSTOMERS = 60;
/** So that a page of the table ends by its size. */
const LARGE = 5;
const { pk } = customerKey('m', 1);

describe('Pages of the local DynamoDB', () => {
  let servers: LocalServer[];

  beforeAll(async () => {
    servers = [await startDatabase(), await start(dynalite({ createTableMs: 0 }), 0)];
    const date = '2026-01-31T10:00:00.000Z';
    const itemOf = (index: number) =>
      toItem('m', {
        system: { mexcParamvaluesetsid: index + 1, date },
        fields: {
          name: index % 3 ? 'Å' : 'Ek',
          ...(index % 4 === 0 && { email: 'a@example.com' }),
          ...(index < LARGE && { notes: 'x'.repeat(300_000) }),
        },
        version: index + 1,
        updated: date,
      });
    for (const [index, { endpoint }] of servers.entries()) {
      await ensureTable(endpoint, TABLE);
      const server = { dynamodbEndpoint: endpoint, table: TABLE };
      await writeItems(server, CUSTOMERS, itemOf, index === 0);
    }
  });
  afterAll(async () => {
    await Promise.all(servers.map(({ close }) => close()));
  });

  /** Returns the pages of a request, each after the one before, of both servers. */
  const pages = (operation: string, request: object) =>
    Promise.all(
      servers.map(async ({ endpoint }) => {
        const found: unknown[] = [];
        let start: { ExclusiveStartKey?: unknown } = {};
        do {
          const input = { TableName: TABLE, ...request, ...start };
          const page = await requestDynamoDb(endpoint, `DynamoDB_20120810.${operation}`, input);
          found.push(page);
          start = { ExclusiveStartKey: page.LastEvaluatedKey };
        } while (start.ExclusiveStartKey);
        return found;
      }),
    );

  const options = fc.record(
    {
      Limit: fc.integer({ min: 7, max: 2 * CUSTOMERS }),
      ReturnConsumedCapacity: fc.constantFrom('TOTAL', 'INDEXES', 'NONE'),
      Select: fc.constant('COUNT'),
    },
    { requiredKeys: [] },
  );
  const conditions = fc.constantFrom<{
    IndexName?: string;
    key: string;
    values: Record<string, unknown>;
  }>(
    { key: 'pk = :pk', values: {} },
    { key: 'pk = :pk AND sk BETWEEN :from AND :to', values: between(5, 40) },
    { key: 'pk = :pk AND sk > :from', values: { ':from': customerKey('m', 50).sk } },
    { key: 'pk = :pk AND sk < :from', values: { ':from': customerKey('m', 1).sk } },
    { IndexName: CUSTOMER_INDEX.name, key: 'pk = :pk', values: {} },
    { IndexName: CUSTOMER_INDEX.name, key: 'pk = :pk AND d >= :from', values: { ':from': 30 } },
    { IndexName: LOOK_UP_INDEXES.email.name, key: 'pk = :pk', values: {} },
  );
  const filter = fc.option(fc.constant({ FilterExpression: 'n = :name' }), { nil: {} });

  function between(from: number, to: number) {
    return { ':from': customerKey('m', from).sk, ':to': customerKey('m', to).sk };
  }

  const toValues = (values: Readonly<Record<string, string | number>>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typeof value === 'number' ? { N: String(value) } : { S: value },
      ]),
    );

  test('Pages of a query are those of dynalite, whatever is asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        conditions,
        options,
        filter,
        fc.boolean(),
        fc.boolean(),
        async ({ key, values, IndexName }, more, filter, ScanIndexForward, isProjected) => {
          const [ours, theirs] = await pages('Query', {
            ...more,
            ...filter,
            ...(IndexName ? { IndexName } : { ConsistentRead: ScanIndexForward }),
            ...(isProjected && !more.Select && { ProjectionExpression: 'sk, d' }),
            ScanIndexForward,
            KeyConditionExpression: key,
            ExpressionAttributeValues: toValues({
              ':pk': pk,
              ...values,
              ...('FilterExpression' in filter && { ':name': 'EK' }),
            }),
          });
          expect(ours).toEqual(theirs);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('Pages of a scan are those of dynalite, whatever is asked', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.boolean(), async (more, isIndex) => {
        const [ours, theirs] = await pages('Scan', {
          ...more,
          ...(isIndex && { IndexName: CUSTOMER_INDEX.name }),
        });
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 10 },
    );
  });
});
