import { Annotations, ArnFormat, Duration, Stack, Token, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { CUSTOMER_INDEX } from '../shared/storage/table.ts';
import { BundledFunction, type BundledFunctionProps } from './bundled-function.ts';
import { EXPORT_MEMORY_MB, reservedConcurrency } from './endpoint-function.ts';
import { EXPORT_WORKER } from './endpoints.ts';
import { contractVariables } from './environment.ts';
import {
  acknowledgeFilePrefix,
  contractStatements,
  type FunctionContract,
  type Resources,
} from './permissions.ts';
import { removalPolicy } from './retention.ts';

export interface ExportWorkerProps extends Pick<BundledFunctionProps, 'settings' | 'bundles'> {
  readonly resources: Resources;
}

const CONTRACT: FunctionContract = {
  table: {
    actions: ['Query', 'BatchGetItem'],
    indexes: [CUSTOMER_INDEX.name],
    exportJobs: ['UpdateItem'],
  },
  files: 'write',
};

/** Lambda's maximum for one invocation; the function ends each invocation itself, long before. */
const TIMEOUT = Duration.minutes(15);
/** Less than the day after which the bucket aborts an incomplete upload. */
const EXECUTION_TIMEOUT = Duration.hours(12);
/** Lambda's minimum: the input of an export contains the text that was searched for. */
const RETENTION = Duration.days(1);

/** Durable Lambda function that continues exports that take longer than the API waits. */
export class ExportWorker extends BundledFunction {
  /** The alias to invoke it by: a durable execution stays with the version that started it. */
  readonly alias: Alias;

  constructor(scope: Construct, id: string, { settings, bundles, resources }: ExportWorkerProps) {
    // Its policy has to name the function before it exists.
    const functionName = `customer-register-${settings.stage}-${EXPORT_WORKER}`;
    const arn = Stack.of(scope).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    super(scope, id, {
      settings,
      bundles,
      name: EXPORT_WORKER,
      description: 'Continues exports that take longer than the API waits',
      functionName,
      memorySize: EXPORT_MEMORY_MB,
      timeout: TIMEOUT,
      ...reservedConcurrency(CONTRACT, settings),
      durableConfig: { executionTimeout: EXECUTION_TIMEOUT, retentionPeriod: RETENTION },
      currentVersionOptions: { removalPolicy: removalPolicy(settings) },
      environment: contractVariables(CONTRACT, resources),
      statements: [
        ...contractStatements(CONTRACT, resources),
        new PolicyStatement({
          actions: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
          // Executions belong to a version, whose number increases with each deployment.
          resources: [`${arn}:*`],
        }),
      ],
    });
    acknowledgeFilePrefix(this, resources.bucket);
    const { partition, region, account } = Stack.of(scope);
    const named = (value: string, variable: string) =>
      Token.isUnresolved(value) ? `<AWS::${variable}>` : value;
    Validations.of(this).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:${named(partition, 'Partition')}:lambda:${named(region, 'Region')}:${named(account, 'AccountId')}:function:${functionName}:*]`,
      reason: 'Executions of this one function, whose versions have no fixed numbers.',
    });
    // The notice warns of making an existing function durable; this one is durable from the start.
    Annotations.of(this.function).acknowledgeInfo('aws-lambda:Function.DurableConfig');
    this.alias = this.function.addAlias('live');
  }
}
