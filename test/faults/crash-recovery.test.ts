import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  ScanCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ensureTable } from '../../infra/local/ensure-table.ts';
import { signToken } from '../../infra/local/issuer.ts';
import { HOST } from '../../infra/local/server.ts';
import { TABLE_SCHEMA } from '../../infra/local/table-schema.ts';
import { CUSTOMER_INDEX, IDENTITY_NUMBER_INDEX } from '../../shared/storage/table.ts';
import { type Client, clientOf } from '../support/api.ts';
import { type Command, freePort, killAll, run } from '../support/command.ts';
import { iterations } from '../support/iterations.ts';
import { organisationNumber, type Random, randomOf, SEED } from '../support/random.ts';
import { sharedKey } from '../support/shared-key.ts';

// Kills `npm start`, as a crash or an impatient developer does, and checks the data that it left.

type Fields = Readonly<Record<'name' | 'customerid' | 'companyno', string>>;

/** A customer as its only writer knows it. */
interface Known {
  /** Idempotency key of its creation; a creation without a response is retried with it. */
  readonly key: string | undefined;
  id?: number;
  /** The fields acknowledged last; undefined if it does not exist. */
  sure: Fields | undefined;
  /** The result of a write without a response, if it was applied. */
  maybe?: { readonly fields: Fields | undefined };
}

/** A customer as the API returns it. */
type Shown = Fields & { readonly mexcParamvaluesetsid: number };

const MERCHANTS = ['a', 'b'];
const WRITERS_OF_EACH = 12;
const ROUNDS = iterations({ short: 1, long: 4 });
/** Writes of a round that are acknowledged before the process is killed: as many, or up to twice as many. */
const WRITES = iterations({ short: 50, long: 100 });
/** Customers who are looked up by their number: those written last. */
const LOOK_UPS = iterations({ short: 10, long: 30 });
/** Each customer's name contains one of these words, so that searches for them find each customer once. */
const WORDS = ['alfa', 'bravo', 'delta', 'echo', 'golf'];

/** A deployed API, or another DynamoDB, cannot be killed. */
const isElsewhere = !!(process.env.API_URL || process.env.DYNAMODB_ENDPOINT);

describe.skipIf(isElsewhere)('npm start', () => {
  let folder: string;
  let args: string[];
  let url: string;
  let command: Command;
  let tokens: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'killed-'));
    // Skips the creation of a key and of sample customers, which takes most of a first start.
    writeFileSync(join(folder, 'issuer-key.json'), JSON.stringify(sharedKey()));
    writeFileSync(join(folder, 'sample-customers-created'), '');
    const [port, issuer] = [await freePort(), await freePort()];
    args = ['--port', `${port}`, '--issuer-port', `${issuer}`];
    args.push('--dynamodb-port', '0', '--s3-port', '0');
    url = `http://localhost:${port}`;
    await start();
    tokens = await Promise.all(
      MERCHANTS.map((merchant) => signToken(sharedKey(), `http://${HOST}:${issuer}`, { merchant })),
    );
  });
  afterAll(async () => {
    await killAll();
    rmSync(folder, { recursive: true });
  });

  async function start(): Promise<void> {
    command = run('start', args, { DATA_FOLDER: folder });
    await command.said('Press Ctrl-C to stop.');
  }

  test(`npm start that is killed keeps all acknowledged writes and no partial one, and lists each change (SEED=${SEED})`, async () => {
    const random = randomOf(SEED);
    const merchants = tokens.map((token, index) => ({
      client: clientOf(url, token),
      writers: Array.from({ length: WRITERS_OF_EACH }, (_, nth) => `${index}-${nth}`).map(
        (name) => new Writer(name, clientOf(url, token), random),
      ),
    }));
    const writers = merchants.flatMap((merchant) => merchant.writers);
    const copies = new Map(merchants.map(({ client }) => [client, new Copy(client)]));
    for (const copy of copies.values()) await copy.begin();
    for (let round = 0; round < ROUNDS; round += 1) {
      let left = WRITES + random.below(WRITES);
      const acknowledged = () => {
        left -= 1;
        // At any moment, not only after a response.
        if (left === 0) setTimeout(() => command.process.kill('SIGKILL'), random.below(15));
      };
      await Promise.all(writers.map((writer) => writer.writeUntilCutOff(acknowledged)));
      expect(await command.ended()).toMatchObject({ signal: 'SIGKILL' });
      expect(writers.some(({ known }) => known.some(({ maybe }) => maybe))).toBe(true);
      await start();
      for (const { client, writers } of merchants) {
        const known = writers.flatMap((writer) => writer.known);
        settle(known, await all(client));
        await expectAgreement(client, known);
        await Promise.all(writers.map((writer) => writer.createAgain()));
        await expectAgreement(client, known);
        await copies.get(client)?.expectToEqual(await all(client));
      }
    }
  });
});

