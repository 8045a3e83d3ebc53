import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { deadLetterEvent, type Execution } from '../../infra/local/durable-execution.ts';
import { ROWS_PER_STEP } from '../../shared/domain/import.ts';
import { importJobKey } from '../../shared/storage/table.ts';
import {
  type ApiResponse,
  type Client,
  eventually,
  isLocal,
  localStack,
  useApi,
} from '../support/api.ts';
import { useExportWorker } from '../support/export-worker.ts';
import { dynamodbError, every, first, hold, s3Error } from '../support/fault-proxy.ts';
import { apply, csvOf, importFile, pathOf, rowsOf, sendFile, undo } from '../support/imports.ts';
import { quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi({ recordChanges: false });

// Both clients bypass the proxies.
const s3 = () => new S3Client({ endpoint: localStack().s3Endpoint, forcePathStyle: true });

/** Returns the keys of a merchant's files of imports. */
async function filesOf(name: string, kind = ''): Promise<string[]> {
  const where = { Bucket: localStack().bucket, Prefix: 'imports/' };
  const { Contents = [] } = await s3().send(new ListObjectsV2Command(where));
  return Contents.map(({ Key = '' }) => Key).filter(
    (key) => key.includes(name) && key.startsWith(`imports/${kind}`),
  );
}

/** Deletes files of a merchant's imports, as the bucket's lifecycle rules do. */
async function deleteFilesOf(name: string, kind: 'plan' | 'undo'): Promise<void> {
  const keys = await filesOf(name, kind);
  expect(keys).not.toHaveLength(0);
  for (const Key of keys) {
    await s3().send(new DeleteObjectCommand({ Bucket: localStack().bucket, Key }));
  }
}

/** Changes the item of an import, such as to one that is old. */
async function changeItem(name: string, { body }: ApiResponse, attribute: string, value: unknown) {
  const client = new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint });
  await DynamoDBDocumentClient.from(client).send(
    new UpdateCommand({
      TableName: localStack().table,
      Key: importJobKey(name, body.importId),
      UpdateExpression: 'SET #attribute = :value',
      ExpressionAttributeNames: { '#attribute': attribute },
      ExpressionAttributeValues: { ':value': value },
    }),
  );
}

/** More than a step of a plan has, which are 1,000. */
const ROWS = 1_100;
/** Rows at the beginning of each step that create customers, in three transactions. */
const CREATED_OF_STEP = 60;
const ASYNC = { prefer: 'respond-async' };

