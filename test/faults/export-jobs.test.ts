import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient, StopDurableExecutionCommand } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { deadLetterEvent, type Execution } from '../../infra/local/durable-execution.ts';
import { CONCURRENT_LONG_EXPORTS, WORK_STALLED_S } from '../../shared/domain/limits.ts';
import { exportJobKey } from '../../shared/storage/table.ts';
import {
  type Client,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { keysInBucket } from '../support/export-bucket.ts';
import { useExportWorker } from '../support/export-worker.ts';
import { dynamodbError, every, first, s3Error } from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';
import { deviations } from '../support/openapi-document.ts';
import { expectProblem } from '../support/problem.ts';
import { newMerchantWith } from '../support/seed.ts';

// How long exports of a merchant are limited, shared, listed, canceled and given up.

useApi();

/** Maximum rows of an export that completes in its request, in this test. */
const FEW = 3;
const CSV = '/customers/export/csv';
const XML = '/customers/export/xml';
const LIST = '/customers/exports';
const INTERRUPTED = 'The export was interrupted and cannot continue. Export again.';
const STALLED = 'The export made no progress for 30 minutes. Export again.';
/** Lambda's response at its limit of concurrent executions, or of requests. */
const THROTTLED = {
  status: 429,
  body: JSON.stringify({ Reason: 'CallerRateLimitExceeded', Type: 'User', message: 'Rate' }),
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'TooManyRequestsException' },
};