describe.skipIf(isElsewhere)('The local DynamoDB', () => {
  const TableName = 'customers';
  const Key = { pk: 'p', sk: 's' };
  const old = { ...Key, d: 1, orgNumber: '1', k: 'old' };
  const other = { ...Key, d: 1, orgNumber: '2', k: 'new' };
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cut-'));
    vi.stubEnv('AWS_REGION', 'local');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['creates', undefined, other],
    ['changes', old, other],
    ['deletes', old, undefined],
  ])(
    'The local DynamoDB %s an item in the table and its indexes or in none, whenever it is killed',
    async (_, before, after) => {
      const path = mkdtempSync(join(folder, 'cut-'));
      let isCut: boolean | undefined;
      for (let writes = 0; isCut !== false; writes += 1) {
        const wasCut = isCut;
        isCut = await withDynamoDb(path, async (documents, endWithin) => {
          if (wasCut)
            await expectState(documents, [before, after], `cut after ${writes - 1} writes`);
          await write(documents, before);
          return endWithin(writes, () => write(documents, after));
        });
      }
      await withDynamoDb(path, (documents) => expectState(documents, [after], 'not cut'));
    },
  );

  /** Expects the item, or its absence, in one of some states, and entries of the indexes that agree with it. */
  async function expectState(
    documents: DynamoDBDocumentClient,
    states: readonly (typeof old | undefined)[],
    where: string,
  ): Promise<void> {
    const { Item } = await documents.send(new GetCommand({ TableName, Key }));
    expect(states, where).toContainEqual(Item);
    const { d, orgNumber, k } = Item ?? {};
    const inCustomerIndex = await inIndex(documents, CUSTOMER_INDEX.name);
    expect(inCustomerIndex, where).toEqual(Item ? [{ ...Key, d, k }] : []);
    const byNumber = await inIndex(documents, IDENTITY_NUMBER_INDEX.name);
    expect(byNumber, where).toEqual(Item ? [{ ...Key, orgNumber }] : []);
  }

  test('The local DynamoDB writes all items of a transaction or none, whenever it is killed', async () => {
    const path = mkdtempSync(join(folder, 'cut-'));
    const items = [old, { ...old, sk: 'record' }];
    const expectItems = async (
      documents: DynamoDBDocumentClient,
      counts: readonly number[],
      where: string,
    ) => {
      const { Items = [] } = await documents.send(new ScanCommand({ TableName }));
      expect(counts, where).toContain(Items.length);
      expect(await inIndex(documents, CUSTOMER_INDEX.name), where).toHaveLength(Items.length);
      for (const { pk, sk } of Items) {
        await documents.send(new DeleteCommand({ TableName, Key: { pk, sk } }));
      }
    };
    let isCut: boolean | undefined;
    for (let writes = 0; isCut !== false; writes += 1) {
      const wasCut = isCut;
      isCut = await withDynamoDb(path, async (documents, endWithin) => {
        const where = `cut after ${writes - 1} writes`;
        if (wasCut) await expectItems(documents, [0, items.length], where);
        const TransactItems = items.map((Item) => ({ Put: { TableName, Item } }));
        return endWithin(writes, () => documents.send(new TransactWriteCommand({ TransactItems })));
      });
    }
    await withDynamoDb(path, (documents) => expectItems(documents, [items.length], 'not cut'));
  });

  test('The local DynamoDB completes at its next start the creation or deletion of a table during which it was killed', async () => {
    const path = mkdtempSync(join(folder, 'cut-'));
    // The first write says that the table is being created, or deleted.
    const created = await withServer(path, (_, endpoint, endWithin) =>
      endWithin(1, () => ensureTable(endpoint, TableName)),
    );
    expect(created).toBe(true);
    const deleted = await withServer(path, async (documents, _, endWithin) => {
      const { Table } = await documents.send(new DescribeTableCommand({ TableName }));
      const indexes = Table?.GlobalSecondaryIndexes ?? [];
      expect(indexes).toHaveLength(TABLE_SCHEMA.GlobalSecondaryIndexes?.length ?? 0);
      const statuses = [Table?.TableStatus, ...indexes.map(({ IndexStatus }) => IndexStatus)];
      expect(new Set(statuses)).toEqual(new Set(['ACTIVE']));
      await write(documents, old);
      return endWithin(1, () => documents.send(new DeleteTableCommand({ TableName })));
    });
    expect(deleted).toBe(true);
    await withServer(path, async (documents, endpoint) => {
      const { TableNames } = await documents.send(new ListTablesCommand({}));
      expect(TableNames).toEqual([]);
      await ensureTable(endpoint, TableName);
      expect((await documents.send(new ScanCommand({ TableName }))).Items).toEqual([]);
      expect(await inIndex(documents, CUSTOMER_INDEX.name)).toEqual([]);
    });
  });

  /** Does work, and kills the server after so many writes from now on. Returns whether it was killed. */
  type EndWithin = (writes: number, work: () => Promise<unknown>) => Promise<boolean>;

  /** Starts a server, and kills it after work with it. */
  async function withServer<T>(
    path: string,
    work: (documents: DynamoDBDocumentClient, endpoint: string, endWithin: EndWithin) => Promise<T>,
  ): Promise<T> {
    const left = new Int32Array(new SharedArrayBuffer(4)).fill(2 ** 31 - 1);
    const thread = new Worker(new URL('../../infra/local/dynamodb-thread.ts', import.meta.url), {
      workerData: { port: 0, path, left },
      execArgv: ['--import', new URL('../support/power-cut.ts', import.meta.url).href],
    });
    const [port] = await once(thread, 'message');
    const endpoint = `http://127.0.0.1:${port}`;
    const documents = documentsOf(endpoint);
    try {
      return await work(documents, endpoint, (writes, cutWork) => {
        const cut = once(thread, 'message').then(() => true);
        left[0] = writes;
        const done = cutWork().then(() => false);
        done.catch(() => {});
        return Promise.race([cut, done]);
      });
    } finally {
      await thread.terminate();
      documents.destroy();
    }
  }

  /** Starts a server that has the table. */
  function withDynamoDb<T>(
    path: string,
    work: (documents: DynamoDBDocumentClient, endWithin: EndWithin) => Promise<T>,
  ): Promise<T> {
    return withServer(path, async (documents, endpoint, endWithin) => {
      await ensureTable(endpoint, TableName);
      return work(documents, endWithin);
    });
  }

  async function write(documents: DynamoDBDocumentClient, Item: typeof old | undefined) {
    await (Item
      ? documents.send(new PutCommand({ TableName, Item }))
      : documents.send(new DeleteCommand({ TableName, Key })));
  }

  async function inIndex(documents: DynamoDBDocumentClient, IndexName: string) {
    return (await documents.send(new ScanCommand({ TableName, IndexName }))).Items;
  }
});

