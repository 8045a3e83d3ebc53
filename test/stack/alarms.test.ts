import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ENDPOINTS, type Endpoint, EXPORT_WORKER } from '../../infra/endpoints.ts';
import {
  API_FUNCTIONS,
  BACKGROUND_FUNCTIONS,
  type Json,
  PRODUCTION,
  PRODUCTION_WITH_USER_POOL,
  type SynthesizedStack,
  stackOf,
  synthesize,
  TOKEN_TRIGGER,
} from '../support/synthesize.ts';

/** Maximum resources of a CloudFormation stack. */
const MAX_RESOURCES = 500;
/** Maximum bytes of a CloudFormation template. */
const MAX_TEMPLATE_BYTES = 1_000_000;
/** Maximum metrics of a CloudWatch alarm's expression. */
const MAX_ALARM_METRICS = 10;
/** Maximum bytes of a Lambda function's environment variables. */
const MAX_VARIABLES_BYTES = 4_096;

/** Maximum log groups of a query of CloudWatch Logs Insights. */
const MAX_QUERY_LOG_GROUPS = 50;
/** Maximum metrics of a graph in a CloudWatch dashboard. */
const MAX_GRAPH_METRICS = 500;

const development = stackOf();
const production = stackOf(PRODUCTION);
const withEmail = stackOf(PRODUCTION_WITH_USER_POOL);
/** Stack of 36 endpoints: copies of the present ones, under other names and paths. */
const large = synthesize({}, { endpoints: copiesOfEndpoints(36) });

function copiesOfEndpoints(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, index) => {
    const endpoint = ENDPOINTS[index % ENDPOINTS.length] as Endpoint;
    return {
      ...endpoint,
      function: `${endpoint.function}-${index}`,
      path: `/copy${index}${endpoint.path}`,
    };
  });
}

/** Returns the properties of the graph with most metrics in a stack's dashboard. */
function longestGraph(stack: SynthesizedStack): Json {
  const [{ DashboardBody }] = stack.all('AWS::CloudWatch::Dashboard') as [Json];
  const text = DashboardBody['Fn::Join'][1].map((part: Json | string) =>
    typeof part === 'string' ? part : 'reference',
  );
  const { widgets } = JSON.parse(text.join(''));
  const graphs: Json[] = widgets.map(({ properties }: Json) => properties);
  return graphs
    .filter(({ metrics }) => metrics)
    .toSorted((a, b) => b.metrics.length - a.metrics.length)[0] as Json;
}

const alarmsOf = (stack: SynthesizedStack) => stack.all('AWS::CloudWatch::Alarm');

/** Returns the names of the alarms on a metric of a function alone. */
function alarmsOn(stack: SynthesizedStack, name: string, metric: string): Json[] {
  return alarmsOf(stack).filter(
    ({ MetricName, Dimensions = [] }) =>
      MetricName === metric && Dimensions[0]?.Value.Ref === stack.functionId(name),
  );
}

const metricsOf = ({ Metrics = [] }: Json): Json[] =>
  Metrics.filter((metric: Json) => metric.MetricStat);

test('The guide names what alarms, metrics of the access log and the dashboard cost a month', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8');
  const said =
    /\$([\d.]+) a month for monitoring[^:]+: (\d+) metrics of alarms at \$0\.10, (\d+) metrics of the access log at \$0\.30/.exec(
      guide.replaceAll(/\s+/g, ' '),
    );
  const ofAlarms = alarmsOf(development)
    .map((alarm) => Math.max(1, metricsOf(alarm).length))
    .reduce((sum, count) => sum + count);
  const ofLog = development.all('AWS::Logs::MetricFilter').length;
  const dollars = ofAlarms * 0.1 + ofLog * 0.3 + 3;
  expect(said?.slice(1)).toEqual([dollars.toFixed(2), String(ofAlarms), String(ofLog)]);
});

describe.each([
  { title: 'The alarms', stack: development, functions: API_FUNCTIONS },
  {
    title: 'The alarms of a stack with 36 endpoints',
    stack: large,
    functions: copiesOfEndpoints(36).map((endpoint) => endpoint.function),
  },
])('$title', ({ stack, functions }) => {
  test('watch the errors of each function, one alarm each', () => {
    expect(stack.functionNames).toEqual(expect.arrayContaining([...functions, TOKEN_TRIGGER]));
    for (const name of stack.functionNames) {
      expect(alarmsOn(stack, name, 'Errors')).toMatchObject([
        { Statistic: 'Sum', Threshold: 1, EvaluationPeriods: 1 },
      ]);
    }
  });

  test('watch the p99 latency of each function that a caller waits for, one alarm each', () => {
    for (const name of [...functions, TOKEN_TRIGGER]) {
      expect(alarmsOn(stack, name, 'Duration')).toMatchObject([{ ExtendedStatistic: 'p99' }]);
    }
    for (const name of BACKGROUND_FUNCTIONS) {
      expect(alarmsOn(stack, name, 'Duration')).toEqual([]);
    }
  });

  test('have thresholds below the timeouts of their functions', () => {
    for (const name of [...functions, TOKEN_TRIGGER]) {
      const [alarm] = alarmsOn(stack, name, 'Duration');
      const { Timeout } = stack.properties(name);
      expect(alarm?.Threshold).toBeLessThan(Timeout * 1_000);
    }
  });

  test('name the endpoint in their description', () => {
    for (const name of functions) {
      const { Description } = stack.properties(name);
      for (const metric of ['Errors', 'Duration']) {
        const [alarm] = alarmsOn(stack, name, metric);
        expect(alarm?.AlarmDescription).toContain(`${Description}: `);
      }
    }
  });

  test('combine at most as many metrics as CloudWatch allows', () => {
    for (const alarm of alarmsOf(stack)) {
      expect(metricsOf(alarm).length).toBeLessThanOrEqual(MAX_ALARM_METRICS);
    }
  });
});

