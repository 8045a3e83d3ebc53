import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { EXPORTS_PREFIX } from '../shared/environment.ts';
import {
  CUSTOMER_INDEX,
  IDENTITY_NUMBER_INDEX,
  KEY,
  TTL_ATTRIBUTE,
} from '../shared/storage/table.ts';
import type { Settings } from './settings.ts';

/** What becomes of data when its stack is deleted: production's stays. */
export function removalPolicy({ production }: Settings): RemovalPolicy {
  return production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}

/** The table that holds the customers, in the shape of `shared/table.ts`. */
export function addTable(scope: Construct, settings: Settings): Table {
  const partitionKey = { name: KEY.partition, type: AttributeType.STRING };
  const table = new Table(scope, 'Customers', {
    partitionKey,
    sortKey: { name: KEY.sort, type: AttributeType.STRING },
    timeToLiveAttribute: TTL_ATTRIBUTE,
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.AWS_MANAGED,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: settings.production,
    removalPolicy: removalPolicy(settings),
  });
  table.addGlobalSecondaryIndex({
    indexName: CUSTOMER_INDEX.name,
    partitionKey,
    sortKey: { name: CUSTOMER_INDEX.sortKey, type: AttributeType.NUMBER },
    projectionType: ProjectionType.INCLUDE,
    nonKeyAttributes: [...CUSTOMER_INDEX.projected],
  });
  table.addGlobalSecondaryIndex({
    indexName: IDENTITY_NUMBER_INDEX.name,
    partitionKey,
    sortKey: { name: IDENTITY_NUMBER_INDEX.sortKey, type: AttributeType.STRING },
    projectionType: ProjectionType.KEYS_ONLY,
  });
  return table;
}

/** The bucket that holds export files for a day. */
export function addBucket(scope: Construct, settings: Settings): Bucket {
  const bucket = new Bucket(scope, 'Exports', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    lifecycleRules: [
      { prefix: EXPORTS_PREFIX, expiration: Duration.days(1) },
      { abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
    removalPolicy: removalPolicy(settings),
    // CloudFormation deletes empty buckets only.
    autoDeleteObjects: !settings.production,
  });
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      "The API's access log tells of every export; files live for a day and are read by presigned addresses of 15 minutes. A log bucket would keep callers' IP addresses longer than that.",
  });
  const { stack, node } = bucket;
  const logicalId = stack.getLogicalId(node.defaultChild as CfnBucket);
  Validations.of(scope).acknowledge({
    id: `AwsSolutions-IAM5[Resource::<${logicalId}.Arn>/${EXPORTS_PREFIX}*]`,
    reason:
      'Export files have random names, and only the export functions may reach what is under this prefix.',
  });
  return bucket;
}
