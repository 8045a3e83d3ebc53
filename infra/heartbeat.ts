import { Stack } from 'aws-cdk-lib';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { HEARTBEAT_KEY } from '../shared/storage/table.ts';

export interface HeartbeatProps {
  readonly table: Pick<ITableV2, 'tableArn' | 'tableName'>;
}

/** Replaced by the scheduler. An item that stays as it is has no record in the stream. */
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';
const ATTRIBUTE = 'scheduled';

/**
 * Schedule that writes an item each minute, without a function. Its record in the table's stream shows
 * whether the change log is late.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
export class Heartbeat extends Construct {
  constructor(scope: Construct, id: string, { table }: HeartbeatProps) {
    super(scope, id);
    const { account, partition } = Stack.of(this);
    const { pk, sk } = HEARTBEAT_KEY;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
      inlinePolicies: {
        heartbeat: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['dynamodb:PutItem'],
              resources: [table.tableArn],
              conditions: {
                'ForAllValues:StringEquals': {
                  'dynamodb:LeadingKeys': [pk],
                  'dynamodb:Attributes': [...Object.keys(HEARTBEAT_KEY), ATTRIBUTE],
                },
              },
            }),
          ],
        }),
      },
    });
    new CfnSchedule(this, 'Schedule', {
      description: 'Writes an item whose stream record shows whether the change log is late',
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: `arn:${partition}:scheduler:::aws-sdk:dynamodb:putItem`,
        roleArn: role.roleArn,
        input: JSON.stringify({
          TableName: table.tableName,
          Item: { pk: { S: pk }, sk: { S: sk }, [ATTRIBUTE]: { S: SCHEDULED_TIME } },
        }),
        // The next one comes within a minute.
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
  }
}
