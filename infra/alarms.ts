import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { type ITableV2, Operation } from 'aws-cdk-lib/aws-dynamodb';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { AlarmEmails } from './alarm-emails.ts';
import type { BundledFunction } from './bundled-function.ts';
import type { CustomerApi } from './customer-api.ts';
import type { Settings } from './settings.ts';

type AlarmedTable = Pick<
  ITableV2,
  'metricSystemErrorsForOperations' | 'metricThrottledRequestsForOperations'
>;

export interface AlarmsProps {
  readonly api: CustomerApi;
  readonly table: AlarmedTable;
  /** Functions behind the API. */
  readonly functions: readonly BundledFunction[];
  /** Trigger that adds the merchant to tokens, if the stack has a user pool. */
  readonly tokenTrigger?: BundledFunction | undefined;
  readonly exportWorker: BundledFunction;
  readonly importPlanner: BundledFunction;
  readonly importWorker: BundledFunction;
  readonly endFailedJob: BundledFunction;
  readonly changeRecorder: BundledFunction;
  readonly snapshotBuilder: BundledFunction;
  /** Who is notified; without an address or a topic, alarms are visible in CloudWatch only. */
  readonly settings: Pick<Settings, 'alarmEmail' | 'alarmTopicArn' | 'stage'>;
}

/** Heading of the runbook that an alarm's description links to. The alarms of functions share two. */
export type RunbookHeading =
  | 'FunctionErrors'
  | 'FunctionLatency'
  | 'TokenTriggerErrors'
  | 'TokenTriggerLatency'
  | 'ApiErrors'
  | 'Unauthorized'
  | 'Forbidden'
  | 'Throttled'
  | 'LongExportFailures'
  | 'ExportsDropped'
  | 'ExportsWaiting'
  | 'ExportWorkerErrors'
  | 'ImportFailures'
  | 'ImportWorkerErrors'
  | 'EndFailedJobErrors'
  | 'ChangeRecorderErrors'
  | 'ChangesLate'
  | 'ChangesAtRisk'
  | 'SnapshotBuilderErrors'
  | 'FunctionThrottles'
  | 'TableThrottles'
  | 'TableErrors';

/** An alarm, and what a graph shows of it. */
export interface WatchedAlarm {
  readonly heading: RunbookHeading;
  readonly alarm: Alarm;
  /** Name of the metric in a graph: what the alarm is about. */
  readonly label: string;
}

type AlarmRule = Pick<AlarmProps, 'metric' | 'threshold'> &
  Partial<Pick<AlarmProps, 'evaluationPeriods'>> & {
    /** What has happened; the link to the runbook follows. */
    readonly description: string;
    /** @default - the alarm's id */
    readonly heading?: RunbookHeading;
    /** @default - the alarm's id */
    readonly label?: string;
  };

export const PERIOD = Duration.minutes(5);
const SUM = { statistic: 'Sum', period: PERIOD };
/** How long a long export may wait for its worker; half of what it waits at most. */
const MAX_WAIT = Duration.minutes(5);
/**
 * Statuses of the access log whose surges raise an alarm: responses within a period. API Gateway's
 * own metric counts all 4xx together, and 404 is no failure.
 */
const SURGES: readonly (readonly [id: RunbookHeading, status: number, threshold: number])[] = [
  ['Unauthorized', 401, 200],
  ['Forbidden', 403, 200],
  ['Throttled', 429, 100],
];
/** Alarms that roll a deployment back; CloudFormation takes at most five. */
const ROLLBACK_TRIGGERS: readonly RunbookHeading[] = [
  'ApiErrors',
  'LongExportFailures',
  'TokenTriggerErrors',
];
/** DynamoDB operations of all functions; an alarm's expression takes at most 10 metrics. */
const TABLE_OPERATIONS = [
  Operation.BATCH_GET_ITEM,
  Operation.DELETE_ITEM,
  Operation.GET_ITEM,
  Operation.PUT_ITEM,
  Operation.QUERY,
  Operation.TRANSACT_WRITE_ITEMS,
  Operation.UPDATE_ITEM,
];

