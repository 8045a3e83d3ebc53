import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { required } from '../../environment.ts';
import { TABLE_NAME } from '../dynamodb.ts';
import { HEARTBEAT_KEY, HEARTBEAT_TIME } from '../table.ts';
import { BUCKET_NAME } from './snapshot-files.ts';
import { DELETION_DELAY_MS, SNAPSHOT_LIFETIME_MS } from './snapshot-lifetime.ts';

/*
 * Schedules of EventBridge Scheduler, which call DynamoDB and S3 without a function. Each ends by itself
 * and is deleted then, so that without snapshots there is none.
 */

const SCHEDULE_GROUP = required('scheduleGroup');
/** Role of the schedules; its ARN begins with `arn:<partition>:`. */
const SCHEDULE_ROLE = required('scheduleRole');
/** Replaced by the scheduler. An item that stays as it is has no record in the stream. */
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';

const scheduler = new SchedulerClient({});

/**
 * Has a heartbeat written each minute for as long as a snapshot that is built now may be used. A later
 * call moves the end on; a deployment has one such schedule.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
export async function keepHeartbeats(): Promise<void> {
  const { pk, sk } = HEARTBEAT_KEY;
  const schedule = scheduleOf('heartbeat', {
    ScheduleExpression: 'rate(1 minute)',
    EndDate: new Date(Date.now() + SNAPSHOT_LIFETIME_MS + DELETION_DELAY_MS),
    operation: 'dynamodb:putItem',
    input: {
      TableName: TABLE_NAME,
      Item: { pk: { S: pk }, sk: { S: sk }, [HEARTBEAT_TIME]: { S: SCHEDULED_TIME } },
    },
    // The next one comes within a minute.
    RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
  });
  try {
    await scheduler.send(new UpdateScheduleCommand(schedule));
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    await createSchedule(schedule);
  }
}

/**
 * Has a snapshot's file deleted when it may not be used any more. Called before the file is written, so
 * that there is none that stays.
 *
 * @param builtMs when building began, in milliseconds since 1970.
 */
export async function deleteInTime(key: string, builtMs: number): Promise<void> {
  const time = new Date(builtMs + SNAPSHOT_LIFETIME_MS + DELETION_DELAY_MS);
  await createSchedule(
    scheduleOf(`delete-${key.split('/').at(-1)}`, {
      ScheduleExpression: `at(${time.toISOString().slice(0, -'.000Z'.length)})`,
      operation: 's3:deleteObject',
      input: { Bucket: BUCKET_NAME, Key: key },
    }),
  );
}

interface ScheduleOptions extends Pick<CreateScheduleCommandInput, 'EndDate'> {
  readonly ScheduleExpression: string;
  /** Service and operation of the SDK. */
  readonly operation: string;
  readonly input: object;
  /** Default: retries for a day. */
  readonly RetryPolicy?: NonNullable<CreateScheduleCommandInput['Target']>['RetryPolicy'];
}

function scheduleOf(
  Name: string,
  { operation, input, RetryPolicy, ...schedule }: ScheduleOptions,
): CreateScheduleCommandInput {
  const [arn, partition] = SCHEDULE_ROLE.split(':');
  return {
    ...schedule,
    Name,
    GroupName: SCHEDULE_GROUP,
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'DELETE',
    Target: {
      Arn: `${arn}:${partition}:scheduler:::aws-sdk:${operation}`,
      RoleArn: SCHEDULE_ROLE,
      Input: JSON.stringify(input),
      RetryPolicy,
    },
  };
}

/** Creates a schedule, unless another build or an attempt before has. */
async function createSchedule(schedule: CreateScheduleCommandInput): Promise<void> {
  try {
    await scheduler.send(new CreateScheduleCommand(schedule));
  } catch (error) {
    if ((error as Error).name !== 'ConflictException') throw error;
  }
}
