// The package's main module loads the parsers of four headers.
import preferredLanguages from 'negotiator/lib/language.js';

/**
 * Returns the language that a caller prefers (RFC 9110, section 12.5.4), the first if it prefers none
 * of them.
 *
 * @example
 * preferredLanguage('sv-SE, en;q=0.8', ['en', 'sv']) === 'sv';
 */
export function preferredLanguage<const L extends string>(
  acceptLanguage: string | undefined,
  languages: readonly [L, ...L[]],
): L {
  const [first = languages[0]] = preferredLanguages(acceptLanguage, [...languages]);
  return first as L;
}
