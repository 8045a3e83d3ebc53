import * as v from 'valibot';
import { expectBody, type Send } from './fetch-json.ts';

/** Credentials of an OAuth 2.0 client. */
export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Seconds before its expiry in which a token is not used, so that it does not expire in transit. */
const MARGIN_S = 30;
/** Lifetime of a token if the server does not state one. */
const USUAL_LIFETIME_S = 300;

const TokenSchema = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  expires_in: v.nullish(v.number(), USUAL_LIFETIME_S),
});

/**
 * Returns access tokens of the client credentials grant. A token is reused until it expires.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
 */
export function accessTokens(
  address: string,
  scope: string,
  credentials: () => Promise<Credentials>,
) {
  let token: { readonly value: string; readonly until: number } | undefined;
  return {
    /** @throws RegisterError if the server issues none. */
    get: async (send: Send): Promise<string> => {
      if (token && Date.now() < token.until) return token.value;
      const { clientId, clientSecret } = await credentials();
      // Section 2.3.1: both are form-encoded before they are joined.
      const basic = [clientId, clientSecret].map(encodeURIComponent).join(':');
      const answer = await send(address, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
      });
      const { access_token: value, expires_in: lifetime } = expectBody(
        TokenSchema,
        answer,
        'The token server',
      );
      token = { value, until: Date.now() + (lifetime - MARGIN_S) * 1_000 };
      return value;
    },
    /** Discards the token, so that the next call requests another; for a token that was rejected. */
    forget: () => {
      token = undefined;
    },
  };
}
