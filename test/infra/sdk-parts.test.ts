import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  AdaptiveRetryStrategy,
  calculateBodyLength,
  loadConfig,
} from '../../infra/bundle/sdk-parts.ts';

describe('a value of the configuration of a bundled client', () => {
  afterEach(() => vi.unstubAllEnvs());

  const selectors = <T>(byDefault: T | (() => T | Promise<T>)) => ({
    environmentVariableSelector: ({ AWS_VALUE }: Readonly<Record<string, string | undefined>>) => {
      if (AWS_VALUE === 'invalid') throw new Error('AWS_VALUE must be a number.');
      return AWS_VALUE as T | undefined;
    },
    default: byDefault,
  });

  test('is that of the environment', async () => {
    vi.stubEnv('AWS_VALUE', 'set');
    expect(await loadConfig(selectors('default'))()).toBe('set');
  });

  test('is the default if the environment has none, or one that is not valid', async () => {
    const fallbacks = ['default', () => 'default', async () => 'default'];
    for (const value of [undefined, 'invalid']) {
      vi.stubEnv('AWS_VALUE', value);
      for (const fallback of fallbacks) {
        expect(await loadConfig(selectors<unknown>(fallback))()).toBe('default');
      }
    }
  });

  test('is read once, when it is first needed', async () => {
    const provider = loadConfig(selectors('default'));
    vi.stubEnv('AWS_VALUE', 'first');
    expect(await provider()).toBe('first');
    vi.stubEnv('AWS_VALUE', 'second');
    expect(await provider()).toBe('first');
  });

  test('is refused if the default is an error, as a missing region is', async () => {
    const missing = selectors(() => {
      throw new Error('Region is missing');
    });
    await expect(loadConfig(missing)()).rejects.toThrow('Region is missing');
  });
});

test.each([
  ['åäö', 6],
  [new Uint8Array([1, 2, 3]), 3],
  ['', 0],
  [undefined, 0],
])('the length of the body %j is %i bytes', (body, length) => {
  expect(calculateBodyLength(body)).toBe(length);
});

test('the adaptive retry mode says that it is not in the bundles', () => {
  expect(() => new AdaptiveRetryStrategy()).toThrow('AWS_RETRY_MODE=adaptive is left out');
});
