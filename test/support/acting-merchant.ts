import { parse as parseCsv } from 'csv-parse/sync';
import { XMLParser } from 'fast-xml-parser';
import { expect } from 'vitest';
import { type ApiResponse, type Client, localStack, newMerchant } from './api.ts';
import { type ErrorLocation, expectProblem } from './problem.ts';
import { type Filter, hasTag, RegisterModel, rowOf } from './register-model.ts';

/** Each merchant writes its own mark into all texts, so that its data is recognised anywhere. */
const MARKS = ['alfamark', 'betamark', 'gammamark'];
/** Names with a common prefix, or that differ only in case. */
const namesOf = (run: string) => [`m-${run}`, `m-${run}0`, `M-${run}`];

const ALWAYS_OTHER = ['date', 'apigw-requestid', 'connection', 'keep-alive', 'content-length'];
const JSON_HEADERS = {
  'cache-control': 'private, no-cache',
  vary: 'accept, accept-encoding, authorization',
  'content-type': 'application/json',
};

export type Fields = Readonly<Record<string, string>>;
export type EntityTag = 'own' | 'of another' | 'old' | '*' | undefined;
export type FilterName = 'own mark' | "another's mark" | 'shared name' | 'isCompany' | '!isCompany';
export type ExportFormat = 'csv' | 'xml';

/** A request of a merchant. */
export type Command =
  | { do: 'create'; fields: Fields; key: string | undefined }
  | { do: 'get'; id: number; ifNoneMatch: EntityTag }
  | { do: 'list'; limit: number; start: number; filter: FilterName | undefined }
  | { do: 'walk'; limit: number; filter: FilterName | undefined }
  | { do: 'count'; filter: FilterName | undefined }
  | { do: 'change'; id: number; fields: Fields; ifMatch: EntityTag }
  | { do: 'delete'; id: number; ifMatch: EntityTag }
  | { do: 'delete many'; ids: number[] }
  | { do: 'look up'; number: string }
  | { do: 'export by filter'; format: ExportFormat; filter: FilterName | undefined }
  | { do: 'export by ids'; format: ExportFormat; ids: number[] }
  | { do: 'use a cursor'; how: 'of another' | 'spliced' | 'changed'; at: number };

/** Numbers that the customers of all merchants share. */
export const COMPANY = '556703-7485';
export const PERSON = '19900118-9811';

/** Commands and their statuses, in all runs. */
export const responsesSeen = new Set<string>();
/** URLs of all files so far. */
const files = new Set<string>();
/** Problem details by status and request: they must be equal for all merchants. */
const problems = new Map<string, unknown>();

/** A merchant that executes commands and expects the responses of a register without others. */
export class Merchant {
  readonly name: string;
  readonly mark: string;
  readonly client: Client;
  readonly model = new RegisterModel();
  /** Cursors and entity tags of this merchant, which others try to use. */
  readonly cursors: string[] = [];
  readonly tags = new Map<number, string>();
  others: readonly Merchant[] = [];

  constructor(name: string, mark: string, client: Client) {
    this.name = name;
    this.mark = mark;
    this.client = client;
  }

  async act(command: Command): Promise<void> {
    const status = await this.#act(command);
    const what = command.do === 'use a cursor' ? `${command.do} ${command.how}` : command.do;
    responsesSeen.add(`${what} ${status}`);
  }

