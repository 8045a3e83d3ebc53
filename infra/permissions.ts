import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { EXPORTS_PREFIX } from '../shared/config.ts';
import type { FunctionName, ROUTES } from '../shared/routes.ts';
import { BY_ORG_NUMBER, DIRECTORY } from '../shared/table.ts';

/** What a function calls DynamoDB for. */
interface TablePermissions {
  /** Actions on the table itself. */
  readonly table?: readonly (
    | 'BatchGetItem'
    | 'DeleteItem'
    | 'GetItem'
    | 'PutItem'
    | 'Query'
    | 'UpdateItem'
  )[];
  /** The indexes it queries. */
  readonly queries?: readonly string[];
}

/** One route of the route table. */
export type Endpoint = (typeof ROUTES)[number];

/** Where data is kept. */
export interface Storage {
  readonly table: Table;
  readonly bucket: Bucket;
}

const PERMISSIONS: Readonly<Record<FunctionName, TablePermissions>> = {
  'list-customers': {
    table: ['Query', 'BatchGetItem'],
    queries: [DIRECTORY.name],
  },
  // Updates the id sequence; puts the customer; puts, gets and updates the idempotency record.
  'create-customer': { table: ['GetItem', 'PutItem', 'UpdateItem'] },
  'delete-customers': { table: ['DeleteItem'] },
  'count-customers': { queries: [DIRECTORY.name] },
  'get-customer': { table: ['GetItem'] },
  'update-customer': { table: ['GetItem', 'PutItem'] },
  'delete-customer': { table: ['GetItem', 'DeleteItem'] },
  'search-by-org-number': {
    table: ['GetItem'],
    queries: [BY_ORG_NUMBER.name],
  },
  'export-customers-xml': {
    table: ['Query', 'BatchGetItem'],
    queries: [DIRECTORY.name],
  },
  'export-chosen-customers-xml': { table: ['BatchGetItem'] },
  'export-customers-csv': {
    table: ['Query', 'BatchGetItem'],
    queries: [DIRECTORY.name],
  },
  'export-chosen-customers-csv': { table: ['BatchGetItem'] },
};

/** All that an endpoint's function may do beside logging: what its code calls, nothing more. */
export function statementsOf(route: Endpoint, { table, bucket }: Storage): PolicyStatement[] {
  const { table: actions = [], queries = [] } = PERMISSIONS[route.function];
  const statements: PolicyStatement[] = [];
  if (actions.length > 0) {
    statements.push(
      new PolicyStatement({
        actions: actions.map((action) => `dynamodb:${action}`),
        resources: [table.tableArn],
      }),
    );
  }
  if (queries.length > 0) {
    statements.push(
      new PolicyStatement({
        actions: ['dynamodb:Query'],
        resources: queries.map((index) => `${table.tableArn}/index/${index}`),
      }),
    );
  }
  if (route.exports) {
    statements.push(
      new PolicyStatement({
        // A presigned address can do what its signer can, so that the exporter may read as well.
        actions: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:GetObject'],
        resources: [bucket.arnForObjects(`${EXPORTS_PREFIX}*`)],
      }),
    );
  }
  return statements;
}
