import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  API_FUNCTIONS,
  type Json,
  PRODUCTION,
  PRODUCTION_WITH_USER_POOL,
  type SynthesizedStack,
  stackOf,
  TOKEN_TRIGGER,
} from '../support/synthesize.ts';

const development = stackOf();
const production = stackOf(PRODUCTION);
const stages = [
  { stage: 'dev', stack: development },
  { stage: 'prod with an issuer', stack: production },
  { stage: 'prod with a user pool', stack: stackOf(PRODUCTION_WITH_USER_POOL) },
];
const RUNBOOK = readFileSync(new URL('../../infra/runbook.md', import.meta.url), 'utf8');
/** Headings of the runbook that are not of alarms. */
const GENERAL = ['Before a rollback'];

/** Sections of the runbook by heading. */
const sections = new Map(
  RUNBOOK.split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] as string, section] as const)
    .filter(([heading]) => !GENERAL.includes(heading)),
);

const alarmsOf = (stack: SynthesizedStack) => stack.all('AWS::CloudWatch::Alarm');

/** Returns the anchor of the runbook in an alarm's description. */
function anchorOf({ AlarmDescription }: Json): string {
  return /\. Runbook: infra\/runbook\.md#(\w+)$/.exec(AlarmDescription)?.[1] ?? AlarmDescription;
}

/** Returns a line of the access log as API Gateway writes it, which logs `-` for what is missing. */
function accessLine(stack: SynthesizedStack, context: Readonly<Record<string, string>>): string {
  const { Format } = stack.resource('Api/Stage').Properties.AccessLogSettings;
  return Format.replaceAll(
    /\$context\.([\w.]+)/g,
    (_: string, name: string) => context[name] ?? '-',
  );
}

/**
 * Returns whether a log line matches a filter pattern of the form `{ $.field = "value" }`: a quoted
 * value matches strings.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
function matches(pattern: string, line: string): boolean {
  const [, field = '', quoted, number] =
    /^\{ \$\.(\w+) = (?:"([^"]*)"|(\d+)) \}$/.exec(pattern) ?? expect.fail(pattern);
  const value = JSON.parse(line)[field];
  return quoted === undefined ? value === Number(number) : value === quoted;
}

describe('The metrics of the access log', () => {
  test.each([401, 403, 429])('count the responses of %i, and no others', (status) => {
    const filters = development.all('AWS::Logs::MetricFilter');
    const [filter, ...more] = filters.filter(({ FilterPattern }) =>
      matches(FilterPattern, accessLine(development, { status: String(status) })),
    );
    expect(more).toEqual([]);
    for (const other of ['200', '304', '400', '404', '409', '500', '503', '-']) {
      const line = accessLine(development, { status: other, routeKey: `GET /${status}` });
      expect(matches(filter?.FilterPattern, line)).toBe(false);
    }
    const [{ MetricName, MetricNamespace, MetricValue }] = filter?.MetricTransformations ?? [{}];
    expect(MetricValue).toBe('1');
    expect(alarmsOf(development)).toContainEqual(
      expect.objectContaining({
        MetricName,
        Namespace: MetricNamespace,
        Statistic: 'Sum',
        Period: 300,
        Threshold: status === 429 ? 100 : 200,
      }),
    );
  });

  test('come from the log of all requests, apart for each stage', () => {
    for (const { stack } of stages) {
      for (const { LogGroupName } of stack.all('AWS::Logs::MetricFilter')) {
        expect(LogGroupName).toEqual({ Ref: stack.logicalId('Api/AccessLogs') });
      }
    }
    const namespaces = [development, production].map(
      (stack) => stack.all('AWS::Logs::MetricFilter')[0]?.MetricTransformations[0].MetricNamespace,
    );
    expect(namespaces).toEqual(['CustomerRegister/dev', 'CustomerRegister/prod']);
  });
});

describe('The runbook', () => {
  test('has a heading for each alarm, and each heading an alarm', () => {
    const linked = stages.flatMap(({ stack }) => alarmsOf(stack).map(anchorOf));
    expect([...new Set(linked)].toSorted()).toEqual(
      [...sections.keys()].map((heading) => heading.toLowerCase()).toSorted(),
    );
  });

  test.each([...sections])(
    'says of %s what callers notice, what to do and when to roll back',
    (_, section) => {
      const items = [...section.matchAll(/^- \*\*(.+?):\*\* \S/gm)].map(([, item]) => item);
      expect(items).toEqual(['Callers notice', 'First query', 'Likely causes', 'Do', 'Roll back']);
    },
  );

  test('names saved queries that exist', () => {
    const named = [...RUNBOOK.matchAll(/(?<![\w*])_([^_]+)_(?!\w)/g)].map(([, name]) => name);
    const names = namesOfQueries(development, 'dev');
    expect(named.length).toBeGreaterThan(sections.size);
    expect(named.filter((name) => name !== 'italics' && !names.includes(name as string))).toEqual(
      [],
    );
  });
});

function namesOfQueries(stack: SynthesizedStack, stage: string): string[] {
  return stack
    .all('AWS::Logs::QueryDefinition')
    .map(({ Name }) => Name.replace(`customer-register-${stage}/`, ''));
}

describe('The saved queries', () => {
  const queries = development.all('AWS::Logs::QueryDefinition');
  const COMMANDS = /^(?:fields|filter|stats|sort|limit) /;

  test('ask for what incidents begin with', () => {
    expect(namesOfQueries(development, 'dev').toSorted()).toEqual([
      'Calls of a merchant',
      'Cold starts',
      'Errors of a request',
      'Failed requests',
      'Failures',
      'Reasons of 401 and 403',
      'Slowest routes',
      'Throttled merchants',
    ]);
  });

  test('read fields that the access log has', () => {
    const logged = Object.keys(JSON.parse(accessLine(development, {})));
    const ofRequests = queries.filter(
      ({ LogGroupNames }) => LogGroupNames[0].Ref === development.logicalId('Api/AccessLogs'),
    );
    expect(ofRequests).toHaveLength(5);
    for (const { QueryString } of ofRequests) {
      for (const line of QueryString.split('\n| ')) expect(line).toMatch(COMMANDS);
      const aliases = [...QueryString.matchAll(/ as (\w+)/g)].map(([, alias]) => alias);
      const words: string[] = QueryString.replaceAll(/"[^"]*"|\/[^/]*\/|^\|? ?\w+ /gm, ' ')
        .replaceAll(/\b(?:count|pct|max)\(/g, '(')
        .match(/@?[a-zA-Z]\w*/g);
      const others = ['as', 'by', 'in', 'like', 'desc', 'asc', '@timestamp', ...aliases];
      expect(words.filter((word) => !others.includes(word) && !logged.includes(word))).toEqual([]);
    }
  });

  test('read the logs of all functions, also of those that no caller waits for', () => {
    const logs = development.functionNames
      .filter((name) => name !== TOKEN_TRIGGER)
      .map((name) => ({ Ref: development.functionId(name, 'Logs') }));
    expect(logs.length).toBeGreaterThan(API_FUNCTIONS.length);
    for (const name of ['Errors of a request', 'Failures', 'Cold starts']) {
      const query = queries.find(({ Name }) => Name.endsWith(`/${name}`));
      expect(new Set(query?.LogGroupNames)).toEqual(new Set(logs));
    }
  });

  test('leave out merchants if the access log does, whose claim has a URL for a name', () => {
    const names = namesOfQueries(production, 'prod');
    expect(names).not.toContain('Calls of a merchant');
    expect(names).not.toContain('Throttled merchants');
    expect(names).toContain('Slowest routes');
  });
});

