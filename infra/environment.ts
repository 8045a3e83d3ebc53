import { Fn } from 'aws-cdk-lib';
import { LONG_EXPORT_ROWS } from '../shared/domain/limits.ts';
import { ENVIRONMENT } from '../shared/environment.ts';
import type { Endpoint } from './endpoints.ts';
import { EXPORT_NODE_OPTIONS } from './node-options.ts';
import type { Storage } from './permissions.ts';
import type { Settings } from './settings.ts';

/** Names of the token's claims, where the settings choose them, for every function. */
export function claimVariables({ claims }: Settings): Record<string, string> {
  return {
    ...(claims.merchant && { [ENVIRONMENT.merchantClaim]: claims.merchant }),
    ...(claims.service && { [ENVIRONMENT.serviceClaim]: claims.service }),
    ...(claims.module && { [ENVIRONMENT.moduleClaim]: claims.module }),
  };
}

/** Where a function finds the table and, where it deals with export files, the bucket. */
export function storageVariables(
  { table, bucket }: Storage,
  files: Endpoint['files'],
): Record<string, string> {
  return {
    [ENVIRONMENT.tableName]: table.tableName,
    ...(files && { [ENVIRONMENT.bucketName]: bucket.bucketName }),
    ...(files === 'write' && { NODE_OPTIONS: EXPORT_NODE_OPTIONS }),
  };
}

/**
 * What one endpoint's function is told beside that.
 *
 * @param worker ARN of the export worker's alias.
 */
export function endpointVariables(
  endpoint: Endpoint,
  storage: Storage,
  worker: string,
): Record<string, string> {
  return {
    ...storageVariables(storage, endpoint.files),
    ...(endpoint.startsExportJobs && {
      [ENVIRONMENT.exportWorker]: worker,
      [ENVIRONMENT.longExportRows]: String(LONG_EXPORT_ROWS),
    }),
    // The key of cursors is the UUID in the stack's id
    // (arn:…:stack/name/uuid). It keeps callers from making cursors up, no more: what a cursor can
    // reach is the caller's own in any case, since keys are built from the token's merchant.
    ...(endpoint.environment?.includes('cursorSecret') && {
      [ENVIRONMENT.cursorSecret]: Fn.select(2, Fn.split('/', storage.table.stack.stackId)),
    }),
  };
}
