import { Duration } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { BundledFunction, type BundledFunctionProps } from './bundled-function.ts';
import { END_FAILED_JOB } from './endpoints.ts';
import { contractVariables } from './environment.ts';
import {
  acknowledgeFilePrefix,
  contractStatements,
  type FunctionContract,
  type Resources,
} from './permissions.ts';

export interface EndFailedJobProps extends Pick<BundledFunctionProps, 'settings' | 'bundles'> {
  readonly resources: Resources;
}

const CONTRACT: FunctionContract = {
  table: { actions: ['GetItem'], exportJobs: ['UpdateItem'], importJobs: ['UpdateItem'] },
  files: 'discard',
};

/**
 * Lambda function that ends long exports and imports whose worker is dead, and the topic that tells it.
 *
 * @see shared/decisions/2026-11-29-dead-letters-of-exports.md
 */
export class EndFailedJob extends BundledFunction {
  /** Dead-letter topic of the durable functions. */
  readonly deadLetters: Topic;

  constructor(scope: Construct, id: string, { settings, bundles, resources }: EndFailedJobProps) {
    super(scope, id, {
      settings,
      bundles,
      name: END_FAILED_JOB,
      description: 'Ends long exports and imports whose worker is dead',
      memorySize: 512,
      // All attempts of its requests, with the waits between them.
      timeout: Duration.minutes(1),
      environment: contractVariables(CONTRACT, resources, settings),
      statements: contractStatements(CONTRACT, resources),
    });
    acknowledgeFilePrefix(this, CONTRACT, resources.bucket);
    this.deadLetters = new Topic(this, 'DeadLetters', { enforceSSL: true });
    this.deadLetters.addSubscription(new LambdaSubscription(this.function));
  }
}
