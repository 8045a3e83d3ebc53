import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  CHANGE_RECORDER,
  DEFAULT_FUNCTION,
  END_FAILED_JOB,
  ENDPOINTS,
  EXPORT_WORKER,
  IMPORT_PLANNER,
  IMPORT_WORKER,
  SNAPSHOT_BUILDER,
} from '../../infra/endpoints.ts';
import { createAuthorizer } from '../../infra/local/authorizer.ts';
import { deadLetterEvent, newExecution } from '../../infra/local/durable-execution.ts';
import { createGateway } from '../../infra/local/gateway.ts';
import { AUDIENCE } from '../../infra/local/issuer.ts';
import { createLambda } from '../../infra/local/lambda.ts';
import { type LocalServer, start } from '../../infra/local/server.ts';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import {
  type CustomerFilter,
  EVERYONE,
  LOOK_UP_NAMES,
  toCustomerFilter,
} from '../../shared/domain/customer-filter.ts';
import type { ExportJobInput } from '../../shared/domain/export.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { fileFormat } from '../../shared/formats/file-format.ts';
import {
  HEARTBEAT_KEY,
  RECORDER_KEY,
  rawCustomerKey,
  sequenceKey,
} from '../../shared/storage/table.ts';
import { type Client, clientOf, create, isLocal, localStack, useApi } from '../support/api.ts';
import { readCall } from '../support/dynamodb-call.ts';
import { useExportWorker } from '../support/export-worker.ts';
import {
  dynamodbError,
  every,
  type Faults,
  first,
  type Passing,
  s3Error,
  useFaultProxy,
} from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';
import { newMerchantWith } from '../support/seed.ts';
import { longAgo, Snapshots } from '../support/snapshots.ts';
import { type Json, synthesize } from '../support/synthesize.ts';

// Each function's permissions for the table and the bucket equal the requests that it sends. The
// tests call every function in all ways that cause requests; proxies record the requests, and the
// template has the permissions. functions.test.ts compares them with the commands in the bundle, to
// find requests of branches that no test here takes.

// Its requests would be recorded at any time.
useApi({ recordChanges: false });

/** Schedules of EventBridge Scheduler, which have a role of their own. */
const SCHEDULES = 'schedules';

const LOG_START = { entry: 0, index: 0, sinceMs: 0 };

/** Maximum characters of two fields. */
const LONG_TEXT = 10_000;
/**
 * Customers with two texts whose files take two parts of an upload. A quote takes two bytes in a CSV and in
 * a JSON Lines file, an ampersand five in an XML file; no text takes fewer bytes in a workbook than a random one.
 */
const IN_TWO_PARTS = {
  quotes: { count: 212, text: () => '"'.repeat(LONG_TEXT) },
  ampersands: { count: 85, text: () => '&'.repeat(LONG_TEXT) },
  random: { count: 565, text: () => randomBytes((LONG_TEXT * 3) / 4).toString('base64') },
} as const;
/** Maximum rows of 1 kB of a synchronous export, here; the customers with quotes count as 4,300. */
const LONG_EXPORT_ROWS = 4_900;
/** Customers with two long texts that take more than a page of a query. */
const TWO_PAGES = 60;
// Each merchant may have a snapshot.
process.env[ENVIRONMENT.snapshotFromId] = '0';

