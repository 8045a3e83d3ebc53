import { STATUS_CODES } from 'node:http';
import { expect } from 'vitest';
import type { Answer } from './api.ts';

/** Where a request is wrong, without what is said of it. */
export type Place = { pointer: string } | { parameter: string } | { header: string };

/** Expects problem details (RFC 9457) with all that they should have, and nothing more. */
export function expectProblem(answer: Answer, status: number, places: readonly Place[] = []): void {
  expect(answer).toMatchObject({ status });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.body).toEqual({
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail: expect.stringMatching(/^[^\n]+[.?]$/),
    ...(places.length > 0 && {
      errors: places.map((place) => ({ ...place, detail: expect.stringMatching(/^[^\n]+$/) })),
    }),
    requestId: answer.headers.get('apigw-requestid'),
  });
}
