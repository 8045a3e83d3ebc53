import type { CreateTableCommandInput, TableDescription } from '@aws-sdk/client-dynamodb';
import { CUSTOMER_INDEX, KEY, LOOK_UP_INDEXES } from '../../shared/storage/table.ts';

/** Keys and indexes of a table, as DynamoDB's API has them. */
type TableSchema = Pick<
  CreateTableCommandInput,
  'KeySchema' | 'AttributeDefinitions' | 'GlobalSecondaryIndexes'
>;

/** Keys and indexes of the table, in the layout of `shared/storage/table.ts`. */
export const TABLE_SCHEMA: TableSchema = {
  KeySchema: keySchema(KEY.sort),
  AttributeDefinitions: [
    { AttributeName: KEY.partition, AttributeType: 'S' },
    { AttributeName: KEY.sort, AttributeType: 'S' },
    { AttributeName: CUSTOMER_INDEX.sortKey, AttributeType: 'N' },
    ...Object.values(LOOK_UP_INDEXES).map(({ sortKey, type }) => ({
      AttributeName: sortKey,
      AttributeType: type,
    })),
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: CUSTOMER_INDEX.name,
      KeySchema: keySchema(CUSTOMER_INDEX.sortKey),
      Projection: {
        ProjectionType: 'INCLUDE',
        NonKeyAttributes: [...CUSTOMER_INDEX.projected],
      },
    },
    ...Object.values(LOOK_UP_INDEXES).map(({ name, sortKey }) => ({
      IndexName: name,
      KeySchema: keySchema(sortKey),
      Projection: { ProjectionType: 'KEYS_ONLY' as const },
    })),
  ],
};

/** Returns how the keys and indexes of a table differ from {@link TABLE_SCHEMA}; nothing if they do not. */
export function tableSchemaFaults(table: TableDescription): string[] {
  const found = describeSchema(table as TableSchema);
  const expected = describeSchema(TABLE_SCHEMA);
  return [
    ...found.filter((part) => !expected.includes(part)).map((part) => `  found:     ${part}`),
    ...expected.filter((part) => !found.includes(part)).map((part) => `  expected:  ${part}`),
  ];
}

/** Returns one text for the table's key and one for each index, equal for equal schemas. */
function describeSchema(schema: TableSchema): string[] {
  const { KeySchema, AttributeDefinitions = [], GlobalSecondaryIndexes = [] } = schema;
  const describeKey = (key: TableSchema['KeySchema'] = []) =>
    key.map(({ AttributeName }) => {
      const type = AttributeDefinitions.find((each) => each.AttributeName === AttributeName);
      return `${AttributeName} (${type?.AttributeType})`;
    });
  return [
    `key ${describeKey(KeySchema).join(', ')}`,
    ...GlobalSecondaryIndexes.map(({ IndexName, KeySchema: key, Projection }) => {
      const { ProjectionType, NonKeyAttributes = [] } = Projection ?? {};
      // DynamoDB may return the attributes in another order.
      const projected = [ProjectionType, ...[...NonKeyAttributes].sort()].join(' ');
      return `index ${IndexName}, key ${describeKey(key).join(', ')}, projection ${projected}`;
    }),
  ];
}

function keySchema(sortKey: string): NonNullable<TableSchema['KeySchema']> {
  return [
    { AttributeName: KEY.partition, KeyType: 'HASH' },
    { AttributeName: sortKey, KeyType: 'RANGE' },
  ];
}
