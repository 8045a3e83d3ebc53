import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  MathExpression,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { type ITableV2, Operation } from 'aws-cdk-lib/aws-dynamodb';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { BundledFunction } from './bundled-function.ts';
import type { EndpointFunction } from './endpoint-function.ts';
import type { ExportWorker } from './export-worker.ts';

type AlarmedTable = Pick<
  ITableV2,
  'metricSystemErrorsForOperations' | 'metricThrottledRequestsForOperations'
>;

export interface AlarmsProps {
  readonly api: HttpApi;
  readonly table: AlarmedTable;
  readonly endpoints: readonly EndpointFunction[];
  readonly unknownRoute: BundledFunction;
  readonly exportWorker: ExportWorker;
  /** ARN of the SNS topic to notify; without it, alarms are visible in CloudWatch only. */
  readonly topicArn?: string | undefined;
}

type AlarmRule = Pick<AlarmProps, 'alarmDescription' | 'metric' | 'threshold'> &
  Partial<Pick<AlarmProps, 'evaluationPeriods'>>;

const PERIOD = Duration.minutes(5);
/** DynamoDB operations of all functions; an alarm's expression takes at most 10 metrics. */
const TABLE_OPERATIONS = [
  Operation.BATCH_GET_ITEM,
  Operation.DELETE_ITEM,
  Operation.GET_ITEM,
  Operation.PUT_ITEM,
  Operation.QUERY,
  Operation.UPDATE_ITEM,
];

/** Alarms on what callers notice: errors, throttling and latency. */
export class Alarms extends Construct {
  private readonly action: SnsAction | undefined;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { api, table, exportWorker, topicArn } = props;
    this.action = topicArn ? new SnsAction(Topic.fromTopicArn(this, 'Topic', topicArn)) : undefined;
    this.addFunctionAlarms(props);
    this.addApiAlarm(api);
    this.addExportAlarm(exportWorker);
    this.addThrottleAlarm();
    this.addTableAlarms(table);
  }

  private addFunctionAlarms({ endpoints, unknownRoute, exportWorker }: AlarmsProps): void {
    const exports = endpoints.filter(({ endpoint }) => endpoint.files === 'write');
    const others = endpoints.filter((each) => !exports.includes(each));
    this.add('EndpointErrors', {
      alarmDescription: 'A function crashed or timed out; its log has the cause',
      metric: errors([...others, unknownRoute]),
      threshold: 1,
    });
    this.add('ExportErrors', {
      alarmDescription: 'An export crashed or timed out; its log has the cause',
      metric: errors([...exports, exportWorker]),
      threshold: 1,
    });
    this.add('EndpointLatency', {
      alarmDescription: 'p99 latency of an endpoint was 3 seconds or more for 15 minutes',
      metric: maximumLatency([...others, unknownRoute]),
      threshold: 3_000,
      evaluationPeriods: 3,
    });
    this.add('ExportLatency', {
      alarmDescription: 'p99 latency of an export was close to its timeout of 29 seconds',
      metric: maximumLatency(exports),
      threshold: 25_000,
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
    if (!this.action) return;
    alarm.addAlarmAction(this.action);
    alarm.addOkAction(this.action);
  }
}

function errors(functions: readonly BundledFunction[]): MathExpression {
  return combine('SUM', functions, (handler) => handler.metricErrors({ period: PERIOD }));
}

function maximumLatency(functions: readonly BundledFunction[]): MathExpression {
  return combine('MAX', functions, (handler) =>
    handler.metricDuration({ statistic: 'p99', period: PERIOD }),
  );
}

/** Combines a metric of several functions; an alarm's expression takes at most 10 metrics. */
function combine(
  combination: 'SUM' | 'MAX',
  functions: readonly BundledFunction[],
  metricOf: (handler: LambdaFunction) => Metric,
): MathExpression {
  const usingMetrics = Object.fromEntries(
    functions.map((each, index) => [`m${index}`, metricOf(each.function)]),
  );
  return new MathExpression({
    expression: `${combination}([${Object.keys(usingMetrics)}])`,
    usingMetrics,
    period: PERIOD,
  });
}
