import { Fn } from 'aws-cdk-lib';
import { ENVIRONMENT } from '../shared/config.ts';
import type { Endpoint, Storage } from './permissions.ts';
import type { Settings } from './settings.ts';

/** Names of the token's claims, where the settings choose them, for every function. */
export function claimVariables({ claims }: Settings): Record<string, string> {
  return {
    ...(claims.merchant && { [ENVIRONMENT.merchantClaim]: claims.merchant }),
    ...(claims.service && { [ENVIRONMENT.serviceClaim]: claims.service }),
    ...(claims.module && { [ENVIRONMENT.moduleClaim]: claims.module }),
  };
}

/** What one endpoint's function is told beside that. */
export function endpointVariables(
  route: Endpoint,
  { table, bucket }: Storage,
): Record<string, string> {
  return {
    [ENVIRONMENT.tableName]: table.tableName,
    ...(route.exports && { [ENVIRONMENT.bucketName]: bucket.bucketName }),
    // The only endpoint with cursors. Their key is the UUID in the stack's id
    // (arn:…:stack/name/uuid). It keeps callers from making cursors up, no more: what a cursor can
    // reach is the caller's own in any case, since keys are built from the token's merchant.
    ...(route.function === 'list-customers' && {
      [ENVIRONMENT.cursorSecret]: Fn.select(2, Fn.split('/', table.stack.stackId)),
    }),
  };
}
