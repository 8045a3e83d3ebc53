import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { EXPORTS_PREFIX } from '../shared/environment.ts';
import type { TableAccess } from '../shared/http/contract.ts';
import {
  COMPANY_ATTRIBUTES,
  CUSTOMER_INDEX,
  EXPORT_JOB_ATTRIBUTES,
  PARTITION_PREFIX,
} from '../shared/storage/table.ts';
import type { Endpoint } from './endpoints.ts';

/** Where data is stored. */
export interface Storage {
  readonly table: Table;
  readonly bucket: Bucket;
}

/**
 * Only items and index entries in a merchant's partition. `ForAllValues` also holds if a call has
 * no leading key; those are scans and statements of PartiQL, which no function may make.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const IN_PARTITIONS = {
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${PARTITION_PREFIX}*`] },
};

const EXPORT_WORKER_TABLE_ACCESS: TableAccess = {
  actions: ['Query', 'BatchGetItem'],
  indexes: [CUSTOMER_INDEX.name],
  exportJobs: ['UpdateItem'],
};

/**
 * Returns all that an endpoint's function may do besides logging: what its code calls, no more.
 *
 * @param worker ARN of the export worker's alias.
 */
export function statementsOf(
  endpoint: Endpoint,
  storage: Storage,
  worker: string,
): PolicyStatement[] {
  const { table = {}, files, startsExportJobs } = endpoint;
  return [
    ...onTable(table, storage),
    ...(startsExportJobs
      ? [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [worker] })]
      : []),
    ...(files ? [onFiles(files, storage)] : []),
  ];
}

/**
 * Returns all that the export worker may do besides logging.
 *
 * @param arn its own, without a version.
 */
export function statementsOfWorker(storage: Storage, arn: string): PolicyStatement[] {
  return [
    ...onTable(EXPORT_WORKER_TABLE_ACCESS, storage),
    new PolicyStatement({
      actions: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
      // Executions are parts of a version, whose number increases with each deployment.
      resources: [`${arn}:*`],
    }),
    onFiles('write', storage),
  ];
}

function onTable(access: TableAccess, { table }: Storage): PolicyStatement[] {
  const { actions = [], indexes = [], exportJobs = [], companies = [] } = access;
  const statement = (names: readonly string[], resources: string[], conditions = {}) =>
    names.length === 0 || resources.length === 0
      ? []
      : new PolicyStatement({
          actions: names.map((name) => `dynamodb:${name}`),
          resources,
          conditions: { ...IN_PARTITIONS, ...conditions },
        });
  // A policy cannot tell sort keys apart, but no attribute of these items is a customer's.
  const only = (attributes: readonly string[]) => ({
    'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...attributes] },
  });
  return [
    statement(actions, [table.tableArn]),
    statement(
      ['Query'],
      indexes.map((index) => `${table.tableArn}/index/${index}`),
    ),
    statement(exportJobs, [table.tableArn], only(EXPORT_JOB_ATTRIBUTES)),
    statement(companies, [table.tableArn], only(COMPANY_ATTRIBUTES)),
  ].flat();
}

function onFiles(access: 'read' | 'write', { bucket }: Storage): PolicyStatement {
  return new PolicyStatement({
    // A presigned URL can do what its signer can, so that who signs one needs to read the file.
    actions: [
      ...(access === 'write' ? ['s3:PutObject', 's3:AbortMultipartUpload'] : []),
      's3:GetObject',
    ],
    resources: [bucket.arnForObjects(`${EXPORTS_PREFIX}*`)],
  });
}
