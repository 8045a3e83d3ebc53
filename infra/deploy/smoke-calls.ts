import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import document from '../../shared/openapi.json' with { type: 'json' };

/** An operation of the OpenAPI document. */
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { schema: { $ref?: string }; example?: unknown }>>;
  };
}

interface Response {
  readonly status: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: each check states what it expects
  readonly body: any;
}

/** Statuses after which a call is sent again: another caller's load, or a fault that passes. */
const TRANSIENT = [429, 503];
const ATTEMPTS = 3;
const PAUSE_MS = 1_000;
/** Number of the example customer; the look-up finds it. */
const ORG_NUMBER = '5567037485';
/** Parameters that have a value here, so that the call must succeed. */
const KNOWN = /\{(?:mexcParamvaluesetsid|orgNum|customerid)\}/g;

/** Paths of the calls that need the tag of a plan. */
const IS_OF_PLAN = /\/(?:apply|undo)$/;

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'];
const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => METHODS.includes(method))
    .map(([method, operation]) => ({ ...(operation as object), method, path })),
);

/**
 * Calls each operation of the OpenAPI document once as each of two merchants, and one without a
 * token and one without its scope.
 *
 * @param tokens of two merchants whose customers may be deleted, and of one that may only read.
 * @returns what is wrong, by operation; nothing if all is well.
 */
export async function smokeFaults(api: string, tokens: readonly string[]): Promise<string[]> {
  const [first = '', second = '', readOnly = ''] = tokens;
  const faults: string[] = [];
  const anonymous = await send(api, undefined, 'GET', '/customers');
  if (anonymous.status !== 401) faults.push(`without a token: ${anonymous.status} is not 401`);
  const body = { name: 'Smoke' };
  const denied = await send(api, readOnly, 'POST', '/customers', body);
  if (denied.status !== 403) faults.push(`without the scope to write: ${denied.status} is not 403`);
  const markers = [`Smoke ${randomUUID()}`, `Smoke ${randomUUID()}`] as const;
  faults.push(...(await faultsOfMerchant(api, first, markers[0], markers[1])));
  faults.push(...(await faultsOfMerchant(api, second, markers[1], markers[0])));
  return faults;
}

async function faultsOfMerchant(
  api: string,
  token: string,
  name: string,
  foreignName: string,
): Promise<string[]> {
  const faults: string[] = [];
  // Replaced by its customerid, which only this customer has.
  const customerid = `smoke-${randomUUID()}`;
  const fields = { name, customerid, companyno: ORG_NUMBER, country: 'Sverige' };
  const create = () => send(api, token, 'POST', '/customers', fields);
  const created = [await create(), await send(api, token, 'POST', '/customers', { name })];
  const ids = created.map(({ body }) => body?.mexcParamvaluesetsid);
  if (!ids.every(Number.isInteger)) {
    return [`post /customers: ${created.map(({ status }) => status)}, without an id`];
  }
  const [id, other] = ids;
  const operations = OPERATIONS.filter(
    ({ method, path }) => !(method === 'post' && path === '/customers'),
  );
  // Deletions come last: the other calls need the customer.
  const order = (method: string) => (method === 'delete' ? 1 : 0);
  for (const operation of operations.toSorted((a, b) => order(a.method) - order(b.method))) {
    const { method, path } = operation;
    const ofMany = method === 'delete' && path === '/customers';
    const target = path
      .replace('{mexcParamvaluesetsid}', String(id))
      .replace('{orgNum}', ORG_NUMBER)
      .replace('{customerid}', customerid)
      .replaceAll(/\{\w+\}/g, randomUUID());
    const sent = method === 'put' ? fields : bodyOf(operation, ofMany ? other : id);
    const response = await send(api, token, method.toUpperCase(), target, sent);
    // The index of customerids lags behind the creation: then this is another customer.
    if (method === 'put' && response.status === 201) {
      await send(api, token, 'DELETE', `/customers/${response.body.mexcParamvaluesetsid}`);
    }
    const fault = faultOf(operation, response, { name, foreignName, id });
    if (fault) faults.push(`${method} ${path}: ${fault}`);
  }
  return faults;
}

function bodyOf({ requestBody }: Operation, id: number): unknown {
  const [media] = Object.values(requestBody?.content ?? {});
  return media?.schema.$ref?.includes('IdsTo') ? [id] : media?.example;
}

function faultOf(
  { method, path }: Operation,
  { status, type, body }: Response,
  { name, foreignName, id }: { name: string; foreignName: string; id: number },
): string | undefined {
  const mayBeUnknown = path.replaceAll(KNOWN, '').includes('{');
  const isProblem = type.startsWith('application/problem+json') || method === 'head';
  if (mayBeUnknown && status === 404 && isProblem) return undefined;
  if (status >= 400) return `responds with ${status}`;
  const text = JSON.stringify(body ?? '');
  if (text.includes(foreignName)) return "contains another merchant's customer";
  if (method === 'get' && path === '/customers/{mexcParamvaluesetsid}') {
    if (body?.mexcParamvaluesetsid !== id || body?.name !== name) return 'has another customer';
  }
  return undefined;
}

async function send(
  api: string,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await sendOnce(api, token, method, path, body);
    if (!TRANSIENT.includes(response.status) || attempt === ATTEMPTS) return response;
    await wait(attempt * PAUSE_MS);
  }
}

async function sendOnce(
  api: string,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  try {
    const response = await fetch(api.replace(/\/$/, '') + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        // An import that is unknown has no plan; without the tag of one the call is refused before.
        ...(IS_OF_PLAN.test(path) && { 'if-match': '"smoke"' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    const isJson = /^application\/(?:[\w.]+\+)?json/.test(type) && text !== '';
    return { status: response.status, type, body: isJson ? JSON.parse(text) : text };
  } catch (error) {
    // A connection that fails may be one that the next attempt does not have.
    return { status: 503, type: '', body: (error as Error).message };
  }
}
