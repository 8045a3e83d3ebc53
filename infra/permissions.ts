import { ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { CfnBucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { EXPORTS_PREFIX, IMPORT_PREFIXES, SNAPSHOTS_PREFIX } from '../shared/environment.ts';
import type { Contract, ImportFileAccess, TableAccess } from '../shared/http/contract.ts';
import {
  CHANGE_LOG_ATTRIBUTES,
  COMPANY_ATTRIBUTES,
  EXPORT_JOB_ATTRIBUTES,
  IMPORT_JOB_ATTRIBUTES,
  PARTITION_PREFIX,
  SNAPSHOT_ATTRIBUTES,
} from '../shared/storage/table.ts';

/** What a function does with export files in the bucket. */
type FileAccess = Contract['files'] | 'discard';
/** What a function does with snapshots in the bucket. */
type SnapshotAccess = Contract['snapshots'] | 'write';

/** The part of a contract that is about resources. */
export interface FunctionContract
  extends Pick<Contract, 'table' | 'importFiles' | 'starts' | 'environment'> {
  readonly files?: FileAccess;
  readonly snapshots?: SnapshotAccess;
}

/**
 * Resources that contracts refer to. Of CDK's interfaces only what is used: their optional
 * properties are not assignable under TypeScript's `exactOptionalPropertyTypes`.
 */
export interface Resources {
  readonly table: Pick<ITableV2, 'stack' | 'tableArn' | 'tableName'>;
  readonly bucket: Pick<IBucket, 'arnForObjects' | 'bucketArn' | 'bucketName' | 'node'>;
  /** Aliases by which the durable functions are invoked; they themselves do without. */
  readonly workers?: Readonly<
    Record<NonNullable<Contract['starts']>, Pick<IFunction, 'functionArn'>>
  >;
  /** The builder of snapshots; itself it does without. */
  readonly snapshotBuilder?: Pick<IFunction, 'functionArn'>;
}

/**
 * Only items and index entries in a merchant's partition. `ForAllValues` also holds if a call has
 * no leading key; those are scans and PartiQL statements, which no function may run.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const IN_PARTITIONS = {
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${PARTITION_PREFIX}*`] },
};

/** Returns all that a function with this contract may do besides logging. */
export function contractStatements(
  { table, files, snapshots, importFiles, starts }: FunctionContract,
  resources: Resources,
): PolicyStatement[] {
  return [
    ...tableStatements(table ?? {}, resources.table),
    ...invokeStatements(starts && resources.workers?.[starts]),
    ...invokeStatements(snapshots === 'read' && resources.snapshotBuilder),
    ...(files ? fileStatements(files, resources.bucket) : []),
    ...(snapshots ? snapshotStatements(snapshots, resources.bucket) : []),
    ...(importFiles ? importFileStatements(importFiles, resources.bucket) : []),
  ];
}

function invokeStatements(
  target: Pick<IFunction, 'functionArn'> | false | undefined,
): PolicyStatement[] {
  if (!target) return [];
  const { functionArn } = target;
  return [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] })];
}

function tableStatements(access: TableAccess, { tableArn }: Resources['table']): PolicyStatement[] {
  const { actions = [], indexes = [], exportJobs = [], companies = [] } = access;
  const { changeLog = [], snapshots = [], importJobs = [] } = access;
  const statement = (names: readonly string[], resources: string[], conditions = {}) =>
    names.length === 0 || resources.length === 0
      ? []
      : new PolicyStatement({
          actions: names.map((name) => `dynamodb:${name}`),
          resources,
          conditions: { ...IN_PARTITIONS, ...conditions },
        });
  // IAM has no condition on sort keys, but none of these attributes is a customer's.
  const only = (attributes: readonly string[]) => ({
    'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...attributes] },
  });
  return [
    statement(actions, [tableArn]),
    statement(
      ['Query'],
      indexes.map((index) => `${tableArn}/index/${index}`),
    ),
    statement(exportJobs, [tableArn], only(EXPORT_JOB_ATTRIBUTES)),
    statement(importJobs, [tableArn], only(IMPORT_JOB_ATTRIBUTES)),
    statement(companies, [tableArn], only(COMPANY_ATTRIBUTES)),
    statement(changeLog, [tableArn], only(CHANGE_LOG_ATTRIBUTES)),
    statement(snapshots, [tableArn], only(SNAPSHOT_ATTRIBUTES)),
  ].flat();
}

