import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Header of a BatchWriteItem request with any number of items, none of which exists. */
export const NEW_ITEMS_HEADER = 'x-local-new-items';

/** Has a client announce to the local DynamoDB that the items of its BatchWriteItem requests are new. */
export function announceNewItems(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      if (args.input && 'RequestItems' in args.input) headers[NEW_ITEMS_HEADER] = 'true';
      return next(args);
    },
    { step: 'build' },
  );
}
