import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { EXPORTS_PREFIX } from '../shared/environment.ts';
import { EXPORT_RUNNER, type FunctionName, type ROUTES } from '../shared/routes.ts';
import {
  BY_ORG_NUMBER,
  COMPANY_ATTRIBUTES,
  DIRECTORY,
  EXPORT_JOB_ATTRIBUTES,
  PARTITION_PREFIX,
} from '../shared/storage/table.ts';

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
  /** Actions on export jobs alone. */
  readonly jobs?: readonly ('PutItem' | 'UpdateItem')[];
  /** Actions on companies that a public register has told of, and on nothing else. */
  readonly companies?: readonly 'PutItem'[];
}

/** One route of the route table. */
export type Endpoint = (typeof ROUTES)[number];

/** Where data is kept. */
export interface Storage {
  readonly table: Table;
  readonly bucket: Bucket;
}

/**
 * Only items and index entries in a merchant's partition. `ForAllValues` also holds where a call has
 * no leading key; those are scans and statements of PartiQL, and no function may make either.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const IN_PARTITIONS = {
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${PARTITION_PREFIX}*`] },
};

const EXPORT_OF_SELECTED: TablePermissions = {
  table: ['Query', 'BatchGetItem'],
  queries: [DIRECTORY.name],
  jobs: ['PutItem'],
};

const PERMISSIONS: Readonly<Record<FunctionName | typeof EXPORT_RUNNER, TablePermissions>> = {
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
    companies: ['PutItem'],
  },
  'export-customers-xml': EXPORT_OF_SELECTED,
  'export-customers-by-id-xml': { table: ['BatchGetItem'] },
  'export-customers-csv': EXPORT_OF_SELECTED,
  'export-customers-by-id-csv': { table: ['BatchGetItem'] },
  'get-export': { table: ['GetItem'] },
  [EXPORT_RUNNER]: {
    table: ['Query', 'BatchGetItem'],
    queries: [DIRECTORY.name],
    jobs: ['UpdateItem'],
  },
};

/** Whether an endpoint leaves to the export runner what takes it too long. */
export function handsOver({ function: name }: Endpoint): boolean {
  return PERMISSIONS[name] === EXPORT_OF_SELECTED;
}

/**
 * All that an endpoint's function may do beside logging: what its code calls, nothing more.
 *
 * @param runner ARN of the export runner's alias.
 */
export function statementsOf(route: Endpoint, storage: Storage, runner: string): PolicyStatement[] {
  return [
    ...onTable(route.function, storage),
    ...(handsOver(route)
      ? [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [runner] })]
      : []),
    ...(route.exports ? [onFiles(route.exports, storage)] : []),
  ];
}

/**
 * All that the export runner may do beside logging.
 *
 * @param arn its own, without a version.
 */
export function statementsOfRunner(storage: Storage, arn: string): PolicyStatement[] {
  return [
    ...onTable(EXPORT_RUNNER, storage),
    new PolicyStatement({
      actions: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
      // Executions are parts of a version, whose number each deployment raises.
      resources: [`${arn}:*`],
    }),
    onFiles('write', storage),
  ];
}

function onTable(name: keyof typeof PERMISSIONS, { table }: Storage): PolicyStatement[] {
  const { table: actions = [], queries = [], jobs = [], companies = [] } = PERMISSIONS[name];
  const statements: PolicyStatement[] = [];
  if (actions.length > 0) {
    statements.push(
      new PolicyStatement({
        actions: actions.map((action) => `dynamodb:${action}`),
        resources: [table.tableArn],
        conditions: IN_PARTITIONS,
      }),
    );
  }
  if (queries.length > 0) {
    statements.push(
      new PolicyStatement({
        actions: ['dynamodb:Query'],
        resources: queries.map((index) => `${table.tableArn}/index/${index}`),
        conditions: IN_PARTITIONS,
      }),
    );
  }
  // A policy cannot tell sort keys apart, but neither has an attribute of a customer's.
  for (const [some, attributes] of [
    [jobs, EXPORT_JOB_ATTRIBUTES],
    [companies, COMPANY_ATTRIBUTES],
  ] as const) {
    if (some.length === 0) continue;
    statements.push(
      new PolicyStatement({
        actions: some.map((action) => `dynamodb:${action}`),
        resources: [table.tableArn],
        conditions: {
          ...IN_PARTITIONS,
          'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...attributes] },
        },
      }),
    );
  }
  return statements;
}

function onFiles(what: 'read' | 'write', { bucket }: Storage): PolicyStatement {
  return new PolicyStatement({
    // A presigned address can do what its signer can, so that who tells of a file may read it.
    actions: [
      ...(what === 'write' ? ['s3:PutObject', 's3:AbortMultipartUpload'] : []),
      's3:GetObject',
    ],
    resources: [bucket.arnForObjects(`${EXPORTS_PREFIX}*`)],
  });
}
