import { Stack, Validations } from 'aws-cdk-lib';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnBucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { SNAPSHOTS_PREFIX } from '../shared/environment.ts';
import { HEARTBEAT_KEY, HEARTBEAT_TIME } from '../shared/storage/table.ts';
import { acknowledgeWildcard } from './permissions.ts';

export interface SnapshotSchedulesProps {
  readonly table: Pick<ITableV2, 'tableArn'>;
  readonly bucket: Pick<IBucket, 'arnForObjects' | 'node'>;
}

/**
 * Group and role of the schedules that the builder of snapshots creates: one that writes a heartbeat each
 * minute, whose record in the table's stream shows whether the change log is late, and one for each
 * snapshot that deletes its file. They end by themselves, and are deleted with the group.
 *
 * @see shared/decisions/2026-11-29-schedules-of-snapshots.md
 */
export class SnapshotSchedules extends Construct {
  readonly groupName: string;
  readonly role: Role;
  readonly #group: CfnScheduleGroup;

  constructor(scope: Construct, id: string, { table, bucket }: SnapshotSchedulesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.#group = new CfnScheduleGroup(this, 'Group');
    this.groupName = this.#group.ref;
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
      inlinePolicies: {
        schedules: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['dynamodb:PutItem'],
              resources: [table.tableArn],
              conditions: {
                'ForAllValues:StringEquals': {
                  'dynamodb:LeadingKeys': [HEARTBEAT_KEY.pk],
                  'dynamodb:Attributes': [...Object.keys(HEARTBEAT_KEY), HEARTBEAT_TIME],
                },
              },
            }),
            new PolicyStatement({
              actions: ['s3:DeleteObject'],
              resources: [bucket.arnForObjects(`${SNAPSHOTS_PREFIX}*`)],
            }),
          ],
        }),
      },
    });
    const bucketId = stack.getLogicalId(bucket.node.defaultChild as CfnBucket);
    Validations.of(this).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${SNAPSHOTS_PREFIX}*]`,
      reason: 'Snapshots have random names, and each is deleted in time.',
    });
  }

  /** Acknowledges the wildcard in the builder's statements. */
  acknowledge(builder: Construct): void {
    const groupId = Stack.of(this).getLogicalId(this.#group);
    acknowledgeWildcard(builder, {
      service: 'scheduler',
      resource: `schedule/<${groupId}>/*`,
      reason: 'The group has no schedules but those of snapshots, and each has a name of its own.',
    });
  }

  /** Returns what the builder of snapshots may do with schedules. */
  get statements(): PolicyStatement[] {
    return [
      new PolicyStatement({
        actions: ['scheduler:CreateSchedule', 'scheduler:UpdateSchedule'],
        resources: [
          Stack.of(this).formatArn({
            service: 'scheduler',
            resource: 'schedule',
            resourceName: `${this.groupName}/*`,
          }),
        ],
      }),
      new PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [this.role.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      }),
    ];
  }
}
