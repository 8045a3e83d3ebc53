import { paginateQuery, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { type Item, toResponse } from './customer.ts';
import { documents, TABLE_NAME, usualEndpoint } from './endpoint.ts';
import { filterOf } from './filter.ts';

const QuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  start: z.coerce.number().int().min(0).default(0),
  filter: z.string().optional(),
  search: z.string().optional(),
});

/** Reads whole items sequentially, including those before `start`, until the page is full. */
export const handler = usualEndpoint(async ({ queryStringParameters }, merchant) => {
  const { limit, start, ...filters } = QuerySchema.parse(queryStringParameters ?? {});
  const filter = filterOf(filters);
  const query: QueryCommandInput = {
    TableName: TABLE_NAME,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ...filter,
    ExpressionAttributeValues: {
      ':pk': `MERCHANT#${merchant}`,
      ':prefix': 'CUSTOMER#',
      ...filter.ExpressionAttributeValues,
    },
  };
  if (start === 0 && !filter.FilterExpression) {
    const { Items = [] } = await documents.send(
      new QueryCommand({ ...query, Limit: limit, ConsistentRead: true }),
    );
    return Items.map(toResponse);
  }
  const found: Item[] = [];
  for await (const { Items = [] } of paginateQuery({ client: documents }, query)) {
    found.push(...Items);
    if (found.length >= start + limit) break;
  }
  return found.slice(start, start + limit).map(toResponse);
});