/**
 * Alarms on what callers notice: errors, throttling and latency. Each function has alarms of its
 * own, so that their number grows with the endpoints and an alarm's name says which one fails. The
 * description of an alarm links to its heading in the runbook.
 *
 * @see shared/decisions/2026-11-25-alarms-per-function.md
 */
export class Alarms extends Construct {
  private readonly actions: readonly SnsAction[];
  private readonly alarms: WatchedAlarm[] = [];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { api, table, functions, tokenTrigger, settings } = props;
    const { exportWorker, importPlanner, importWorker, endFailedJob } = props;
    const { changeRecorder, snapshotBuilder } = props;
    const { alarmEmail, alarmTopicArn } = settings;
    const topics = [
      ...(alarmTopicArn ? [Topic.fromTopicArn(this, 'Topic', alarmTopicArn)] : []),
      ...(alarmEmail ? [new AlarmEmails(this, 'Emails', { address: alarmEmail })] : []),
    ];
    this.actions = topics.map((topic) => new SnsAction(topic));
    for (const each of functions) {
      this.addFunctionAlarms(each, each.node.id, ['FunctionErrors', 'FunctionLatency']);
    }
    if (tokenTrigger) this.addFunctionAlarms(tokenTrigger, 'TokenTrigger');
    this.addFunctionAlarms(exportWorker, 'ExportWorker');
    this.addFunctionAlarms(importPlanner, 'ImportPlanner', ['ImportWorkerErrors']);
    this.addFunctionAlarms(importWorker, 'ImportWorker');
    this.addFunctionAlarms(endFailedJob, 'EndFailedJob');
    this.addFunctionAlarms(changeRecorder, 'ChangeRecorder');
    this.addFunctionAlarms(snapshotBuilder, 'SnapshotBuilder');
    this.addApiAlarms(api, settings.stage);
    this.addExportAlarms(exportWorker.function);
    this.addImportAlarms([importPlanner.function, importWorker.function]);
    this.addChangeAlarms(changeRecorder.function);
    this.addThrottleAlarm();
    this.addTableAlarms(table);
  }

  /** Alarms that roll a deployment back: on failures that a defect of the new version causes. */
  get rollbackTriggers(): Alarm[] {
    return ROLLBACK_TRIGGERS.flatMap((heading) => this.of(heading)).map(({ alarm }) => alarm);
  }

  /** Returns all alarms, or those of a heading of the runbook. */
  of(heading?: RunbookHeading): WatchedAlarm[] {
    return this.alarms.filter((each) => !heading || each.heading === heading);
  }

  private addFunctionAlarms(
    { description, function: handler, latencyThreshold }: BundledFunction,
    id: string,
    [errors, latency]: readonly RunbookHeading[] = [
      `${id}Errors`,
      `${id}Latency`,
    ] as RunbookHeading[],
  ): void {
    this.add(`${id}Errors`, {
      description: `${description}: the function crashed or timed out`,
      heading: errors as RunbookHeading,
      label: description,
      metric: handler.metricErrors({ period: PERIOD }),
      threshold: 1,
    });
    if (!latencyThreshold) return;
    const { p99Ms, periods } = latencyThreshold;
    this.add(`${id}Latency`, {
      description: `${description}: p99 latency of ${p99Ms} ms or more for ${periods * PERIOD.toMinutes()} minutes`,
      heading: latency as RunbookHeading,
      label: description,
      metric: handler.metricDuration({ statistic: 'p99', period: PERIOD }),
      threshold: p99Ms,
      evaluationPeriods: periods,
    });
  }

  private addApiAlarms(api: CustomerApi, stage: string): void {
    this.add('ApiErrors', {
      description: 'The API returned five or more 5xx responses within five minutes',
      metric: api.metricServerError(SUM),
      threshold: 5,
    });
    for (const [id, status, threshold] of SURGES) {
      const filter = new MetricFilter(this, `${id}Responses`, {
        logGroup: api.accessLogs,
        // API Gateway logs the status as a string.
        filterPattern: FilterPattern.stringValue('$.status', '=', String(status)),
        metricNamespace: `CustomerRegister/${stage}`,
        metricName: `${status}`,
        metricValue: '1',
      });
      this.add(id, {
        description: `The API returned ${threshold} or more responses of ${status} within five minutes`,
        label: String(status),
        metric: filter.metric(SUM),
        threshold,
      });
    }
  }

  /**
   * @see https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html
   * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   */
  private addExportAlarms(worker: LambdaFunction): void {
    this.add('LongExportFailures', {
      description: 'A long export failed, timed out or was stopped',
      metric: new MathExpression({
        expression: 'SUM([failed, timedOut, stopped])',
        usingMetrics: {
          failed: worker.metric('DurableExecutionFailed', SUM),
          timedOut: worker.metric('DurableExecutionTimedOut', SUM),
          stopped: worker.metric('DurableExecutionStopped', SUM),
        },
        period: PERIOD,
      }),
      threshold: 1,
    });
    this.add('ExportsDropped', {
      description: 'A long export did not begin, and was dropped',
      metric: worker.metric('AsyncEventsDropped', SUM),
      threshold: 1,
    });
    this.add('ExportsWaiting', {
      description: 'A long export has waited five minutes for its worker',
      metric: worker.metric('AsyncEventAge', { statistic: 'Maximum', period: PERIOD }),
      threshold: MAX_WAIT.toMilliseconds(),
    });
  }

  /** Executions that are dead, or did not begin: their imports wait for their callers to continue them. */
  private addImportAlarms(workers: readonly LambdaFunction[]): void {
    const names = [
      'DurableExecutionFailed',
      'DurableExecutionTimedOut',
      'DurableExecutionStopped',
      'AsyncEventsDropped',
    ];
    const metrics = workers.flatMap((worker, index) =>
      names.map((name) => [
        `${name.charAt(0).toLowerCase()}${name.slice(1)}${index}`,
        worker.metric(name, SUM),
      ]),
    );
    const usingMetrics = Object.fromEntries(metrics);
    this.add('ImportFailures', {
      description: 'An import in the background failed, was stopped or did not begin',
      metric: new MathExpression({
        expression: `SUM([${Object.keys(usingMetrics).join(', ')}])`,
        usingMetrics,
        period: PERIOD,
      }),
      threshold: 1,
    });
  }

  /**
   * The age of the oldest record of the table's stream when the function gets it. Records are gone
   * after a day, with the changes that they tell of.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   */
  private addChangeAlarms(recorder: LambdaFunction): void {
    const age = (period: Duration) =>
      recorder.metric('IteratorAge', { statistic: 'Maximum', period });
    this.add('ChangesLate', {
      description: 'Changes were recorded a minute late or more for three minutes',
      metric: age(Duration.minutes(1)),
      threshold: Duration.minutes(1).toMilliseconds(),
      evaluationPeriods: 3,
    });
    this.add('ChangesAtRisk', {
      description: 'Changes were recorded an hour late or more; after a day they are lost',
      metric: age(PERIOD),
      threshold: Duration.hours(1).toMilliseconds(),
    });
  }

  /** All functions of an account and region share its concurrency, so that all of them count. */
  private addThrottleAlarm(): void {
    this.add('FunctionThrottles', {
      description:
        "Lambda rejected calls: the account's concurrency, or a function's reserved one, is used up",
      metric: LambdaFunction.metricAllThrottles(SUM),
      threshold: 1,
    });
  }

  private addTableAlarms(table: AlarmedTable): void {
    const operations = { operations: TABLE_OPERATIONS, period: PERIOD };
    this.add('TableThrottles', {
      description: 'DynamoDB throttled ten or more requests within five minutes',
      metric: table.metricThrottledRequestsForOperations(operations),
      threshold: 10,
    });
    this.add('TableErrors', {
      description: 'DynamoDB returned five or more system errors within five minutes',
      metric: table.metricSystemErrorsForOperations(operations),
      threshold: 5,
    });
  }

  private add(id: string, rule: AlarmRule): void {
    const { description, heading = id as RunbookHeading, label = id, ...condition } = rule;
    const alarm = new Alarm(this, id, {
      alarmDescription: `${description}. Runbook: infra/runbook.md#${heading.toLowerCase()}`,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...condition,
    });
    alarm.addAlarmAction(...this.actions);
    alarm.addOkAction(...this.actions);
    this.alarms.push({ heading, alarm, label });
  }
}
