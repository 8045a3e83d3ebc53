/** Whether the tests that have a long form run it: `npm run test:long`. */
const IS_LONG = process.env.TEST_LENGTH === 'long';

/**
 * Returns how much a test of random input or of chance does: `short` in `npm test`, `long` in
 * `npm run test:long`, which CI runs besides.
 */
export function howMany(counts: { readonly short: number; readonly long: number }): number {
  return IS_LONG ? counts.long : counts.short;
}
