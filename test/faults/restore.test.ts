import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LocalServer } from '../../infra/local/server.ts';
import { readErasedCustomers, writeErasedCustomers } from '../../infra/restore/erased-customers.ts';
import { describeOutcome } from '../../infra/restore/outcome.ts';
import { type Restored, type RestoreOptions, restore } from '../../infra/restore/restore.ts';
import { resolveSettings } from '../../infra/settings.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import {
  changeLogHeadKey,
  customerInKey,
  exportJobKey,
  sequenceKey,
} from '../../shared/storage/table.ts';
import { type Client, clientOf, create, eventually } from '../support/api.ts';
import { startTestDatabase } from '../support/database.ts';
import { createFakeAws } from '../support/fake-aws.ts';
import {
  startTableRestores,
  type TableCall,
  type TableRestores,
} from '../support/table-restores.ts';

// The drill: a register that is used, a backup, more use, a restore with the operator's real code, and
// the register on the restored table. Only DynamoDB's control plane is simulated.

const TABLE = 'customers';
const POLL_MS = 5;
/** Customers that two merchants have at the backup, and all: one more was created with a key. */
const OF_A = 12;
const OF_B = 3;
const BACKED_UP = OF_A + OF_B + 1;
const PROD = {
  env: { account: '111122223333', region: 'eu-north-1' },
  identity: { kind: 'cognito' },
  alarmEmail: 'on-call@example.com',
};

const TABLE_OF_STACK = {
  ResourceType: 'AWS::DynamoDB::GlobalTable',
  PhysicalResourceId: TABLE,
};

const settingsOf = (others: object = {}) =>
  resolveSettings('prod', { prod: { ...PROD, closed: true, ...others } });

/** A merchant's copy of the register, as the API guide describes it. */
class Copy {
  readonly customers = new Map<number, unknown>();
  #token = '';
  #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Calls another address from now on. */
  use(client: Client): void {
    this.#client = client;
  }

