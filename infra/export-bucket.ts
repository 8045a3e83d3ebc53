import { Duration, Validations } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  HttpMethods,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { EXPORTS_PREFIX, IMPORT_PREFIXES, SNAPSHOTS_PREFIX } from '../shared/environment.ts';
import { removalPolicy } from './retention.ts';
import type { Settings } from './settings.ts';

export interface ExportBucketProps {
  readonly settings: Settings;
}

/** S3 bucket of the files of exports and imports, and of snapshots of the customer index, which expire. */
export class ExportBucket extends Bucket {
  constructor(scope: Construct, id: string, { settings }: ExportBucketProps) {
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        { prefix: EXPORTS_PREFIX, expiration: Duration.days(1) },
        { prefix: SNAPSHOTS_PREFIX, expiration: Duration.days(1) },
        { prefix: IMPORT_PREFIXES.upload, expiration: Duration.days(1) },
        { prefix: IMPORT_PREFIXES.plan, expiration: Duration.days(1) },
        // A day more than imports can be undone: the first files are older than the end of a long one.
        { prefix: IMPORT_PREFIXES.undo, expiration: Duration.days(8) },
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      removalPolicy: removalPolicy(settings),
      // CloudFormation deletes empty buckets only.
      autoDeleteObjects: !settings.production,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        "The API's access log records every export and import; files expire and are read by functions, or read and sent by presigned URLs that are valid for 15 minutes. A log bucket would keep callers' IP addresses longer than that.",
    });
  }

  /** Lets pages of these origins fetch and send files (CORS), by presigned URLs. */
  allowOrigins(origins: readonly string[]): void {
    if (origins.length === 0) return;
    this.addCorsRule({
      allowedOrigins: [...origins],
      allowedMethods: [HttpMethods.GET, HttpMethods.HEAD, HttpMethods.PUT],
      allowedHeaders: ['*'],
      exposedHeaders: ['Content-Disposition', 'Content-Length', 'ETag'],
    });
  }
}
