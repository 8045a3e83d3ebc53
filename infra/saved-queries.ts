import { type ILogGroup, QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

export interface SavedQueriesProps {
  readonly settings: Pick<Settings, 'stage'>;
  readonly accessLogs: ILogGroup;
  /** Whether the access log has the merchant of a request. */
  readonly hasMerchant: boolean;
  readonly functionLogs: readonly ILogGroup[];
}

type Query = Partial<ConstructorParameters<typeof QueryString>[0]>;

/** Queries of the access log by request, route and status. */
const OF_REQUESTS: Readonly<Record<string, Query>> = {
  'Slowest routes': {
    statsStatements: [
      'count(*) as calls, pct(latencyMs, 50) as p50, pct(latencyMs, 99) as p99, max(latencyMs) as slowest by routeKey',
    ],
    sort: 'p99 desc',
  },
  'Failed requests': {
    fields: ['time', 'routeKey', 'status', 'requestId', 'integrationError', 'error'],
    filterStatements: ['status like /^5/'],
    sort: '@timestamp desc',
    limit: 100,
  },
  'Reasons of 401 and 403': {
    filterStatements: ['status in ["401", "403"]'],
    statsStatements: ['count(*) as calls by status, error, authorizerError, routeKey'],
    sort: 'calls desc',
  },
};

/** Queries of the access log that need the merchant in it. */
const OF_MERCHANTS: Readonly<Record<string, Query>> = {
  'Calls of a merchant': {
    fields: ['time', 'routeKey', 'status', 'latencyMs', 'bytes', 'requestId'],
    filterStatements: ['merchant = "MERCHANT"'],
    sort: '@timestamp desc',
    limit: 200,
  },
  'Throttled merchants': {
    filterStatements: ['status = "429"'],
    statsStatements: ['count(*) as refused by merchant, routeKey'],
    sort: 'refused desc',
  },
};

/** Queries of the functions' logs. */
const OF_FUNCTIONS: Readonly<Record<string, Query>> = {
  'Errors of a request': {
    fields: [
      '@timestamp',
      '@log',
      'level',
      'message.message',
      'message.error',
      'message.awsRequestId',
      'message.stack',
    ],
    filterStatements: ['message.apiRequestId = "REQUEST_ID"'],
    sort: '@timestamp asc',
  },
  Failures: {
    fields: ['@timestamp', '@log', 'level', '@message'],
    filterStatements: [
      'level in ["ERROR", "FATAL"] or record.status in ["error", "failure", "timeout"]',
    ],
    sort: '@timestamp desc',
    limit: 100,
  },
  'Cold starts': {
    filterStatements: ['type = "platform.report"'],
    statsStatements: [
      'count(*) as calls, count(record.metrics.initDurationMs) as coldStarts, pct(record.metrics.initDurationMs, 50) as p50, pct(record.metrics.initDurationMs, 99) as p99, max(record.metrics.maxMemoryUsedMB) as memoryMB by @log',
    ],
    sort: 'coldStarts desc',
  },
};

/** Saved queries of CloudWatch Logs Insights, which the runbook refers to by name. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, props: SavedQueriesProps) {
    super(scope, id);
    const { settings, accessLogs, hasMerchant, functionLogs } = props;
    const add = (queries: Readonly<Record<string, Query>>, logGroups: readonly ILogGroup[]) => {
      for (const [name, query] of Object.entries(queries)) {
        new QueryDefinition(
          this,
          name.replaceAll(/\W(\w)/g, (_, letter) => letter.toUpperCase()),
          {
            queryDefinitionName: `customer-register-${settings.stage}/${name}`,
            queryString: new QueryString(query),
            logGroups: [...logGroups],
          },
        );
      }
    };
    add(OF_REQUESTS, [accessLogs]);
    if (hasMerchant) add(OF_MERCHANTS, [accessLogs]);
    add(OF_FUNCTIONS, functionLogs);
  }
}