/** A call as a policy looks at it. */
interface Call {
  readonly by: string;
  readonly action: string;
  /** `table`, `table/index/name` or `bucket/key`. */
  readonly resource: string;
  /** What conditions look at. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

/** Requests of S3 by the action that permits them; a part of an upload is no more than a file. */
const S3_ACTIONS: readonly (readonly [RegExp, string])[] = [
  [/^GET \S+[?&]prefix=imports/, 'ListBucket'],
  [/^POST \S+\?delete/, 'DeleteObject'],
  [/^(?:GET|HEAD) \S+\/imports\//, 'GetObject'],
  [/^GET \S+[?&]uploads/, 'ListBucketMultipartUploads'],
  [/^DELETE [^?]+\.(?:csv|jsonl|xlsx|xml)(?:\?x-id|$)/, 'DeleteObject'],
  [/^GET \S+\/snapshots\//, 'GetObject'],
  [/^PUT /, 'PutObject'],
  [/^POST \S+\?uploads/, 'PutObject'],
  [/^POST \S+uploadId=/, 'PutObject'],
  [/^DELETE \S+uploadId=/, 'AbortMultipartUpload'],
  [/^(?:GET|HEAD) [^?]+\.(?:csv|jsonl|xlsx|xml)(?:\?|$)/, 'GetObject'],
];

describe.runIf(isLocal)('the permissions of', () => {
  const calls: Call[] = [];
  const workers = Object.fromEntries(
    [EXPORT_WORKER, IMPORT_PLANNER, IMPORT_WORKER].map((name) => [
      name,
      new URL(`../support/functions/${name}/handler.ts`, import.meta.url),
    ]),
  );
  const { dynamodb, s3, lambda } = useExportWorker(LONG_EXPORT_ROWS, {
    functions: workers,
    watch: {
      dynamodb: (passing) => {
        const { actions, index, leadingKeys, written } = readCall(passing);
        for (const action of actions) {
          calls.push({
            by: callerOf(passing),
            action: `dynamodb:${action}`,
            resource: index ? `table/index/${index}` : 'table',
            context: { 'dynamodb:LeadingKeys': leadingKeys, 'dynamodb:Attributes': written },
          });
        }
      },
      s3: (passing) => {
        const [, path = ''] = passing.operation.split(/[ ?]/);
        const [, action] = S3_ACTIONS.find(([form]) => form.test(passing.operation)) ?? [];
        calls.push({
          by: callerOf(passing),
          action: `s3:${action}`,
          resource: `${path.replace(/\/$/, '')}${deletedKey(passing)}`.replace(
            `/${localStack().bucket}`,
            'bucket',
          ),
          context: listedPrefix(passing),
        });
      },
    },
  });
  useFaultProxy(
    () => process.env.AWS_ENDPOINT_URL_SCHEDULER as string,
    (endpoint) => {
      process.env.AWS_ENDPOINT_URL_SCHEDULER = endpoint;
    },
    (passing) => {
      const [method, path = ''] = passing.operation.split(' ');
      const { GroupName, Target } = JSON.parse(passing.body);
      calls.push({
        by: callerOf(passing),
        action: `scheduler:${method === 'PUT' ? 'Update' : 'Create'}Schedule`,
        resource: path.replace('/schedules', `schedule/${GroupName}`),
        context: {},
      });
      calls.push(callOfTarget(Target));
    },
  );
  let gateway: LocalServer;
  /** A merchant with three customers. */
  let few: Merchant;
  /** Merchants whose exports are uploaded in parts, by their format. */
  let large: Readonly<Record<string, Merchant>>;
  /** A merchant whose ids are more than an export at once takes, though not its customers. */
  let many: Merchant;
  /** A merchant of whose customers a search finds one. */
  let scattered: Merchant;
  let statementsOf: ReturnType<typeof statementsOfStack>;

  beforeAll(async () => {
    statementsOf = statementsOfStack();
    quiet();
    const invoke = createLambda(
      async (name) => (await import(`../../functions/${name}/handler.ts`)).handler,
    );
    const server = createGateway({
      routes: ENDPOINTS,
      defaultFunction: DEFAULT_FUNCTION,
      authorize: createAuthorizer(localStack().issuer, AUDIENCE),
      invoke: (name, event) => {
        // The SDK tells this with each request. Functions are called one at a time.
        process.env.AWS_EXECUTION_ENV = name;
        return invoke(name, event);
      },
    });
    gateway = await start(server, 0);
    few = await merchantWith(3, { name: 'A', companyno: '556703-7485' });
    const quotes = await merchantInTwoParts(IN_TWO_PARTS.quotes);
    large = {
      csv: quotes,
      jsonl: quotes,
      xml: await merchantInTwoParts(IN_TWO_PARTS.ampersands),
      xlsx: await merchantInTwoParts(IN_TWO_PARTS.random),
    };
    const text = 'x'.repeat(LONG_TEXT);
    const ofMany = { notes: text, statuslog: text, companyno: '556703-7485' };
    many = await merchantWith(TWO_PAGES, ofMany);
    const snapshots = new Snapshots(localStack());
    await snapshots.change('', { lastId: LONG_EXPORT_ROWS }, sequenceKey(many.name));
    await create(many.client, ofMany);
    // More than an export reads before it looks into the index.
    scattered = await merchantWith(80, { name: 'A', notes: 'x'.repeat(1_500) });
    await create(scattered.client, { name: 'B' });
    calls.length = 0;
  });
  afterAll(async () => {
    delete process.env.AWS_EXECUTION_ENV;
    await gateway.close();
  });

  interface Merchant {
    readonly name: string;
    readonly client: Client;
    readonly ids: readonly number[];
  }

  async function merchantWith(
    count: number,
    fields: CustomerFields | ((index: number) => CustomerFields),
  ): Promise<Merchant> {
    const fieldsOf = typeof fields === 'function' ? fields : () => fields;
    const { name, merchant, ids } = await newMerchantWith(count, fieldsOf);
    return { name, client: clientOf(gateway.endpoint, merchant.token), ids };
  }

  const merchantInTwoParts = ({ count, text }: (typeof IN_TWO_PARTS)[keyof typeof IN_TWO_PARTS]) =>
    merchantWith(count, () => ({ notes: text(), statuslog: text() }));

  /** A call that is to be answered so; the requests behind it may have faults. */
  async function call(
    status: number,
    [method, path, options]: Parameters<Client['call']>,
    { client, name } = few,
    faults: { dynamodb?: Faults; s3?: Faults; lambda?: Faults } = {},
  ) {
    if (faults.lambda) lambda.inject(name, faults.lambda);
    if (faults.dynamodb) dynamodb.inject(name, faults.dynamodb);
    if (faults.s3) s3.inject(name, faults.s3);
    const answer = await client.call(method, path, options);
    dynamodb.heal(name);
    s3.heal(name);
    lambda.heal(name);
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).toBe(status);
    return answer;
  }

  /** A presigned address can do what its signer can, so that its use is a call of the signer's. */
  async function use(url: string, signer: string): Promise<void> {
    const headers = { 'user-agent': `exec-env/${signer}` };
    expect((await fetch(url, { headers })).status).toBe(200);
  }

  /** Has the change recorder log that the merchant's customers were created. */
  async function record({ name, ids }: Merchant): Promise<void> {
    const { handler } = await import(`../../functions/${CHANGE_RECORDER}/handler.ts`);
    process.env.AWS_EXECUTION_ENV = CHANGE_RECORDER;
    const Records = ids.map((id) => ({
      eventName: 'INSERT',
      dynamodb: { Keys: rawCustomerKey(name, id), SequenceNumber: String(id) },
    }));
    expect(await handler({ Records })).toEqual({ batchItemFailures: [] });
  }

  /**
   * Creates a merchant with a snapshot that no function has read yet, of whose customers a search finds
   * one; another has changed since.
   */
  async function merchantWithSnapshot(): Promise<Merchant> {
    const caller = process.env.AWS_EXECUTION_ENV;
    const merchant = await longAgo(async () => {
      const own = await merchantWith(81, (index) => ({
        name: index === 80 ? 'B' : 'A',
        notes: 'x'.repeat(1_500),
      }));
      await record(own);
      return own;
    });
    await build(merchant);
    await record({ ...merchant, ids: merchant.ids.slice(0, 1) });
    process.env.AWS_EXECUTION_ENV = caller;
    return merchant;
  }

  /** Has the builder build a merchant's snapshot, as if a heartbeat had just come. */
  async function build({ name }: Merchant): Promise<void> {
    const snapshots = new Snapshots(localStack());
    await snapshots.change('', { heartbeatMs: Date.now() }, RECORDER_KEY);
    process.env.AWS_EXECUTION_ENV = SNAPSHOT_BUILDER;
    expect(await snapshots.build(name)).toHaveProperty('snapshotKey');
  }

  /** Starts a long export and waits for what becomes of it; its faults last as long. */
  async function exportOfMany(path: string, state: string, fault?: Faults) {
    if (fault) s3.inject(many.name, fault);
    const { status, headers, body: started } = await many.client.call('GET', path);
    expect(status, JSON.stringify(started)).toBe(202);
    const location = headers.get('location') as string;
    await vi.waitFor(
      async () => {
        const answer = await many.client.call('GET', location);
        expect(answer.body.state).toBe(state);
      },
      { timeout: 50_000, interval: 200 },
    );
    s3.heal(many.name);
  }

  /** Starts a long export that no worker continues, and cancels it. */
  async function startLong(path: string): Promise<void> {
    lambda.inject(many.name, every({ status: 202, body: '' }, /invocations/));
    const { status, headers } = await many.client.call('GET', path);
    expect(status).toBe(202);
    lambda.heal(many.name);
    const location = headers.get('location') as string;
    expect((await many.client.call('DELETE', location)).status).toBe(200);
  }

  /** Has the worker export customers that a filter finds, as if there were many more. */
  async function exportScattered(filter: CustomerFilter, { name, client } = scattered) {
    // Reads the environment when it is loaded.
    const { startExportJob } = await import('../../shared/exports/start-export-job.ts');
    process.env.AWS_EXECUTION_ENV = 'export-customers-csv';
    const choice = { name: 'csv', delimiter: 'comma', bom: false } as const;
    const { id } = await startExportJob(process.env[ENVIRONMENT.exportWorker] as string, {
      merchantId: name,
      filter,
      format: fileFormat(choice),
      choice,
      rowsExpected: 1,
      changesFrom: LOG_START,
    });
    return vi.waitFor(
      async () => {
        const answer = await client.call('GET', `/customers/exports/${id}`);
        expect(answer.body.state).toBe('ready');
        return answer.body;
      },
      { timeout: 50_000, interval: 200 },
    );
  }

  /** Stores a job and begins its upload, and returns the input that its worker would have. */
  async function startWithoutWorker(): Promise<Pick<ExportJobInput, 'merchantId' | 'id' | 'file'>> {
    const { startUpload } = await import('../../shared/exports/export-parts.ts');
    const { addExportJob } = await import('../../shared/storage/export-jobs.ts');
    process.env.AWS_EXECUTION_ENV = 'export-customers-csv';
    const id = crypto.randomUUID();
    const key = `exports/${few.name}/${id}.csv`;
    const file = { key, filename: 'a.csv', contentType: 'text/csv' };
    const time = new Date().toISOString();
    const times = { started: time, updated: time };
    const rows = { rowsDone: 0, rowsExpected: 1, changesFrom: LOG_START };
    await addExportJob(few.name, { id, state: 'running', format: 'csv', file, ...rows, ...times });
    await startUpload(file);
    return { merchantId: few.name, id, file };
  }

  /** All ways of an export of the selected, by one of the two functions. */
  async function exportSelected(name: string, format: string): Promise<void> {
    const path = `/customers/export/${format}`;
    await use((await call(200, ['GET', path])).body.url, name);
    await call(200, ['GET', `${path}?filter=isCompany`]);
    await call(200, ['GET', `${path}?${LOOK_UPS}`]);
    await call(200, ['GET', `${path}?filter=search&search=B`], scattered);
    await call(200, ['GET', `${path}?filter=search&search=B`], await merchantWithSnapshot());
    if (format === 'xml') await call(200, ['GET', path], large[format]);
    if (format !== 'xlsx') await call(500, ['GET', path], large[format], { s3: PART_REFUSED() });
    await call(200, ['GET', path], few, { s3: SLOWLY() });
    await startLong(path);
    const refused = { lambda: every({ status: 429, body: '{}' }, /invocations/) };
    await call(503, ['GET', path], many, refused);
  }

  /** All ways of an export of chosen ids, by one of the two functions. */
  async function exportChosen(name: string, format: string): Promise<void> {
    const path = `/customers/export/${format}`;
    const unprocessed = { dynamodb: first(1, { rewrite: unprocess }, /^BatchGetItem/) };
    await use((await call(200, ['POST', path, { body: few.ids }])).body.url, name);
    await call(200, ['POST', path, { body: few.ids.slice(0, 1) }], few, unprocessed);
    await call(200, ['POST', path, { body: few.ids }], few, { s3: SLOWLY() });
    await call(404, ['POST', path, { body: [9_999] }]);
    const body = large[format]?.ids;
    if (format === 'xml') await call(200, ['POST', path, { body }], large[format]);
    await call(500, ['POST', path, { body }], large[format], { s3: PART_REFUSED() });
  }

  /** Plans a file whose rows name known and unknown customers. */
  function importFile(status: number, merchant = few, faults = {}) {
    const body = FILE_OF_IMPORT;
    const headers = { 'content-type': 'text/csv' };
    const path = '/customers/imports?match=customerid,companyno';
    return call(status, ['POST', path, { body, headers }], merchant, faults);
  }

  /** Creates an import and sends its file; returns its path. */
  async function sentFile(signer = 'create-import'): Promise<string> {
    const file = Buffer.from(FILE_OF_IMPORT);
    const options = { format: 'csv', bytes: file.length, match: ['customerid', 'companyno'] };
    const created = await call(201, ['POST', '/customers/imports', { body: options }]);
    const path = `/customers/imports/${created.body.importId}`;
    const { upload } = (await call(200, ['GET', path])).body;
    const headers = { ...upload.headers, 'user-agent': `exec-env/${signer}` };
    expect((await fetch(upload.url, { method: 'PUT', headers, body: file })).status).toBe(200);
    return path;
  }

  /** Applies a plan that updates a customer and creates some, one by a claim that is stale. */
  async function appliedImport({ status = 200, options = {}, faults = {} } = {}) {
    const merchant = await merchantWith(1, { name: 'A', companyno: '556703-7485' });
    const claimed = '/customers/by-customerid/NEW';
    const { body: owner } = await call(201, ['PUT', claimed, { body: {} }], merchant);
    const moved = { customerid: 'MOVED' };
    await call(
      200,
      ['PATCH', `/customers/${owner.mexcParamvaluesetsid}`, { body: moved }],
      merchant,
    );
    const planned = await importFile(201, merchant);
    const path = `/customers/imports/${planned.body.importId}`;
    const headers = { 'if-match': planned.headers.get('etag') as string };
    const body = { leaveOut: ['ambiguous', 'invalid'] };
    const apply = { body, headers: { ...headers, ...options } };
    await call(status, ['POST', `${path}/apply`, apply], merchant, faults);
    return { path, headers, merchant };
  }

  function reaching(path: string, state: string, { client }: Merchant): Promise<void> {
    return vi.waitFor(async () => expect((await client.call('GET', path)).body.state).toBe(state), {
      timeout: 50_000,
      interval: 200,
    });
  }

  /** For each function the calls by which it does all that it ever does. */
  const DRIVES: Readonly<Record<string, () => Promise<unknown>>> = {
    'list-customers': async () => {
      const { headers } = await call(200, ['GET', '/customers?limit=1']);
      const [, next = ''] = /^<[^>]*(\/customers\?[^>]+)>/.exec(headers.get('link') ?? '') ?? [];
      await call(200, ['GET', next]);
      await call(200, ['GET', '/customers?start=1']);
      await call(200, ['GET', `/customers?${LOOK_UPS}`]);
      await call(200, ['GET', '/customers?sort=-date&start=1']);
      await call(200, ['GET', '/customers?sort=name']);
      await call(200, ['GET', '/customers?sort=updated']);
      const unprocessed = { dynamodb: first(1, { rewrite: unprocess }, /^BatchGetItem/) };
      await call(200, ['GET', '/customers?filter=isCompany']);
      await call(200, ['GET', '/customers?filter=search&search=B'], scattered, unprocessed);
      await call(200, ['GET', '/customers?filter=rangeByDate&from=2026-01-01&to=2099-01-01']);
      const withSnapshot = await merchantWithSnapshot();
      await call(200, ['GET', '/customers?filter=search&search=B'], withSnapshot);
    },
    'create-customer': async () => {
      const key = { 'idempotency-key': 'k' };
      await call(200, ['POST', '/customers', { body: {} }]);
      const clockAhead = { dynamodb: first(1, CONDITION_FAILED, /^UpdateItem/) };
      await call(200, ['POST', '/customers', { body: {} }], few, clockAhead);
      await call(200, ['POST', '/customers', { body: {}, headers: key }]);
      await call(200, ['POST', '/customers', { body: {}, headers: key }]);
      await call(422, ['POST', '/customers', { body: { name: 'B' }, headers: key }]);
      const body = Array(120).fill({});
      const array = { body, headers: { 'idempotency-key': 'array' } };
      await call(201, ['POST', '/customers', { body }]);
      await call(201, ['POST', '/customers', array], few, clockAhead);
      await call(201, ['POST', '/customers', array]);
    },
    'put-customer': async () => {
      const put = (key: string, status: number, body = {}) =>
        call(status, ['PUT', `/customers/by-customerid/${key}`, { body }]);
      const { body } = await put('a', 201);
      await put('a', 200, { name: 'B' });
      const clockAhead = { dynamodb: first(1, CONDITION_FAILED, /^UpdateItem/) };
      await call(201, ['PUT', '/customers/by-customerid/b', { body: {} }], few, clockAhead);
      // A stale claim is taken over if its owner has not changed.
      const path = `/customers/${body.mexcParamvaluesetsid}`;
      await call(200, ['PATCH', path, { body: { customerid: 'c' } }]);
      await put('a', 201);
    },
    'delete-customers': async () => {
      const own = await merchantLike(few);
      await call(200, ['DELETE', '/customers', { body: [...own.ids, 9_999] }], own);
      const claimed = await call(201, ['PUT', '/customers/by-customerid/a', { body: {} }], own);
      const lost = { dynamodb: first(1, 'cut the answer', /^DeleteItem/) };
      const body = [claimed.body.mexcParamvaluesetsid];
      await call(200, ['DELETE', '/customers', { body }], own, lost);
    },
    'count-customers': async () => {
      await call(200, ['GET', '/customers/count']);
      await call(200, ['GET', '/customers/count?filter=search,isCompany&search=a']);
      await call(200, ['GET', `/customers/count?${LOOK_UPS}`]);
      await call(200, ['GET', '/customers/count?companyno=5567037485']);
      await call(200, ['GET', '/customers/count'], await merchantWithSnapshot());
    },
    'get-customer': async () => {
      const path = `/customers/${few.ids[0]}`;
      await call(200, ['GET', path]);
      await call(304, ['GET', path, { headers: { 'if-none-match': '*' } }]);
      await call(404, ['GET', '/customers/9999']);
    },
    'update-customer': async () => {
      const path = `/customers/${few.ids[0]}`;
      const body = { name: 'B' };
      await call(200, ['PATCH', path, { body }]);
      await call(200, ['PATCH', path, { body }]);
      await call(412, ['PATCH', path, { body, headers: { 'if-match': '"9"' } }]);
      await call(404, ['PATCH', '/customers/9999', { body }]);
      const race = { dynamodb: first(1, CONDITION_FAILED, /^PutItem/) };
      await call(200, ['PATCH', path, { body: { name: 'C' } }], few, race);
    },
    'delete-customer': async () => {
      const own = await merchantLike(few);
      const [one, two, three] = own.ids.map((id) => `/customers/${id}`) as [string, string, string];
      const headers = { 'if-match': '"1"' };
      await call(200, ['DELETE', one], own);
      await call(404, ['DELETE', one], own);
      await call(200, ['DELETE', two, { headers }], own);
      await call(404, ['DELETE', two, { headers }], own);
      await call(412, ['DELETE', three, { headers: { 'if-match': '"9"' } }], own);
      const lost = { dynamodb: first(1, 'cut the answer', /^DeleteItem/) };
      await call(200, ['DELETE', three, { headers }], own, lost);
    },
    'search-by-org-number': async () => {
      await call(200, ['GET', '/customers/searchByOrgNumber/5567037485']);
      await call(404, ['GET', '/customers/searchByOrgNumber/9001189811']);
      await call(404, ['GET', '/customers/searchByOrgNumber/999990053']);
      // Once the register is asked, once what it said is remembered.
      await call(200, ['GET', '/customers/searchByOrgNumber/999990010']);
      await call(200, ['GET', '/customers/searchByOrgNumber/999990010']);
    },
    'export-customers-xml': () => exportSelected('export-customers-xml', 'xml'),
    'export-customers-csv': () => exportSelected('export-customers-csv', 'csv'),
    'export-customers-by-id-xml': () => exportChosen('export-customers-by-id-xml', 'xml'),
    'export-customers-by-id-csv': () => exportChosen('export-customers-by-id-csv', 'csv'),
    'export-customers-xlsx': () => exportSelected('export-customers-xlsx', 'xlsx'),
    'export-customers-jsonl': () => exportSelected('export-customers-jsonl', 'jsonl'),
    'export-customers-by-id-xlsx': () => exportChosen('export-customers-by-id-xlsx', 'xlsx'),
    'export-customers-by-id-jsonl': () => exportChosen('export-customers-by-id-jsonl', 'jsonl'),
    'get-export': async () => {
      const { url } = await exportScattered(EVERYONE);
      await use(url, 'get-export');
      await call(404, ['GET', `/customers/exports/${crypto.randomUUID()}`]);
    },
    'list-exports': () => call(200, ['GET', '/customers/exports'], many),
    'cancel-export': async () => {
      await call(404, ['DELETE', `/customers/exports/${crypto.randomUUID()}`]);
    },
    'create-import': async () => {
      const body = { format: 'csv', bytes: FILE_OF_IMPORT.length, match: ['customerid'] };
      await call(201, ['POST', '/customers/imports', { body }]);
      await importFile(201);
      // Another call may have begun to read the file.
      await importFile(201, few, { dynamodb: first(1, CONDITION_FAILED, /^UpdateItem/) });
    },
    'plan-import': async () => {
      await call(200, ['POST', `${await sentFile()}/plan`]);
    },
    'list-imports': () => call(200, ['GET', '/customers/imports']),
    'get-import': async () => {
      await sentFile('get-import');
    },
    'list-import-rows': async () => {
      const { path, merchant } = await appliedImport();
      await call(200, ['GET', `${path}/rows`], merchant);
    },
    'get-rejected-rows': async () => {
      const { body } = await importFile(201);
      const path = `/customers/imports/${body.importId}/rejected`;
      await use((await call(200, ['GET', path])).body.url, 'get-rejected-rows');
    },
    'apply-import': () => appliedImport(),
    'undo-import': async () => {
      const { path, headers, merchant } = await appliedImport();
      await call(200, ['POST', `${path}/undo`, { headers }], merchant);
      // Of an interrupted step, which is completed first.
      const refused = every(dynamodbError(400, 'AccessDeniedException'), /^PutItem/);
      const stopped = await appliedImport({ status: 500, faults: { dynamodb: refused } });
      const { path: other, headers: tag, merchant: of } = stopped;
      await call(200, ['POST', `${other}/undo`, { headers: tag }], of);
    },
    'delete-import': async () => {
      const { path, merchant } = await appliedImport();
      await call(200, ['DELETE', path], merchant);
      await call(200, ['DELETE', await sentFile()]);
    },
    [IMPORT_PLANNER]: async () => {
      const path = await sentFile();
      await call(202, ['POST', `${path}/plan`, { headers: ASYNC }]);
      await reaching(path, 'planned', few);
      // It deletes what it has read after that.
      const isLast = ({ by, action, resource }: Call) =>
        by === IMPORT_PLANNER && action === 's3:DeleteObject' && resource.includes('/plan/');
      await vi.waitFor(() => expect(calls.some(isLast)).toBe(true), { timeout: 50_000 });
    },
    [IMPORT_WORKER]: async () => {
      const { path, headers, merchant } = await appliedImport({ status: 202, options: ASYNC });
      await reaching(path, 'applied', merchant);
      await call(202, ['POST', `${path}/undo`, { headers: { ...headers, ...ASYNC } }], merchant);
      await reaching(path, 'undone', merchant);
    },
    [EXPORT_WORKER]: async () => {
      await exportOfMany('/customers/export/csv', 'ready');
      await exportOfMany('/customers/export/xlsx', 'ready');
      await exportOfMany('/customers/export/jsonl', 'ready');
      await exportOfMany('/customers/export/xml', 'failed', PART_REFUSED());
      await exportOfMany('/customers/export/xml', 'ready', first(1, 'cut the answer', FINISH));
      const search = toCustomerFilter(['search'], { search: ['B'] });
      await exportScattered(search);
      await exportScattered(search, await merchantWithSnapshot());
      await exportScattered(toCustomerFilter(['isCompany'], {}), many);
      const lookUps = Object.fromEntries(LOOK_UP_NAMES.map((name) => [name, ['1']]));
      await exportScattered({ ...EVERYONE, lookUps });
    },
    [END_FAILED_JOB]: async () => {
      const { handler } = await import(`../../functions/${END_FAILED_JOB}/handler.ts`);
      const input = JSON.stringify(await startWithoutWorker());
      process.env.AWS_EXECUTION_ENV = END_FAILED_JOB;
      await handler(deadLetterEvent(newExecution(EXPORT_WORKER, crypto.randomUUID(), input)));
      const ofImport = {
        merchantId: few.name,
        importId: crypto.randomUUID(),
        run: '1',
        task: 'apply',
      };
      const dead = newExecution(IMPORT_WORKER, crypto.randomUUID(), JSON.stringify(ofImport));
      await handler(deadLetterEvent(dead));
    },
    [CHANGE_RECORDER]: async () => {
      await record(few);
      const { handler } = await import(`../../functions/${CHANGE_RECORDER}/handler.ts`);
      const { pk, sk } = HEARTBEAT_KEY;
      const dynamodb = { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber: '1' };
      await handler({ Records: [{ eventName: 'MODIFY', dynamodb }] });
    },
    [SNAPSHOT_BUILDER]: async () => {
      // Once of the index, once of the snapshot before.
      await build(await merchantWithSnapshot());
    },
    // What they do when they are due.
    [SCHEDULES]: async () => {
      await build(await merchantWithSnapshot());
    },
    'list-changes': async () => {
      const { body } = await few.client.call('GET', '/customers/changes');
      await record(few);
      // A single customer is read by BatchGetItem.
      await call(200, ['GET', `/customers/changes?after=${body.next}&limit=1`], few);
    },
    'digest-customers': async () => {
      await call(200, ['GET', '/customers/digest'], few, { dynamodb: SLOWLY() });
    },
    [DEFAULT_FUNCTION]: () => call(404, ['GET', '/nowhere']),
  };

  /** Customers that may be deleted. */
  const merchantLike = ({ ids }: Merchant) => merchantWith(ids.length, { name: 'A' });

  test.each(Object.keys(DRIVES))('%s equal the requests that it sends', async (name) => {
    await DRIVES[name]?.();
    const made = calls.filter(({ by }) => by === name);
    const statements = statementsOf(name);
    // Each call is allowed, with what its conditions look at.
    for (const one of made) {
      expect(
        statements.filter((statement) => allows(statement, one)),
        JSON.stringify(one),
      ).not.toEqual([]);
    }
    // And each permission is needed.
    const granted = statements.flatMap(({ actions, resources }) =>
      actions
        .filter((action) => isDriven(name, action))
        .flatMap((action) => resources.map((resource) => `${action} ${resource}`)),
    );
    const done = made.map(({ action, resource }) => `${action} ${patternOf(resource)}`);
    expect([...new Set(done)].sort()).toEqual([...new Set(granted)].sort());
  });

  test('are tested for each function that has any', () => {
    const endpoints = ENDPOINTS.map((endpoint) => endpoint.function);
    expect(Object.keys(DRIVES).toSorted()).toEqual(
      [
        ...endpoints,
        CHANGE_RECORDER,
        DEFAULT_FUNCTION,
        EXPORT_WORKER,
        IMPORT_PLANNER,
        IMPORT_WORKER,
        END_FAILED_JOB,
        SNAPSHOT_BUILDER,
        SCHEDULES,
      ].toSorted(),
    );
  });

  test('cover the callers of all requests', () => {
    expect(calls.map(({ by }) => by).filter((by) => !(by in DRIVES))).toEqual([]);
  });
});

/**
 * A workbook of as many rows as are exported at once here is compressed into one part, whose upload
 * needs no end. The export of XLSX by ids, whose code is the same, is driven to it.
 */
function isDriven(name: string, action: string): boolean {
  // A file of rejected rows that takes several parts is that of an export.
  if (name === 'get-rejected-rows') return action !== 's3:AbortMultipartUpload';
  return name !== 'export-customers-xlsx' || action !== 's3:AbortMultipartUpload';
}

/** A file with rows for customers that exist, that do not, and with errors. */
const FILE_OF_IMPORT = [
  'customerid,companyno,name',
  ',5567037485,B',
  'NEW,,C',
  ',559987-6546,D',
  `X,,${'x'.repeat(256)}\n`,
].join('\n');
const ASYNC = { prefer: 'respond-async' };

/** Returns the first of the keys that a request deletes, with a slash in front. */
function deletedKey({ operation, body }: Passing): string {
  const [, key] = (/\?delete/.test(operation) && /<Key>([^<]+)/.exec(body)) || [];
  return key ? `/${key}` : '';
}

function listedPrefix({ operation }: Passing): Record<string, string[]> {
  const [, prefix] = /[?&]prefix=([^&]+)/.exec(operation) ?? [];
  return prefix ? { 's3:prefix': [decodeURIComponent(prefix)] } : {};
}

/** Values of every field that is looked up. */
const LOOK_UPS = LOOK_UP_NAMES.map((name) => `${name}=1`).join('&');
const CONDITION_FAILED = dynamodbError(400, 'ConditionalCheckFailedException');
const FINISH = /^POST \S+uploadId=/;
/** Longer than an export runs without a lease. */
const SLOWLY = () => every({ delayMs: 600 });
const PART_REFUSED = () => first(9, s3Error(403, 'AccessDenied'), /^PUT \S+partNumber=/);

/** An answer as of a table that had no room for any key of a batch. */
function unprocess(body: string): string {
  const [[table, items] = []] = Object.entries<{ pk: object; sk: object }[]>(
    JSON.parse(body).Responses,
  );
  const Keys = items?.map(({ pk, sk }) => ({ pk, sk }));
  return JSON.stringify({
    Responses: { [table as string]: [] },
    UnprocessedKeys: { [table as string]: { Keys, ConsistentRead: true } },
  });
}

function callerOf({ userAgent }: Passing): string {
  return /exec-env\/([\w-]+)/.exec(userAgent)?.[1] ?? 'nobody';
}

/** Returns the call of a schedule's target. */
function callOfTarget({ Arn, Input }: { Arn: string; Input: string }): Call {
  const { Item, Bucket, Key } = JSON.parse(Input);
  const [service = '', operation = ''] = Arn.split(':').slice(-2);
  const context: Record<string, string[]> = Item
    ? { 'dynamodb:LeadingKeys': [Item.pk.S], 'dynamodb:Attributes': Object.keys(Item) }
    : {};
  return {
    by: SCHEDULES,
    action: `${service}:${operation.replace(/^./, (letter) => letter.toUpperCase())}`,
    resource: Item ? 'table' : `${Bucket}/${Key}`.replace(localStack().bucket, 'bucket'),
    context,
  };
}

/** A file's key, or a schedule's name, as a policy names it. */
function patternOf(resource: string): string {
  return resource
    .replace(/^(schedule\/\w+)\/.+$/, '$1/*')
    .replace(/^(bucket\/(?:exports|snapshots|imports\/\w+))\/.+$/, '$1/*');
}

function allows({ actions, resources, conditions }: Statement, call: Call): boolean {
  return (
    actions.includes(call.action) &&
    resources.some((pattern) => isLike(call.resource, pattern)) &&
    Object.entries(conditions).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => {
        const [, how] = /^(?:ForAllValues:)?String(Like|Equals)$/.exec(operator) ?? [];
        if (!how) throw new Error(`What ${operator} means is not known here`);
        return call.context[key]?.every((value) =>
          [wanted].flat().some((text) => (how === 'Like' ? isLike(value, text) : value === text)),
        );
      }),
    )
  );
}

