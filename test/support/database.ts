import { startDatabase } from '../../infra/local/dynamodb.ts';
import type { LocalServer } from '../../infra/local/server.ts';
import type { LocalStackOptions } from '../../infra/local/stack.ts';

/** URL of the DynamoDB server that tests use in place of the local one; undefined if there is none. */
const GIVEN = process.env.DYNAMODB_ENDPOINT || undefined;

/** Returns the options of a stack on the given DynamoDB server, with a table of its own. */
export function databaseOptions(): Pick<LocalStackOptions, 'dynamodbEndpoint' | 'table'> {
  return GIVEN ? { dynamodbEndpoint: GIVEN, table: `customers-${crypto.randomUUID()}` } : {};
}

/** Starts a DynamoDB server. If one is given, returns that one, which stays open. */
export async function startTestDatabase(): Promise<LocalServer> {
  return GIVEN ? { endpoint: GIVEN, close: async () => {} } : startDatabase();
}
