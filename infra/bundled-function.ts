import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  type CfnFunction,
  Code,
  type FunctionOptions,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { logRetention, removalPolicy } from './retention.ts';
import type { Settings } from './settings.ts';

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html */
const TRACING = new PolicyStatement({
  actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  resources: ['*'],
});

/** Latency at which an alarm goes off. */
export interface LatencyThreshold {
  /** 99th percentile of the durations within five minutes. */
  readonly p99Ms: number;
  /** Number of consecutive periods of five minutes. */
  readonly periods: number;
}

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
  /** @default - no alarm, for a function that no caller waits for */
  readonly latencyThreshold?: LatencyThreshold;
}

/**
 * Lambda function from a folder in `functions/`, with a role and a log group of its own.
 *
 * @see shared/decisions/2026-11-25-least-privilege-by-hand.md
 */
export class BundledFunction extends Construct {
  readonly name: string;
  readonly description: string;
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;
  readonly latencyThreshold: LatencyThreshold | undefined;

  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    super(scope, id);
    const { settings, bundles, name, statements = [], latencyThreshold, ...options } = props;
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
            ...(settings.tracing ? [TRACING] : []),
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
      applicationLogLevelV2: ApplicationLogLevel[settings.logLevel],
    });
    if (settings.tracing) this.enableTracing();
    this.name = name;
    this.logGroup = logGroup;
    this.description = props.description;
    this.latencyThreshold = latencyThreshold;
  }

  /** The construct's own property would add a policy beside the function's. */
  private enableTracing(): void {
    (this.function.node.defaultChild as CfnFunction).tracingConfig = { mode: Tracing.ACTIVE };
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'The actions of AWS X-Ray that write traces have no resources.',
    });
  }
}
