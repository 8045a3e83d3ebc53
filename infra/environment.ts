import { Fn } from 'aws-cdk-lib';
import { LONG_EXPORT_ROWS, SNAPSHOT_FROM_ID } from '../shared/domain/limits.ts';
import { ENVIRONMENT } from '../shared/environment.ts';
import { FILE_NODE_OPTIONS } from './node-options.ts';
import type { FunctionContract, Resources } from './permissions.ts';
import type { Settings } from './settings.ts';

type Variables = Readonly<Record<string, string>>;

/** Returns the variables with the names of the token's claims that the settings choose. */
export function claimVariables({ claims }: Settings): Variables {
  return {
    ...(claims.merchant && { [ENVIRONMENT.merchantClaim]: claims.merchant }),
    ...(claims.service && { [ENVIRONMENT.serviceClaim]: claims.service }),
    ...(claims.module && { [ENVIRONMENT.moduleClaim]: claims.module }),
  };
}

/** Returns the variable with the host name that callers use, if CloudFront is in front of the API. */
export function hostVariables({ edge }: Settings): Variables {
  return edge ? { [ENVIRONMENT.publicHost]: edge.name } : {};
}

/**
 * Returns the variables that a contract requires.
 *
 * @throws Error that names a variable which the stack has no value for.
 */
export function contractVariables(
  { files, snapshots, importFiles, starts, environment = [] }: FunctionContract,
  resources: Resources,
  settings: Settings,
): Variables {
  return {
    [ENVIRONMENT.tableName]: resources.table.tableName,
    ...((files || snapshots || importFiles) && {
      [ENVIRONMENT.bucketName]: resources.bucket.bucketName,
    }),
    ...((files === 'write' || importFiles?.upload) && { NODE_OPTIONS: FILE_NODE_OPTIONS }),
    ...(starts &&
      resources.workers && { [ENVIRONMENT[starts]]: resources.workers[starts].functionArn }),
    ...(starts === 'exportWorker' && { [ENVIRONMENT.longExportRows]: String(LONG_EXPORT_ROWS) }),
    ...(snapshots && { [ENVIRONMENT.snapshotFromId]: String(SNAPSHOT_FROM_ID) }),
    ...(snapshots === 'read' &&
      resources.snapshotBuilder && {
        [ENVIRONMENT.snapshotBuilder]: resources.snapshotBuilder.functionArn,
      }),
    ...Object.fromEntries(
      environment.map((name) => [ENVIRONMENT[name], variableValue(name, resources, settings)]),
    ),
  };
}

function variableValue(
  name: keyof typeof ENVIRONMENT,
  { table }: Resources,
  { changesDays, changesEpoch }: Settings,
): string {
  if (name === 'changesDays') return String(changesDays);
  if (name === 'changesEpoch') return String(changesEpoch);
  if (name !== 'cursorSecret') {
    throw new Error(`A contract requires the variable ${name}, which the stack has no value for`);
  }
  // The UUID in the stack's id (arn:…:stack/name/uuid). It keeps callers from forging cursors. No
  // data depends on it: keys are built from the token's merchant, so that a forged cursor would
  // reach the caller's own customers only.
  return Fn.select(2, Fn.split('/', table.stack.stackId));
}
