import * as v from 'valibot';
import { expectBody, type Send } from './fetch-json.ts';

/** What a client of an OAuth 2.0 server identifies itself with. */
export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A token is not used in its last seconds, so that it does not expire on its way. */
const MARGIN_S = 30;
/** Where the server does not say how long a token lasts. */
const USUAL_LIFETIME_S = 300;

const TokenSchema = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  expires_in: v.nullish(v.number(), USUAL_LIFETIME_S),
});

/**
 * Access tokens by the client credentials grant, each used until it expires.
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
    /** @throws RegisterError where none is to be had. */
    get: async (send: Send): Promise<string> => {
      if (token && Date.now() < token.until) return token.value;
      const { clientId, clientSecret } = await credentials();
      // As section 2.3.1 has it, both are form-encoded before they are joined.
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
    /** The next call gets a new one: the last was refused. */
    forget: () => {
      token = undefined;
    },
  };
}