describe('A stack with 36 endpoints', () => {
  test('has fewer resources than CloudFormation allows, and that of today has room for fifty more', () => {
    const count = (stack: SynthesizedStack) => Object.keys(stack.resources).length;
    expect(count(large)).toBeLessThanOrEqual(MAX_RESOURCES);
    expect(count(development)).toBeLessThanOrEqual(MAX_RESOURCES - 50);
    // Each endpoint has the same number of resources besides its routes, of which a GET has two, and
    // their permissions, so that the limit is known beforehand.
    const OF_ROUTES = ['AWS::ApiGatewayV2::Route', 'AWS::Lambda::Permission'];
    const besidesRoutes = ({ resources }: SynthesizedStack) =>
      Object.values(resources).filter(({ Type }) => !OF_ROUTES.includes(Type)).length;
    const more = besidesRoutes(large) - besidesRoutes(development);
    expect(more / (36 - ENDPOINTS.length)).toBe(6);
  });

  test('has saved queries over fewer log groups, and graphs of fewer metrics, than CloudWatch allows', () => {
    for (const { LogGroupNames } of large.all('AWS::Logs::QueryDefinition')) {
      expect(LogGroupNames.length).toBeLessThanOrEqual(MAX_QUERY_LOG_GROUPS);
    }
    const { metrics } = longestGraph(large);
    expect(metrics.length).toBeGreaterThan(30);
    expect(metrics.length).toBeLessThanOrEqual(MAX_GRAPH_METRICS);
  });

  test('has a smaller template than CloudFormation allows', () => {
    const bytes = Buffer.byteLength(JSON.stringify(large.template.toJSON(), null, 1));
    expect(bytes).toBeLessThan(MAX_TEMPLATE_BYTES);
  });

  test('gives each function smaller variables than Lambda allows', () => {
    for (const { Environment } of large.all('AWS::Lambda::Function')) {
      const bytes = Buffer.byteLength(JSON.stringify(Environment?.Variables ?? {}));
      expect(bytes).toBeLessThan(MAX_VARIABLES_BYTES);
    }
  });
});

/** Returns the logical id of the topic that sends e-mail, if the stack has one. */
const emailTopicOf = (stack: SynthesizedStack): string | undefined =>
  stack.all('AWS::SNS::Subscription').find(({ Protocol }) => Protocol === 'email')?.TopicArn.Ref;

describe('The other alarms', () => {
  test('watch 5xx, 401, 403 and 429 responses, throttling, long exports and errors of the table', () => {
    const metrics = alarmsOf(production).flatMap((alarm) => [
      alarm.MetricName,
      ...metricsOf(alarm).map(({ MetricStat }) => MetricStat.Metric.MetricName),
    ]);
    for (const name of [
      '5xx',
      '401',
      '403',
      '429',
      'Throttles',
      'DurableExecutionFailed',
      'DurableExecutionTimedOut',
      'DurableExecutionStopped',
      'AsyncEventsDropped',
      'AsyncEventAge',
      'ThrottledRequests',
      'SystemErrors',
    ]) {
      expect(metrics).toContain(name);
    }
  });

  test('go off before a long export that waits is dropped', () => {
    const [waiting] = alarmsOn(production, EXPORT_WORKER, 'AsyncEventAge');
    const { MaximumEventAgeInSeconds } = production
      .all('AWS::Lambda::EventInvokeConfig')
      .find(
        ({ FunctionName }) => FunctionName.Ref === production.functionId(EXPORT_WORKER),
      ) as Json;
    expect(waiting).toMatchObject({ Statistic: 'Maximum', Threshold: 5 * 60 * 1_000 });
    expect(waiting?.Threshold).toBeLessThan(MaximumEventAgeInSeconds * 1_000);
  });

  test('watch the token trigger: three seconds of the five that Cognito waits', () => {
    const [latency] = alarmsOn(development, TOKEN_TRIGGER, 'Duration');
    expect(latency).toMatchObject({ Threshold: 3_000, EvaluationPeriods: 1 });
    expect(development.properties(TOKEN_TRIGGER).Timeout).toBe(5);
  });

  test('stay quiet without traffic', () => {
    for (const alarm of alarmsOf(production)) expect(alarm.TreatMissingData).toBe('notBreaching');
  });

  test('notify the topic in the settings', () => {
    for (const alarm of alarmsOf(production)) {
      expect(alarm.AlarmActions).toEqual([PRODUCTION.alarmTopicArn]);
      expect(alarm.OKActions).toEqual([PRODUCTION.alarmTopicArn]);
    }
    for (const alarm of alarmsOf(development)) expect(alarm.AlarmActions).toBeUndefined();
  });

  test('notify the address in the settings, by a topic that CloudWatch may publish to', () => {
    const topic = emailTopicOf(withEmail);
    for (const alarm of alarmsOf(withEmail)) expect(alarm.AlarmActions).toEqual([{ Ref: topic }]);
    expect(withEmail.all('AWS::SNS::Subscription')).toContainEqual({
      Protocol: 'email',
      Endpoint: 'on-call@example.com',
      TopicArn: { Ref: topic },
    });
    expect(withEmail.resources[topic as string]?.Properties).not.toHaveProperty('KmsMasterKeyId');
    const policies = withEmail.all('AWS::SNS::TopicPolicy');
    const { PolicyDocument } = policies.find(({ Topics }) => Topics[0].Ref === topic) as Json;
    expect(PolicyDocument.Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: { Ref: topic },
        Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
      }),
    );
    expect(emailTopicOf(development)).toBeUndefined();
  });
});