  #act(command: Command): Promise<number> {
    switch (command.do) {
      case 'create':
        return this.#create(this.#marked(command.fields), command.key);
      case 'get':
        return this.#get(command.id, this.#tag(command.ifNoneMatch, command.id));
      case 'list':
        return this.#list(command.limit, command.start, this.#filter(command.filter));
      case 'walk':
        return this.#walk(command.limit, this.#filter(command.filter));
      case 'count':
        return this.#count(this.#filter(command.filter));
      case 'change':
        return this.#change(
          command.id,
          this.#marked(command.fields),
          this.#tag(command.ifMatch, command.id),
        );
      case 'delete':
        return this.#delete(command.id, this.#tag(command.ifMatch, command.id));
      case 'delete many':
        return this.#deleteMany(command.ids);
      case 'look up':
        return this.#lookUp(command.number);
      case 'export by filter':
        return this.#exportByFilter(command.format, this.#filter(command.filter));
      case 'export by ids':
        return this.#exportByIds(command.format, command.ids);
      case 'use a cursor':
        return this.#useCursor(command.how, command.at);
    }
  }

  async #create(body: Fields, key: string | undefined): Promise<number> {
    const { status, id, date } = this.model.create(body, key);
    const before = Date.now();
    const answer = await this.#call('POST', '/customers', {
      body,
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });
    if (status === 422) {
      return this.#expectProblem(answer, 422, 'POST /customers', [{ header: 'Idempotency-Key' }]);
    }
    expectHeaders(answer, { ...JSON_HEADERS, etag: '"1"', location: `/customers/${id}` });
    if (date === undefined) {
      expect(Date.parse(answer.body.date)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(answer.body.date)).toBeLessThanOrEqual(Date.now());
      this.model.created(id, answer.body.date);
    }
    const expected = { id, date: date ?? answer.body.date, fields: body, version: 1 };
    expect(setIn(answer.body)).toEqual(rowOf(expected));
    this.tags.set(id, '"1"');
    return answer.status;
  }

  async #get(id: number, ifNoneMatch: string | undefined): Promise<number> {
    const path = `/customers/${id}`;
    const headers = ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch };
    const answer = await this.#call('GET', path, { headers });
    const held = this.model.get(id);
    if (!held) return this.#expectProblem(answer, 404, `GET ${path}`);
    const etag = `"${held.version}"`;
    if (ifNoneMatch !== undefined && hasTag(held, ifNoneMatch)) {
      const { 'content-type': _, ...others } = JSON_HEADERS;
      expect(answer).toMatchObject({ status: 304, body: '' });
      expectHeaders(answer, { ...others, etag });
    } else {
      expect(answer.status).toBe(200);
      expectHeaders(answer, { ...JSON_HEADERS, etag });
      expect(setIn(answer.body)).toEqual(rowOf(held));
    }
    this.tags.set(id, etag);
    return answer.status;
  }

  async #list(limit: number, start: number, filter: Filter | undefined): Promise<number> {
    const wanted = this.model.select(filter).slice(start);
    const query = `limit=${limit}${filter ? `&${filter.query}` : ''}`;
    const answer = await this.#call('GET', `/customers?start=${start}&${query}`);
    expect(answer.status).toBe(200);
    const page = wanted.slice(0, limit);
    expect(answer.body.map(setIn)).toEqual(page.map(rowOf));
    this.#expectLink(answer, query, wanted.length > limit);
    return answer.status;
  }

  /** Follows the links from page to page to the end. */
  async #walk(limit: number, filter: Filter | undefined): Promise<number> {
    const wanted = this.model.select(filter);
    const query = `limit=${limit}${filter ? `&${filter.query}` : ''}`;
    let cursor: string | undefined;
    do {
      const page = wanted.splice(0, limit);
      const path = `/customers?${query}${cursor ? `&cursor=${cursor}` : ''}`;
      const answer = await this.#call('GET', path);
      expect(answer.status).toBe(200);
      expect(answer.body.map(setIn)).toEqual(page.map(rowOf));
      cursor = this.#expectLink(answer, query, wanted.length > 0);
    } while (cursor);
    return 200;
  }

  #expectLink(answer: ApiResponse, query: string, hasNext: boolean): string | undefined {
    const link = answer.headers.get('link');
    expectHeaders(answer, { ...JSON_HEADERS, ...(hasNext && { link: expect.any(String) }) });
    if (!link) return undefined;
    const [, address = ''] = /^<(.+)>; rel="next"$/.exec(link) ?? [];
    const { origin, pathname, searchParams } = new URL(address);
    const cursor = searchParams.get('cursor') ?? '';
    searchParams.delete('cursor');
    expect(`${origin}${pathname}`).toBe(`${this.client.url}/customers`);
    expect([...searchParams]).toEqual([...new URLSearchParams(query)]);
    expect(this.others.flatMap(({ cursors }) => cursors)).not.toContain(cursor);
    // Cursors are tried on lists without filters.
    if (!query.includes('filter')) this.cursors.push(cursor);
    return cursor;
  }

  async #count(filter: Filter | undefined): Promise<number> {
    const answer = await this.#call('GET', `/customers/count?${filter?.query ?? ''}`);
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({ count: this.model.select(filter).length });
    expectHeaders(answer, JSON_HEADERS);
    return answer.status;
  }

  async #change(id: number, body: Fields, ifMatch: string | undefined): Promise<number> {
    const status = this.model.change(id, body, ifMatch);
    const path = `/customers/${id}`;
    const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
    const answer = await this.#call('PATCH', path, { body, headers });
    if (status !== 200) return this.#expectProblem(answer, status, `PATCH ${path}`, stale(status));
    const held = this.model.get(id) as NonNullable<ReturnType<RegisterModel['get']>>;
    expect(answer.status).toBe(200);
    expect(setIn(answer.body)).toEqual(rowOf(held));
    expectHeaders(answer, { ...JSON_HEADERS, etag: `"${held.version}"` });
    this.tags.set(id, `"${held.version}"`);
    return answer.status;
  }

  async #delete(id: number, ifMatch: string | undefined): Promise<number> {
    const status = this.model.remove(id, ifMatch);
    const path = `/customers/${id}`;
    const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
    const answer = await this.#call('DELETE', path, { headers });
    if (status !== 200) return this.#expectProblem(answer, status, `DELETE ${path}`, stale(status));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ result: 'Removed', mexcParamvaluesetsid: id });
    expectHeaders(answer, JSON_HEADERS);
    return answer.status;
  }

  async #deleteMany(body: readonly number[]): Promise<number> {
    const count = body.filter((id) => this.model.remove(id) === 200).length;
    const answer = await this.#call('DELETE', '/customers', { body });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ result: 'Removed', count });
    expectHeaders(answer, JSON_HEADERS);
    return answer.status;
  }

  async #lookUp(number: string): Promise<number> {
    const path = `/customers/searchByOrgNumber/${number}`;
    const answer = await this.#call('GET', path);
    const newest = this.model.select().findLast(({ fields }) => fields.companyno === number);
    if (!newest) return this.#expectProblem(answer, 404, `GET ${path}`);
    const { name = '', email } = newest.fields;
    const [firstname, lastname] = name.split(' ');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ...(number === COMPANY
        ? { firstname: '', lastname: '', company: name }
        : { firstname, lastname, company: '' }),
      ...{ street: '', zip: '', city: '', country: 'SE', phone: '' },
      email,
    });
    expectHeaders(answer, {
      ...JSON_HEADERS,
      'register-source': 'own',
      'register-retrieved': expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    return answer.status;
  }

  async #exportByFilter(format: ExportFormat, filter: Filter | undefined): Promise<number> {
    const answer = await this.#call('GET', `/customers/export/${format}?${filter?.query ?? ''}`);
    await this.#expectFile(answer, format, this.model.select(filter).map(rowOf));
    return answer.status;
  }

  async #exportByIds(format: ExportFormat, body: readonly number[]): Promise<number> {
    const path = `/customers/export/${format}`;
    const answer = await this.#call('POST', path, { body });
    const chosen = this.model.select().filter(({ id }) => body.includes(id));
    if (chosen.length === 0) return this.#expectProblem(answer, 404, `POST ${path}`);
    await this.#expectFile(answer, format, chosen.map(rowOf));
    return answer.status;
  }

  async #expectFile(
    answer: ApiResponse,
    format: ExportFormat,
    rows: readonly Fields[],
  ): Promise<void> {
    expect(answer.status).toBe(200);
    expectHeaders(answer, JSON_HEADERS);
    const { url, ...facts } = answer.body;
    expect(facts).toEqual({
      expires: expect.any(String),
      filename: expect.stringMatching(new RegExp(`^customers-\\d{4}-\\d\\d-\\d\\d\\.${format}$`)),
      contentType: expect.stringMatching(new RegExp(`^(?:text|application)/${format};`)),
      count: rows.length,
      bytes: expect.any(Number),
      changesFrom: expect.any(String),
    });
    expect(new URL(url).pathname).toMatch(
      new RegExp(`^/${localStack().bucket}/exports/${this.name}/[0-9a-f-]{36}\\.${format}$`),
    );
    expect(files).not.toContain(url.split('?')[0]);
    files.add(url.split('?')[0]);
    await this.expectRows(url, format, rows, facts.bytes);
  }

  /** Expects that a file contains these customers and no data of others. */
  async expectRows(
    url: string,
    format: ExportFormat,
    rows: readonly Fields[],
    bytes: number,
  ): Promise<void> {
    const response = await fetch(url);
    const file = await response.text();
    expect(response.status).toBe(200);
    expect(Buffer.byteLength(file)).toBe(bytes);
    this.#expectNoTrace(JSON.stringify([...response.headers]) + file);
    expect(rowsIn(file, format)).toEqual(rows);
  }

  async #useCursor(how: 'of another' | 'spliced' | 'changed', at: number): Promise<number> {
    const own = this.cursors.at(-1) ?? '';
    const other = this.others.flatMap(({ cursors }) => cursors).at(-1) ?? '';
    const place = at % Math.max(1, own.length);
    const changed = own.slice(0, place) + (own[place] === 'A' ? 'B' : 'A') + own.slice(place + 1);
    const cursor = {
      'of another': other,
      spliced: own.slice(0, place) + other.slice(place),
      changed,
    }[how];
    if (this.cursors.includes(cursor) || cursor === '') return 0;
    const answer = await this.#call('GET', `/customers?limit=2&cursor=${cursor}`);
    return this.#expectProblem(answer, 400, 'cursor', [{ parameter: 'cursor' }]);
  }

  async #call(...[method, path, options = {}]: Parameters<Client['call']>): Promise<ApiResponse> {
    const headers = { 'accept-encoding': 'identity', ...options.headers };
    const answer = await this.client.call(method, path, { ...options, headers });
    this.#expectNoTrace(JSON.stringify([[...answer.headers], answer.body]));
    return answer;
  }

  #expectNoTrace(text: string): void {
    for (const { mark } of this.others) expect(text).not.toContain(mark);
  }

  /** Expects problem details that are equal for all merchants. */
  #expectProblem(
    answer: ApiResponse,
    status: number,
    request: string,
    places: readonly ErrorLocation[] = [],
  ): number {
    expectProblem(answer, status, places);
    expectHeaders(answer, {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    });
    const { requestId: _, ...problem } = answer.body;
    const key = `${status} ${request}`;
    if (!problems.has(key)) problems.set(key, problem);
    expect(problem).toEqual(problems.get(key));
    return status;
  }

  #marked({ name, email, notes, ...rest }: Fields): Fields {
    return {
      ...rest,
      ...(name && { name: `${name} ${this.mark}` }),
      ...(email && { email: `${email}@${this.mark}.example` }),
      ...(notes && { notes: `${notes} ${this.mark}` }),
    };
  }

  /**
   * An entity tag may equal another merchant's, since it counts the versions of one customer. It must
   * be compared with the merchant's own customer.
   */
  #tag(tag: EntityTag, id: number): string | undefined {
    const version = this.model.get(id)?.version ?? 1;
    if (tag === 'own') return `"${version}"`;
    if (tag === 'old') return `"${version - 1}"`;
    if (tag !== 'of another') return tag;
    return this.others.flatMap(({ tags }) => tags.get(id) ?? []).at(-1) ?? '"1"';
  }

  #filter(name: FilterName | undefined): Filter | undefined {
    // In upper case, so that a link that repeats the query does not look like a customer's data.
    const search = (text: string) => ({
      query: `filter=search&search=${text.toUpperCase()}`,
      selects: ({ name = '' }: Fields) => name.toUpperCase().includes(text.toUpperCase()),
    });
    switch (name) {
      case undefined:
        return undefined;
      case 'own mark':
        return search(this.mark);
      case "another's mark":
        return search(this.others[0]?.mark ?? '');
      case 'shared name':
        return search('Nisse');
      case 'isCompany':
        return { query: 'filter=isCompany', selects: (fields) => fields.companyno === COMPANY };
      case '!isCompany':
        return { query: 'filter=%21isCompany', selects: (fields) => fields.companyno !== COMPANY };
    }
  }
}

