import { createHmac, timingSafeEqual } from 'node:crypto';
import { required } from '../environment.ts';

const SECRET = required('cursorSecret');
const MAC_BYTES = 16;

/**
 * Returns a text with a message authentication code in front, in base64url. It can be read, and not
 * forged or used elsewhere.
 *
 * @param scope what the text belongs to, such as the merchant; as JSON.
 */
export function signText(scope: readonly unknown[], text: string): string {
  return Buffer.concat([authenticationCode(scope, text), Buffer.from(text)]).toString('base64url');
}

/** Returns a text that was signed for this scope; undefined for anything else. */
export function verifiedText(scope: readonly unknown[], signed: string): string | undefined {
  const bytes = Buffer.from(signed, 'base64url');
  if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== signed) return undefined;
  const text = bytes.subarray(MAC_BYTES).toString();
  const code = authenticationCode(scope, text);
  return timingSafeEqual(bytes.subarray(0, MAC_BYTES), code) ? text : undefined;
}

function authenticationCode(scope: readonly unknown[], text: string): Buffer {
  return createHmac('sha256', SECRET)
    .update(JSON.stringify([...scope, text]))
    .digest()
    .subarray(0, MAC_BYTES);
}
