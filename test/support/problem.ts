import { STATUS_CODES } from 'node:http';
import { expect } from 'vitest';
import type { ApiResponse } from './api.ts';

/** The wrong part of a request, without its detail. */
export type ErrorLocation = { pointer: string } | { parameter: string } | { header: string };

/** Expects problem details (RFC 9457) with all required members and no others. */
export function expectProblem(
  answer: ApiResponse,
  status: number,
  places: readonly ErrorLocation[] = [],
): void {
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
