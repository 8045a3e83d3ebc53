import { getEventListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { beforeDeadline, untilDeadline } from '../../shared/concurrency.ts';

async function* counting(every: number) {
  for (let value = 1; ; value += 1) {
    await setTimeout(every);
    yield value;
  }
}

test('A source yields values until the deadline and then throws the reason', async () => {
  const deadline = new AbortController();
  const seen: number[] = [];
  const read = async () => {
    for await (const value of untilDeadline(deadline.signal, counting(1))) {
      seen.push(value);
      if (value === 3) deadline.abort(new Error('over'));
    }
  };
  await expect(read()).rejects.toThrow('over');
  expect(seen).toEqual([1, 2, 3]);
});

test('A source that yields nothing throws at the deadline', async () => {
  const read = untilDeadline(AbortSignal.timeout(50), counting(60_000));
  await expect(read.next()).rejects.toThrow(/timeout/);
});

test('A promise rejects at once if the deadline has passed', async () => {
  await expect(beforeDeadline(AbortSignal.abort(new Error('over')), setTimeout(1))).rejects.toThrow(
    'over',
  );
});

test('A deadline keeps no listener of a promise that has settled', async () => {
  const deadline = AbortSignal.timeout(60_000);
  const source = untilDeadline(deadline, counting(0));
  for (let count = 0; count < 100; count += 1) await source.next();
  await expect(beforeDeadline(deadline, Promise.reject(new Error('failed')))).rejects.toThrow(
    'failed',
  );
  expect(getEventListeners(deadline, 'abort')).toEqual([]);
});
