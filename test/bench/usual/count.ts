import { paginateQuery } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { documents, TABLE_NAME, usualEndpoint } from './endpoint.ts';
import { filterOf } from './filter.ts';

const QuerySchema = z.object({ filter: z.string().optional(), search: z.string().optional() });

/** Reads whole items sequentially. */
export const handler = usualEndpoint(async ({ queryStringParameters }, merchant) => {
  const filter = filterOf(QuerySchema.parse(queryStringParameters ?? {}));
  const pages = paginateQuery(
    { client: documents },
    {
      TableName: TABLE_NAME,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ...filter,
      ExpressionAttributeValues: {
        ':pk': `MERCHANT#${merchant}`,
        ':prefix': 'CUSTOMER#',
        ...filter.ExpressionAttributeValues,
      },
      Select: 'COUNT',
    },
  );
  let count = 0;
  for await (const { Count = 0 } of pages) count += Count;
  return { count };
});
