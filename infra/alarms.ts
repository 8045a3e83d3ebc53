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
import { Operation, type Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** What is watched. Exports take long by nature, so that they are watched apart. */
interface Watched {
  readonly api: HttpApi;
  readonly table: Table;
  readonly endpoints: readonly IFunction[];
  readonly exporters: readonly IFunction[];
  readonly exportRunner: IFunction;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html */
const FAILED_EXECUTIONS = ['DurableExecutionFailed', 'DurableExecutionTimedOut'];
const PERIOD = Duration.minutes(5);
/** Operations the functions call; see `permissions.ts`. */
const OPERATIONS = [
  Operation.BATCH_GET_ITEM,
  Operation.DELETE_ITEM,
  Operation.GET_ITEM,
  Operation.PUT_ITEM,
  Operation.QUERY,
  Operation.UPDATE_ITEM,
];

/** Alarms on what callers notice: failures, throttling, and answers that take too long. */
export function addAlarms(scope: Construct, { alarmTopicArn }: Settings, watched: Watched): void {
  const alarms = Object.entries(rules(watched)).map(
    ([id, rule]) =>
      new Alarm(scope, id, {
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
        ...rule,
      }),
  );
  if (!alarmTopicArn) return;
  const action = new SnsAction(Topic.fromTopicArn(scope, 'AlarmTopic', alarmTopicArn));
  for (const alarm of alarms) {
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
}

type Rule = Pick<AlarmProps, 'alarmDescription' | 'metric' | 'threshold'> &
  Partial<Pick<AlarmProps, 'evaluationPeriods'>>;

function rules({ api, table, endpoints, exporters, exportRunner }: Watched): Record<string, Rule> {
  const ofTable = { operations: OPERATIONS, period: PERIOD };
  return {
    ApiErrors: {
      alarmDescription: 'The API answered 5xx five times within five minutes',
      metric: api.metricServerError({ statistic: 'Sum', period: PERIOD }),
      threshold: 5,
    },
    EndpointErrors: {
      alarmDescription: 'A function crashed or ran out of time; its log says why',
      metric: errors(endpoints),
      threshold: 1,
    },
    ExportErrors: {
      alarmDescription: 'An export crashed or ran out of time; its log says why',
      metric: errors([...exporters, exportRunner]),
      threshold: 1,
    },
    LongExportFailures: {
      alarmDescription: 'A long export was given up; its log says why',
      metric: combined('SUM', FAILED_EXECUTIONS, (name) =>
        exportRunner.metric(name, { statistic: 'Sum', period: PERIOD }),
      ),
      threshold: 1,
    },
    EndpointLatency: {
      alarmDescription: 'One in a hundred calls of an endpoint took 3 seconds, for 15 minutes',
      metric: slowest(endpoints),
      threshold: 3_000,
      evaluationPeriods: 3,
    },
    ExportLatency: {
      alarmDescription: 'An export came close to the 29 seconds it has',
      metric: slowest(exporters),
      threshold: 25_000,
    },
    FunctionThrottles: {
      alarmDescription: "Lambda turned calls away: the account's concurrency is used up",
      // The functions of one account and region share their concurrency, so all of them count.
      metric: LambdaFunction.metricAllThrottles({
        statistic: 'Sum',
        period: PERIOD,
      }),
      threshold: 1,
    },
    TableThrottles: {
      alarmDescription: 'DynamoDB throttled ten requests within five minutes',
      metric: table.metricThrottledRequestsForOperations(ofTable),
      threshold: 10,
    },
    TableErrors: {
      alarmDescription: 'DynamoDB failed five times within five minutes',
      metric: table.metricSystemErrorsForOperations(ofTable),
      threshold: 5,
    },
  };
}

function errors(functions: readonly IFunction[]): MathExpression {
  return combined('SUM', functions, (each) => each.metricErrors({ period: PERIOD }));
}

function slowest(functions: readonly IFunction[]): MathExpression {
  return combined('MAX', functions, (each) =>
    each.metricDuration({ statistic: 'p99', period: PERIOD }),
  );
}

/** Several metrics as one, such as one of several functions; an alarm takes at most ten. */
function combined<T>(
  how: 'SUM' | 'MAX',
  all: readonly T[],
  metricOf: (each: T) => Metric,
): MathExpression {
  const usingMetrics = Object.fromEntries(all.map((each, index) => [`m${index}`, metricOf(each)]));
  return new MathExpression({
    expression: `${how}([${Object.keys(usingMetrics)}])`,
    usingMetrics,
    period: PERIOD,
  });
}
