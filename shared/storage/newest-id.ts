import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { customersIn, idInSortKey, LAST_ID } from './table.ts';

/** Returns the highest id in use; 0 if there is no customer. */
export async function newestId(merchantId: string): Promise<number> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      ...customersIn(merchantId, { from: 1, to: LAST_ID }),
      ProjectionExpression: 'sk',
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  return idInSortKey(Items[0]?.sk?.S);
}
