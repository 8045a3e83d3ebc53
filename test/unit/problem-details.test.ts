import middy from '@middy/core';
import { afterEach, expect, test, vi } from 'vitest';
import {
  CustomerNotFoundError,
  DeletionInterruptedError,
  EmptyExportError,
  IdempotencyKeyReusedError,
  RateLimitError,
  UnavailableError,
  UnusableResponseError,
  VersionMismatchError,
  WriteConflictError,
} from '../../shared/domain/errors.ts';
import type { HttpResponse } from '../../shared/http/event.ts';
import { badRequest, Problem, problemDetails } from '../../shared/http/problem-details.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

const logs: unknown[] = [];
for (const level of ['warn', 'error'] as const) {
  vi.spyOn(console, level).mockImplementation((entry) => logs.push({ level, ...entry }));
}
afterEach(() => {
  logs.length = 0;
});

async function respondTo(error: unknown) {
  const response = await middy<ReturnType<typeof httpEvent>, HttpResponse>()
    .use(problemDetails())
    .handler(async () => {
      throw error;
    })(httpEvent(), lambdaContext());
  return { ...response, body: JSON.parse(response.body ?? '') };
}

const named = (name: string, members: object = {}) =>
  Object.assign(new Error('secret'), { name, ...members });

test.each<[Error, number, string, string, string]>([
  [
    new CustomerNotFoundError(7),
    404,
    '/problems/customer-not-found',
    'Customer Not Found',
    'There is no customer 7.',
  ],
  [
    new EmptyExportError(),
    404,
    '/problems/customer-not-found',
    'Customer Not Found',
    'None of these customers exists.',
  ],
  [
    new VersionMismatchError(7),
    412,
    '/problems/stale-version',
    'Stale Version',
    'If-Match names another version. Customer 7 has been changed since; get it and try again.',
  ],
  [
    new IdempotencyKeyReusedError(),
    422,
    '/problems/reused-idempotency-key',
    'Reused Idempotency Key',
    'This Idempotency-Key was used with another body. Send that body again, or choose another key.',
  ],
  [
    new Problem(405, 'No.', { headers: { allow: 'GET' } }),
    405,
    'about:blank',
    'Method Not Allowed',
    'No.',
  ],
])(
  '%s returns its status and type and is not logged',
  async (error, status, type, title, detail) => {
    const response = await respondTo(error);
    expect(response.statusCode).toBe(status);
    expect(response.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    });
    expect(response.body).toMatchObject({
      type,
      title,
      status,
      detail,
      requestId: 'request-1',
    });
    expect(logs).toEqual([]);
  },
);

test.each<[string, Error]>([
  ['An overload', new UnavailableError()],
  ['A write conflict', new WriteConflictError(7)],
  ['A throttled table', named('ThrottlingException')],
  ['A time-out', named('TimeoutError')],
  ['A reset connection', named('Error', { code: 'ECONNRESET' })],
  ['A network out of reach', named('Error', { code: 'ENETUNREACH', syscall: 'connect' })],
  ['A 500 of a service', named('Unknown', { $metadata: { httpStatusCode: 500 } })],
])('%s returns 503 with Retry-After and is logged as a warning', async (_, error) => {
  const { statusCode, headers, body } = await respondTo(error);
  expect(statusCode).toBe(503);
  expect(headers).toMatchObject({ 'retry-after': '2' });
  expect(body.detail).toMatch(/Try again shortly\.$/);
  expect(logs).toMatchObject([{ level: 'warn', merchant: '1001', routeKey: 'GET /test' }]);
});

test('An error that says when to retry returns this as Retry-After', async () => {
  const { headers } = await respondTo(new UnavailableError('PRH cannot be asked.', 30));
  expect(headers).toMatchObject({ 'retry-after': '30' });
});

test('An interrupted bulk delete returns its type and the number of deleted customers', async () => {
  const error = new DeletionInterruptedError(2, 5, new UnavailableError());
  const { statusCode, headers, body } = await respondTo(error);
  expect(statusCode).toBe(503);
  expect(headers).toMatchObject({ 'retry-after': '2' });
  expect(body).toMatchObject({
    type: '/problems/interrupted-deletion',
    title: 'Interrupted Deletion',
    count: 2,
  });
});

test('An exceeded rate returns 429 with Retry-After and is not logged', async () => {
  const { statusCode, headers, body } = await respondTo(new RateLimitError('Too many.', 17));
  expect(statusCode).toBe(429);
  expect(headers).toMatchObject({ 'retry-after': '17' });
  expect(body).toMatchObject({ title: 'Too Many Requests', detail: 'Too many.' });
  expect(logs).toEqual([]);
});

test('An unusable response of a dependency returns 502 and is logged as an error', async () => {
  const { statusCode, headers, body } = await respondTo(new UnusableResponseError('Odd.'));
  expect(statusCode).toBe(502);
  expect(headers).not.toHaveProperty('retry-after');
  expect(body).toMatchObject({ title: 'Bad Gateway', detail: 'Odd.' });
  expect(logs).toMatchObject([{ level: 'error', merchant: '1001', routeKey: 'GET /test' }]);
});

test('Any other error returns 500 and is logged with its stack, without its message', async () => {
  const { statusCode, body } = await respondTo(named('TypeError'));
  expect(statusCode).toBe(500);
  expect(body.detail).toBe(
    'A defect of the API made the request fail. Report it with its requestId.',
  );
  expect(logs).toMatchObject([{ level: 'error', error: 'TypeError', apiRequestId: 'request-1' }]);
  expect(JSON.stringify([body, logs])).not.toContain('secret');
});

test('The detail names the first error within the first 120 characters of the body', async () => {
  const faults = [
    { pointer: '/nmae', detail: 'is not a field' },
    { header: 'Accept', detail: 'is odd' },
  ];
  const { body } = await respondTo(badRequest(faults));
  expect(body.errors).toEqual(faults);
  expect(Object.keys(body)).toEqual(['detail', 'type', 'title', 'status', 'errors', 'requestId']);
  const long = { parameter: 'mexcParamvaluesetsid', detail: 'must be an integer' };
  const { body: other } = await respondTo(badRequest([long]));
  expect(JSON.stringify(other).slice(0, 120)).toContain('mexcParamvaluesetsid must be an integer');
  expect(body.detail).toBe(
    'The request is not valid: /nmae is not a field (and 1 more; see errors).',
  );
});

test('A detail that ends with a suggestion has no full stop after its question mark', () => {
  const fault = { pointer: '/nmae', detail: 'is not a field; did you mean `name`?' };
  expect(badRequest([fault]).message).toBe(
    'The request is not valid: /nmae is not a field; did you mean `name`?',
  );
  expect(badRequest([fault, fault]).message).toBe(
    'The request is not valid: /nmae is not a field; did you mean `name`? (and 1 more; see errors).',
  );
});

test('At most 100 errors are listed', async () => {
  const faults = Array.from({ length: 1_000 }, (_, index) => ({
    parameter: `p${index}`,
    detail: 'is odd',
  }));
  const { body } = await respondTo(badRequest(faults));
  expect(body.errors).toHaveLength(100);
  expect(body.detail).toContain('and 999 more');
});
