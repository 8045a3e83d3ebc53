import { join } from 'node:path';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  type FunctionOptions,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { logRetention, removalPolicy } from './retention.ts';
import type { Settings } from './settings.ts';

export interface BundledFunctionProps
  extends Pick<
    FunctionOptions,
    | 'currentVersionOptions'
    | 'durableConfig'
    | 'functionName'
    | 'memorySize'
    | 'reservedConcurrentExecutions'
    | 'timeout'
  > {
  readonly settings: Settings;
  /** Folder with the bundles of all functions. */
  readonly bundles: string;
  /** Name of its folder in `functions/` and in `bundles`. */
  readonly name: string;
  readonly description: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** All that it may do besides logging. */
  readonly statements?: readonly PolicyStatement[];
}

/**
 * Lambda function from a folder in `functions/`, with a role and a log group of its own.
 *
 * @see shared/decisions/2026-11-25-least-privilege-by-hand.md
 */
export class BundledFunction extends Construct {
  readonly name: string;
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    super(scope, id);
    const { settings, bundles, name, statements = [], ...options } = props;
    const logGroup = new LogGroup(this, 'Logs', {
      retention: logRetention(settings),
      removalPolicy: removalPolicy(settings),
    });
    const role = new Role(this, 'Role', {
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
    this.function = new LambdaFunction(this, 'Function', {
      ...options,
      code: Code.fromAsset(join(bundles, name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    });
    this.name = name;
  }
}