describe.runIf(isLocal)('Long exports', () => {
  const worker = useExportWorker(FEW);
  const { dynamodb, s3, lambda } = worker;
  let merchant: Client;
  let name: string;
  /** Ends what {@link hold} began. */
  let letGo = () => {};

  beforeAll(quiet);
  afterEach(async () => {
    letGo();
    for (const proxy of [dynamodb, s3, lambda]) proxy.heal(name);
    // Their threads serve the exports of the next test; a new one takes half a second of CPU time.
    await eventually(() => expect(runningWorkers()).toEqual([]));
  });

  async function newMerchantWithMany(): Promise<void> {
    ({ name, merchant } = await newMerchantWith(FEW + 1, () => ({ name: 'Ek' })));
  }

  /** Delays the upload of parts until `letGo` is called. Returns when the first one has begun. */
  function hold(): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const held = Promise.withResolvers<undefined>();
    letGo = () => held.resolve(undefined);
    s3.inject(name, ({ operation }) => {
      if (!/partNumber=/.test(operation)) return undefined;
      reached.resolve();
      return held.promise;
    });
    return reached.promise;
  }

  async function start(path = CSV, status = 202): Promise<string> {
    const answer = await merchant.call('GET', path);
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(deviations('GET', path.split('?')[0] as string, answer)).toEqual([]);
    return answer.headers.get('location') as string;
  }

  const statusOf = async (location: string) => {
    const answer = await merchant.call('GET', location);
    expect(deviations('GET', `${LIST}/{exportId}`, answer)).toEqual([]);
    return answer.body;
  };
  const list = async () => {
    const answer = await merchant.call('GET', LIST);
    expect(answer.status).toBe(200);
    expect(deviations('GET', LIST, answer)).toEqual([]);
    return answer.body;
  };
  const cancel = async (location: string, client = merchant) => {
    const answer = await client.call('DELETE', location);
    expect(deviations('DELETE', `${LIST}/{exportId}`, answer)).toEqual([]);
    return answer;
  };

  async function ended(location: string, state: string) {
    await eventually(async () => expect((await statusOf(location)).state).toBe(state));
  }

  /** Waits until the export workers of the merchant have ended, and returns its files and uploads. */
  async function filesAfterUploads() {
    await eventually(() => expect(runningWorkers()).toEqual([]));
    return keysInBucket(name);
  }
  /** Returns the merchant's durable executions that have not ended. */
  function runningWorkers(): string[] {
    return readdirSync(worker.folder()).filter((file) => {
      if (!file.endsWith('.json')) return false;
      const execution = JSON.parse(readFileSync(join(worker.folder(), file), 'utf8'));
      return execution.payload.includes(name) && execution.status === 'RUNNING';
    });
  }

  /** Returns the stored durable execution of an export. */
  function executionOf(location: string): Execution {
    return JSON.parse(
      readFileSync(join(worker.folder(), `${location.split('/').at(-1)}.json`), 'utf8'),
    );
  }

  /** Sets the time of the last progress back. */
  async function age(location: string, seconds: number): Promise<void> {
    const documents = DynamoDBDocumentClient.from(
      new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint }),
    );
    await documents.send(
      new UpdateCommand({
        TableName: localStack().table,
        Key: exportJobKey(name, location.split('/').at(-1) as string),
        UpdateExpression: 'SET updated = :time',
        ExpressionAttributeValues: {
          ':time': new Date(Date.now() - seconds * 1_000).toISOString(),
        },
      }),
    );
    documents.destroy();
  }

  describe('of the same customers', () => {
    beforeAll(newMerchantWithMany);

    test('A request for an export that runs already returns its job; other options or filters start another', async () => {
      hold();
      const location = await start();
      expect(await start()).toBe(location);
      expect(await start(`${CSV}?delimiter=comma&bom=false`)).toBe(location);
      const others = [await start(`${CSV}?bom=true`), await start(`${CSV}?filter=!isCompany`)];
      expect(new Set([location, ...others]).size).toBe(3);
      expect(await start(`${CSV}?filter=!isCompany`)).toBe(others[1]);
      letGo();
      for (const each of [location, ...others]) await ended(each, 'ready');
      expect(await start()).not.toBe(location);
    });

    test('Concurrent requests for the same export start one job', async () => {
      hold();
      const locations = await Promise.all(Array.from({ length: 4 }, () => start(XML)));
      expect(new Set(locations).size).toBe(1);
    });
  });

  describe('beyond the limit', () => {
    beforeAll(newMerchantWithMany);
    const exportOf = (word: string) => `${CSV}?filter=search&search=${word}`;

    test('More long exports than a merchant may have return 429, until one ends or is canceled', async () => {
      hold();
      const words = ['e', 'k', 'ek'].slice(0, CONCURRENT_LONG_EXPORTS);
      const locations: string[] = [];
      for (const word of words) locations.push(await start(exportOf(word)));
      const refused = await merchant.call('GET', XML);
      expectProblem(refused, 429);
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(await list()).toHaveLength(CONCURRENT_LONG_EXPORTS);
      await cancel(locations[0] as string);
      const next = await start(XML);
      await start(exportOf('e'), 429);
      letGo();
      await ended(next, 'ready');
      await start(exportOf('e'));
    });

    test('The limit of one merchant does not affect another', async () => {
      const { merchant: other } = await newMerchantWith(FEW + 1);
      expect((await other.call('GET', CSV)).status).toBe(202);
    });
  });

  describe('in the list', () => {
    beforeAll(newMerchantWithMany);

    test('The list has the newest long export first, with its status but without its file', async () => {
      expect(await list()).toEqual([]);
      const one = await start();
      await ended(one, 'ready');
      s3.inject(name, every(s3Error(403, 'AccessDenied'), /partNumber=/));
      const two = await start(XML);
      await ended(two, 'failed');
      const reached = hold();
      const three = await start();
      // Its worker notes no more progress.
      await reached;
      const { url, expires, filename, contentType, count, bytes, changesFrom, ...ready } =
        await statusOf(one);
      const { changesFrom: _, ...running } = await statusOf(three);
      expect(await list()).toEqual([running, await statusOf(two), ready]);
      expect((await list()).map((job: { exportId: string }) => job.exportId)).toEqual(
        [three, two, one].map((location) => location.split('/').at(-1)),
      );
      const stranger = await newMerchant(1, { merchant: crypto.randomUUID() });
      expect((await stranger.call('GET', LIST)).body).toEqual([]);
    });
  });

  describe('that are canceled', () => {
    beforeAll(newMerchantWithMany);

    test('Canceling a running export aborts its upload, and a repeat returns the same', async () => {
      hold();
      const location = await start();
      const canceled = await cancel(location);
      expect(canceled).toMatchObject({ status: 200, body: { state: 'canceled' } });
      letGo();
      expect(await filesAfterUploads()).toEqual([]);
      expect((await cancel(location)).status).toBe(200);
      expect(await statusOf(location)).toMatchObject({ state: 'canceled' });
      // A new request for the same export starts a new job.
      expect(await start()).not.toBe(location);
    });

    test('A cancellation whose database response is lost returns 200', async () => {
      hold();
      const location = await start(XML);
      dynamodb.inject(name, first(1, 'lose the answer', /^UpdateItem .*canceled/));
      expect(await cancel(location)).toMatchObject({ status: 200, body: { state: 'canceled' } });
    });

    test('Canceling an export that has ended returns 409', async () => {
      const ready = await start(`${CSV}?bom=true`);
      await ended(ready, 'ready');
      expectProblem(await cancel(ready), 409);
      s3.inject(name, every(s3Error(403, 'AccessDenied'), /partNumber=/));
      const failed = await start(`${CSV}?bom=true`);
      await ended(failed, 'failed');
      expectProblem(await cancel(failed), 409);
      expect(await statusOf(ready)).toMatchObject({ state: 'ready' });
    });

    test('Canceling an export of another merchant, or an unknown one, returns 404', async () => {
      hold();
      const location = await start(`${CSV}?filter=!isCompany`);
      const stranger = await newMerchant(1, { merchant: crypto.randomUUID() });
      expectProblem(await cancel(location, stranger), 404);
      expectProblem(await cancel(`${LIST}/${crypto.randomUUID()}`), 404);
      expect(await statusOf(location)).toMatchObject({ state: 'running' });
    });
  });

  describe('that cannot be started', () => {
    beforeAll(newMerchantWithMany);

    test('If Lambda throttles the invocation, the export returns 503 with Retry-After and leaves no job', async () => {
      lambda.inject(name, every(THROTTLED, /invocations/));
      const refused = await merchant.call('GET', CSV);
      expectProblem(refused, 503);
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(await list()).toEqual([]);
      lambda.heal(name);
      await ended(await start(), 'ready');
    });

    test('If the responses of the invocation are lost, the export returns 503 and leaves no job and no file', async () => {
      const before = await list();
      const files = await keysInBucket(name);
      lambda.inject(name, every('cut the answer', /invocations/));
      // The worker runs, and its upload is not complete before the job is withdrawn.
      hold();
      expectProblem(await merchant.call('GET', XML), 503);
      letGo();
      expect(await list()).toEqual(before);
      expect(await filesAfterUploads()).toEqual(files);
      expect(await list()).toEqual(before);
    });

    test('If they are lost and the export is ready before that is known, it is in the list, and its file is kept', async () => {
      const before = await list();
      lambda.inject(name, every('cut the answer', /invocations/));
      // The job is withdrawn once it is ready.
      dynamodb.inject(name, async ({ operation, body }) => {
        if (operation !== 'UpdateItem' || !body.includes('"canceled"')) return undefined;
        await eventually(async () => expect((await list())[0]).toMatchObject({ state: 'ready' }));
        return undefined;
      });
      expectProblem(await merchant.call('GET', `${XML}?filter=!isCompany`), 503);
      const [ready, ...others] = await list();
      expect(others).toEqual(before);
      const { url, bytes } = await statusOf(`${LIST}/${ready.exportId}`);
      expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(bytes);
    });

    test('A put that arrives late does not restore a withdrawn job', async () => {
      const { addExportJob, getExportJob, withdrawExportJob } = await import(
        '../../shared/storage/export-jobs.ts'
      );
      const id = crypto.randomUUID();
      const time = new Date().toISOString();
      await withdrawExportJob(name, id);
      await addExportJob(name, {
        id,
        state: 'running',
        format: 'csv',
        file: { key: 'a', filename: 'a', contentType: 'a' },
        rowsDone: 0,
        rowsExpected: 1,
        changesFrom: { entry: 0, index: 0, sinceMs: 0 },
        started: time,
        updated: time,
      });
      expect(await getExportJob(name, id)).toBeUndefined();
    });
  });

  describe('whose worker stalls', () => {
    beforeAll(newMerchantWithMany);

    test('A job without progress for 30 minutes has failed, and stays failed if its worker continues', async () => {
      const reached = hold();
      const location = await start();
      // Its worker notes no more progress.
      await reached;
      await age(location, WORK_STALLED_S - 60);
      expect(await statusOf(location)).toMatchObject({ state: 'running' });
      await age(location, WORK_STALLED_S + 1);
      const failed = await statusOf(location);
      expect(failed).toMatchObject({ state: 'failed', reason: STALLED });
      expect(await list()).toEqual([failed]);
      expectProblem(await cancel(location), 409);
      letGo();
      expect(await filesAfterUploads()).toEqual([]);
      expect(await statusOf(location)).toEqual(failed);
      const again = await start();
      expect(again).not.toBe(location);
      await ended(again, 'ready');
    });

    test('A job whose worker did not run for 30 minutes has failed', async () => {
      lambda.inject(name, every({ status: 202, body: '' }, /invocations/));
      const location = await start(XML);
      await age(location, WORK_STALLED_S + 1);
      expect(await statusOf(location)).toMatchObject({ state: 'failed', reason: STALLED });
      lambda.heal(name);
      await ended(await start(XML), 'ready');
    });

    test('A job whose failure could not be stored has failed after 30 minutes', async () => {
      const note = every(dynamodbError(400, 'ValidationException'), /^UpdateItem .*"failed"/);
      dynamodb.inject(name, note);
      s3.inject(name, every(s3Error(403, 'AccessDenied'), /partNumber=/));
      const location = await start(`${CSV}?bom=true`);
      await filesAfterUploads();
      expect(await statusOf(location)).toMatchObject({ state: 'running' });
      await age(location, WORK_STALLED_S + 1);
      expect(await statusOf(location)).toMatchObject({ state: 'failed', reason: STALLED });
    });
  });

  describe('whose worker is dead', () => {
    beforeAll(newMerchantWithMany);

    /** Starts an export whose upload has begun and does not continue. */
    async function startAndHold(path = CSV): Promise<string> {
      const reached = hold();
      const location = await start(path);
      // On a busy machine an execution can time out before it uploads.
      const over = eventually(() => expect(executionOf(location).status).not.toBe('RUNNING'));
      await Promise.race([reached, over.catch(() => reached)]);
      return location;
    }

    async function stop(location: string): Promise<void> {
      const client = new LambdaClient({ endpoint: worker.endpoint() });
      const DurableExecutionArn = executionOf(location).arn;
      await client.send(new StopDurableExecutionCommand({ DurableExecutionArn }));
      client.destroy();
    }

    test('An export whose execution is stopped has failed, with a reason, and leaves no file and no upload', async () => {
      const location = await startAndHold();
      expect(await keysInBucket(name)).toHaveLength(1);
      await stop(location);
      await ended(location, 'failed');
      const failed = await statusOf(location);
      expect(failed).toMatchObject({ rowsDone: 0, reason: INTERRUPTED });
      await eventually(async () => expect(await keysInBucket(name)).toEqual([]));
      letGo();
      // The same export can start at once.
      await ended(await start(), 'ready');
      expect(await statusOf(location)).toEqual(failed);
    });

    test('An export whose execution times out has failed, and leaves no upload', async () => {
      const before = await keysInBucket(name);
      await worker.stop();
      await worker.restart({ executionTimeoutMs: 4_000 });
      const location = await startAndHold(XML);
      await ended(location, 'failed');
      expect(await statusOf(location)).toMatchObject({ reason: INTERRUPTED });
      expect(executionOf(location).status).toBe('TIMED_OUT');
      await eventually(async () => expect(await keysInBucket(name)).toEqual(before));
      await worker.stop();
      await worker.restart();
    });

    test('An export whose worker cannot store its failure has failed soon after', async () => {
      s3.inject(name, every(s3Error(403, 'AccessDenied'), /partNumber=/));
      const note = dynamodbError(400, 'ValidationException');
      dynamodb.inject(name, first(1, note, /^UpdateItem .*"failed"/));
      const location = await start(`${CSV}?bom=true`);
      await ended(location, 'failed');
      expect(await statusOf(location)).toMatchObject({ reason: INTERRUPTED });
    });

    test('An export is ended by the next start if the stack stops before', async () => {
      const before = await keysInBucket(name);
      const location = await startAndHold(`${CSV}?filter=!isCompany`);
      const reached = Promise.withResolvers<void>();
      dynamodb.inject(name, ({ operation, body }) => {
        if (operation !== 'UpdateItem' || !body.includes('"failed"')) return undefined;
        reached.resolve();
        return 'keep waiting';
      });
      await stop(location);
      await reached.promise;
      await worker.stop();
      dynamodb.heal(name);
      expect(await statusOf(location)).toMatchObject({ state: 'running' });
      await worker.restart();
      await ended(location, 'failed');
      await eventually(async () => expect(await keysInBucket(name)).toEqual(before));
      await eventually(() => expect(executionOf(location).deadLetterSent).toBe(true));
    });

    test('A dead letter that is late, or comes again, changes neither a ready export nor the reason of a failed one', async () => {
      const { handler } = await import('../../functions/end-failed-job/handler.ts');
      const ready = await start(`${CSV}?delimiter=semicolon`);
      await ended(ready, 'ready');
      s3.inject(name, every(s3Error(403, 'AccessDenied'), /partNumber=/));
      const failed = await start(`${XML}?filter=!isCompany`);
      await ended(failed, 'failed');
      const reason = 'A defect of the API ended the export. Report it with its exportId.';
      s3.heal(name);
      hold();
      const canceled = await start(`${CSV}?bom=true`);
      await cancel(canceled);
      for (const [location, state] of [
        [ready, { state: 'ready' }],
        [failed, { state: 'failed', reason }],
        [canceled, { state: 'canceled' }],
      ] as const) {
        await handler(deadLetterEvent(executionOf(location)));
        await handler(deadLetterEvent(executionOf(location)));
        expect(await statusOf(location)).toMatchObject(state);
      }
      letGo();
      const { url } = await statusOf(ready);
      expect((await fetch(url)).status).toBe(200);
    });

    test('A dead letter of a job that is no longer stored deletes its file', async () => {
      const { handler } = await import('../../functions/end-failed-job/handler.ts');
      const ready = await start(CSV);
      await ended(ready, 'ready');
      const before = await keysInBucket(name);
      const execution = executionOf(ready);
      const payload = { ...JSON.parse(execution.payload), id: crypto.randomUUID() };
      await handler(deadLetterEvent({ ...execution, payload: JSON.stringify(payload) }));
      expect(await keysInBucket(name)).toEqual(before.filter((key) => key !== payload.file.key));
    });
  });
});
