import { join } from 'node:path';
import type { Duration } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  type DurableConfig,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  type VersionOptions,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { CAPACITY } from './capacity.ts';
import type { Settings } from './settings.ts';
import { removalPolicy } from './storage.ts';

/** What sets a function apart from the others. */
interface FunctionProperties {
  readonly description: string;
  readonly memorySize: number;
  readonly timeout: Duration;
  /** Whether it writes export files, which takes long, so that it may not run too often at once. */
  readonly makesFiles?: boolean;
  readonly environment: Record<string, string>;
  /** Only where the function has to know its own ARN before it is made. */
  readonly functionName?: string;
  /** Makes it a durable function. */
  readonly durableConfig?: DurableConfig;
  readonly currentVersionOptions?: VersionOptions;
  /** What it may do beside logging. */
  readonly statements: readonly PolicyStatement[];
}

/**
 * A Lambda function made of a file in `functions/`, with a role and a log group of its own.
 *
 * @param name of the file, without its ending.
 */
export function addFunction(
  scope: Construct,
  name: string,
  settings: Settings,
  { statements, makesFiles, ...properties }: FunctionProperties,
): LambdaFunction {
  const logGroup = addLogGroup(scope, `${name}-logs`, settings);
  const role = new Role(scope, `${name}-role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      function: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [logGroup.logGroupArn],
          }),
          ...statements,
        ],
      }),
    },
  });
  return new LambdaFunction(scope, name, {
    ...properties,
    // Only production reserves: an account must have 100 executions left that nobody has reserved,
    // and a new one may not have as many.
    ...(makesFiles &&
      settings.production && { reservedConcurrentExecutions: CAPACITY.exportConcurrency }),
    code: Code.fromAsset(join(settings.bundles, name)),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    role,
    logGroup,
    loggingFormat: LoggingFormat.JSON,
  });
}

/** A log group that forgets after one month, or after three in production. */
export function addLogGroup(scope: Construct, id: string, settings: Settings): LogGroup {
  return new LogGroup(scope, id, {
    retention: settings.production ? RetentionDays.THREE_MONTHS : RetentionDays.ONE_MONTH,
    removalPolicy: removalPolicy(settings),
  });
}
