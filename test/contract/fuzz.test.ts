import { describe, expect, test } from 'vitest';
import { isLocal, localStack, useApi } from '../support/api.ts';
import { fuzz } from '../support/fuzz.ts';
import { OPERATIONS } from '../support/fuzz-requests.ts';
import { howMany } from '../support/length.ts';
import { logged } from '../support/logs.ts';

useApi();

const REQUESTS = howMany({ short: 400, long: 3_000 });
const SEED = 1;

// A deployed API would take its time, and its limits are there to end this.
describe.runIf(isLocal)('whatever is sent', () => {
  test('is answered as the document says, and never with a failure of ours', {
    timeout: 300_000,
  }, async () => {
    const reached = new Set<string>();
    const finding = await fuzz(localStack(), {
      requests: REQUESTS,
      seed: SEED,
      onAnswer: (what, status) => reached.add(`${what} ${status < 400 ? 'done' : 'refused'}`),
    });
    // Shows what went wrong, and the command by which it can be seen again.
    expect(finding).toBeUndefined();
    expect(logged().filter(({ level }) => level === 'error')).toEqual([]);
    // What is sent gets as far as the functions, and past their checks.
    const names = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
    const noExport = (name: string) => !name.includes('{exportId}');
    expect([...reached]).toEqual(
      expect.arrayContaining([
        ...names.map((name) => `${name} refused`),
        ...names.filter(noExport).map((name) => `${name} done`),
      ]),
    );
  });
});
