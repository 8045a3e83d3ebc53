import { describe, expect, test } from 'vitest';
import { isLocal, localStack, useApi } from '../support/api.ts';
import { fuzz } from '../support/fuzz.ts';
import { OPERATIONS } from '../support/fuzz-requests.ts';
import { iterations } from '../support/iterations.ts';
import { logged } from '../support/logs.ts';

useApi();

/** Requests of a round, which has a seed of its own. */
const REQUESTS = 8 * OPERATIONS.length;
const ROUNDS = iterations({ short: 1, long: 15 });
/** More rounds follow until each operation is reached, and refuses some requests. */
const MAX_ROUNDS = ROUNDS + 5;
const FIRST_SEED = 6;

// A HEAD is checked by the code of its GET; head.test.ts has one of each.
const NAMES = OPERATIONS.filter(({ method }) => method !== 'HEAD').map(
  ({ method, path }) => `${method} ${path}`,
);
// Ids of exports and imports are random.
const isKnown = (name: string) => !/\{(?:export|import)Id\}/.test(name);
const TO_REACH = [
  ...NAMES.map((name) => `${name} refused`),
  ...NAMES.filter(isKnown).map((name) => `${name} done`),
];

// A deployed API would be slow, and would throttle the requests.
describe.runIf(isLocal)('Random requests', () => {
  test('Every response to a random request is as documented, and none is a server error', async () => {
    const reached = new Set<string>();
    const isComplete = () => TO_REACH.every((what) => reached.has(what));
    for (let round = 0; round < ROUNDS || (round < MAX_ROUNDS && !isComplete()); round += 1) {
      const finding = await fuzz(localStack(), {
        requests: REQUESTS,
        seed: FIRST_SEED + round,
        onResponse: (what, status) => reached.add(`${what} ${status < 400 ? 'done' : 'refused'}`),
      });
      // Shows the deviation and the command that reproduces it.
      expect(finding).toBeUndefined();
    }
    expect(logged().filter(({ level }) => level === 'error')).toEqual([]);
    // What is sent gets as far as the functions, and past their checks.
    expect([...reached]).toEqual(expect.arrayContaining(TO_REACH));
  });
});
