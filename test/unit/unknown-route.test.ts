import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { httpEvent, lambdaContext } from '../support/http-event.ts';
import { quiet } from '../support/logs.ts';

let handler: (event: object, context: object) => Promise<{ statusCode: number; headers?: object }>;

beforeAll(async () => {
  vi.stubEnv('ROUTES', 'GET /customers,POST /customers');
  const loaded = await import('../../functions/answer-unknown-route/handler.ts');
  handler = loaded.handler as unknown as typeof handler;
});
afterAll(() => {
  vi.unstubAllEnvs();
});

/** Sends an OPTIONS to a path. */
function options(path: string, authorizer?: object) {
  const event = httpEvent();
  return handler(
    {
      ...event,
      rawPath: path,
      requestContext: {
        ...event.requestContext,
        authorizer,
        http: { method: 'OPTIONS' },
      },
    },
    lambdaContext(),
  );
}

test('An OPTIONS without a token, which CORS lets through, gets the methods of the path', async () => {
  quiet();
  const response = await options('/customers');
  expect(response).toMatchObject({ statusCode: 405, headers: { allow: 'GET, POST' } });
});

test('A token without a merchant is refused on an unknown route', async () => {
  quiet();
  const response = await options('/customers', { jwt: { claims: {}, scopes: [] } });
  expect(response.statusCode).toBe(403);
});