function isLike(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

/** Returns a function that looks up the statements of a function about table, bucket and schedules. */
function statementsOfStack(): (name: string) => Statement[] {
  const { logicalId, statements, all } = synthesize({
    registers: { countries: ['SE', 'NO', 'FI'] },
  });
  const arns: Record<string, string> = {
    [logicalId('Customers')]: 'table',
    [logicalId('Exports')]: 'bucket',
  };
  function resolve(value: Json | string): string {
    if (typeof value === 'string') return value;
    if (value['Fn::Join']) return value['Fn::Join'][1].map(resolve).join('');
    return arns[value['Fn::GetAtt']?.[0]] ?? JSON.stringify(value);
  }
  const roleOfSchedules = all('AWS::IAM::Role').find(({ AssumeRolePolicyDocument }) =>
    JSON.stringify(AssumeRolePolicyDocument).includes('scheduler.amazonaws.com'),
  );
  const ofSchedules = roleOfSchedules?.Policies[0].PolicyDocument.Statement as Json[];
  return (name) =>
    (name === SCHEDULES ? ofSchedules : statements(name))
      .map(({ Action, Resource, Condition = {} }) => ({
        actions: [Action].flat(),
        // The local stack has a group of this name.
        resources: [Resource]
          .flat()
          .map((arn) => resolve(arn).replace(/^arn:.+:schedule\/.+\/\*$/, 'schedule/snapshots/*')),
        conditions: Condition,
      }))
      // Lambda's poller reads the stream, not the function's code.
      .filter(({ actions }) =>
        /^(?:dynamodb|s3|scheduler):(?!.*(?:Stream|Records|Shard))/.test(`${actions}`),
      );
}