  /** Loads all customers anew. */
  async load(): Promise<void> {
    const { body } = await this.#client.call('GET', '/customers/changes');
    this.#token = body.next;
    this.customers.clear();
    for (const customer of await listAll(this.#client)) {
      this.customers.set(customer.mexcParamvaluesetsid, customer);
    }
  }

  /** Reads all changes there are. Returns the status of a response other than 200. */
  async follow(): Promise<number> {
    for (;;) {
      const path = `/customers/changes?after=${this.#token}`;
      const { status, body } = await this.#client.call('GET', path);
      if (status !== 200) return status;
      for (const { change, mexcParamvaluesetsid: id, customer } of body.changes) {
        if (change === 'deleted') this.customers.delete(id);
        else this.customers.set(id, customer);
      }
      this.#token = body.next;
      if (!body.more) return status;
    }
  }

  /** Follows the changes until the copy is equal to the register. */
  followUntilEqual(): Promise<void> {
    return eventually(async () => {
      expect(await this.follow()).toBe(200);
      const register = await listAll(this.#client);
      expect([...this.customers.values()].toSorted(byId)).toEqual(register);
    });
  }
}

interface Listed {
  readonly mexcParamvaluesetsid: number;
  readonly name: string;
  readonly date: string;
}

const byId = (a: unknown, b: unknown) =>
  (a as Listed).mexcParamvaluesetsid - (b as Listed).mexcParamvaluesetsid;

async function listAll(client: Client): Promise<Listed[]> {
  const { status, body } = await client.call('GET', '/customers?limit=1000');
  expect(status).toBe(200);
  return body;
}

const idOf = ({ mexcParamvaluesetsid }: { mexcParamvaluesetsid: number }) => mexcParamvaluesetsid;
const createNamed = async (client: Client, name: string) => idOf(await create(client, { name }));

async function createWithKey(client: Client, key: string, name: string) {
  const headers = { 'idempotency-key': key };
  const { body } = await client.call('POST', '/customers', { body: { name }, headers });
  return idOf(body);
}

/** Starts the API on a table, and returns it with clients of merchants. */
async function startStack(endpoint: string, table: string, epoch: number) {
  // The handlers of an earlier stack have read its variables.
  vi.resetModules();
  process.env[ENVIRONMENT.changesEpoch] = String(epoch);
  const { startLocalStack } = await import('../../infra/local/stack.ts');
  const stack = await startLocalStack({ dynamodbEndpoint: endpoint, table });
  const clientFor = async (merchant: string) =>
    clientOf(stack.url, await stack.token({ merchant }));
  return { stack, clientFor };
}

// Of a deployed API no table is restored.
describe.skipIf(process.env.API_URL)('A restore', () => {
  let database: LocalServer;
  let tables: TableRestores;
  let client: DynamoDBClient;
  let folder: string;
  let backupMs: number;
  /** All ids that each merchant has got before the restore, and the entity tags of its customers. */
  const given = new Map<string, number[]>();
  const tags = new Map<string, Map<number, string[]>>();
  const lines: string[] = [];
  let follower: Copy;
  let first: Restored;
  let second: Restored;
  let restart: Awaited<ReturnType<typeof startStack>>;
  /** The tables on which the restore has called each operation. */
  const operations = new Map<string, Set<string>>();
  /** What the restore has changed, before the register was used again. */
  let written: readonly TableCall[];
  const before: Record<string, number> = {};

  const run = (options: Partial<RestoreOptions> = {}) =>
    restore({
      client,
      settings: settingsOf(),
      source: TABLE,
      contentMs: backupMs,
      pollMs: POLL_MS,
      report: (line) => lines.push(line),
      ...options,
    });

  beforeAll(async () => {
    vi.stubEnv('AWS_REGION', 'eu-north-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    folder = mkdtempSync(join(tmpdir(), 'restore-'));
    database = await startTestDatabase();
    tables = await startTableRestores(database.endpoint);
    client = new DynamoDBClient({ endpoint: tables.endpoint });
    await useRegister();
  });
  afterAll(async () => {
    await restart?.stack.close();
    await tables.close();
    await database.close();
    client.destroy();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** Uses the register before and after the backup, and closes it. */
  async function useRegister(): Promise<void> {
    const { stack, clientFor } = await startStack(tables.endpoint, TABLE, 0);
    const [a, b, c] = [await clientFor('a'), await clientFor('b'), await clientFor('c')];
    const note = async (client: Client, merchant: string, id: number) => {
      const { headers } = await client.call('GET', `/customers/${id}`);
      const ofMerchant = tags.get(merchant) ?? new Map<number, string[]>();
      tags.set(merchant, ofMerchant);
      ofMerchant.set(id, [...(ofMerchant.get(id) ?? []), headers.get('etag') ?? '']);
    };
    const add = async (client: Client, merchant: string, name: string) => {
      const id = await createNamed(client, name);
      given.set(merchant, [...(given.get(merchant) ?? []), id]);
      await note(client, merchant, id);
      return id;
    };
    for (let nth = 1; nth <= OF_A; nth += 1) await add(a, 'a', `Before ${nth}`);
    for (let nth = 1; nth <= OF_B; nth += 1) await add(b, 'b', `Before ${nth}`);
    await a.call('PATCH', '/customers/5', { body: { customerid: 'K5' } });
    const claimed = await a.call('PUT', '/customers/by-customerid/K5', {
      body: { name: 'Claimed' },
    });
    expect([claimed.status, claimed.body.mexcParamvaluesetsid]).toEqual([200, 5]);
    before.keyed = await createWithKey(a, 'key-of-before-the-backup', 'Keyed before');
    given.get('a')?.push(before.keyed);
    follower = new Copy(a);
    await follower.load();
    await addRunningExport('a');
    await eventually(async () => {
      const { status, body } = await a.call('GET', '/customers/exports');
      expect([status, body[0]?.state]).toEqual([200, 'running']);
    });
    await follower.followUntilEqual();
    await atNextSecond();
    backupMs = await tables.backUp(TABLE);

    for (let nth = 1; nth <= 5; nth += 1) await add(a, 'a', `Since ${nth}`);
    for (let nth = 1; nth <= 2; nth += 1) await add(c, 'c', `Since ${nth}`);
    before.keyedSince = await createWithKey(a, 'key-of-after-the-backup', 'Keyed since');
    given.get('a')?.push(before.keyedSince);
    for (const id of [2, 3]) {
      const { status } = await a.call('PATCH', `/customers/${id}`, { body: { name: 'Changed' } });
      expect(status).toBe(200);
      await note(a, 'a', id);
    }
    for (const id of [5, 6]) await a.call('DELETE', `/customers/${id}`);
    await b.call('DELETE', '/customers/1');
    const short = await add(a, 'a', 'Short-lived');
    await a.call('DELETE', `/customers/${short}`);
    await follower.followUntilEqual();
    await eventually(async () => {
      const heads = await tables.itemsOf(TABLE);
      const log = heads.filter(({ pk, sk }) => pk === 'MERCHANT#b' && sk.startsWith('CHANGES#'));
      expect(log.map(({ changedIds }) => changedIds).join(' ')).toContain('R1');
    });
    await stack.close();
  }

  async function addRunningExport(merchant: string): Promise<void> {
    const now = new Date().toISOString();
    const job = {
      jobState: 'running',
      format: 'csv',
      objectKey: `exports/${merchant}/file`,
      filename: 'customers.csv',
      contentType: 'text/csv',
      rowsDone: 0,
      rowsExpected: 1,
      changesFrom: { entry: 0, index: 0, sinceMs: Date.now() },
      started: now,
      updated: now,
      expiresAt: Math.floor(Date.now() / 1_000) + 3_600,
    };
    await DynamoDBDocumentClient.from(client).send(
      new PutCommand({
        TableName: TABLE,
        Item: { ...exportJobKey(merchant, '01890000-0000-7000-8000-000000000000'), ...job },
      }),
    );
  }

  describe('is refused', () => {
    const wrong: [string, () => Partial<RestoreOptions>, string][] = [
      [
        'while the register gives out ids',
        () => ({ settings: settingsOf({ closed: false }) }),
        'Close the register first',
      ],
      ['without a time', () => ({ contentMs: undefined }), '--at is required'],
      [
        'to a time without a backup',
        () => ({ contentMs: Date.parse('2025-01-01T00:00Z') }),
        '--at must be from 2026-01-01T00:00:00.000Z to',
      ],
      [
        'into the table that is in use',
        () => ({ restored: TABLE, contentMs: undefined }),
        'prod uses customers already',
      ],
      [
        'with a table that is not there',
        () => ({ restored: 'missing' }),
        '--restored: there is no table missing',
      ],
      [
        'into a table of another time',
        () => ({ restored: 'early', contentMs: backupMs + 1_000 }),
        'and not to the time of --at',
      ],
      [
        'into a table that was restored from another one',
        () => ({ restored: 'early', contentMs: undefined, source: 'another' }),
        'early was restored from customers, and not from another',
      ],
      [
        'into a table with other keys',
        () => ({ restored: 'old-layout', contentMs: undefined, source: 'old' }),
        'The keys and indexes of old-layout are not today',
      ],
    ];
    beforeAll(async () => {
      await tables.restoreBackup(TABLE, 'early', backupMs);
      await client.send(
        new CreateTableCommand({
          TableName: 'old-layout',
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        }),
      );
      tables.stateOf('old-layout').restoredFrom = { table: 'old', time: backupMs / 1_000 };
    });

    test.each(wrong)(
      'A restore %s is refused, and nothing is written',
      async (_, given, message) => {
        const written = tables.calls.length;
        await expect(run(given())).rejects.toThrow(message);
        expect(tables.calls.slice(written)).toEqual([]);
      },
    );

    test('A restore into a table that was not restored from a backup is refused, and nothing is written', async () => {
      const { ensureTable } = await import('../../infra/local/ensure-table.ts');
      await ensureTable(database.endpoint, 'another');
      const written = tables.calls.length;
      await expect(run({ restored: 'another' })).rejects.toThrow(
        'another was not restored from a backup',
      );
      expect(tables.calls.slice(written)).toEqual([]);
    });
  });

  test('A restore whose table disappears ends, and says what to do', async () => {
    await tables.restoreBackup(TABLE, 'vanishing', backupMs);
    const state = tables.stateOf('vanishing');
    const busy = 1_000_000;
    state.busy = busy;
    const message = 'vanishing is gone: its restore has failed.';
    const refused = expect(run({ restored: 'vanishing' })).rejects.toThrow(message);
    // It waits for the table.
    await eventually(() => expect(state.busy).toBeLessThan(busy - 5));
    await tables.deleteTable('vanishing');
    await refused;
  });

  describe('that is complete', () => {
    beforeAll(async () => {
      client.middlewareStack.add(
        (next, { commandName = '' }) =>
          (args) => {
            const { TableName, SourceTableName, ResourceArn } = args.input as Record<
              string,
              string
            >;
            const table = TableName ?? SourceTableName ?? ResourceArn?.split('/')[1] ?? '';
            const operation = commandName.replace(/Command$/, '');
            operations.set(operation, (operations.get(operation) ?? new Set()).add(table));
            return next(args);
          },
        { step: 'initialize' },
      );
      first = await run();
      const path = join(folder, 'erased.jsonl');
      writeErasedCustomers(path, first.items.erased);
      // The operator decides that one of them was deleted by mistake.
      const list = readErasedCustomers(path).filter(
        ({ merchant, id }) => `${merchant}${id}` !== 'a6',
      );
      second = await run({ erase: [...list, { merchant: 'a', id: 7 }] });
      written = tables.calls.slice();
      restart = await startStack(tables.endpoint, second.table.name, second.changesEpoch);
    });

    test('A restore lists the customers that were deleted since, with the time of their deletion', () => {
      expect(first.items.erased.map(({ merchant, id }) => `${merchant}${id}`)).toEqual([
        'a5',
        'a6',
        'b1',
      ]);
      for (const { deleted } of first.items.erased) {
        expect(Date.parse(deleted ?? '')).toBeGreaterThan(backupMs - 1_000);
        expect(Date.parse(deleted ?? '')).toBeLessThanOrEqual(Date.now());
      }
      expect(first.items).toMatchObject({
        merchants: 3,
        customers: BACKED_UP,
        raised: BACKED_UP,
        erasedAgain: 0,
      });
    });

    test('A repeated restore deletes those customers of a list that were deleted before, and no others', async () => {
      expect(second.items).toMatchObject({ customers: BACKED_UP - 2, raised: 0, erasedAgain: 2 });
      expect(second.items.kept).toEqual([{ merchant: 'a', id: 7 }]);
      const [a, b] = [await restart.clientFor('a'), await restart.clientFor('b')];
      const statuses = [];
      for (const [client, id] of [
        [a, 5],
        [b, 1],
        [a, 6],
        [a, 7],
      ] as const) {
        statuses.push((await client.call('GET', `/customers/${id}`)).status);
      }
      expect(statuses).toEqual([404, 404, 200, 200]);
    });

    test('A restore says what it has done, and the settings of the stage that the operator writes', () => {
      const text = describeOutcome(first, settingsOf(), 'list.jsonl');
      expect(text).toContain(
        `The restored table has ${BACKED_UP} customers. The ids of 3 merchants continue`,
      );
      expect(text).toContain(
        'Customers that had been deleted since and are back: 3. list.jsonl lists them.',
      );
      const after = describeOutcome(second, settingsOf());
      expect(after).toContain(
        '2 customers were deleted again. Customers that had been deleted since and are back: 1.',
      );
      expect(after).toContain(
        'not deleted, since the old table has it as well: {"merchant":"a","id":7}',
      );
      const [, written] = /at prod:\n\n(.+?)\n\n/s.exec(after) ?? [];
      expect(settingsOf(runInNewContext(`({${written}})`))).toMatchObject({
        table: second.table,
        changesEpoch: 1,
      });
    });

    test('A customer that is deleted again leaves no claim of its customerid', async () => {
      const claims = async (table: string) =>
        (await tables.itemsOf(table)).filter(({ sk }) => sk.startsWith('CLAIM#')).length;
      expect([await claims('early'), await claims(second.table.name)]).toEqual([1, 0]);
    });

    test('A restored table gets TTL, backups, deletion protection, tags and, after all writes, its stream', () => {
      const { name, streamArn } = second.table;
      expect(tables.stateOf(name)).toMatchObject({
        timeToLive: 'expiresAt',
        hasBackups: true,
        isProtected: true,
        stream: streamArn,
        streamView: 'KEYS_ONLY',
        tags: { project: 'customer-register', stage: 'prod' },
      });
      const own = written.filter(({ table }) => table === name);
      const enabled = own.findIndex(({ input }) => input.StreamSpecification);
      const writes = own.slice(0, enabled).filter(({ operation }) => operation === 'UpdateItem');
      // The versions, three sequences and the heads of two or three change logs.
      expect(writes.length).toBeGreaterThanOrEqual(BACKED_UP + 5);
      expect(
        own.slice(enabled + 1).filter(({ operation }) => /Update(?:Item|Table)/.test(operation)),
      ).toEqual([]);
    });

    test('A restore needs the permissions of the document, and no others', () => {
      const readme = readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8');
      const actionsOn = (resource: string) => {
        const [, actions = ''] =
          new RegExp(`^\\| ${resource} +\\| (.+) \\|$`, 'm').exec(readme) ?? [];
        return [...actions.matchAll(/`dynamodb:(\w+)`/g)].map(([, action]) => action).toSorted();
      };
      const used = (table: string) =>
        [...operations].flatMap(([name, tables]) => (tables.has(table) ? [name] : [])).toSorted();
      expect(used(TABLE)).toEqual(actionsOn('old table'));
      expect(used(first.table.name)).toEqual(actionsOn('restored table'));
    });

    test('A restore changes nothing of the old table', () => {
      const names = new Set([first.table.name, second.table.name]);
      const restored = written.findIndex(({ operation }) => operation.startsWith('Restore'));
      const other = written.slice(restored + 1).filter(({ table }) => table === TABLE);
      expect(names.size).toBe(1);
      expect(other).toEqual([]);
      expect(lines).toContain(`${first.table.name} is there; continuing with it.`);
    });

    test('Old entity tags of restored customers match nothing', async () => {
      const client = await restart.clientFor('a');
      const old = tags.get('a') as Map<number, string[]>;
      for (const { mexcParamvaluesetsid: id } of await listAll(client)) {
        for (const tag of old.get(id) ?? []) {
          const read = await client.call('GET', `/customers/${id}`, {
            headers: { 'if-none-match': tag },
          });
          const change = await client.call('PATCH', `/customers/${id}`, {
            body: { name: 'Lost update' },
            headers: { 'if-match': tag },
          });
          expect([id, tag, read.status, change.status]).toEqual([id, tag, 200, 412]);
        }
      }
      const { headers } = await client.call('GET', '/customers/2');
      expect(headers.get('etag')).toBe('"1000001"');
    });

    test('No id is given twice after a restore, and creation times do not go back', async () => {
      for (const merchant of ['a', 'b', 'c', 'new']) {
        const client = await restart.clientFor(merchant);
        const ids = [];
        for (let nth = 0; nth < 3; nth += 1) ids.push(await createNamed(client, `After ${nth}`));
        const last = Math.max(0, ...(given.get(merchant) ?? []));
        expect(ids).toEqual([last + 1, last + 2, last + 3]);
        const dates = (await listAll(client)).map(({ date }) => date);
        expect(dates).toEqual(dates.toSorted());
      }
    });

    test('An export that ran at the time of the backup is not running after a restore', async () => {
      const client = await restart.clientFor('a');
      const { status, body } = await client.call('GET', '/customers/exports');
      expect([status, body]).toEqual([200, []]);
    });

    test('An idempotency key of before the backup returns its customer, and one since creates it again', async () => {
      const client = await restart.clientFor('a');
      expect(await createWithKey(client, 'key-of-before-the-backup', 'Keyed before')).toBe(
        before.keyed,
      );
      const again = await createWithKey(client, 'key-of-after-the-backup', 'Keyed since');
      expect(given.get('a')).not.toContain(again);
      const names = (await listAll(client)).map(({ name }) => name);
      expect(names.filter((name) => name.startsWith('Keyed'))).toEqual([
        'Keyed before',
        'Keyed since',
      ]);
    });

    test('A client that follows changes gets 410 after a restore, loads again, and is equal to the register from then on', async () => {
      const client = await restart.clientFor('a');
      follower.use(client);
      expect(await follower.follow()).toBe(410);
      await follower.load();
      await follower.followUntilEqual();
      const id = await createNamed(client, 'Followed');
      await client.call('PATCH', '/customers/8', { body: { name: 'Followed, too' } });
      await client.call('DELETE', '/customers/9');
      await follower.followUntilEqual();
      expect(follower.customers.has(id)).toBe(true);
      expect(follower.customers.get(8)).toMatchObject({ name: 'Followed, too' });
      expect(follower.customers.has(9)).toBe(false);
      // Customers of after the backup are gone, and so they are from the copy.
      expect(
        [...follower.customers.values()].some((each) => /^Since/.test((each as Listed).name)),
      ).toBe(false);
    });

    test('A merchant whose first customer is newer than the backup follows changes after a restore', async () => {
      const client = await restart.clientFor('c');
      const copy = new Copy(client);
      await copy.load();
      await createNamed(client, 'Followed');
      await copy.followUntilEqual();
    });
  });

  test('A restore that is killed after or before any of its writes completes when it is run again, and has done each once', async () => {
    const target = `${TABLE}-killed`;
    await tables.restoreBackup(TABLE, target, backupMs);
    const program = `
      import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
      import { restore } from '${join(import.meta.dirname, '../../infra/restore/restore.ts')}';
      await restore({
        ...JSON.parse(process.env.OPTIONS),
        client: new DynamoDBClient({ endpoint: process.env.ENDPOINT }),
      });`;
    const options = {
      settings: settingsOf(),
      source: TABLE,
      restored: target,
      pollMs: POLL_MS,
      erase: [{ merchant: 'a', id: 5 }],
    };
    let kills = 0;
    for (let isDone = false; !isDone; ) {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
        env: { ...process.env, OPTIONS: JSON.stringify(options), ENDPOINT: tables.endpoint },
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      // Odd numbers are before a call, even ones after it.
      let left = kills < 8 ? kills + 1 : 20;
      tables.watch(() => {
        left -= 1;
        if (left === 0) child.kill('SIGKILL');
      });
      const [code, signal] = await once(child, 'close');
      isDone = code === 0;
      if (!isDone) expect(signal).toBe('SIGKILL');
      kills += isDone ? 0 : 1;
    }
    tables.watch(() => {});
    expect(kills).toBeGreaterThan(8);
    const items = new Map(
      (await tables.itemsOf(target)).map((item) => [`${item.pk} ${item.sk}`, item]),
    );
    const itemOf = ({ pk, sk }: { pk: string; sk: string }) => items.get(`${pk} ${sk}`);
    const customers = [...items.values()].filter((item) => customerInKey(item));
    expect(customers.map(({ version }) => version)).toEqual(customers.map(() => 1_000_001));
    expect(customers).toHaveLength(BACKED_UP - 1);
    const old = new Map(
      (await tables.itemsOf(TABLE)).map((item) => [`${item.pk} ${item.sk}`, item]),
    );
    for (const merchant of ['a', 'b', 'c']) {
      const [sequence, head] = [sequenceKey(merchant), changeLogHeadKey(merchant)];
      expect(itemOf(sequence)?.lastId).toBe(Math.max(...(given.get(merchant) ?? [])));
      const { nextChange } = old.get(`${head.pk} ${head.sk}`) ?? {};
      expect(itemOf(head)?.nextChange).toBe(nextChange + 1_000_000);
    }
    expect(tables.stateOf(target)).toMatchObject({ isProtected: true, streamView: 'KEYS_ONLY' });
  });

  test('A list of erased customers that was edited wrongly is refused with its lines, and a repeated restore leaves it', () => {
    const path = join(folder, 'wrong.jsonl');
    writeFileSync(
      path,
      '{"merchant":"a","id":1}\n\n{"merchant":"a"}\na,2\n{"merchant":1,"id":2}\n',
    );
    expect(() => readErasedCustomers(path)).toThrow(
      [
        `${path} is not a list of erased customers:`,
        '  line 3: must be {"merchant": "…", "id": 1}; got {"merchant":"a"}',
        '  line 4: must be {"merchant": "…", "id": 1}; got a,2',
        '  line 5: must be {"merchant": "…", "id": 1}; got {"merchant":1,"id":2}',
      ].join('\n'),
    );
    writeErasedCustomers(path, [{ merchant: 'a', id: 1 }]);
    expect(readFileSync(path, 'utf8')).toContain('a,2');
    expect(() => readErasedCustomers(join(folder, 'missing'))).toThrow('--erase-again: ENOENT');
  });

  describe('npm run restore', () => {
    const command = async (...args: string[]) => {
      const stack = { StackResources: [TABLE_OF_STACK] };
      const { environment } = createFakeAws({
        stack: null,
        replies: { 'cloudformation describe-stack-resources': stack },
      });
      const script = join(import.meta.dirname, '../../infra/restore/command.ts');
      const child = spawn(process.execPath, [script, ...args], {
        cwd: folder,
        env: { ...environment, AWS_ENDPOINT_URL_DYNAMODB: tables.endpoint },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text) => {
          output += text;
        });
      }
      const [status] = await once(child, 'close');
      return { status, output };
    };

    test('npm run restore reports all wrong options at once', async () => {
      const { status, output } = await command('--at', '2026-01-31 10:00');
      expect(status).toBe(1);
      expect(output).toBe(
        '--stage is required.\n--at must be a time such as 2026-01-31T10:00Z; got `2026-01-31 10:00`.\n',
      );
    });

    test('npm run restore finds the table of the stack, and refuses one that is not closed', async () => {
      const at = new Date(backupMs).toISOString().replace('.000', '');
      const { status, output } = await command('--stage', 'dev', '--at', at);
      expect(output).toBe(
        'Close the register first, so that it gives out no ids meanwhile: set closed: true for dev in infra/stages.ts, and deploy.\n',
      );
      expect(status).toBe(1);
    });

    test('npm run restore prepares a table that was restored otherwise', async () => {
      const source = `${TABLE}-lost`;
      await tables.restoreBackup(source, `${source}-back`, await tables.backUp(TABLE, source));
      const options = ['--stage', 'dev', '--table', source, '--restored', `${source}-back`];
      const { status, output } = await command(...options, '--keep-versions');
      expect(output).toContain(`${source} is gone`);
      expect(output).toContain('0 versions were raised.');
      expect(output).toContain(`    name: '${source}-back',`);
      expect(status).toBe(0);
    });
  });

  test('A restore of a restored table raises versions again, as those since the first one were given', async () => {
    const source = first.table.name;
    await atNextSecond();
    const contentMs = await tables.backUp(source);
    const settings = settingsOf({ table: first.table, changesEpoch: 1 });
    const third = await run({ source, contentMs, settings });
    expect(third.changesEpoch).toBe(2);
    expect(third.table.name).toMatch(/^customers-restored-\d{8}T\d{6}Z$/);
    const versions = (await tables.itemsOf(third.table.name))
      .filter((item) => customerInKey(item))
      .map(({ version }) => version);
    expect(versions.length).toBeGreaterThan(OF_A);
    expect(versions.filter((version) => version < 2_000_000 || version > 2_000_010)).toEqual([]);
  });

  test('A backup of a deleted table is prepared without it: ids and change log continue a million later', async () => {
    const source = `${TABLE}-deleted`;
    await tables.restoreBackup(TABLE, source, backupMs);
    const contentMs = await tables.backUp(source);
    await tables.deleteTable(source);
    await expect(run({ source, contentMs })).rejects.toThrow('restore-table-from-backup');
    const target = `${source}-back`;
    await tables.restoreBackup(source, target, contentMs);
    const options = { source, restored: target, contentMs: undefined };
    const { items } = await run({ ...options, erase: [{ merchant: 'a', id: 6 }] });
    expect(items).toMatchObject({ customers: BACKED_UP - 1, erasedAgain: 1 });
    await run(options);
    const sequences = (await tables.itemsOf(target)).filter(({ sk }) => sk === 'SEQUENCE');
    expect(sequences.map(({ pk, lastId }) => `${pk} ${lastId}`).toSorted()).toEqual([
      `MERCHANT#a ${1_000_000 + OF_A + 1}`,
      `MERCHANT#b ${1_000_000 + OF_B}`,
    ]);
    expect(lines).toContain(
      `${source} is gone: what was deleted since then is not known, and may be back.`,
    );
  });
});

/** Waits for the next second: backups are of whole seconds, and what is written next is after it. */
async function atNextSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_001 - (Date.now() % 1_000)));
}
