import fc from 'fast-check';
import { DOCUMENT_ROUTES, ENDPOINTS } from '../../infra/endpoints.ts';
import { WRITABLE_FIELDS } from '../../shared/domain/fields.ts';
import {
  type Caller,
  type FuzzRequest,
  fitsParameter,
  fuzzRequests,
  OPERATIONS,
  type Operation,
} from './fuzz-requests.ts';
import { at, deviations, errorsBy } from './openapi-document.ts';
import { allHeaders, exchange, type RawResponse } from './raw-http.ts';

/** The API under test, and how to get tokens for it. */
export interface FuzzTarget {
  readonly url: string;
  token(options: { merchant: string; scopes?: readonly string[] }): Promise<string>;
}

/** The first request with a wrong response, after shrinking. */
export interface Finding {
  /** Why the response is wrong. */
  readonly reasons: readonly string[];
  readonly answer: RawResponse;
  /** Command that sends the request to a running local stack. */
  readonly curl: string;
}

export interface FuzzOptions {
  readonly requests: number;
  /** Seed of the sequence of requests. */
  readonly seed: number;
  /** Called with each request's curl command. */
  readonly onRequest?: (curl: () => string) => void;
  /** Called with each response's operation, or kind of request, and status. */
  readonly onResponse?: (what: string, status: number) => void;
}

/** API Gateway's quota: request line and header values together. */
const MAX_HEAD = 10_240;
/** Hosts that the local servers accept. */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;
/** Maximum size of an error, which must not amplify a request. */
const MAX_REFUSAL_BYTES = 65_536;
/** Requests after which a new merchant is used, since its register has grown. */
const REQUESTS_PER_MERCHANT = 200;
/** Maximum attempts to shrink a failing request, and their maximum time. */
const MAX_SHRINKS = 500;
const MAX_SHRINKING_MS = 30_000;
const CUSTOMERS = [
  Object.fromEntries(WRITABLE_FIELDS.map(({ name }) => [name, `"${name}" & å`])),
  { name: 'Anna Berg', companyno: '811218-9876', crediflowPartyId: '1', reversetax: '1' },
  { name: 'Ek AB', companyno: '556703-7485', notes: '=1+1' },
  {},
];

/**
 * Sends requests generated from the OpenAPI document one by one, and checks each response.
 *
 * @returns the first finding, if any.
 * @throws if a request cannot be sent or a response cannot be checked.
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<Finding | undefined> {
  const { requests, seed, onRequest = () => {}, onResponse = () => {} } = options;
  let tokens: Readonly<Record<Caller, string>> | undefined;
  let sent = 0;
  let latest = Number.POSITIVE_INFINITY;
  let last: { request: FuzzRequest; answer: RawResponse; reasons: string[] } | undefined;

  const attempt = async (request: FuzzRequest) => {
    if (Date.now() > latest) return;
    if (!tokens || sent % REQUESTS_PER_MERCHANT === 0) {
      tokens = await newMerchant(target, `fuzz-${seed}-${sent}`);
    }
    sent += 1;
    const complete = withToken(request, tokens);
    onRequest(() => toCurl(request));
    const answer = await exchange(target.url, complete);
    const what = subjectOf(request);
    onResponse(typeof what === 'string' ? what : `${what.method} ${what.path}`, answer.status);
    const reasons = reasonsAgainst(complete, answer, new URL(target.url).host);
    if (reasons.length === 0) return;
    last = { request, answer, reasons };
    latest = Math.min(latest, Date.now() + MAX_SHRINKING_MS);
    throw new Error(reasons.join('\n'));
  };

  const result = await fc.check(
    fc.asyncProperty(fc.limitShrink(fuzzRequests, MAX_SHRINKS), attempt),
    {
      numRuns: requests,
      seed,
    },
  );
  // The check itself failed, not a response.
  if (result.failed && !last) throw result.errorInstance;
  return last && { reasons: last.reasons, answer: last.answer, curl: toCurl(last.request) };
}

async function newMerchant({ url, token }: FuzzTarget, merchant: string) {
  const owner = await token({ merchant });
  for (const customer of CUSTOMERS) {
    const response = await fetch(`${url}/customers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${owner}`, 'content-type': 'application/json' },
      body: JSON.stringify(customer),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  }
  return { owner, reader: await token({ merchant, scopes: ['customers:read'] }), stranger: '' };
}

function withToken(request: FuzzRequest, tokens: Readonly<Record<Caller, string>>): FuzzRequest {
  const token = tokens[request.caller];
  if (!token) return request;
  return { ...request, headers: [['Authorization', `Bearer ${token}`], ...request.headers] };
}

/** Returns the operation that a request calls, or why there is none. */
function subjectOf(request: FuzzRequest): Operation | string {
  if (isNoHttp(request)) return 'no HTTP';
  const { method, target } = request;
  const path = decoded(target.split('?')[0] as string);
  if (path === undefined) return 'a path that cannot be decoded';
  if (DOCUMENT_ROUTES.some((route) => route.path === path)) return 'a document';
  const fitting = OPERATIONS.filter((operation) => fitsPath(operation.path, path));
  // A literal path takes precedence over one with a parameter, also for methods that it lacks.
  const own = fitting.filter((operation) => operation.path === path);
  const there = own.length > 0 ? own : fitting;
  if (there.length === 0) return 'no path';
  return there.find((operation) => operation.method === method) ?? 'no method';
}

