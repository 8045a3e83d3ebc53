import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type HorizontalAnnotation,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  type MetricOptions,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { CUSTOMER_INDEX, LOOK_UP_INDEX_NAMES } from '../shared/storage/table.ts';
import { type Alarms, PERIOD, type RunbookHeading } from './alarms.ts';
import type { BundledFunction } from './bundled-function.ts';
import type { CustomerApi } from './customer-api.ts';
import type { Settings } from './settings.ts';

export interface DashboardProps {
  readonly settings: Pick<Settings, 'stage'>;
  readonly api: CustomerApi;
  readonly table: Pick<
    ITableV2,
    'tableName' | 'metricConsumedReadCapacityUnits' | 'metricConsumedWriteCapacityUnits'
  >;
  /** Functions behind the API. */
  readonly functions: readonly BundledFunction[];
  readonly tokenTrigger?: BundledFunction | undefined;
  readonly exportWorker: BundledFunction;
  readonly changeRecorder: BundledFunction;
  readonly snapshotBuilder: BundledFunction;
  readonly alarms: Alarms;
}

/** A graph: its metrics, and the alarms whose metric and threshold it shows. */
interface Graph {
  readonly title: string;
  readonly metrics?: readonly IMetric[];
  readonly alarms?: readonly RunbookHeading[];
}

/** Widgets in a row. */
const COLUMNS = 3;
const WIDTH = 24 / COLUMNS;
const SUM = { statistic: 'Sum', period: PERIOD };
const MAXIMUM = { statistic: 'Maximum', period: PERIOD };
const INDEXES = [CUSTOMER_INDEX.name, ...LOOK_UP_INDEX_NAMES];

/** Dashboard of a deployment. Thresholds of alarms are drawn as lines in the graphs of their metrics. */
export class Dashboard extends Construct {
  private readonly alarms: Alarms;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { settings, tokenTrigger, exportWorker, alarms } = props;
    this.alarms = alarms;
    const graphs: Graph[] = [
      ...apiGraphs(props.api),
      ...functionGraphs(props.functions),
      ...tableGraphs(props.table),
      ...exportGraphs(exportWorker.function),
      { title: 'Imports in the background', alarms: ['ImportFailures', 'ImportWorkerErrors'] },
      ...changeGraphs(props.changeRecorder.function),
      ...snapshotGraphs(props.snapshotBuilder.function),
      ...(tokenTrigger ? tokenTriggerGraphs(tokenTrigger.function) : []),
    ];
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: `customer-register-${settings.stage}`,
      widgets: [
        [
          new AlarmStatusWidget({
            title: 'Alarms',
            alarms: alarms.of().map(({ alarm }) => alarm),
            width: 24,
            height: 4,
          }),
        ],
        ...rowsOf(graphs.map((graph) => this.widget(graph))),
      ],
    });
  }

  private widget({ title, metrics = [], alarms = [] }: Graph): IWidget {
    const watched = alarms.flatMap((heading) => this.alarms.of(heading));
    return new GraphWidget({
      title,
      width: WIDTH,
      period: PERIOD,
      left: [...metrics, ...watched.map(({ alarm, label }) => labelled(alarm.metric, label))],
      leftAnnotations: unique(watched.map(({ alarm }) => alarm.toAnnotation())),
      leftYAxis: { min: 0, showUnits: false },
    });
  }
}

function apiGraphs(api: CustomerApi): Graph[] {
  return [
    { title: 'Calls', metrics: [api.metricCount({ ...SUM, label: 'calls' })] },
    {
      title: 'Errors of the API',
      metrics: [api.metricClientError({ ...SUM, label: '4xx' })],
      alarms: ['ApiErrors'],
    },
    { title: '401, 403 and 429', alarms: ['Unauthorized', 'Forbidden', 'Throttled'] },
    {
      title: 'Latency of the API (ms)',
      metrics: ['p50', 'p99'].map((statistic) =>
        api.metricLatency({ statistic, period: PERIOD, label: statistic }),
      ),
    },
  ];
}