describe.runIf(isLocal)('An import', () => {
  const worker = useExportWorker(100);

  beforeAll(() => {
    quiet();
  });
  // Of a test that fails, the clock does not go on in the next one.
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Plans an import of two steps that create customers. Its other rows have no key, and are left out. */
  async function plannedImport(merchant: Client): Promise<ApiResponse> {
    const rows = Array.from({ length: ROWS }, (_, index) => [
      index % ROWS_PER_STEP < CREATED_OF_STEP ? `K${index}` : '',
      `Ek ${index}`,
    ]);
    const started = await importFile(
      merchant,
      csvOf([['customerid', 'name'], ...rows]),
      undefined,
      ASYNC,
    );
    return reaching(merchant, started, ({ state }) => state === 'planned');
  }

  /** Applies such an import in the background. */
  async function applyInBackground(merchant: Client, planned: ApiResponse): Promise<void> {
    const { status } = await apply(merchant, planned, { leaveOut: ['invalid'] }, ASYNC);
    expect(status).toBe(202);
  }

  /** What has been done with all rows of such an import. */
  const RESULTS = {
    created: 2 * CREATED_OF_STEP,
    updated: 0,
    unchanged: 0,
    changedMeanwhile: 0,
    unclear: 0,
    leftOut: ROWS - 2 * CREATED_OF_STEP,
  };

  async function reaching(
    merchant: Client,
    started: ApiResponse,
    isThere: (body: { state: string; rowsDone: number }) => boolean,
  ): Promise<ApiResponse> {
    return vi.waitFor(
      async () => {
        const response = await merchant.call('GET', pathOf(started));
        expect(isThere(response.body), JSON.stringify(response.body)).toBe(true);
        return response;
      },
      { timeout: 100_000, interval: 250 },
    );
  }

  const countOf = async (merchant: Client) =>
    (await merchant.call('GET', '/customers/count')).body.count;

  /** Returns the durable execution that plans an import. */
  function executionOf({ body }: ApiResponse): Execution {
    // Others are being written, and have another name by the time they are read.
    const texts = readdirSync(worker.folder())
      .filter((file) => file.endsWith('.json'))
      .map((file) => readFileSync(join(worker.folder(), file), 'utf8'));
    return JSON.parse(texts.find((text) => text.includes(body.importId)) ?? '');
  }

  const stateOf = async (merchant: Client, planned: ApiResponse) =>
    (await merchant.call('GET', pathOf(planned))).body.state;

  /** Holds the first request of a merchant that matches back, at S3 or DynamoDB, until `letGo` is called. */
  function held(server: 's3' | 'dynamodb', name: string, match: RegExp) {
    const { faults, ...holding } = hold(match);
    worker[server].inject(name, faults);
    return holding;
  }

  test.each([
    ['while its file is read', /^PUT \S+rows-1\.jsonl/],
    ['while its rows are planned', /^PUT \S+plan-1\.jsonl/],
    ['before its plan is noted', /^PUT \S+manifest\.json/],
  ])(
    'whose planner is killed %s is planned after the restart, each row once, and was not half planned meanwhile',
    async (_, where) => {
      const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
      const keys = Array.from({ length: ROWS }, (_, index) => [`K${index}`, `Ek ${index}`]);
      const { reached, letGo } = held('s3', name, where);
      const started = await importFile(
        merchant,
        csvOf([['customerid', 'name'], ...keys]),
        undefined,
        ASYNC,
      );
      expect(started.status).toBe(202);
      await reached;
      await worker.stop();
      expect(await stateOf(merchant, started)).toBe('reading');
      const path = pathOf(started, 'rows');
      expectProblem(await merchant.call('GET', path), 409, [], '/problems/import-state');
      const headers = { 'if-match': '"p-any"' };
      const early = await merchant.call('POST', pathOf(started, 'apply'), { headers });
      expectProblem(early, 409, [], '/problems/import-state');
      // A second call begins no second plan.
      const second = await merchant.call('POST', pathOf(started, 'plan'));
      expect([second.status, second.body.state]).toEqual([202, 'reading']);
      // What the first planner has sent arrives late.
      await letGo();
      await worker.restart();
      const planned = await reaching(merchant, started, ({ state }) => state === 'planned');
      expect(planned.body).toMatchObject({ rows: ROWS, counts: { create: ROWS - 1, update: 1 } });
      const rows = [];
      for (let after = 0; after !== undefined; ) {
        const { body } = await merchant.call('GET', `${path}?limit=1000&after=${after}`);
        rows.push(...body.rows.map(({ row }: { row: number }) => row));
        after = body.next;
      }
      expect(rows).toEqual(keys.map((_, index) => index + 2));
      const again = await merchant.call('POST', pathOf(started, 'plan'));
      expect([again.status, again.body]).toEqual([200, planned.body]);
      // Of the file nothing is left but its plan.
      expect(
        (await filesOf(name)).filter((key) => !/\/(?:plan-\d|manifest)\.json/.test(key)),
      ).toEqual([]);
    },
  );

  test('whose planner is ended for good has failed, and the same call plans it anew', async () => {
    const { handler } = await import('../../functions/end-failed-job/handler.ts');
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const file = csvOf([
      ['customerid', 'name'],
      ['K0', 'Ek'],
    ]);
    const { reached, letGo } = held('s3', name, /^PUT \S+plan-0\.jsonl/);
    const started = await importFile(merchant, file, undefined, ASYNC);
    await reached;
    await handler(deadLetterEvent(executionOf(started)));
    const failed = await merchant.call('GET', pathOf(started));
    expect(failed.body).toMatchObject({ state: 'failed', reason: { code: 'interrupted' } });
    const planned = await merchant.call('POST', pathOf(started, 'plan'));
    expect(planned.body).toMatchObject({ state: 'planned', counts: { update: 1 } });
    expect(planned.body.reason).toBeUndefined();
    await letGo();
    expect((await apply(merchant, planned)).body.results).toMatchObject({ updated: 1 });
  });

  test('that is planned anew since its first planner was late keeps its second plan, when that comes', async () => {
    const { name, merchant, ids } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const file = csvOf([
      ['customerid', 'name'],
      ['K0', 'Ek'],
    ]);
    const created = await sendFile(merchant, file);
    const plan = () => merchant.call('POST', pathOf(created, 'plan'));
    const { reached, letGo } = held('s3', name, /^PUT \S+plan-0\.jsonl/);
    const late = plan();
    await reached;
    await merchant.call('PATCH', `/customers/${ids[0]}`, { body: { name: 'Alm' } });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    const stalled = await merchant.call('GET', pathOf(created));
    expect(stalled.body).toMatchObject({ state: 'failed', reason: { code: 'interrupted' } });
    const planned = await plan();
    vi.useRealTimers();
    const [row] = await rowsOf(merchant, planned);
    expect(row).toMatchObject({ version: 2, changes: { name: ['Alm', 'Ek'] } });
    await letGo();
    expect((await late).body.plan).toBe(planned.body.plan);
    expect(await rowsOf(merchant, planned)).toEqual([row]);
    expect((await apply(merchant, planned)).body.results).toMatchObject({ updated: 1 });
  });

  test('whose plan takes longer than a caller waits is planned in the background', async () => {
    // More customers than are read at once: the time is looked at before each read.
    const count = 250;
    const { name, merchant } = await newMerchantWith(count, (index) => ({
      customerid: `K${index}`,
    }));
    const rows = Array.from({ length: count }, (_, index) => [`K${index}`, `Ek ${index}`]);
    const { reached, letGo } = held('dynamodb', name, /^BatchGetItem/);
    const planning = importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    await reached;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 16_000 });
    await letGo();
    const started = await planning;
    vi.useRealTimers();
    expect([started.status, started.body.state]).toEqual([202, 'reading']);
    const planned = await reaching(merchant, started, ({ state }) => state === 'planned');
    expect(planned.body.counts).toMatchObject({ update: count });
  });

  test('whose plan has expired is neither applied nor planned again, and says so', async () => {
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const rows = ['K0', 'NEW'].map((key) => [key, `Ek ${key}`]);
    const planned = await importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    await changeItem(name, planned, 'usableUntil', new Date(Date.now() - 1_000).toISOString());
    expect(await stateOf(merchant, planned)).toBe('expired');
    expectProblem(await apply(merchant, planned), 410, [], '/problems/import-expired');
    const again = await merchant.call('POST', pathOf(planned, 'plan'));
    expectProblem(again, 410, [], '/problems/import-expired');
    expectProblem(await undo(merchant, planned), 409, [], '/problems/import-state');
    const { body } = await merchant.call('GET', '/customers');
    expect(body).toMatchObject([{ customerid: 'K0', name: '' }]);
    // Seven days after it last moved nothing is known of it.
    await changeItem(name, planned, 'expiresAt', Math.floor(Date.now() / 1_000) - 1);
    const gone = [apply(merchant, planned), undo(merchant, planned)];
    for (const response of [
      await merchant.call('GET', pathOf(planned)),
      ...(await Promise.all(gone)),
    ]) {
      expectProblem(response, 404, [], '/problems/import-not-found');
    }
  });

  test('whose files are gone is not applied, nor undone, not even in part', async () => {
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const importOf = (key: string) =>
      importFile(
        merchant,
        csvOf([
          ['customerid', 'name'],
          ['K0', `Ek ${key}`],
          [key, 'Alm'],
        ]),
      );
    const planned = await importOf('A');
    await deleteFilesOf(name, 'plan');
    expectProblem(await apply(merchant, planned), 410, [], '/problems/import-expired');
    expect(await stateOf(merchant, planned)).toBe('planned');
    expect((await merchant.call('GET', '/customers')).body).toMatchObject([{ name: '' }]);
    for (const call of ['rows', 'rejected']) {
      const response = await merchant.call('GET', pathOf(planned, call));
      expectProblem(response, 410, [], '/problems/import-expired');
    }
    // It does not keep another import from being applied.
    const other = await importOf('B');
    expect((await apply(merchant, other)).body.results).toMatchObject({ created: 1, updated: 1 });
    await deleteFilesOf(name, 'undo');
    expectProblem(await undo(merchant, other), 410, [], '/problems/import-expired');
    expect(await stateOf(merchant, other)).toBe('applied');
    expect((await merchant.call('GET', '/customers')).body).toMatchObject([{ name: 'Ek B' }, {}]);
  });

  test('in the background continues after the machine was switched off, and creates each customer once', async () => {
    const { name, merchant } = await newMerchantWith(0);
    const planned = await plannedImport(merchant);
    // Of the second step one transaction is written, and the others are under way.
    let first: string | undefined;
    const held = Promise.withResolvers<void>();
    worker.dynamodb.inject(name, ({ operation, body, invocation }) => {
      if (operation !== 'TransactWriteItems' || !/"K10\d\d"/.test(body)) return undefined;
      first ??= invocation;
      if (invocation === first) return undefined;
      held.resolve();
      return 'keep waiting';
    });
    await applyInBackground(merchant, planned);
    await held.promise;
    await eventually(async () => {
      expect(await countOf(merchant)).toBeGreaterThan(CREATED_OF_STEP);
    });
    await worker.stop();
    worker.dynamodb.heal(name);
    const interrupted = await merchant.call('GET', pathOf(planned));
    expect(interrupted.body).toMatchObject({ state: 'applying', rowsDone: ROWS_PER_STEP });
    expect(await countOf(merchant)).toBeLessThan(2 * CREATED_OF_STEP);
    await worker.restart();
    const applied = await reaching(merchant, planned, ({ state }) => state === 'applied');
    expect(applied.body.results).toEqual(RESULTS);
    await eventually(async () => expect(await countOf(merchant)).toBe(RESULTS.created));
  });

  test('that is stopped keeps what it has applied, is continued by the same call, and is undone as a whole', async () => {
    const { name, merchant } = await newMerchantWith(0);
    const planned = await plannedImport(merchant);
    // Some rows of the second step are under way when the import is stopped.
    const { reached, letGo } = held('dynamodb', name, /^TransactWriteItems .*"K10\d\d"/);
    await applyInBackground(merchant, planned);
    await reached;
    const stopped = await merchant.call('DELETE', pathOf(planned));
    expect(stopped.body).toMatchObject({ state: 'stopped', reason: { code: 'stoppedByRequest' } });
    const { body } = await merchant.call('GET', pathOf(planned));
    expect(body.state).toBe('stopped');
    expect(body.rowsDone).toBeLessThan(ROWS);
    await applyInBackground(merchant, planned);
    // What the first run has sent arrives beside the second run.
    await letGo();
    const applied = await reaching(merchant, planned, ({ state }) => state === 'applied');
    expect(applied.body.results).toEqual(RESULTS);
    expect((await undo(merchant, planned, ASYNC)).status).toBe(202);
    const undone = await reaching(merchant, planned, ({ state }) => state === 'undone');
    expect(undone.body.undone).toMatchObject({ removed: RESULTS.created });
    expect((await merchant.call('GET', '/customers?limit=1')).body).toEqual([]);
  });

  test('in a call whose function has died reads as stopped after a minute', async () => {
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const rows = ['K0', 'NEW'].map((key) => [key, `Ek ${key}`]);
    const planned = await importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    const { reached, letGo } = held('dynamodb', name, /^TransactWriteItems/);
    const applying = apply(merchant, planned);
    await reached;
    expect((await merchant.call('GET', pathOf(planned))).body.state).toBe('applying');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    const later = await merchant.call('GET', pathOf(planned));
    vi.useRealTimers();
    expect(later.body).toMatchObject({ state: 'stopped', reason: { code: 'interrupted' } });
    // This one was slow, and not dead.
    await letGo();
    expect((await applying).body).toMatchObject({ state: 'applied' });
  });

  test('whose function is late applies nothing once the import was stopped and undone', async () => {
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const rows = ['K0', 'NEW'].map((key) => [key, `Ek ${key}`]);
    const planned = await importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    const { reached, letGo } = held('s3', name, /^PUT \S+begun\.json/);
    const applying = apply(merchant, planned);
    await reached;
    expect((await merchant.call('DELETE', pathOf(planned))).body.state).toBe('stopped');
    expect((await undo(merchant, planned)).body.state).toBe('undone');
    await letGo();
    await applying;
    const { body } = await merchant.call('GET', '/customers');
    expect(body).toMatchObject([{ customerid: 'K0', name: '' }]);
    expect((await merchant.call('GET', pathOf(planned))).body.state).toBe('undone');
  });

  test('in a call that cannot reach the table is stopped with nothing lost, and is undone as a whole', async () => {
    const { name, merchant } = await newMerchantWith(3, (index) => ({ customerid: `K${index}` }));
    const rows = ['K0', 'K1', 'K2', 'NEW'].map((key) => [key, `Ek ${key}`]);
    const planned = await importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    expect(planned.body.counts).toMatchObject({ update: 3, create: 1 });
    const refused = dynamodbError(400, 'ProvisionedThroughputExceededException');
    worker.dynamodb.inject(name, every(refused, /^TransactWriteItems/));
    const failed = await apply(merchant, planned);
    worker.dynamodb.heal(name);
    expect(failed.status).toBe(503);
    const stopped = await merchant.call('GET', pathOf(planned));
    expect(stopped.body).toMatchObject({ state: 'stopped', reason: { code: 'outage' } });
    const undone = await undo(merchant, planned);
    expect(undone.body).toMatchObject({ state: 'undone', undone: { restored: 3, removed: 1 } });
    const outcomes = await rowsOf(merchant, planned);
    expect(outcomes.map((row: { result: string }) => row.result)).toEqual([
      'updated',
      'updated',
      'updated',
      'created',
    ]);
    const { body } = await merchant.call('GET', '/customers');
    expect(body.map((customer: { name: string }) => customer.name)).toEqual(['', '', '']);
  });

  /** Plans two imports, each of one new customer. */
  async function twoPlans(rows = [['A'], ['B']]) {
    const { name, merchant } = await newMerchantWith(0);
    const [one, other] = await Promise.all(
      rows.map(([key = '', companyno = '']) =>
        importFile(
          merchant,
          csvOf([
            ['customerid', 'companyno'],
            [key, companyno],
          ]),
          companyno ? 'match=companyno' : undefined,
        ),
      ),
    );
    return { name, merchant, one: one as ApiResponse, other: other as ApiResponse };
  }

  test('whose second call comes when the first has applied it keeps no other import waiting', async () => {
    const { name, merchant, one, other } = await twoPlans();
    const first = held('dynamodb', name, /^GetItem .*IMPORT-LOCK/);
    const late = apply(merchant, one);
    await first.reached;
    expect((await apply(merchant, one)).body.state).toBe('applied');
    await first.letGo();
    expect((await late).body.state).toBe('applied');
    expect((await apply(merchant, other)).body).toMatchObject({ results: { created: 1 } });
    // The same of undoing.
    const undoing = held('dynamodb', name, /^GetItem .*IMPORT-LOCK/);
    const lateUndo = undo(merchant, one);
    await undoing.reached;
    expect((await undo(merchant, one)).body.state).toBe('undone');
    await undoing.letGo();
    expect((await lateUndo).body.state).toBe('undone');
    expect((await undo(merchant, other)).body).toMatchObject({ undone: { removed: 1 } });
  });

  test('whose end is noted late does not let another import in beside its undoing', async () => {
    const { name, merchant, one, other } = await twoPlans();
    const released = hold(/^UpdateItem (?=.*IMPORT-LOCK).*REMOVE/);
    const removed = hold(/^DeleteItem/);
    worker.dynamodb.inject(name, (passing) => released.faults(passing) ?? removed.faults(passing));
    const applying = apply(merchant, one);
    await released.reached;
    const undoing = undo(merchant, one);
    await removed.reached;
    await released.letGo();
    await applying;
    const refused = await apply(merchant, other);
    expectProblem(refused, 409, [], '/problems/import-state');
    expect(refused.body.importId).toBe(one.body.importId);
    await removed.letGo();
    expect((await undoing).body).toMatchObject({ state: 'undone', undone: { removed: 1 } });
    expect((await apply(merchant, other)).body).toMatchObject({ results: { created: 1 } });
  });

  test('that is stopped keeps others out until its last step has ended, so that they create no twins', async () => {
    const number = '556703-7485';
    const { name, merchant, one, other } = await twoPlans([
      ['A', number],
      ['B', number],
    ]);
    const { reached, letGo } = held('dynamodb', name, /^TransactWriteItems/);
    const applying = apply(merchant, one);
    await reached;
    expect((await merchant.call('DELETE', pathOf(one))).body.state).toBe('stopped');
    const refused = await apply(merchant, other);
    expectProblem(refused, 409, [], '/problems/import-state');
    expect(refused.body.importId).toBe(one.body.importId);
    await letGo();
    expect((await applying).body).toMatchObject({ state: 'stopped', results: { created: 1 } });
    await eventually(async () => expect(await countOf(merchant)).toBe(1));
    const { body } = await apply(merchant, other);
    expect(body).toMatchObject({ state: 'applied', results: { changedMeanwhile: 1 } });
  });

  test('whose planner comes late to a file that another call has planned leaves that plan', async () => {
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const created = await sendFile(merchant, 'customerid,name\nK0,Ek\n');
    const { faults, reached, letGo } = hold(/^HEAD \S+upload/);
    // The first one asks whether there is a file.
    let asked: string | undefined;
    worker.s3.inject(name, (passing) => {
      if (/^HEAD \S+upload/.test(passing.operation)) asked ??= passing.invocation;
      return passing.invocation === asked ? undefined : faults(passing);
    });
    const late = merchant.call('POST', pathOf(created, 'plan'));
    await reached;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    const planned = await merchant.call('POST', pathOf(created, 'plan'));
    vi.useRealTimers();
    expect(planned.body.state).toBe('planned');
    await letGo();
    expect((await late).body).toEqual(planned.body);
    expect(await rowsOf(merchant, planned)).toMatchObject([{ outcome: 'update' }]);
    expect((await apply(merchant, planned)).body.results).toMatchObject({ updated: 1 });
  });

  test('whose file is sent again while it is read is planned as it is then', async () => {
    const { name, merchant } = await newMerchantWith(0);
    const created = await sendFile(merchant, 'customerid,name\nK0,Ek\n');
    worker.s3.inject(name, first(1, s3Error(412, 'PreconditionFailed'), /^GET \S+upload/));
    const planned = await merchant.call('POST', pathOf(created, 'plan'));
    worker.s3.heal(name);
    expect(planned.body).toMatchObject({ state: 'planned', counts: { create: 1 } });
  });

  test.each([{}, ASYNC])(
    'that is deleted while it is planned leaves no file, and its planner does not fail (%j)',
    async (headers) => {
      const { name, merchant } = await newMerchantWith(0);
      for (const where of [/^GET \S+upload/, /^PUT \S+rows-0/, /^PUT \S+manifest/]) {
        const created = await sendFile(merchant, 'customerid,name\nK0,Ek\n');
        const { reached, letGo } = held('s3', name, where);
        const planning = merchant.call('POST', pathOf(created, 'plan'), { headers });
        await reached;
        const deleted = await merchant.call('DELETE', pathOf(created));
        expect([deleted.status, deleted.body.state]).toEqual([200, 'canceled']);
        await letGo();
        const { status } = await planning;
        expect(status).toBe('prefer' in headers ? 202 : 404);
        if (status === 202) {
          await eventually(() => expect(executionOf(created).status).toBe('SUCCEEDED'));
        }
        expect(await filesOf(name)).toEqual([]);
      }
    },
  );

  test('of a body that cannot be stored or planned is none that awaits its file', async () => {
    const { name, merchant } = await newMerchantWith(0);
    const file = 'customerid,name\nK0,Ek\n';
    for (const [server, fault] of [
      ['s3', every(s3Error(503, 'SlowDown'), /^PUT \S+upload/)],
      ['s3', every(s3Error(503, 'SlowDown'), /^PUT \S+plan-0/)],
    ] as const) {
      worker[server].inject(name, fault);
      expect((await importFile(merchant, file)).status).toBe(503);
      worker[server].heal(name);
    }
    expect((await merchant.call('GET', '/customers/imports')).body).toEqual([]);
    expect(await filesOf(name)).toEqual([]);
    expect((await importFile(merchant, file)).body.state).toBe('planned');
  });

  test('that is stopped twice, as by a retry, can be continued and undone', async () => {
    const { name, merchant, one } = await twoPlans();
    const { reached, letGo } = held('dynamodb', name, /^TransactWriteItems/);
    const applying = apply(merchant, one);
    await reached;
    for (let call = 0; call < 2; call += 1) {
      const stopped = await merchant.call('DELETE', pathOf(one));
      expect([stopped.status, stopped.body.state]).toEqual([200, 'stopped']);
    }
    await letGo();
    expect((await applying).body).toMatchObject({ state: 'stopped', results: { created: 1 } });
    expect((await undo(merchant, one)).body).toMatchObject({ undone: { removed: 1 } });
    expect((await merchant.call('DELETE', pathOf(one))).body.state).toBe('canceled');
    expect(await filesOf(name, 'undo')).toEqual([]);
  });

  test('of a file with the longest headings is planned in the background, though Lambda keeps 256 kB of a step', async () => {
    const { merchant } = await newMerchantWith(0);
    const long = Array.from({ length: 195 }, (_, index) => `${index}${'å'.repeat(2_600)}`);
    const padding = ' '.repeat(10_000);
    const file = `Kundnummer${padding},Namn,${long.join()}\nK1,Ek\n,Alm\n`;
    const started = await importFile(merchant, file, undefined, ASYNC);
    const planned = await reaching(merchant, started, ({ state }) => state === 'planned');
    expect(JSON.stringify(executionOf(planned)).length).toBeLessThan(256 * 1_024);
    const { body } = await merchant.call('GET', pathOf(planned, 'rejected'));
    const rejected = await (await fetch(body.url)).text();
    expect(rejected.slice(0, 120)).toBe(`Kundnummer,Namn,0${'å'.repeat(99)},1åå`);
  });

  test.each([
    ['duplicateColumn', `Namn${' '.repeat(39_000)},Namn${' '.repeat(39_000)}\n`],
    ['noHeader', `${'x'.repeat(39_000)}\n`],
    ['tooManyColumns', `Namn${',x'.repeat(400_000)}\n`],
  ])(
    'of a file that cannot be read says so (%s), however long its headings are',
    async (code, file) => {
      const { merchant } = await newMerchantWith(0);
      const { status, body } = await importFile(merchant, file);
      expect([status, body.code]).toEqual([422, code]);
      expect(body.detail.length).toBeLessThan(2_500);
    },
  );

  test('whose first call takes the lock and does not begin is applied once by the second, and keeps no other waiting', async () => {
    const { name, merchant, one, other } = await twoPlans();
    const { reached, letGo } = held('dynamodb', name, /^UpdateItem (?=.*IMPORT#).*"applying"/);
    const slow = apply(merchant, one);
    await reached;
    // Until it is taken for dead, the first one has the lock.
    const refused = await apply(merchant, other);
    expectProblem(refused, 409, [], '/problems/import-state');
    const second = await apply(merchant, one);
    expect(second.body).toMatchObject({ state: 'applied', results: { created: 1 } });
    await letGo();
    expect((await slow).body).toMatchObject({ state: 'applied', results: { created: 1 } });
    expect((await apply(merchant, other)).body).toMatchObject({ results: { created: 1 } });
  });
});