describe.each(stages)('The dashboard of $stage', ({ stack }) => {
  const [{ DashboardBody }] = stack.all('AWS::CloudWatch::Dashboard') as [Json];
  /** The body, with references by their logical ids. */
  const body = JSON.parse(
    DashboardBody['Fn::Join'][1]
      .map((part: Json | string) =>
        typeof part === 'string' ? part : (part.Ref ?? part['Fn::GetAtt'].join('.')),
      )
      .join(''),
  );
  const graphs: Json[] = body.widgets.filter(({ type }: Json) => type === 'metric');
  const text = (value: unknown) => JSON.stringify(value);

  test('has a graph with the metric and the threshold of each alarm', () => {
    for (const { MetricName, Metrics = [], Dimensions = [], Threshold } of alarmsOf(stack)) {
      const name =
        MetricName ??
        Metrics.find(({ MetricStat }: Json) => MetricStat)?.MetricStat.Metric.MetricName;
      const owner = Dimensions.map(({ Value }: Json) => Value.Ref ?? Value);
      const drawn = graphs.filter(
        ({ properties }) =>
          text(properties.metrics).includes(`"${name}"`) &&
          owner.every((value: string) => text(properties.metrics).includes(`"${value}"`)) &&
          properties.annotations?.horizontal.some(({ value }: Json) => value === Threshold),
      );
      expect([name, owner, drawn.length > 0]).toEqual([name, owner, true]);
    }
  });

  test('shows calls, errors, p50 and p99 of each endpoint', () => {
    for (const name of API_FUNCTIONS) {
      const id = stack.functionId(name);
      for (const [metric, stat] of [
        ['Invocations', 'Sum'],
        ['Errors', 'Sum'],
        ['Duration', 'p50'],
        ['Duration', 'p99'],
        ['ConcurrentExecutions', 'Maximum'],
      ]) {
        const shown = graphs
          .flatMap(({ properties }) => properties.metrics)
          .filter(
            (each: Json[]) =>
              each.includes(metric as never) &&
              each.includes(id as never) &&
              // The sum is the default of counts.
              (each.at(-1)?.stat ?? 'Sum') === stat,
          );
        const labels = shown.map((each) => each.at(-1)?.label);
        const { Description } = stack.properties(name);
        expect([name, metric, stat, ...labels]).toEqual([name, metric, stat, Description]);
      }
    }
  });

  test('shows units of table and indexes, throttles, long exports, and sign-ins if there is a user pool', () => {
    for (const metric of [
      'ConsumedReadCapacityUnits',
      'ConsumedWriteCapacityUnits',
      'Throttles',
      'DurableExecutionStarted',
      'DurableExecutionSucceeded',
      '5xx',
      '4xx',
    ]) {
      expect(text(graphs)).toContain(`"${metric}"`);
    }
    expect(text(graphs)).toContain('"customerIndex"');
    const hasUserPool = stack !== production;
    expect(graphs.some(({ properties }) => properties.title === 'Token trigger')).toBe(hasUserPool);
    if (hasUserPool) expect(text(graphs)).toContain(stack.functionId(TOKEN_TRIGGER));
  });

  test('begins with the state of all alarms', () => {
    const [status] = body.widgets;
    expect(status.type).toBe('alarm');
    expect(status.properties.alarms).toHaveLength(alarmsOf(stack).length);
  });
});
