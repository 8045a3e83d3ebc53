import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { DISCOVERY_PATH } from './issuer.ts';

/** The claims of a valid token, or the response to a request without one. */
type Authorization =
  | { readonly claims: Readonly<Record<string, string>> }
  | { readonly status: 401 | 403; readonly challenge: string };

/** Authorizes a request by its Authorization header and the scopes of its route. */
export type Authorizer = (
  header: string | undefined,
  scopes: readonly string[],
) => Promise<Authorization>;

/** Time-out of API Gateway for an issuer, and the time for which it caches the issuer's keys. */
const ISSUER_TIMEOUT_MS = 1_500;
const KEY_CACHE_MS = 2 * 60 * 60 * 1_000;
/** Maximum tokens that are kept as valid, so that the signature of each is verified once. */
const MAX_KNOWN_TOKENS = 1_000;
const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512'];

/**
 * Verifies tokens as the JWT authorizer of an HTTP API does: signature by an RSA key of the
 * issuer, found by its id, then `iss`, `aud` (or `client_id`, if there is no `aud`), `exp`,
 * `nbf`, `iat`, and any one of the route's scopes in `scope` or `scp`.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export function createAuthorizer(issuer: string, audience: string): Authorizer {
  const findKey = createKeyFinder(issuer);
  const known = new Map<string, JWTPayload>();
  async function payloadOf(token: string): Promise<JWTPayload> {
    const verified = known.get(token);
    if (verified?.exp && verified.exp > Date.now() / 1_000) return verified;
    const { payload } = await jwtVerify(token, findKey, {
      issuer,
      algorithms: RSA_ALGORITHMS,
      requiredClaims: ['exp'],
    });
    if (known.size >= MAX_KNOWN_TOKENS) known.clear();
    known.set(token, payload);
    return payload;
  }
  return async (header, scopes) => {
    const token = header?.replace(/^Bearer\s+/i, '').trim();
    if (!token) return { status: 401, challenge: 'Bearer' };
    const scope = scopes.join(' ');
    try {
      const payload = await payloadOf(token);
      checkAudience(payload, audience);
      checkIssueTime(payload);
      if (scopes.length > 0 && !scopesOf(payload).some((has) => scopes.includes(has))) {
        return { status: 403, challenge: challenge(scope, 'insufficient_scope') };
      }
      return { claims: toStrings(payload) };
    } catch (error) {
      const description = (error as Error).message;
      return { status: 401, challenge: challenge(scope, 'invalid_token', description) };
    }
  };
}

/** Returns the issuer's key with the `kid` of a token's header. */
function createKeyFinder(issuer: string): JWTVerifyGetKey {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  return async (header, token) => {
    if (!header.kid) throw new errors.JWTInvalid('the token does not name its key');
    keys ??= discoverKeys(issuer).catch((error) => {
      // The next token retries an issuer that did not respond.
      keys = undefined;
      throw error;
    });
    return (await keys)(header, token);
  };
}

async function discoverKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const signal = AbortSignal.timeout(ISSUER_TIMEOUT_MS);
  const response = await fetch(issuer + DISCOVERY_PATH, { signal });
  const { jwks_uri } = (await response.json()) as { jwks_uri: string };
  return createRemoteJWKSet(new URL(jwks_uri), {
    timeoutDuration: ISSUER_TIMEOUT_MS,
    cacheMaxAge: KEY_CACHE_MS,
  });
}

function checkAudience({ aud, client_id }: JWTPayload, audience: string): void {
  if ([aud ?? client_id].flat().includes(audience)) return;
  // AWS documents this description only; the others are jose's.
  throw new errors.JWTInvalid('the token does not have a valid audience');
}

function checkIssueTime({ iat }: JWTPayload): void {
  if (iat === undefined || iat <= Date.now() / 1_000) return;
  throw new errors.JWTInvalid('the token is from the future');
}

function scopesOf({ scope, scp }: JWTPayload): string[] {
  return [scope, scp]
    .flat()
    .filter((text) => typeof text === 'string')
    .flatMap((text) => text.split(' '));
}

function challenge(scope: string, error: string, description?: string): string {
  // jose repeats parts of the token, which may be anything; RFC 6750 allows these (section 3).
  const safe = description?.replaceAll(/[^ !#-[\]-~]/g, "'");
  const detail = safe ? ` error_description="${safe}"` : '';
  return `Bearer scope="${scope}" error="${error}"${detail}`;
}

/** Converts claims as API Gateway does: to strings, with lists and objects as Go prints them. */
function toStrings(claims: JWTPayload): Record<string, string> {
  return Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [name, formatLikeGo(value)]),
  );
}

function formatLikeGo(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatLikeGo).join(' ')}]`;
  if (value === null) return '<nil>';
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([name, member]) => `${name}:${formatLikeGo(member)}`).join(' ')}]`;
}