/** Actions on files, by access. A presigned URL has the permissions of its signer. */
const FILE_ACTIONS: Readonly<Record<NonNullable<FileAccess>, readonly string[]>> = {
  read: ['GetObject'],
  write: ['PutObject', 'AbortMultipartUpload', 'GetObject'],
  discard: ['AbortMultipartUpload', 'DeleteObject'],
};

function fileStatements(
  access: NonNullable<FileAccess>,
  bucket: Resources['bucket'],
): PolicyStatement[] {
  const files = new PolicyStatement({
    actions: FILE_ACTIONS[access].map((action) => `s3:${action}`),
    resources: [bucket.arnForObjects(`${EXPORTS_PREFIX}*`)],
  });
  if (access !== 'discard') return [files];
  // S3 has no condition on the prefix of uploads that are listed.
  const uploads = new PolicyStatement({
    actions: ['s3:ListBucketMultipartUploads'],
    resources: [bucket.bucketArn],
  });
  return [files, uploads];
}

function snapshotStatements(
  access: NonNullable<SnapshotAccess>,
  bucket: Resources['bucket'],
): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: access === 'write' ? ['s3:GetObject', 's3:PutObject'] : ['s3:GetObject'],
      resources: [bucket.arnForObjects(`${SNAPSHOTS_PREFIX}*`)],
    }),
  ];
}

/** Files of imports are separated by what they are for, and so by prefixes. */
function importFileStatements(
  access: ImportFileAccess,
  bucket: Resources['bucket'],
): PolicyStatement[] {
  const kinds = Object.entries(access) as [keyof ImportFileAccess, readonly string[]][];
  const files = kinds.map(
    ([kind, actions]) =>
      new PolicyStatement({
        actions: actions.map((action) => `s3:${action}`),
        resources: [bucket.arnForObjects(`${IMPORT_PREFIXES[kind]}*`)],
      }),
  );
  const listed = kinds
    .filter(([, actions]) => actions.includes('DeleteObject'))
    .map(([kind]) => `${IMPORT_PREFIXES[kind]}*`);
  if (listed.length === 0) return files;
  const list = new PolicyStatement({
    actions: ['s3:ListBucket'],
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': listed } },
  });
  return [...files, list];
}

/** Returns the permission to read a secret by its name. */
export function secretStatement(scope: Construct, name: string): PolicyStatement {
  const arn = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    // Secrets Manager adds six characters to the name.
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arn] });
}

/** Acknowledges a wildcard in the ARN of a resource, which is of the stack's account and region. */
export function acknowledgeWildcard(
  scope: Construct,
  { service, resource, reason }: Readonly<Record<'service' | 'resource' | 'reason', string>>,
): void {
  const { partition, region, account } = Stack.of(scope);
  const named = (value: string, variable: string) =>
    Token.isUnresolved(value) ? `<AWS::${variable}>` : value;
  const owner = `${named(region, 'Region')}:${named(account, 'AccountId')}`;
  const arn = `arn:${named(partition, 'Partition')}:${service}:${owner}:${resource}`;
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${arn}]`, reason });
}

/** Acknowledges the wildcards of the prefixes that a function with access to files has. */
export function acknowledgeFilePrefix(
  scope: Construct,
  { files, snapshots, importFiles = {} }: FunctionContract,
  { node }: Resources['bucket'],
): void {
  const logicalId = Stack.of(scope).getLogicalId(node.defaultChild as CfnBucket);
  const kinds = Object.keys(importFiles) as (keyof ImportFileAccess)[];
  const prefixes = [
    files ? [EXPORTS_PREFIX] : [],
    snapshots ? [SNAPSHOTS_PREFIX] : [],
    kinds.map((kind) => IMPORT_PREFIXES[kind]),
  ].flat();
  for (const prefix of prefixes) {
    Validations.of(scope).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${logicalId}.Arn>/${prefix}*]`,
      reason:
        'Files have random names, and only functions that read or write them have access to this prefix.',
    });
  }
}
