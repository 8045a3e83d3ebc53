import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
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
import { Construct } from 'constructs';
import { alarmTopics } from './alarm-topics.ts';
import type { BundledFunction } from './bundled-function.ts';
import type { ExportWorker } from './export-worker.ts';
import type { Settings } from './settings.ts';

type AlarmedTable = Pick<
  ITableV2,
  'metricSystemErrorsForOperations' | 'metricThrottledRequestsForOperations'
>;

export interface AlarmsProps {
  readonly api: HttpApi;
  readonly table: AlarmedTable;
  /** Every function but the export worker. */
  readonly functions: readonly BundledFunction[];
  readonly exportWorker: ExportWorker;
  /** Who is notified; without an address or a topic, alarms are visible in CloudWatch only. */
  readonly settings: Pick<Settings, 'alarmEmail' | 'alarmTopicArn'>;
}

type AlarmRule = Pick<AlarmProps, 'alarmDescription' | 'metric' | 'threshold'> &
  Partial<Pick<AlarmProps, 'evaluationPeriods'>>;

const PERIOD = Duration.minutes(5);
/** Ids of alarms; CloudFormation takes at most five. */
const ROLLBACK_TRIGGERS = ['ApiErrors', 'LongExportFailures', 'AddTokenClaimsErrors'];
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
 * own, so that their number grows with the endpoints and an alarm's name says which one fails.
 *
 * @see shared/decisions/2026-11-25-alarms-per-function.md
 */
export class Alarms extends Construct {
  private readonly actions: readonly SnsAction[];
  private readonly alarms = new Map<string, Alarm>();

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { api, table, functions, exportWorker, settings } = props;
    this.actions = alarmTopics(this, settings).map((topic) => new SnsAction(topic));
    for (const each of [...functions, exportWorker]) this.addFunctionAlarms(each);
    this.addApiAlarm(api);
    this.addExportAlarm(exportWorker);
    this.addThrottleAlarm();
    this.addTableAlarms(table);
  }

  /** Alarms that roll a deployment back: on failures that a defect of the new version causes. */
  get rollbackTriggers(): Alarm[] {
    return ROLLBACK_TRIGGERS.flatMap((id) => this.alarms.get(id) ?? []);
  }

  private addFunctionAlarms(watched: BundledFunction): void {
    const { description, function: handler, latencyThreshold, node } = watched;
    this.add(`${node.id}Errors`, {
      alarmDescription: `${description}: the function crashed or timed out; its log has the cause`,
      metric: handler.metricErrors({ period: PERIOD }),
      threshold: 1,
    });
    if (!latencyThreshold) return;
    const { p99Ms, periods } = latencyThreshold;
    this.add(`${node.id}Latency`, {
      alarmDescription: `${description}: p99 latency of ${p99Ms} ms or more for ${periods * PERIOD.toMinutes()} minutes`,
      metric: handler.metricDuration({ statistic: 'p99', period: PERIOD }),
      threshold: p99Ms,
      evaluationPeriods: periods,
    });
  }

  private addApiAlarm(api: HttpApi): void {
    this.add('ApiErrors', {
      alarmDescription: 'The API returned five 5xx responses within five minutes',
      metric: api.metricServerError({ statistic: 'Sum', period: PERIOD }),
      threshold: 5,
    });
  }

  /** @see https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html */
  private addExportAlarm({ function: worker }: ExportWorker): void {
    const sum = { statistic: 'Sum', period: PERIOD };
    this.add('LongExportFailures', {
      alarmDescription: 'A long export failed for good; the log of the export worker has the cause',
      metric: new MathExpression({
        expression: 'SUM([failed, timedOut])',
        usingMetrics: {
          failed: worker.metric('DurableExecutionFailed', sum),
          timedOut: worker.metric('DurableExecutionTimedOut', sum),
        },
        period: PERIOD,
      }),
      threshold: 1,
    });
  }

  /** All functions of an account and region share its concurrency, so that all of them count. */
  private addThrottleAlarm(): void {
    this.add('FunctionThrottles', {
      alarmDescription: "Lambda rejected calls: the account's concurrency is used up",
      metric: LambdaFunction.metricAllThrottles({ statistic: 'Sum', period: PERIOD }),
      threshold: 1,
    });
  }

  private addTableAlarms(table: AlarmedTable): void {
    const operations = { operations: TABLE_OPERATIONS, period: PERIOD };
    this.add('TableThrottles', {
      alarmDescription: 'DynamoDB throttled ten requests within five minutes',
      metric: table.metricThrottledRequestsForOperations(operations),
      threshold: 10,
    });
    this.add('TableErrors', {
      alarmDescription: 'DynamoDB returned five system errors within five minutes',
      metric: table.metricSystemErrorsForOperations(operations),
      threshold: 5,
    });
  }

  private add(id: string, rule: AlarmRule): void {
    const alarm = new Alarm(this, id, {
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...rule,
    });
    this.alarms.set(id, alarm);
    alarm.addAlarmAction(...this.actions);
    alarm.addOkAction(...this.actions);
  }
}
