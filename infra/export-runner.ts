import { Annotations, ArnFormat, Duration, Stack, Validations } from 'aws-cdk-lib';
import type { Alias, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { EXPORT_WORKER } from './endpoints.ts';
import { storageVariables } from './environment.ts';
import { addFunction } from './functions.ts';
import { type Storage, statementsOfWorker } from './permissions.ts';
import type { Settings } from './settings.ts';
import { removalPolicy } from './storage.ts';

/** Lambda's longest, for one run; the function ends each run itself, long before. */
const RUN_TIMEOUT = Duration.minutes(15);
/** The bucket gives an unfinished upload up after a day. */
const EXECUTION_TIMEOUT = Duration.hours(12);
/** The order of an export holds what was searched for, so that it is kept as short as can be. */
const RETENTION = Duration.days(1);

/** The function and the alias under which it is called. */
interface ExportRunner {
  readonly handler: IFunction;
  readonly alias: Alias;
}

/** The durable function that goes on with exports too long for the API. */
export function addExportRunner(
  scope: Construct,
  settings: Settings,
  storage: Storage,
  memorySize: number,
): ExportRunner {
  const functionName = `customer-register-${settings.stage}-${EXPORT_WORKER}`;
  const arn = Stack.of(scope).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: functionName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const handler = addFunction(scope, EXPORT_WORKER, settings, {
    description: 'Goes on with exports that take longer than the API waits',
    functionName,
    memorySize,
    timeout: RUN_TIMEOUT,
    makesFiles: true,
    durableConfig: { executionTimeout: EXECUTION_TIMEOUT, retentionPeriod: RETENTION },
    // An execution stays with the version that began it, also while another is deployed.
    currentVersionOptions: { removalPolicy: removalPolicy(settings) },
    environment: storageVariables(storage, 'write'),
    statements: statementsOfWorker(storage, arn),
  });
  Validations.of(scope).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:${functionName}:*]`,
    reason: 'These are the executions of the one function, whose versions have no fixed numbers.',
  });
  // It has been durable from its first deployment on.
  Annotations.of(handler).acknowledgeInfo('aws-lambda:Function.DurableConfig');
  return { handler, alias: handler.addAlias('live') };
}