function functionGraphs(functions: readonly BundledFunction[]): Graph[] {
  const each = (metric: (handler: LambdaFunction, options: MetricOptions) => Metric) =>
    functions.map(({ function: handler, description }) =>
      metric(handler, { period: PERIOD, label: description }),
    );
  return [
    {
      title: 'Calls by endpoint',
      metrics: each((handler, options) => handler.metricInvocations(options)),
    },
    { title: 'Errors by endpoint', alarms: ['FunctionErrors'] },
    {
      title: 'p50 by endpoint (ms)',
      metrics: each((handler, options) => handler.metricDuration({ ...options, statistic: 'p50' })),
    },
    { title: 'p99 by endpoint (ms)', alarms: ['FunctionLatency'] },
    { title: 'Throttles of the account', alarms: ['FunctionThrottles'] },
    {
      title: 'Concurrent executions',
      metrics: [
        LambdaFunction.metricAllConcurrentExecutions({ ...MAXIMUM, label: 'account' }),
        ...each((handler, options) =>
          handler.metric('ConcurrentExecutions', { ...options, statistic: 'Maximum' }),
        ),
      ],
    },
  ];
}

function tableGraphs(table: DashboardProps['table']): Graph[] {
  const ofIndexes = (metricName: string) =>
    INDEXES.map(
      (index) =>
        new Metric({
          namespace: 'AWS/DynamoDB',
          metricName,
          dimensionsMap: { TableName: table.tableName, GlobalSecondaryIndexName: index },
          label: index,
          ...SUM,
        }),
    );
  return [
    {
      title: 'Read units',
      metrics: [
        table.metricConsumedReadCapacityUnits({ ...SUM, label: 'table' }),
        ...ofIndexes('ConsumedReadCapacityUnits'),
      ],
    },
    {
      title: 'Write units',
      metrics: [
        table.metricConsumedWriteCapacityUnits({ ...SUM, label: 'table' }),
        ...ofIndexes('ConsumedWriteCapacityUnits'),
      ],
    },
    { title: 'Throttles of the table', alarms: ['TableThrottles'] },
    { title: 'Errors of the table', alarms: ['TableErrors'] },
  ];
}

function exportGraphs(worker: LambdaFunction): Graph[] {
  return [
    {
      title: 'Long exports',
      metrics: [
        worker.metric('DurableExecutionStarted', { ...SUM, label: 'started' }),
        worker.metric('DurableExecutionSucceeded', { ...SUM, label: 'succeeded' }),
        worker.metric('ApproximateRunningDurableExecutions', { ...MAXIMUM, label: 'running' }),
      ],
    },
    {
      title: 'Failures of long exports',
      alarms: ['LongExportFailures', 'ExportsDropped', 'ExportWorkerErrors', 'EndFailedJobErrors'],
    },
    { title: 'Wait of long exports (ms)', alarms: ['ExportsWaiting'] },
  ];
}

function changeGraphs(recorder: LambdaFunction): Graph[] {
  return [
    {
      title: 'Recorder of changes',
      metrics: [recorder.metricInvocations({ ...SUM, label: 'runs' })],
      alarms: ['ChangeRecorderErrors'],
    },
    { title: 'Age of changes as they are recorded (ms)', alarms: ['ChangesLate', 'ChangesAtRisk'] },
  ];
}

function snapshotGraphs(builder: LambdaFunction): Graph[] {
  return [
    {
      title: 'Builder of snapshots',
      metrics: [builder.metricInvocations({ ...SUM, label: 'runs' })],
      alarms: ['SnapshotBuilderErrors'],
    },
  ];
}

function tokenTriggerGraphs(trigger: LambdaFunction): Graph[] {
  return [
    {
      title: 'Token trigger',
      metrics: [trigger.metricInvocations({ ...SUM, label: 'calls' })],
      alarms: ['TokenTriggerErrors'],
    },
    { title: 'p99 of the token trigger (ms)', alarms: ['TokenTriggerLatency'] },
  ];
}

function labelled(metric: IMetric, label: string): IMetric {
  return metric instanceof Metric || metric instanceof MathExpression
    ? metric.with({ label })
    : metric;
}

/** Functions share thresholds, which a graph shows once. */
function unique(annotations: readonly HorizontalAnnotation[]): HorizontalAnnotation[] {
  return [...new Map(annotations.map((each) => [`${each.value} ${each.label}`, each])).values()];
}

function rowsOf(widgets: readonly IWidget[]): IWidget[][] {
  const rows = Math.ceil(widgets.length / COLUMNS);
  return Array.from({ length: rows }, (_, row) =>
    widgets.slice(row * COLUMNS, (row + 1) * COLUMNS),
  );
}
