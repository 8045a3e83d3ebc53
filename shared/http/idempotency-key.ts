/** A key as it is, in visible ASCII. */
const PLAIN = '[!#-~][!-~]{0,254}';
/** A key as a string of a structured field, with its escapes. */
const QUOTED = '"(?:[ !#-\\[\\]-~]|\\\\["\\\\]){1,255}"';

/** Pattern of an Idempotency-Key header in one of its two forms. */
export const IDEMPOTENCY_KEY_PATTERN = `^(?:${PLAIN}|${QUOTED})$`;

/**
 * Returns the key in a valid Idempotency-Key header. The draft of the IETF has it as a string in
 * double quotes (RFC 9651, section 3.3.3), most clients send it without: both are the same key.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * @example
 * idempotencyKeyOf('"a1"') === idempotencyKeyOf('a1');
 */
export function idempotencyKeyOf(header: string): string {
  return header.startsWith('"') ? header.slice(1, -1).replaceAll(/\\(.)/g, '$1') : header;
}
