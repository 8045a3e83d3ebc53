/** Whether this is `npm run test:long`. */
const IS_LONG = process.env.TEST_LENGTH === 'long';

/**
 * Returns the number of iterations of a test with random input: `short` in `npm test`, `long` in
 * `npm run test:long`.
 */
export function iterations(counts: { readonly short: number; readonly long: number }): number {
  return IS_LONG ? counts.long : counts.short;
}