function isNoHttp({ bytes, target }: FuzzRequest): boolean {
  return bytes !== undefined || !/^(?:\/[!-~]*|\*|http:\/\/[!-~]+)$/.test(target);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Templates whose last parameter can have slashes, which OpenAPI cannot say. */
const GREEDY = ENDPOINTS.filter(({ hasGreedyPath }) => hasGreedyPath).map(({ path }) => path);

function fitsPath(template: string, path: string): boolean {
  const parts = template.split('/');
  const segments = path.split('/');
  if (GREEDY.includes(template) && segments.length > parts.length) {
    // The last parameter has the slashes, too.
    segments.push(segments.splice(parts.length - 1).join('/'));
  }
  return (
    parts.length === segments.length &&
    parts.every((part, index) =>
      part.startsWith('{') ? segments[index] : part === segments[index],
    )
  );
}

/** Returns why a response is wrong; empty if it is right. */
function reasonsAgainst(request: FuzzRequest, answer: RawResponse, host: string): string[] {
  const { status, body, flaws } = answer;
  // Node itself responds to what is no HTTP, or closes the connection.
  if (isNoHttp(request)) return status >= 500 && status !== 505 ? [`status ${status}`] : [];
  if (status === 417 && request.headers.some(([name]) => name === 'Expect')) return [];
  const reasons = [...flaws];
  if (Object.keys(Object.prototype).length > 0) reasons.push('every object has been changed');
  if (status >= 500) reasons.push(`status ${status}`);
  if (reasons.length > 0) return reasons;
  if (!LOOPBACK.test(hostOf(request, host))) {
    if (status !== 403) reasons.push(`status ${status} for a foreign host`);
    return reasons;
  }
  const subject = subjectOf(request);
  if (status >= 400 && answer.bytes > MAX_REFUSAL_BYTES) {
    reasons.push(`the refusal has ${answer.bytes} bytes`);
  }
  const refusal = gatewayStatus(request, subject, host);
  if (refusal) {
    if (status !== refusal) reasons.push(`status ${status} in place of the gateway's ${refusal}`);
    // A HEAD has no body.
    if (body !== '') reasons.push(...asProblem('GatewayMessage', 'application/json', answer));
    if (typeof subject === 'object') {
      reasons.push(...deviations(subject.method, subject.path, answer));
    }
    return reasons;
  }
  // Not in the OpenAPI document; api-reference.test.ts is about them.
  if (subject === 'a document') return reasons;
  if (typeof subject === 'string') {
    const expected = subject === 'no path' ? 404 : 405;
    // The media type may be rejected before the path.
    if (status !== expected && status !== 406) reasons.push(`status ${status}, not ${expected}`);
    if (status === 405 && !answer.headers.get('allow')) reasons.push('header Allow is missing');
    if (request.method !== 'HEAD') {
      reasons.push(...asProblem('Problem', 'application/problem+json', answer));
    }
    return reasons;
  }
  reasons.push(...deviations(subject.method, subject.path, answer));
  const isHead = request.method === 'HEAD';
  if (status >= 400 && !isHead) reasons.push(...silences(request, subject, answer));
  const isRefused = status >= 400;
  if (request.isValid && isRefused && !isDocumentedReason(request, subject, answer)) {
    reasons.push(`status ${status} for a request that is as documented`);
  }
  const wrong = undocumentedParts(request, subject);
  if (!isRefused && wrong.length > 0) {
    reasons.push(`status ${status} for ${wrong.join(', ')}, which the document does not allow`);
  }
  return reasons;
}

/** Returns the host that a request names; of several, the server uses the first. */
function hostOf(request: FuzzRequest, host: string): string {
  const [, value = ''] = allHeaders(request, host).find(([name]) => /^host$/i.test(name)) ?? [];
  return value.trim();
}

/** Returns the status that the gateway itself must return, if any. */
function gatewayStatus(
  request: FuzzRequest,
  subject: Operation | string,
  host: string,
): number | undefined {
  const { method, target } = request;
  const values = allHeaders(request, host).map(([, value]) => value.trim());
  const head = [`${method} ${target} HTTP/1.1`, ...values];
  if (head.reduce((sum, { length }) => sum + length, 0) > MAX_HEAD) return 431;
  if (subject === 'a path that cannot be decoded') return 400;
  // Documents need no token.
  if (subject === 'a document') return undefined;
  if (request.caller === 'stranger') return 401;
  const isWrite = typeof subject === 'object' && scopeOf(subject) !== 'customers:read';
  return request.caller === 'reader' && isWrite ? 403 : undefined;
}

function scopeOf({ method, path }: Operation): string | undefined {
  const { description } = at('paths', path, method.toLowerCase()).value;
  return /scope `(\S+)`\./.exec(description)?.[1];
}

function asProblem(schema: string, type: string, { headers, body }: RawResponse): string[] {
  const found = errorsBy(`/components/schemas/${schema}`, body).map(({ message }) => `${message}`);
  if (headers.get('content-type') !== type) found.push(`type ${headers.get('content-type')}`);
  return found;
}

/** Returns what an error does not explain. */
function silences(request: FuzzRequest, subject: Operation, { status, body }: RawResponse) {
  if (![400, 406, 412, 415, 422].includes(status)) return [];
  const { errors = [] } = body as { errors?: Record<string, string>[] };
  if (errors.length === 0) return [`status ${status} does not say where the request is wrong`];
  const queryNames = [...queryOf(request).keys()];
  const known = subject.parameters.map(({ name }) => name);
  return errors.flatMap(({ pointer, parameter, header }) => {
    if (pointer !== undefined && !subject.body) return [`${pointer} is in no body`];
    if (header !== undefined) return [];
    if (parameter === undefined || known.includes(parameter)) return [];
    return queryNames.includes(parameter) ? [] : [`there is no parameter ${parameter}`];
  });
}

/** Whether a valid request may fail because of stored customers or of the rules of numbers. */
function isDocumentedReason(
  request: FuzzRequest,
  { path }: Operation,
  answer: RawResponse,
): boolean {
  const has = (name: string) => request.headers.some(([key]) => key === name);
  const isOfNumbers = path.endsWith('{orgNum}');
  const isHead = request.method === 'HEAD';
  switch (answer.status) {
    case 400:
      // The check digit, date or country of a number; a text of characters that are not seen, or
      // with the mark of a lost one; a range that is empty by the offset or the time zone; another
      // customerid than that of the path, or an If-None-Match that is not `*`.
      return (
        isHead ||
        /must not be blank|not UTF-8|which is after to|differs from the path's|must be \*/.test(
          JSON.stringify(answer.body),
        ) ||
        (isOfNumbers && /orgNum|country/.test(JSON.stringify(answer.body)))
      );
    case 429:
      // The rate of a merchant in public registers, and imports that await their files.
      return isOfNumbers || path === '/customers/imports';
    case 428:
      return path.includes('/imports/');
    case 404:
      return /\{|POST|export/.test(path);
    case 412:
      return has('If-Match') || has('If-None-Match');
    case 409:
      return path.includes('by-customerid') || path.includes('/imports/');
    case 422:
      return has('Idempotency-Key');
    default:
      return false;
  }
}

/** Returns the parts of a request that the document does not allow. */
function undocumentedParts(request: FuzzRequest, operation: Operation): string[] {
  const found: string[] = [];
  const query = queryOf(request);
  const { parameters, body } = operation;
  for (const name of query.keys()) {
    const known = parameters.some(
      (parameter) => parameter.in === 'query' && parameter.name === name,
    );
    if (!known) found.push(`parameter ${JSON.stringify(name)}`);
  }
  for (const [index, { name, in: where, schema, explode }] of parameters.entries()) {
    const given = where === 'query' ? (query.get(name) ?? []) : [];
    if (where === 'header') {
      const sent = request.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
      // Repeated headers are joined, and may or may not fit.
      if (sent.length === 1) given.push((sent[0] as [string, string])[1].trim());
    }
    if (where === 'path') given.push(segmentOf(request, operation, name));
    if (schema.type === 'array') {
      // White space between commas is ignored.
      const parts = given.flatMap((text) => text.split(',').map((part) => part.trim()));
      const list = explode === false ? parts : given;
      if (given.length > 0 && !fitsParameter(operation, index, list)) found.push(name);
      continue;
    }
    if (where === 'query' && given.length > 1) found.push(`${name}, several times`);
    if (given.some((text) => !fitsParameter(operation, index, text))) found.push(name);
  }
  if (body && !isDocumentedBody(request, body)) found.push('the body');
  return found;
}

function segmentOf({ target }: FuzzRequest, { path }: Operation, name: string): string {
  const index = path.split('/').indexOf(`{${name}}`);
  const segments = (decoded(target.split('?')[0] as string) ?? '').split('/');
  return segments.slice(index, GREEDY.includes(path) ? undefined : index + 1).join('/');
}

function isDocumentedBody({ body }: FuzzRequest, pointer: string): boolean {
  try {
    // Bytes that are not UTF-8 count as API Gateway decodes them.
    return errorsBy(pointer, JSON.parse(new TextDecoder().decode(body))).length === 0;
  } catch {
    return false;
  }
}

/** Returns query parameters by name; lists in PHP's notation are lists. */
function queryOf({ target }: FuzzRequest): Map<string, string[]> {
  const [, ...query] = target.split('?');
  const values = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(query.join('?'))) {
    const name = key.replace(/\[\d*\]$/, '');
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}

/** Returns the command that sends a request to `npm start`. */
function toCurl({ method, target, headers, body, bytes, caller }: FuzzRequest): string {
  const from = (data: Buffer) => `echo ${data.toString('base64')} | base64 -d |`;
  if (bytes) return `${from(bytes)} nc localhost 3000`;
  const isAbsolute = !target.startsWith('/');
  const parts = [
    ...(body ? [from(body)] : []),
    `curl -i -g --path-as-is -X ${method} ${quoted(`http://localhost:3000${isAbsolute ? '' : target}`)}`,
    ...(isAbsolute ? [`--request-target ${quoted(target)}`] : []),
    ...(caller === 'owner' ? ['-H @.local/authorization'] : []),
    ...(caller === 'reader' ? [READER] : []),
    ...headers.map(([name, value]) => `-H ${quoted(value ? `${name}: ${value}` : `${name};`)}`),
    ...(body && !headers.some(([name]) => /^content-type$/i.test(name))
      ? ["-H 'Content-Type:'"]
      : []),
    ...(body ? ['--data-binary @-'] : []),
  ];
  return parts.join(' ');
}

const READER = '-H "Authorization: Bearer $(npm run --silent token -- --scope customers:read)"';

/** Returns a text of bytes, quoted for bash. */
function quoted(text: string): string {
  if (/^[ -~]*$/.test(text) && !text.includes("'")) return `'${text}'`;
  const escaped = [...text].map((character) =>
    /[ -~]/.test(character) && !/['\\]/.test(character)
      ? character
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `$'${escaped.join('')}'`;
}
