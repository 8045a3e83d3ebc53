import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose';
import { DEFAULT_CLAIMS } from '../../shared/environment.ts';
import { SCOPES } from '../../shared/http/contract.ts';
import { readDataFile, writeDataFile } from './data-folder.ts';
import { createServer } from './http.ts';
import { type LocalServer, start } from './server.ts';

/** Audience of the local issuer's tokens. */
export const AUDIENCE = 'customers-api';

/** Path of an issuer's configuration (OpenID Connect Discovery, section 4). */
export const DISCOVERY_PATH = '/.well-known/openid-configuration';

const KEY_FILE = 'issuer-key.json';
const ALGORITHM = 'RS256';
const LIFETIME_S = 12 * 60 * 60;

/** Content of a token. Other claims are copied; one that is undefined is omitted. */
export interface TokenOptions {
  readonly merchant: string;
  /** All, if not given. */
  readonly scopes?: readonly string[] | undefined;
  /** In seconds; 12 hours if not given. */
  readonly expiresIn?: number | undefined;
  readonly [claim: string]: unknown;
}

/** Signs a token with the key of the local issuer. */
export async function signToken(
  key: JWK,
  issuer: string,
  { merchant, scopes = SCOPES, expiresIn = LIFETIME_S, ...claims }: TokenOptions,
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({
    iss: issuer,
    aud: AUDIENCE,
    sub: `user-of-${merchant}`,
    iat: now,
    exp: now + expiresIn,
    scope: scopes.join(' '),
    [DEFAULT_CLAIMS.merchant]: merchant,
    ...claims,
  })
    .setProtectedHeader({ alg: ALGORITHM, kid: key.kid as string })
    .sign(await importJWK(key, ALGORITHM));
}

/** Creates a private key. */
export async function createKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, alg: ALGORITHM, use: 'sig', kid: await calculateJwkThumbprint(jwk) };
}

/** Returns the private key in a data folder; creates it if there is none. */
export async function loadOrCreateKey(folder: string): Promise<JWK> {
  const text = await readDataFile(folder, KEY_FILE);
  if (text) return JSON.parse(text);
  const key = await createKey();
  await writeDataFile(folder, KEY_FILE, JSON.stringify(key));
  return key;
}

/** Starts the server with the issuer's public key and configuration (OpenID Connect Discovery). */
export async function startIssuer(
  port: number,
  { kty, n, e, alg, use, kid }: JWK,
): Promise<LocalServer> {
  const jwksPath = '/.well-known/jwks.json';
  const documents = new Map<string | undefined, unknown>([
    [jwksPath, { keys: [{ kty, n, e, alg, use, kid }] }],
  ]);
  const server = createServer(({ url }, response) => {
    response.writeHead(documents.has(url) ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(documents.get(url) ?? { message: 'Not Found' }));
  });
  const issuer = await start(server, port);
  documents.set(DISCOVERY_PATH, {
    issuer: issuer.endpoint,
    jwks_uri: issuer.endpoint + jwksPath,
    scopes_supported: SCOPES,
    id_token_signing_alg_values_supported: [ALGORITHM],
    subject_types_supported: ['public'],
  });
  return issuer;
}
