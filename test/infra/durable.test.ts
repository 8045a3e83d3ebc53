import { setTimeout } from 'node:timers/promises';
import {
  CheckpointDurableExecutionCommand,
  DurableExecutionAlreadyStartedException,
  GetDurableExecutionCommand,
  InvalidParameterValueException,
  InvokeCommand,
  LambdaClient,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LambdaApi, startLambdaApi } from '../../infra/local/lambda-api.ts';
import { isLocal } from '../support/api.ts';

// What Lambda does for durable functions, as the local stack does it, with a function made for the
// test. The function's SDK speaks to it as to Lambda.

describe.runIf(isLocal)('a durable function', () => {
  let api: LambdaApi;
  let lambda: LambdaClient;

  beforeAll(async () => {
    const module = new URL('../support/functions/count-runs/handler.ts', import.meta.url);
    api = await startLambdaApi({ functions: { 'count-runs': module } });
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_LAMBDA: api.endpoint,
      AWS_REGION: 'eu-north-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    });
    lambda = new LambdaClient();
  });
  afterAll(async () => {
    lambda.destroy();
    await api.close();
  });

  function invoke(work: object, name: string = crypto.randomUUID()) {
    return lambda.send(
      new InvokeCommand({
        FunctionName: 'arn:aws:lambda:eu-north-1:000000000000:function:count-runs:live',
        InvocationType: 'Event',
        DurableExecutionName: name,
        Payload: JSON.stringify(work),
      }),
    );
  }

  /** Runs it to its end, and gives how it ended. */
  async function run(work: object) {
    const { StatusCode, DurableExecutionArn } = await invoke(work);
    expect(StatusCode).toBe(202);
    return vi.waitFor(
      async () => {
        const execution = await lambda.send(
          new GetDurableExecutionCommand({ DurableExecutionArn }),
        );
        expect(execution.Status).not.toBe('RUNNING');
        return execution;
      },
      { timeout: 50_000, interval: 100 },
    );
  }

  test('goes on after waits and failed tries, with each step made once', async () => {
    // More steps than a run is told of at its start.
    const { Status, Result } = await run({ steps: 150, failures: 2 });
    expect(Status).toBe('SUCCEEDED');
    expect(JSON.parse(Result as string)).toMatchObject({ steps: 150, attempts: 1, flaky: 3 });
  });

  test('runs in the environment of an earlier run, unless that still has a call', async () => {
    const environmentOf = async () => {
      const { Result } = await run({ steps: 1, failures: 0 });
      return JSON.parse(Result as string).environment;
    };
    const first = await environmentOf();
    expect(await environmentOf()).toBe(first);
    const concurrent = await Promise.all([environmentOf(), environmentOf(), environmentOf()]);
    expect(new Set(concurrent).size).toBeGreaterThan(1);
  });

  test('fails with what it throws', async () => {
    const execution = await run({ steps: 1, failures: 0, fails: true });
    expect(execution).toMatchObject({ Status: 'FAILED', Error: { ErrorMessage: 'on purpose' } });
  });

  test('ends at once, and for good, if it is stopped', async () => {
    const { DurableExecutionArn } = await invoke({ steps: 1, failures: 4 });
    await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn }));
    const get = new GetDurableExecutionCommand({ DurableExecutionArn });
    expect(await lambda.send(get)).toMatchObject({ Status: 'STOPPED' });
    await setTimeout(2_500);
    expect(await lambda.send(get)).toMatchObject({ Status: 'STOPPED' });
    // It cannot be stopped after its end.
    const ended = await run({ steps: 1, failures: 0 });
    const again = { DurableExecutionArn: ended.DurableExecutionArn };
    await lambda.send(new StopDurableExecutionCommand(again));
    expect(await lambda.send(new GetDurableExecutionCommand(again))).toMatchObject({
      Status: 'SUCCEEDED',
    });
  });

  test('is started once under one name', async () => {
    const name = crypto.randomUUID();
    const first = await invoke({ steps: 1, failures: 0 }, name);
    const second = await invoke({ steps: 1, failures: 0 }, name);
    expect(second.DurableExecutionArn).toBe(first.DurableExecutionArn);
    await expect(invoke({ steps: 2, failures: 0 }, name)).rejects.toThrow(
      DurableExecutionAlreadyStartedException,
    );
  });

  test('cannot keep a checkpoint with a token that is out of date', async () => {
    const { DurableExecutionArn } = await invoke({ steps: 1, failures: 0 });
    const checkpoint = { DurableExecutionArn, CheckpointToken: 'MA==', Updates: [] };
    await expect(lambda.send(new CheckpointDurableExecutionCommand(checkpoint))).rejects.toThrow(
      InvalidParameterValueException,
    );
  });
});
