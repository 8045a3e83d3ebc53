import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { parse as parseCsv } from 'csv-parse/sync';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { importJobKey } from '../../shared/storage/table.ts';
import {
  type ApiResponse,
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';
import {
  type CustomerRequest,
  type CustomerState,
  customerModel,
  type Fields,
} from '../support/customer-model.ts';
import { keysInBucket } from '../support/export-bucket.ts';
import { readJsonLines, readXlsxFile } from '../support/export-files.ts';
import { useProxyOf } from '../support/fault-proxy.ts';
import { csvOf, pathOf, put } from '../support/imports.ts';
import { iterations } from '../support/iterations.ts';
import { quiet } from '../support/logs.ts';
import { organisationNumber, type Random, randomOf, SEED } from '../support/random.ts';
import { type RandomFaults, randomFaults } from '../support/random-faults.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

// Many concurrent clients write customers of their own, and know the possible states of each: one, or
// several after a write that returned 503 or had no response.

const MERCHANTS = iterations({ short: 1, long: 3 });
const CLIENTS_OF_EACH = 4;
const REQUESTS_OF_EACH = iterations({ short: 10, long: 60 });
/** Number of 503 responses that are seen at least. */
const UNAVAILABLE = iterations({ short: 1, long: 4 });
/** Number of merchants that are there for what has not been seen with the others. */
const FURTHER = 4;
/**
 * Customers whose file has two parts: in XML, an ampersand is five times as long. More than a synchronous
 * export has.
 */
const LARGE = 105;
const LONG_EXPORT_ROWS = 100;
const LARGE_EXPORT = '/customers/export/xml';
const LONG_EXPORTS = iterations({ short: 1, long: 2 });
const IMPORTS_OF_EACH = iterations({ short: 2, long: 12 });
/** Fewer than may wait for their file, also if some of them were created twice. */
const MAX_IMPORTS = 12;
/** Customers that an import creates. */
const NEW_ROWS = 3;
/** More tries than random faults let fail in a row. */
const MAX_TRIES = 40;
const WORDS = ['alfa', 'bravo', 'delta', 'echo', 'golf'];
const FIELDS = ['name', 'customerid', 'companyno', 'fax'];
/** A valid number that no customer has: theirs are random, and do not begin so. */
const NOBODYS_NUMBER = '212000-0142';

/** A customer as its only writer knows it. */
interface Known {
  readonly fields: Fields;
  readonly key: string | undefined;
  /** Undefined while it is not known whether it was created. */
  id: number | undefined;
  /** All possible states. */
  possible: readonly CustomerState[];
  /** A request whose response was not awaited may still be running, so no more are sent. */
  isLeft?: boolean;
}

/** A merchant that several clients write to. */
interface Merchant {
  readonly name: string;
  readonly client: Client;
  readonly known: Known[];
  /** Presigned URLs that the merchant got. */
  readonly urls: string[];
  /** Locations of long exports. */
  readonly locations: string[];
  /** Imports that were begun, and are completed after the faults. */
  readonly interrupted: InterruptedImport[];
  /** Copy of the customers, kept by following the changes, and the token from which to go on. */
  readonly copy: Map<number, object>;
  token: string;
  /** A customer that every client changes, each one field, and the possible values of each field. */
  sharedId: number;
  readonly shared: Map<string, readonly string[]>;
}

/** What an import plans for a customer that no other client writes. */
interface ImportedRow {
  readonly known: Known;
  readonly before: CustomerState;
  readonly after: Exclude<CustomerState, 'gone'>;
}

/** An import of which it is not known how far it was applied, or undone. */
interface InterruptedImport {
  readonly planned: ApiResponse;
  readonly rows: ReadonlyMap<number, ImportedRow>;
  readonly call: 'apply' | 'undo';
}

/** `faults/put-by-customerid.test.ts` has random faults of its own. */
const PUT = 'put-customer';
const OF_IMPORTS: ReadonlySet<string> = new Set(
  ENDPOINTS.filter(({ path }) => path.startsWith('/customers/imports')).map(
    (each) => each.function,
  ),
);
const FORMATS = ['csv', 'xml', 'xlsx', 'jsonl'] as const;
/** Readers of the formats whose customers are compared. */
const READERS = {
  csv: async (file: Buffer) => parseCsv(file, { columns: true }),
  xlsx: readXlsxFile,
  jsonl: async (file: Buffer) => readJsonLines(file.toString()),
};

describe.runIf(isLocal)(`Random faults (SEED=${SEED})`, () => {
  const dynamodb = useProxyOf('dynamodb');
  const s3 = useProxyOf('s3');
  let injected: RandomFaults;
  let merchants: Merchant[];
  let large: Merchant & { readonly ids: number[]; readonly file: Buffer };
  /** Statuses of the responses, by function. */
  const statuses = new Map<string, number[]>();
  const random = randomOf(SEED);

  beforeAll(async () => {
    // The handlers read this variable on their first call.
    process.env[ENVIRONMENT.longExportRows] = String(LONG_EXPORT_ROWS);
    quiet();
    merchants = await Promise.all(Array.from({ length: MERCHANTS }, newKnownMerchant));
    const further = await Promise.all(Array.from({ length: FURTHER }, newKnownMerchant));
    const text = '&'.repeat(10_000);
    const many = await newMerchantWith(LARGE, () => ({ notes: text, statuslog: text }));
    const merchant = await knownMerchant(many.name, many.merchant);
    const ids = [...many.ids, merchant.sharedId];
    const answer = await merchant.client.call('POST', LARGE_EXPORT, { body: ids });
    merchant.urls.push(answer.body.url);
    large = { ...merchant, ids, file: await download(answer.body.url) };
    injected = randomFaults(random);
    dynamodb.inject('', injected.dynamodb);
    s3.inject('', injected.s3);
    await Promise.all([
      ...merchants.flatMap((merchant) =>
        Array.from({ length: CLIENTS_OF_EACH }, (_, nth) => behave(merchant, nth)),
      ),
      ...merchants.map((merchant, nth) => importAll(merchant, { untilServed: nth === 0 })),
      exportAll(),
    ]);
    await actUntilServed(further);
    injected.end();
    await injected.settle();
    for (const merchant of merchants) {
      await createAgain(merchant);
      await completeImports(merchant);
    }
  });

  async function newKnownMerchant(): Promise<Merchant> {
    const name = crypto.randomUUID();
    return knownMerchant(name, await newMerchant(0, { merchant: name }));
  }
  async function knownMerchant(name: string, client: Client): Promise<Merchant> {
    const { body } = await client.call('GET', '/customers/changes');
    const shared = await create(client, { name: 'shared' });
    const lists = { known: [], urls: [], locations: [], interrupted: [] };
    return {
      shared: new Map(),
      copy: new Map(),
      name,
      client,
      sharedId: shared.mexcParamvaluesetsid,
      token: body.next,
      ...lists,
    };
  }

  /** Calls the API; a status that is neither expected nor a valid 503 fails the test. */
  async function call(
    { client }: Merchant,
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string> },
    meant: readonly number[],
  ): Promise<ApiResponse> {
    const answer = await client.call(method, path, options);
    const { status, headers, body } = answer;
    const route = ENDPOINTS.find(
      (known) =>
        known.method === method &&
        new RegExp(`^${known.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path.split('?')[0] ?? ''),
    );
    const name = route?.function ?? '';
    statuses.set(name, [...(statuses.get(name) ?? []), status]);
    const what = `${method} ${path}: ${status} ${JSON.stringify(body).slice(0, 300)}`;
    expect([...meant, 503], what).toContain(status);
    if (status === 503) {
      expect(headers.get('content-type'), what).toBe('application/problem+json');
      expect(headers.get('retry-after'), what).toMatch(/^[1-9]\d*$/);
      expect(body.status, what).toBe(503);
      // A write of it may still be on its way; what is read until it has arrived says nothing of it.
      if (method !== 'GET') await injected.settle();
    }
    return answer;
  }

  /** Calls until the response is not 503, so that each of these calls is seen to succeed. */
  async function callUntilServed(...request: Parameters<typeof call>): Promise<ApiResponse> {
    let answer = await call(...request);
    for (let tries = MAX_TRIES; answer.status === 503 && tries > 0; tries -= 1) {
      answer = await call(...request);
    }
    return answer;
  }

  /** Returns what sends a random request of any kind, as one of a merchant's clients. */
  async function newClient(merchant: Merchant, nth: number): Promise<() => Promise<void>> {
    const own: Known[] = [];
    const actions = [
      ...Array(5).fill(() => add(merchant, own)),
      ...Array(4).fill(() => change(merchant, one(own))),
      ...Array(2).fill(() => ask(merchant, one(own), { method: 'DELETE' })),
      ...Array(3).fill(() => ask(merchant, one(own), { method: 'GET' })),
      ...Array(2).fill(() => changeShared(merchant, nth)),
      () => giveUp(merchant, one(own)),
      ...Array(2).fill(() => removeMany(merchant, own)),
      ...Array(2).fill(() => list(merchant, own, '')),
      () => list(merchant, own, `&start=${random.below(5)}`),
      () => list(merchant, own, `&filter=search&search=${random.pick(WORDS)}`),
      () => callUntilServed(merchant, 'GET', '/customers/count', {}, [200]),
      () => callUntilServed(merchant, 'GET', '/customers/count?filter=!isPrivate', {}, [200]),
      () => lookUp(merchant, own),
      () => callUntilServed(merchant, 'GET', '/customers/digest?parts=2', {}, [200]),
      ...FORMATS.flatMap((format) => [
        () => exportSome(merchant, own, format),
        () => exportFound(merchant, own, format),
      ]),
    ];
    await add(merchant, own);
    return () => actions[nextAction(actions.length)]?.();
  }

  async function behave(merchant: Merchant, nth: number): Promise<void> {
    const act = await newClient(merchant, nth);
    for (let left = REQUESTS_OF_EACH; left > 0; left -= 1) {
      await act();
      // One client keeps the copy.
      if (nth === 0 && (left === 1 || random.chance(0.1))) await follow(merchant);
    }
  }

  /**
   * Goes on with one further merchant after the other until each endpoint has been served. Those that
   * were needed are checked with the others.
   */
  async function actUntilServed(further: readonly Merchant[]): Promise<void> {
    const isSeen = () => unserved().length === 0 && unavailable() >= UNAVAILABLE;
    for (const merchant of further) {
      if (isSeen()) return;
      merchants.push(merchant);
      await follow(merchant);
      const act = await newClient(merchant, 0);
      for (let left = 4 * REQUESTS_OF_EACH; left > 0 && !isSeen(); left -= 1) await act();
      // The imports of a merchant can be locked for a minute.
      if (!areImportsServed()) await importAll(merchant, { untilServed: true });
      if (!isSeen()) await exportAll();
    }
  }

  /** Names of the functions that were never seen to succeed. */
  const unserved = () =>
    ENDPOINTS.map((each) => each.function).filter(
      (name) => name !== PUT && !statuses.get(name)?.some((status) => status < 300),
    );

  const areImportsServed = () => unserved().every((name) => !OF_IMPORTS.has(name));

  /** Number of 503 responses. */
  const unavailable = () => [...statuses.values()].flat().filter((status) => status === 503).length;

  /** Indexes of the actions to come before any is repeated, so that few requests have each. */
  const pending: number[] = [];
  function nextAction(count: number): number {
    if (pending.length === 0) pending.push(...Array(count).keys());
    return pending.splice(random.below(pending.length), 1)[0] as number;
  }

  /** Applies a page of changes to the copy. Returns whether more follow. */
  async function follow(merchant: Merchant): Promise<boolean> {
    const path = `/customers/changes?after=${merchant.token}&limit=${1 + random.below(20)}`;
    const { status, body } = await call(merchant, 'GET', path, {}, [200]);
    if (status !== 200) return true;
    for (const { mexcParamvaluesetsid: id, customer } of body.changes) {
      if (customer) merchant.copy.set(id, customer);
      else merchant.copy.delete(id);
    }
    merchant.token = body.next;
    return body.more;
  }

  function one(own: readonly Known[]): Known | undefined {
    return random.pick(own.filter(({ id, isLeft }) => id !== undefined && !isLeft));
  }

  /** Creates a customer; with an idempotency key it retries until the creation is acknowledged. */
  async function add(merchant: Merchant, own: Known[]): Promise<void> {
    const nth = merchant.known.length;
    const fields = newFields(random, `${nth}`);
    const key = random.chance(0.5) ? `key-${nth}` : undefined;
    const known: Known = { fields, key, id: undefined, possible: [] };
    own.push(known);
    merchant.known.push(known);
    if (key && random.chance(0.1)) {
      // Aborts the request, retries meanwhile, and does not change this customer later.
      const gone = abandoned(merchant, 'POST', '/customers', fields, { 'idempotency-key': key });
      known.isLeft = true;
      await gone;
    }
    for (let tries = key ? MAX_TRIES : 1; tries > 0 && known.id === undefined; tries -= 1) {
      await send(merchant, known);
    }
  }

  async function send(merchant: Merchant, known: Known): Promise<void> {
    const { fields: body, key } = known;
    const headers = key ? { headers: { 'idempotency-key': key } } : {};
    const answer = await call(merchant, 'POST', '/customers', { body, ...headers }, [200]);
    if (answer.status === 503) return;
    expect(fieldsOf(answer.body)).toEqual(fieldsOf(body));
    expect(answer.headers.get('etag')).toBe('"1"');
    known.id = answer.body.mexcParamvaluesetsid;
    known.possible = [{ version: 1, fields: fieldsOf(body) }];
  }

  async function change(merchant: Merchant, known: Known | undefined): Promise<void> {
    if (!known) return;
    const { customerid, ...changes } = newFields(random, '');
    const [state, ...others] = known.possible;
    const isSure = others.length === 0 && state !== undefined && state !== 'gone';
    const etag = isSure && random.chance(0.5) ? `"${state.version}"` : undefined;
    const ifMatch = etag ?? (random.chance(0.05) ? '"0"' : undefined);
    await ask(merchant, known, { method: 'PATCH', changes, ...(ifMatch && { ifMatch }) });
  }

  /** Reads, changes or deletes a customer, and updates its possible states from the response. */
  async function ask(
    merchant: Merchant,
    known: Known | undefined,
    input: CustomerRequest,
  ): Promise<void> {
    if (!known) return;
    const { method, changes, ifMatch } = input;
    const options = {
      ...(changes && { body: changes }),
      ...(ifMatch && { headers: { 'if-match': ifMatch } }),
    };
    const answer = await call(merchant, method, `/customers/${known.id}`, options, [200, 404, 412]);
    const { status, headers, body } = answer;
    if (status === 503) {
      if (method !== 'GET') known.possible = [...known.possible, ...after(known, input)];
      return;
    }
    const isShown = status === 200 && method !== 'DELETE';
    const output = {
      status,
      ...(isShown && { etag: headers.get('etag') ?? 'none', fields: fieldsOf(body) }),
    };
    const possible = after(known, input, output);
    const what = JSON.stringify({ known, input, output });
    expect(possible.length, what).toBeGreaterThan(0);
    known.possible = possible;
  }

  /** Aborts a request, which may be applied at any later time, or not. */
  async function giveUp(merchant: Merchant, known: Known | undefined): Promise<void> {
    if (!known) return;
    known.isLeft = true;
    const changes = { name: newFields(random, '').name ?? '' };
    const method = random.chance(0.7) ? 'PATCH' : 'DELETE';
    const input: CustomerRequest = { method, ...(method === 'PATCH' && { changes }) };
    known.possible = [...known.possible, ...after(known, input)];
    const body = method === 'PATCH' ? changes : undefined;
    await abandoned(merchant, method, `/customers/${known.id}`, body);
  }

  async function abandoned(
    { client }: Merchant,
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const signal = AbortSignal.timeout(1 + random.below(20));
    const authorization = `Bearer ${client.token}`;
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    await fetch(client.url + path, {
      method,
      signal,
      headers: { authorization, ...type, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch(() => {});
  }

  async function changeShared(merchant: Merchant, nth: number): Promise<void> {
    const field = ['fax', 'notes', 'email', 'telephone'][nth] as string;
    const text = `${random.below(1e9)}`;
    const path = `/customers/${merchant.sharedId}`;
    const { status, body } = await call(
      merchant,
      'PATCH',
      path,
      { body: { [field]: text } },
      [200],
    );
    const before = merchant.shared.get(field) ?? [''];
    merchant.shared.set(field, status === 200 ? [text] : [...before, text]);
    if (status === 200) expect(body[field]).toBe(text);
  }

  /** Deletes several customers, and retries until that is acknowledged. */
  async function removeMany(merchant: Merchant, own: readonly Known[]): Promise<void> {
    const some = Array.from({ length: 5 }, () => one(own)).filter((known) => known !== undefined);
    const all = [...new Set(some)];
    const sure = all.filter(({ possible }) => possible.length === 1 && possible[0] !== 'gone');
    if (all.length === 0) return;
    const body = all.map(({ id }) => id);
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const answer = await call(merchant, 'DELETE', '/customers', { body }, [200]);
      for (const known of all) {
        known.possible = answer.status === 200 ? ['gone'] : [...known.possible, 'gone'];
      }
      if (answer.status !== 200) continue;
      if (tries === 1) expect(answer.body.count).toBeGreaterThanOrEqual(sure.length);
      expect(answer.body.count).toBeLessThanOrEqual(all.length);
      return;
    }
  }

  /** Reads pages of customers, and compares those listed and those missing with the possible states. */
  async function list(merchant: Merchant, own: readonly Known[], query: string): Promise<void> {
    const shown: Record<string, string>[] = [];
    let path: string | undefined = `/customers?limit=${random.pick([7, 1_000])}${query}`;
    while (path) {
      const answer: ApiResponse = await call(merchant, 'GET', path, {}, [200]);
      if (answer.status === 503) return;
      shown.push(...answer.body);
      const next = answer.headers.get('link')?.match(/^<(.+)>; rel="next"$/)?.[1];
      path = next?.slice(merchant.client.url.length);
    }
    see(own, shown, query === '');
  }

  /** Updates possible states from a list; `isWhole` if it contains all customers. */
  function see(
    own: readonly Known[],
    shown: readonly Record<string, string>[],
    isWhole: boolean,
  ): void {
    const ids = shown.map(({ mexcParamvaluesetsid }) => Number(mexcParamvaluesetsid));
    expect(new Set(ids).size).toBe(ids.length);
    for (const known of own) {
      if (known.id === undefined || known.isLeft) continue;
      const found = shown[ids.indexOf(known.id)];
      if (!found && !isWhole) continue;
      const output = found ? { status: 200, fields: fieldsOf(found) } : { status: 404 };
      const possible = after(known, { method: 'GET' }, output);
      expect(possible.length, JSON.stringify({ known, found })).toBeGreaterThan(0);
      known.possible = possible;
    }
  }

  /** Looks a customer up that may be there, or nobody's number if there is none. */
  async function lookUp(merchant: Merchant, own: readonly Known[]): Promise<void> {
    const states = (known: Known) => known.possible.filter((state) => state !== 'gone');
    const known = random.pick(own.filter((one) => states(one).length > 0));
    const number = known ? states(known)[0]?.fields.companyno : NOBODYS_NUMBER;
    const path = `/customers/searchByOrgNumber/${number}`;
    const { status, body } = await callUntilServed(merchant, 'GET', path, {}, [200, 404]);
    if (!known) expect(status).not.toBe(200);
    else if (status === 200) {
      expect(states(known).map(({ fields }) => fields.name)).toContain(body.company);
    }
  }

  /** Exports customers by ids, synchronously. */
  async function exportSome(
    merchant: Merchant,
    own: readonly Known[],
    format: (typeof FORMATS)[number],
  ): Promise<void> {
    const some = own.filter(({ id }) => id !== undefined).slice(-10);
    // One of them is there in any case.
    const body = [...some.map(({ id }) => id), merchant.sharedId];
    const path = `/customers/export/${format}`;
    const answer = await callUntilServed(merchant, 'POST', path, { body }, [200]);
    if (answer.status === 200) await seeFile(merchant, some, answer, format, true);
  }

  async function exportFound(
    merchant: Merchant,
    own: readonly Known[],
    format: (typeof FORMATS)[number],
  ): Promise<void> {
    const path = `/customers/export/${format}?filter=search&search=${random.pick(WORDS)}`;
    const answer = await callUntilServed(merchant, 'GET', path, {}, [200]);
    if (answer.status === 200) await seeFile(merchant, own, answer, format, false);
  }

  async function seeFile(
    merchant: Merchant,
    own: readonly Known[],
    { body }: ApiResponse,
    format: (typeof FORMATS)[number],
    isWhole: boolean,
  ): Promise<void> {
    merchant.urls.push(body.url);
    const file = await download(body.url);
    expect(file.byteLength).toBe(body.bytes);
    if (format === 'xml') {
      expect(file.toString().match(/<customer>/g) ?? []).toHaveLength(body.count);
      return;
    }
    const rows = (await READERS[format](file)) as Record<string, string>[];
    expect(rows).toHaveLength(body.count);
    see(own, rows, isWhole);
  }

  /** Exports many customers in several parts, synchronously and in the background. */
  async function exportAll(): Promise<void> {
    let made = 0;
    let isRead = false;
    let isListed = false;
    const isDone = () => made >= LONG_EXPORTS && isRead && isListed;
    for (let tries = MAX_TRIES; !isDone() && tries > 0; tries -= 1) {
      const atOnce = await call(large, 'POST', LARGE_EXPORT, { body: large.ids }, [200]);
      if (atOnce.status === 200) {
        large.urls.push(atOnce.body.url);
        expect((await download(atOnce.body.url)).equals(large.file)).toBe(true);
        made += 1;
      }
      const { status, headers } = await call(large, 'GET', LARGE_EXPORT, {}, [202]);
      if (status !== 202) continue;
      const location = headers.get('location') as string;
      large.locations.push(location);
      const read = await call(large, 'GET', location, {}, [200]);
      isRead ||= read.status === 200;
      const listed = await call(large, 'GET', '/customers/exports', {}, [200]);
      isListed ||= listed.status === 200;
    }
    // One more than are checked later: it is canceled.
    await cancelExport();
  }

  /** Cancels an export until that is acknowledged. */
  async function cancelExport(): Promise<void> {
    for (let tries = MAX_TRIES; tries > 0; tries -= 1) {
      const path = '/customers/export/csv';
      const { status, headers } = await call(large, 'GET', path, {}, [202]);
      if (status !== 202) continue;
      const location = headers.get('location') as string;
      const canceled = await call(large, 'DELETE', location, {}, [200, 409]);
      if (canceled.status === 200) return;
    }
  }

  /**
   * Imports files one after the other: each creates customers, and changes one of an earlier import.
   * With `untilServed`, that goes on until each call was served.
   */
  async function importAll(
    merchant: Merchant,
    { untilServed }: { untilServed: boolean },
  ): Promise<void> {
    const own: Known[] = [];
    const isEnough = (nth: number) =>
      nth >= IMPORTS_OF_EACH && (!untilServed || areImportsServed());
    for (let nth = 0; nth < MAX_IMPORTS && !isEnough(nth); nth += 1) {
      const rows = new Map<number, ImportedRow>();
      const changed = one(own);
      const [before] = changed?.possible ?? [];
      if (changed && before && before !== 'gone' && changed.possible.length === 1) {
        const { name, fax } = newFields(random, '');
        const after = { version: before.version + 1, fields: { ...before.fields, name, fax } };
        rows.set(2, { known: changed, before, after });
      }
      while (rows.size < NEW_ROWS) {
        const fields = newFields(random, `import-${nth}-${rows.size}`);
        const known: Known = { fields, key: undefined, id: undefined, possible: ['gone'] };
        rows.set(rows.size + 2, { known, before: 'gone', after: { version: 1, fields } });
      }
      const planned = await plan(merchant, rows, nth % 2 === 0);
      if (!planned) continue;
      for (const { known, before } of rows.values()) {
        if (before !== 'gone') continue;
        own.push(known);
        merchant.known.push(known);
      }
      // Another client writes meanwhile, so that the plan is out of date.
      if (rows.get(2)?.before !== 'gone' && random.chance(0.3)) await change(merchant, changed);
      if (!(await complete(merchant, { planned, rows, call: 'apply' }))) continue;
      if (nth % 2 === 1 && !(await complete(merchant, { planned, rows, call: 'undo' }))) continue;
      // 404 if it was deleted and the response was lost.
      await callUntilServed(merchant, 'DELETE', pathOf(planned), {}, [200, 404]);
    }
  }

  /** Plans an import, whose file is the body or is sent to the store; undefined if it gives up. */
  async function plan(
    merchant: Merchant,
    rows: ReadonlyMap<number, ImportedRow>,
    isBody: boolean,
  ): Promise<ApiResponse | undefined> {
    const texts = [...rows.values()].map(({ after: { fields } }) =>
      FIELDS.map((name) => fields[name] ?? ''),
    );
    const body = csvOf([FIELDS, ...texts]);
    let planned: ApiResponse;
    if (isBody) {
      const options = { body, headers: { 'content-type': 'text/csv' } };
      const path = '/customers/imports?match=customerid';
      planned = await call(merchant, 'POST', path, options, [201]);
    } else {
      const options = { body: { format: 'csv', match: ['customerid'], bytes: body.length } };
      const created = await call(merchant, 'POST', '/customers/imports', options, [201]);
      if (created.status !== 201) return undefined;
      const sent = await put(created.body.upload, Buffer.from(body)).catch(() => undefined);
      if (sent !== 200) return undefined;
      planned = await callUntilServed(merchant, 'POST', pathOf(created, 'plan'), {}, [200, 202]);
    }
    // A run whose failure could not be noted keeps the import for a minute.
    if (planned.body.state !== 'planned') return undefined;
    const update = [...rows.values()].filter(({ before }) => before !== 'gone').length;
    expect(planned.body.counts).toMatchObject({ create: rows.size - update, update });
    const path = pathOf(planned);
    await call(merchant, 'GET', path, {}, [200]);
    await call(merchant, 'GET', '/customers/imports', {}, [200]);
    await call(merchant, 'GET', `${path}/rejected`, {}, [200]);
    return planned;
  }

  /**
   * Applies or undoes an import, and updates what its customers may be from the results.
   *
   * @returns whether that is known; the import is completed later otherwise.
   */
  async function complete(merchant: Merchant, imported: InterruptedImport): Promise<boolean> {
    const { planned, rows, call: name } = imported;
    const headers = { 'if-match': planned.headers.get('etag') ?? '' };
    const ended = name === 'apply' ? 'applied' : 'undone';
    let answer: ApiResponse | undefined;
    for (let tries = 1; tries <= 5 && answer?.body.state !== ended; tries += 1) {
      answer = await call(merchant, 'POST', pathOf(planned, name), { headers }, [200, 202, 409]);
    }
    const { status, body } = await call(merchant, 'GET', pathOf(planned, 'rows'), {}, [200]);
    if (answer?.body.state !== ended || status !== 200) {
      for (const { known } of rows.values()) known.isLeft = true;
      merchant.interrupted.push(imported);
      return false;
    }
    expect(body.rows).toHaveLength(rows.size);
    for (const row of body.rows) {
      const { known, before, after } = rows.get(row.row) as ImportedRow;
      const isWritten = row.result === 'created' || row.result === 'updated';
      // What the import has not written is not undone.
      const result: string = name === 'apply' || !isWritten ? row.result : row.undone;
      if (name === 'apply' || isWritten) {
        known.possible = afterImport(known.possible, result, before, after);
      }
      known.id ??= row.id;
      known.isLeft = false;
      expect(known.possible.length, JSON.stringify({ row, known })).toBeGreaterThan(0);
    }
    return true;
  }

  /** Completes what the faults have interrupted, as its caller does a minute later. */
  async function completeImports(merchant: Merchant): Promise<void> {
    const client = new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint });
    const interrupted = merchant.interrupted.splice(0);
    // All, since one that was interrupted later keeps the others out.
    for (const { planned } of interrupted) {
      await DynamoDBDocumentClient.from(client).send(
        new UpdateCommand({
          TableName: localStack().table,
          Key: importJobKey(merchant.name, planned.body.importId),
          UpdateExpression: 'SET stalledAt = :now',
          ExpressionAttributeValues: { ':now': Math.floor(Date.now() / 1_000) },
        }),
      );
    }
    client.destroy();
    for (const imported of interrupted) {
      expect(await complete(merchant, imported), imported.call).toBe(true);
    }
  }

  /** Retries unacknowledged creations that have an idempotency key. */
  async function createAgain(merchant: Merchant): Promise<void> {
    for (const known of merchant.known) {
      if (known.key && known.id === undefined) await send(merchant, known);
    }
  }

  test('Random faults reach every endpoint and cause some 503 responses', () => {
    const { requests, faults } = injected.passed;
    expect(requests).toBeGreaterThan(iterations({ short: 150, long: 1_000 }));
    expect(faults / requests).toBeGreaterThan(0.05);
    expect(unserved()).toEqual([]);
    expect(unavailable()).toBeGreaterThanOrEqual(UNAVAILABLE);
  });

  test('A copy that follows the changes equals the register after random faults', async () => {
    for (const merchant of merchants) {
      await vi.waitFor(
        async () => {
          while (await follow(merchant));
          const { body } = await merchant.client.call('GET', '/customers?limit=1000');
          const customers = [...merchant.copy].toSorted(([a], [b]) => a - b);
          expect(customers.map(([, customer]) => customer)).toEqual(body);
        },
        // A request of the recorder can still wait for its response, and is tried four times.
        { timeout: 60_000, interval: 500 },
      );
    }
  });

  test('Random faults lose no acknowledged write and leave no partial one', async () => {
    for (const merchant of merchants) {
      const { client, known, sharedId } = merchant;
      await eventually(async () => {
        const shown = (await client.call('GET', '/customers?limit=1000')).body;
        const others = new Map<string, Record<string, string>>();
        for (const customer of shown) {
          if (Number(customer.mexcParamvaluesetsid) === sharedId) continue;
          // No request created two customers.
          expect(others.has(customer.customerid), customer.customerid).toBe(false);
          others.set(customer.customerid, customer);
        }
        for (const one of known) {
          const found = others.get(one.fields.customerid ?? '');
          others.delete(one.fields.customerid ?? '');
          const states = one.id === undefined ? unknown(one) : one.possible;
          const fields = states.map((state) => (state === 'gone' ? state : state.fields));
          expect(fields, JSON.stringify(one)).toContainEqual(found ? fieldsOf(found) : 'gone');
          if (found && one.id !== undefined) expect(found.mexcParamvaluesetsid).toBe(one.id);
        }
        // Every customer belongs to a request.
        expect([...others.keys()]).toEqual([]);
      });
    }
  });

  test('Random faults lose no field of a customer that several clients change', async () => {
    for (const { client, sharedId, shared } of merchants) {
      const { body } = await client.call('GET', `/customers/${sharedId}`);
      for (const [field, values] of shared) expect(values).toContain(body[field]);
    }
  });

  test('Table and indexes agree after random faults', async () => {
    for (const { client, known } of merchants) {
      await eventually(async () => {
        const shown = (await client.call('GET', '/customers?limit=1000')).body;
        expect((await client.call('GET', '/customers/count')).body.count).toBe(shown.length);
        expect((await client.call('GET', '/customers?limit=1000&start=1')).body).toEqual(
          shown.slice(1),
        );
        for (const word of WORDS) {
          const query = `filter=search&search=${word}`;
          const named = shown.filter(({ name }: { name: string }) => name.startsWith(word));
          const { body } = await client.call('GET', `/customers?limit=1000&${query}`);
          expect(body).toEqual(named);
          const { count } = (await client.call('GET', `/customers/count?${query}`)).body;
          expect(count).toBe(named.length);
        }
        const current = new Set(shown.map(({ companyno }: { companyno: string }) => companyno));
        for (const { fields } of known.slice(0, 25)) {
          const path = `/customers/searchByOrgNumber/${fields.companyno}`;
          const { status } = await client.call('GET', path);
          expect(status, fields.companyno).toBe(current.has(fields.companyno) ? 200 : 404);
        }
      });
    }
  });

  test('Long exports succeed in spite of random faults', async () => {
    expect(large.locations.length).toBeGreaterThan(0);
    for (const location of large.locations) {
      const body = await vi.waitFor(
        async () => {
          const answer = await large.client.call('GET', location);
          expect(answer.body.state).not.toBe('running');
          return answer.body;
        },
        { timeout: 50_000, interval: 100 },
      );
      expect(body.state).toBe('ready');
      large.urls.push(body.url);
      expect((await download(body.url)).equals(large.file)).toBe(true);
    }
  });

  test('Random faults leave each file whose URL was returned, no other and no unfinished upload', async () => {
    // An export whose lease cannot be stored is 503, though S3 may have its file already.
    const failed = [...statuses]
      .filter(([name]) => name.startsWith('export-'))
      .flatMap(([, all]) => all.filter((status) => status === 503));
    // The worker of the export that was canceled may be about to abort its upload.
    await eventually(async () => {
      let unexplained = 0;
      for (const { name, urls } of [...merchants, large]) {
        const told = urls.map((url) => decodeURIComponent(new URL(url).pathname.slice(1)));
        const keys = told.map((path) => path.split('/').slice(1).join('/'));
        const left = new Set(await keysInBucket(name));
        expect(keys.filter((key) => !left.has(key))).toEqual([]);
        const untold = [...left].filter((key) => !keys.includes(key ?? ''));
        unexplained += untold.filter((key) => !injected.loose.has(key ?? '')).length;
      }
      expect(unexplained).toBeLessThanOrEqual(failed.length);
    });
  });
});

/**
 * Returns the possible states of a customer after an import, by the result of its row; none if the
 * result cannot be true.
 */
function afterImport(
  possible: readonly CustomerState[],
  result: string,
  before: CustomerState,
  after: Exclude<CustomerState, 'gone'>,
): CustomerState[] {
  const { key } = customerModel({}, { outages: true });
  const could = (state: CustomerState) => possible.some((each) => key(each) === key(state));
  const written = { ...after, fields: fieldsOf(after.fields) };
  const restored = before === 'gone' ? before : { ...before, version: after.version + 1 };
  switch (result) {
    case 'created':
    case 'updated':
      return could(before) ? [written] : [];
    case 'removed':
    case 'restored':
      return could(written) ? [restored] : [];
    case 'unclear':
      return [...possible, written, restored];
    case 'changedMeanwhile':
      return before === 'gone' ? [] : [...possible];
    default:
      return [];
  }
}

/** Returns the possible states of a customer whose creation was not acknowledged. */
function unknown({ fields }: Known): CustomerState[] {
  return ['gone', { version: 1, fields: fieldsOf(fields) }];
}

/** Returns the possible states after a request. */
function after(
  { possible }: Known,
  input: CustomerRequest,
  output?: Parameters<ReturnType<typeof customerModel>['next']>[2],
): CustomerState[] {
  const { next, key } = customerModel({}, { outages: true });
  const states = possible.flatMap((state) => next(state, input, output) ?? []);
  return [...new Map(states.map((state) => [key(state), state])).values()];
}

function newFields(random: Random, customerid: string) {
  const name = `${random.pick(WORDS)} ${random.below(1e9)}`;
  return { name, customerid, companyno: organisationNumber(random), fax: `${random.below(10)}` };
}

function fieldsOf(customer: Readonly<Record<string, string>>): Fields {
  return Object.fromEntries(FIELDS.map((name) => [name, customer[name] ?? '']));
}

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}
