import type { JWK } from 'jose';

/** Environment variable with the key of the tokens of all stacks of a test run. */
export const SHARED_KEY = 'TEST_ISSUER_KEY';

/** Returns the key of the tokens of all stacks of this test run. */
export function sharedKey(): JWK {
  return JSON.parse(process.env[SHARED_KEY] as string);
}
