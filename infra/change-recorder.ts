import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { KEY, RECORDED_PREFIXES } from '../shared/storage/table.ts';
import { BundledFunction, type BundledFunctionProps } from './bundled-function.ts';
import { CHANGE_RECORDER } from './endpoints.ts';
import { contractVariables } from './environment.ts';
import { contractStatements, type FunctionContract, type Resources } from './permissions.ts';

export interface ChangeRecorderProps extends Pick<BundledFunctionProps, 'settings' | 'bundles'> {
  readonly resources: Resources;
  /** ARN of the table's stream. */
  readonly streamArn: string;
}

const CONTRACT: FunctionContract = {
  // Gets the head and entries of logs.
  table: { actions: ['GetItem'], changeLog: ['PutItem', 'UpdateItem'] },
  environment: ['changesDays'],
};
/** Records of a batch: Lambda's maximum without a batching window is 10,000. */
const BATCH_SIZE = 1_000;

/**
 * Lambda function that appends which customers changed to the change logs, from the table's stream.
 *
 * A batch that fails is retried until it succeeds or its records expire, after a day: a dead-letter
 * queue would hold positions of records that are gone. An alarm on the age of the stream's records
 * goes off long before.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
export class ChangeRecorder extends BundledFunction {
  constructor(scope: Construct, id: string, props: ChangeRecorderProps) {
    const { settings, bundles, resources, streamArn } = props;
    super(scope, id, {
      settings,
      bundles,
      name: CHANGE_RECORDER,
      description: "Appends changes from the table's stream to the change logs",
      memorySize: 1_024,
      timeout: Duration.minutes(1),
      environment: contractVariables(CONTRACT, resources, settings),
      statements: [
        ...contractStatements(CONTRACT, resources),
        // Lambda's poller reads the stream as this function.
        new PolicyStatement({
          actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
          resources: [streamArn],
        }),
        // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html:
        // no resource type for this action, which Lambda requires.
        new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }),
      ],
    });
    new EventSourceMapping(this, 'Stream', {
      target: this.function,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: BATCH_SIZE,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      // The logs are items of the same table, and must not invoke the function.
      filters: RECORDED_PREFIXES.map((prefix) =>
        FilterCriteria.filter({
          dynamodb: { Keys: { [KEY.sort]: { S: FilterRule.beginsWith(prefix) } } },
        }),
      ),
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'dynamodb:ListStreams has no resource; it shows names of streams only.',
    });
  }
}
