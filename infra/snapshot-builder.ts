import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ENVIRONMENT } from '../shared/environment.ts';
import { CUSTOMER_INDEX } from '../shared/storage/table.ts';
import { BundledFunction, type BundledFunctionProps } from './bundled-function.ts';
import { EXPORT_MEMORY_MB, reservedConcurrency } from './endpoint-function.ts';
import { SNAPSHOT_BUILDER } from './endpoints.ts';
import { contractVariables } from './environment.ts';
import {
  acknowledgeFilePrefix,
  contractStatements,
  type FunctionContract,
  type Resources,
} from './permissions.ts';
import type { SnapshotSchedules } from './snapshot-schedules.ts';

export interface SnapshotBuilderProps extends Pick<BundledFunctionProps, 'settings' | 'bundles'> {
  readonly resources: Resources;
  readonly schedules: SnapshotSchedules;
}

const CONTRACT: FunctionContract = {
  table: {
    actions: ['BatchGetItem', 'GetItem', 'Query'],
    indexes: [CUSTOMER_INDEX.name],
    snapshots: ['UpdateItem'],
  },
  snapshots: 'write',
};

/** As long as the builder's claim (`write-pointer.ts`); a million customers take half a minute. */
const TIMEOUT = Duration.minutes(10);
/** A build that waits longer is started again by the next search. */
const MAX_WAIT = Duration.minutes(5);

/**
 * Lambda function that builds snapshots of the customer index. Functions that search invoke it
 * asynchronously. A build that fails is not retried: the next search starts another. It also creates the
 * schedules that snapshots need.
 */
export class SnapshotBuilder extends BundledFunction {
  constructor(scope: Construct, id: string, props: SnapshotBuilderProps) {
    const { settings, bundles, resources, schedules } = props;
    super(scope, id, {
      settings,
      bundles,
      name: SNAPSHOT_BUILDER,
      description: 'Builds snapshots of the customer index',
      memorySize: EXPORT_MEMORY_MB,
      timeout: TIMEOUT,
      ...reservedConcurrency(CONTRACT, settings),
      environment: {
        ...contractVariables(CONTRACT, resources, settings),
        [ENVIRONMENT.scheduleGroup]: schedules.groupName,
        [ENVIRONMENT.scheduleRole]: schedules.role.roleArn,
      },
      statements: [...contractStatements(CONTRACT, resources), ...schedules.statements],
    });
    acknowledgeFilePrefix(this, CONTRACT, resources.bucket);
    schedules.acknowledge(this);
    this.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: MAX_WAIT });
  }
}
