import { Fn } from 'aws-cdk-lib';
import { LONG_EXPORT_ROWS } from '../shared/domain/limits.ts';
import { ENVIRONMENT } from '../shared/environment.ts';
import { EXPORT_NODE_OPTIONS } from './node-options.ts';
import { type Endpoint, handsOver, type Storage } from './permissions.ts';
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
  exports: Endpoint['exports'],
): Record<string, string> {
  return {
    [ENVIRONMENT.tableName]: table.tableName,
    ...(exports && { [ENVIRONMENT.bucketName]: bucket.bucketName }),
    ...(exports === 'write' && { NODE_OPTIONS: EXPORT_NODE_OPTIONS }),
  };
}

/**
 * What one endpoint's function is told beside that.
 *
 * @param runner ARN of the export runner's alias.
 */
export function endpointVariables(
  route: Endpoint,
  storage: Storage,
  runner: string,
): Record<string, string> {
  return {
    ...storageVariables(storage, route.exports),
    ...(handsOver(route) && {
      [ENVIRONMENT.exportRunner]: runner,
      [ENVIRONMENT.longExportRows]: String(LONG_EXPORT_ROWS),
    }),
    // The only endpoint with cursors. Their key is the UUID in the stack's id
    // (arn:…:stack/name/uuid). It keeps callers from making cursors up, no more: what a cursor can
    // reach is the caller's own in any case, since keys are built from the token's merchant.
    ...(route.function === 'list-customers' && {
      [ENVIRONMENT.cursorSecret]: Fn.select(2, Fn.split('/', storage.table.stack.stackId)),
    }),
  };
}
