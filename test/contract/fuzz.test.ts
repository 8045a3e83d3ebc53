import { describe, expect, test } from 'vitest';
import { isLocal, localStack, useApi } from '../support/api.ts';
import { fuzz } from '../support/fuzz.ts';
import { OPERATIONS } from '../support/fuzz-requests.ts';
import { iterations } from '../support/iterations.ts';
import { logged } from '../support/logs.ts';

useApi();

/** So many that each operation is reached, and refuses some requests. */
const REQUESTS = OPERATIONS.length * iterations({ short: 14, long: 120 });
const SEED = 3;

// A deployed API would be slow, and would throttle the requests.
describe.runIf(isLocal)('Random requests', () => {
  test('Every response to a random request is as documented, and none is a server error', {
    timeout: 300_000,
  }, async () => {
    const reached = new Set<string>();
    const finding = await fuzz(localStack(), {
      requests: REQUESTS,
      seed: SEED,
      onResponse: (what, status) => reached.add(`${what} ${status < 400 ? 'done' : 'refused'}`),
    });
    // Shows the deviation and the command that reproduces it.
    expect(finding).toBeUndefined();
    expect(logged().filter(({ level }) => level === 'error')).toEqual([]);
    // What is sent gets as far as the functions, and past their checks.
    // A HEAD is checked by the code of its GET; head.test.ts has one of each.
    const names = OPERATIONS.filter(({ method }) => method !== 'HEAD').map(
      ({ method, path }) => `${method} ${path}`,
    );
    // Ids of exports and imports are random.
    const isKnown = (name: string) => !/\{(?:export|import)Id\}/.test(name);
    expect([...reached]).toEqual(
      expect.arrayContaining([
        ...names.map((name) => `${name} refused`),
        ...names.filter(isKnown).map((name) => `${name} done`),
      ]),
    );
  });
});
