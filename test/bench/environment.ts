import { IMPORT_PLANNER, IMPORT_WORKER } from '../../infra/endpoints.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';

/** Table of all contenders. */
export const TABLE = 'customers';
/** Bucket of all contenders. */
export const BUCKET = 'customer-exports';

/** Returns the environment variables of all contenders' handlers. */
export function environmentOf(servers: { dynamodb: string; s3?: string }): Record<string, string> {
  return {
    [ENVIRONMENT.tableName]: TABLE,
    [ENVIRONMENT.bucketName]: BUCKET,
    [ENVIRONMENT.cursorSecret]: 'of the benchmark only',
    // Every export completes in its request, however large it is.
    [ENVIRONMENT.exportWorker]: 'none',
    [ENVIRONMENT.importPlanner]: IMPORT_PLANNER,
    [ENVIRONMENT.importWorker]: IMPORT_WORKER,
    [ENVIRONMENT.longExportRows]: '1000000000',
    [ENVIRONMENT.snapshotBuilder]: 'none',
    [ENVIRONMENT.changesDays]: '90',
    [ENVIRONMENT.changesEpoch]: '1',
    AWS_REGION: 'eu-north-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_ENDPOINT_URL_DYNAMODB: servers.dynamodb,
    AWS_ENDPOINT_URL_S3: servers.s3 ?? servers.dynamodb,
  };
}
