import { ENVIRONMENT } from '../../shared/environment.ts';

/** Table and bucket that all contenders use. */
export const TABLE = 'customers';
const BUCKET = 'customer-exports';

/** What handlers, ours and others, are told by their environment. */
export function environmentOf(servers: { dynamodb: string; s3?: string }): Record<string, string> {
  return {
    [ENVIRONMENT.tableName]: TABLE,
    [ENVIRONMENT.bucketName]: BUCKET,
    [ENVIRONMENT.cursorSecret]: 'of the bench only',
    // Every export is made at once here, however many customers it has.
    [ENVIRONMENT.exportWorker]: 'none',
    [ENVIRONMENT.longExportRows]: '1000000000',
    AWS_REGION: 'eu-north-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_ENDPOINT_URL_DYNAMODB: servers.dynamodb,
    AWS_ENDPOINT_URL_S3: servers.s3 ?? servers.dynamodb,
  };
}