/** Returns a client of the local DynamoDB that does not retry. */
function documentsOf(endpoint: string): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, maxAttempts: 1 }));
}

/** A copy of a merchant's customers, kept by following the changes. */
class Copy {
  readonly #client: Client;
  readonly #customers = new Map<number, Shown>();
  #token = '';

  constructor(client: Client) {
    this.#client = client;
  }

  /** Begins at a time at which there are no customers. */
  async begin(): Promise<void> {
    this.#token = (await this.#client.call('GET', '/customers/changes')).body.next;
  }

  async expectToEqual(customers: readonly Shown[]): Promise<void> {
    const ordered = (shown: readonly Shown[]) =>
      shown.toSorted((a, b) => a.mexcParamvaluesetsid - b.mexcParamvaluesetsid);
    await vi.waitFor(
      async () => {
        while (await this.#follow());
        expect(ordered([...this.#customers.values()])).toEqual(ordered(customers));
      },
      { timeout: 50_000, interval: 100 },
    );
  }

  /** Applies a page of changes. Returns whether more follow. */
  async #follow(): Promise<boolean> {
    const path = `/customers/changes?after=${this.#token}`;
    const { status, body } = await this.#client.call('GET', path);
    expect(status).toBe(200);
    for (const { mexcParamvaluesetsid: id, customer } of body.changes) {
      if (customer) this.#customers.set(id, shownOf(customer));
      else this.#customers.delete(id);
    }
    this.#token = body.next;
    return body.more;
  }
}

/** Writes customers of its own, one write at a time. */
class Writer {
  readonly known: Known[] = [];
  readonly #name: string;
  readonly #client: Client;
  readonly #random: Random;

  constructor(name: string, client: Client, random: Random) {
    this.#name = name;
    this.#client = client;
    this.#random = random;
  }

  /** Writes until the connection ends. */
  async writeUntilCutOff(acknowledged: () => void): Promise<void> {
    for (;;) {
      const mine = this.known.filter(({ sure }) => sure);
      const customer = this.#random.pick(mine);
      const choice = this.#random.next();
      try {
        if (!customer || choice < 0.4) await this.#create();
        else if (choice < 0.75) await this.#change(customer);
        else await this.#remove(customer);
      } catch (error) {
        // fetch throws a TypeError if there is no response.
        if (error instanceof TypeError) return;
        throw error;
      }
      acknowledged();
    }
  }

  /** Retries creations without a response that have an idempotency key. */
  async createAgain(): Promise<void> {
    for (const customer of this.known) {
      if (customer.maybe) await this.#send(customer, customer.maybe.fields as Fields);
    }
  }

  async #create(): Promise<void> {
    const customer: Known = {
      key: this.#random.chance(0.5) ? `${this.#name}-${this.known.length}` : undefined,
      sure: undefined,
    };
    const fields = this.#fields(`${this.#name}-${this.known.length}`);
    this.known.push(customer);
    await this.#send(customer, fields);
  }

  async #send(customer: Known, fields: Fields): Promise<void> {
    const headers = customer.key ? { headers: { 'idempotency-key': customer.key } } : {};
    await this.#write(customer, fields, 'POST', '/customers', { body: fields, ...headers });
  }

  async #change(customer: Known): Promise<void> {
    const fields = this.#fields(customer.sure?.customerid ?? '');
    const body = { name: fields.name, companyno: fields.companyno };
    await this.#write(customer, fields, 'PATCH', `/customers/${customer.id}`, { body });
  }

