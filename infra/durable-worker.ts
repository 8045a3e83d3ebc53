import { Annotations, ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Alias, CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { CUSTOMER_INDEX, LOOK_UP_INDEX_NAMES, LOOK_UP_INDEXES } from '../shared/storage/table.ts';
import { BundledFunction, type BundledFunctionProps } from './bundled-function.ts';
import { LONG_EXPORT_TIMEOUT_HOURS } from './capacity.ts';
import { EXPORT_MEMORY_MB, reservedConcurrency } from './endpoint-function.ts';
import { EXPORT_WORKER, IMPORT_PLANNER, IMPORT_WORKER } from './endpoints.ts';
import { contractVariables } from './environment.ts';
import {
  acknowledgeFilePrefix,
  acknowledgeWildcard,
  contractStatements,
  type FunctionContract,
  type Resources,
} from './permissions.ts';
import { removalPolicy } from './retention.ts';

export interface DurableWorkerProps extends Pick<BundledFunctionProps, 'settings' | 'bundles'> {
  readonly worker: Worker;
  readonly resources: Resources;
  /** Topic to which Lambda publishes the input of executions that are dead or did not begin. */
  readonly deadLetters: ITopic;
}

/** A durable function: its folder in `functions/`, and what it may do. */
interface Worker {
  readonly name: string;
  readonly description: string;
  readonly contract: FunctionContract;
}

const LOOK_UPS_OF_IMPORTS = [LOOK_UP_INDEXES.customerid.name, LOOK_UP_INDEXES.companyno.name];

/** The durable functions. That which plans imports cannot write customers. */
export const WORKERS = {
  exportWorker: {
    name: EXPORT_WORKER,
    description: 'Continues exports that take longer than the API waits',
    contract: {
      table: {
        actions: ['Query', 'BatchGetItem'],
        indexes: [CUSTOMER_INDEX.name, ...LOOK_UP_INDEX_NAMES],
        exportJobs: ['UpdateItem'],
      },
      files: 'write',
      snapshots: 'read',
    },
  },
  importPlanner: {
    name: IMPORT_PLANNER,
    description: 'Plans imports of large files',
    contract: {
      table: {
        actions: ['GetItem', 'Query', 'BatchGetItem'],
        indexes: LOOK_UPS_OF_IMPORTS,
        importJobs: ['UpdateItem'],
      },
      importFiles: {
        upload: ['GetObject', 'DeleteObject'],
        plan: ['GetObject', 'PutObject', 'DeleteObject'],
      },
    },
  },
  importWorker: {
    name: IMPORT_WORKER,
    description: 'Applies and undoes large imports',
    contract: {
      table: {
        actions: [
          'GetItem',
          'BatchGetItem',
          'PutItem',
          'UpdateItem',
          'DeleteItem',
          'ConditionCheckItem',
        ],
        indexes: LOOK_UPS_OF_IMPORTS,
      },
      importFiles: { plan: ['GetObject'], undo: ['GetObject', 'PutObject'] },
    },
  },
} as const satisfies Readonly<Record<string, Worker>>;

/** Lambda's maximum for one invocation; the function ends each invocation itself, long before. */
const TIMEOUT = Duration.minutes(15);
const EXECUTION_TIMEOUT = Duration.hours(LONG_EXPORT_TIMEOUT_HOURS);
/**
 * How long an export may wait to begin, if the worker is throttled. Less than `WORK_STALLED_S`, after
 * which its job reads as failed.
 */
const MAX_WAIT = Duration.minutes(10);
/** Lambda's minimum: the input of an export contains the text that was searched for. */
const RETENTION = Duration.days(1);

/** Durable Lambda function: its work continues after a crash, and after the 15 minutes of an invocation. */
export class DurableWorker extends BundledFunction {
  /** The alias to invoke it by: a durable execution stays with the version that started it. */
  readonly alias: Alias;

  constructor(scope: Construct, id: string, props: DurableWorkerProps) {
    const { settings, bundles, worker, resources, deadLetters } = props;
    const { name, description, contract } = worker;
    // Its policy has to name the function before it exists.
    const functionName = `customer-register-${settings.stage}-${name}`;
    const arn = Stack.of(scope).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    super(scope, id, {
      settings,
      bundles,
      name,
      description,
      functionName,
      memorySize: EXPORT_MEMORY_MB,
      timeout: TIMEOUT,
      ...reservedConcurrency(contract, settings),
      durableConfig: { executionTimeout: EXECUTION_TIMEOUT, retentionPeriod: RETENTION },
      currentVersionOptions: { removalPolicy: removalPolicy(settings) },
      environment: contractVariables(contract, resources, settings),
      statements: [
        ...contractStatements(contract, resources),
        new PolicyStatement({
          actions: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
          // Executions belong to a version, whose number increases with each deployment.
          resources: [`${arn}:*`],
        }),
        new PolicyStatement({ actions: ['sns:Publish'], resources: [deadLetters.topicArn] }),
      ],
    });
    acknowledgeFilePrefix(this, contract, resources.bucket);
    acknowledgeWildcard(this, {
      service: 'lambda',
      resource: `function:${functionName}:*`,
      reason: 'Executions of this one function, whose versions have no fixed numbers.',
    });
    // The notice warns of making an existing function durable; this one is durable from the start.
    Annotations.of(this.function).acknowledgeInfo('aws-lambda:Function.DurableConfig');
    // Not a destination, which durable functions do not support:
    // https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking.html
    // Not the construct's property either, which adds a policy to the role's own.
    (this.function.node.defaultChild as CfnFunction).deadLetterConfig = {
      targetArn: deadLetters.topicArn,
    };
    this.alias = this.function.addAlias('live');
    this.alias.configureAsyncInvoke({ maxEventAge: MAX_WAIT });
  }
}
