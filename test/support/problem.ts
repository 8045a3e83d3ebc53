import { STATUS_CODES } from 'node:http';
import { expect } from 'vitest';
import { PROBLEM_TITLES, type ProblemType } from '../../shared/http/problem-details.ts';
import type { ApiResponse } from './api.ts';

/** The wrong part of a request, without its detail. */
export type ErrorLocation = { pointer: string } | { parameter: string } | { header: string };

/** Guzzle, as PHP clients have it, shows no more of an error's body. */
const SHOWN_CHARACTERS = 120;

/**
 * Expects problem details (RFC 9457) with all required members and no others.
 *
 * @param type of the problem; any that is documented if it is left out.
 */
export function expectProblem(
  answer: ApiResponse,
  status: number,
  places: readonly ErrorLocation[] = [],
  type?: ProblemType | 'about:blank',
): void {
  expect(answer).toMatchObject({ status });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const own = PROBLEM_TITLES[answer.body.type as ProblemType];
  expect(answer.body).toEqual({
    type: type ?? (own ? answer.body.type : 'about:blank'),
    title: own ?? STATUS_CODES[status],
    status,
    detail: expect.stringMatching(/^[^\n]+[.?]$/),
    ...(places.length > 0 && {
      errors: places.map((place) => ({ ...place, detail: expect.stringMatching(/^[^\n]+$/) })),
    }),
    ...(answer.body.type === '/problems/interrupted-deletion' && { count: expect.any(Number) }),
    ...(answer.body.type === '/problems/duplicate-customerid' && { ids: expect.any(Array) }),
    ...membersOfImport(answer.body),
    requestId: answer.headers.get('apigw-requestid'),
  });
  const [first] = places.flatMap((place) => Object.values(place) as string[]);
  const shown = JSON.stringify(answer.body).slice(0, SHOWN_CHARACTERS);
  if (first !== undefined) expect(shown).toContain(first.slice(0, 40) || 'the body');
}

/** Returns the members that errors of imports have besides those of every problem. */
function membersOfImport({ type, importId }: ApiResponse['body']): Record<string, unknown> {
  if (type === '/problems/rows-to-leave-out') return { counts: expect.any(Object) };
  if (type === '/problems/unreadable-file') {
    return { code: expect.any(String), importId: expect.any(String) };
  }
  return type === '/problems/import-state' && importId ? { importId: expect.any(String) } : {};
}