  async #remove(customer: Known): Promise<void> {
    await this.#write(customer, undefined, 'DELETE', `/customers/${customer.id}`, {});
  }

  async #write(
    customer: Known,
    fields: Fields | undefined,
    method: string,
    path: string,
    options: object,
  ): Promise<void> {
    customer.maybe = { fields };
    const { status, body } = await this.#client.call(method, path, options);
    expect(status, JSON.stringify(body)).toBe(200);
    if (customer.id === undefined) customer.id = body.mexcParamvaluesetsid;
    expect(body.mexcParamvaluesetsid).toBe(customer.id);
    customer.sure = fields;
    delete customer.maybe;
  }

  #fields(customerid: string): Fields {
    const name = `${this.#random.pick(WORDS)} ${this.#random.below(1e9)}`;
    return { name, customerid, companyno: organisationNumber(this.#random) };
  }
}

/** Determines which unacknowledged writes were applied: completely, or not at all. */
function settle(known: readonly Known[], shown: readonly Shown[]): void {
  for (const customer of known) {
    const { maybe, sure, key } = customer;
    if (!maybe) continue;
    const customerid = (maybe.fields ?? sure)?.customerid;
    const found = shown.find((one) => one.customerid === customerid);
    const isMade = hasSameFields(found, maybe.fields);
    expect(isMade || hasSameFields(found, sure), JSON.stringify({ found, sure, maybe })).toBe(true);
    if (isMade) customer.sure = maybe.fields;
    if (found) customer.id = found.mexcParamvaluesetsid;
    // A creation with a key is retried in any case.
    if (sure || !key) delete customer.maybe;
  }
}

/** Expects that list, count and searches return these customers, each once, and no others. */
async function expectAgreement(client: Client, known: readonly Known[]): Promise<void> {
  const expected = known
    .filter((customer) => customer.sure)
    .map(({ id, sure }) => ({ ...sure, mexcParamvaluesetsid: id }) as Shown)
    .sort((a, b) => a.mexcParamvaluesetsid - b.mexcParamvaluesetsid);
  const ids = known.flatMap(({ id }) => id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await all(client)).toEqual(expected);
  expect((await client.call('GET', '/customers/count')).body).toEqual({ count: expected.length });
  expect(await all(client, '', 1)).toEqual(expected.slice(1));
  for (const word of WORDS) {
    const query = `filter=search&search=${word}`;
    const named = expected.filter(({ name }) => name.startsWith(word));
    expect(await all(client, `&${query}`)).toEqual(named);
    const { body } = await client.call('GET', `/customers/count?${query}`);
    expect(body, word).toEqual({ count: named.length });
  }
  for (const { mexcParamvaluesetsid: id, name, companyno } of expected.slice(-LOOK_UPS)) {
    const path = `/customers/searchByOrgNumber/${companyno}`;
    const { body } = await client.call('GET', path);
    expect(body, `${id}: ${companyno}`).toMatchObject({ company: name });
  }
}

/** @param query parameters that choose customers, in the form `&name=value`. */
async function all(client: Client, query = '', start = 0): Promise<Shown[]> {
  const customers: Shown[] = [];
  let count: number;
  do {
    const page = `limit=1000&start=${start + customers.length}`;
    const { status, body } = await client.call('GET', `/customers?${page}${query}`);
    expect(status).toBe(200);
    customers.push(...body.map(shownOf));
    count = body.length;
  } while (count === 1000);
  return customers;
}

function shownOf({ mexcParamvaluesetsid, name, customerid, companyno }: Shown): Shown {
  return { name, customerid, companyno, mexcParamvaluesetsid };
}

function hasSameFields(one: Fields | undefined, other: Fields | undefined): boolean {
  const text = (fields?: Fields) =>
    fields && [fields.name, fields.customerid, fields.companyno].join();
  return text(one) === text(other);
}