/** Returns merchants that know each other. */
export async function newMerchants(): Promise<Merchant[]> {
  const names = namesOf(crypto.randomUUID().slice(0, 13));
  const all = await Promise.all(
    names.map(async (name, index) => {
      const client = await newMerchant(index, { merchant: name });
      return new Merchant(name, MARKS[index] as string, client);
    }),
  );
  for (const merchant of all) merchant.others = all.filter((other) => other !== merchant);
  return all;
}

/** Returns the fields that are set, as texts. */
function setIn(customer: Readonly<Record<string, unknown>>): Fields {
  // Module and service are 0 if the token names none.
  const set = Object.entries(customer).filter(([, value]) => value !== '' && Number(value) !== 0);
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}

function rowsIn(file: string, format: ExportFormat): Fields[] {
  if (format === 'csv') return parseCsv<Fields>(file, { columns: true }).map(setIn);
  const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'customer' });
  return (parser.parse(file, true).customers.customer ?? []).map(setIn);
}

function expectHeaders({ headers }: ApiResponse, expected: Record<string, unknown>): void {
  const known = [...headers].filter(([name]) => !ALWAYS_OTHER.includes(name));
  expect(Object.fromEntries(known)).toEqual(expected);
}

const stale = (status: number): ErrorLocation[] => (status === 412 ? [{ header: 'If-Match' }] : []);
