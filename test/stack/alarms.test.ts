import { describe, expect, test } from 'vitest';
import { EXPORT_WORKER } from '../../infra/endpoints.ts';
import { API_FUNCTIONS, type Json, PRODUCTION, synthesize } from '../support/synthesize.ts';

const development = synthesize();
const production = synthesize(PRODUCTION);
const alarmsOf = (stack: typeof development) => stack.all('AWS::CloudWatch::Alarm');

describe('the alarms', () => {
  test('watch errors, throttling and latency, and stay quiet without traffic', () => {
    const alarms = alarmsOf(production);
    const metrics = alarms.flatMap(({ MetricName, Metrics = [] }) => [
      MetricName,
      ...Metrics.map((metric: Json) => metric.MetricStat?.Metric.MetricName),
    ]);
    for (const name of [
      '5xx',
      'Errors',
      'Duration',
      'Throttles',
      'ThrottledRequests',
      'SystemErrors',
    ]) {
      expect(metrics).toContain(name);
    }
    for (const alarm of alarms) {
      expect(alarm.TreatMissingData).toBe('notBreaching');
      // CloudWatch takes no more in one alarm.
      expect(alarm.Metrics?.filter((metric: Json) => metric.MetricStat) ?? []).toSatisfy(
        (watched: unknown[]) => watched.length <= 10,
      );
    }
  });

  test('watch every function of the API and the long exports', () => {
    const alarms = JSON.stringify(alarmsOf(development));
    for (const name of [...API_FUNCTIONS, EXPORT_WORKER]) {
      expect(alarms).toContain(`"${development.functionId(name)}"`);
    }
    for (const metric of ['DurableExecutionFailed', 'DurableExecutionTimedOut']) {
      expect(alarms).toContain(`"${metric}"`);
    }
  });

  test('notify the topic in the context', () => {
    for (const alarm of alarmsOf(production)) {
      expect(alarm.AlarmActions).toEqual([PRODUCTION.alarmTopicArn]);
    }
    for (const alarm of alarmsOf(development)) expect(alarm.AlarmActions).toBeUndefined();
  });
});
