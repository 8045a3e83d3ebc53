import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import {
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_FUNCTION, ENDPOINTS } from '../../infra/endpoints.ts';
import { createAuthorizer } from '../../infra/local/authorizer.ts';
import { createGateway } from '../../infra/local/gateway.ts';
import { AUDIENCE, createKey, signToken, startIssuer } from '../../infra/local/issuer.ts';
import { createLambda } from '../../infra/local/lambda.ts';
import { type LocalServer, start } from '../../infra/local/server.ts';
import { EXPORTS_PREFIX } from '../../shared/environment.ts';
import { anyCharacter } from '../support/any-character.ts';
import { clientOf, isLocal, localStack, useApi } from '../support/api.ts';
import { readCall } from '../support/dynamodb-call.ts';
import { type Passing, useProxyOf } from '../support/fault-proxy.ts';
import { bodyOfImport } from '../support/imports.ts';
import { iterations } from '../support/iterations.ts';
import { expectProblem } from '../support/problem.ts';

// Sends tokens to every route, with the real functions. Behind a rejected token no function runs and
// no server is called.

// Its requests would pass the proxies, too.
useApi({ recordChanges: false });

const READ = 'customers:read';
const WRITE = 'customers:write';
const MERCHANT = 'merchant_id';

/** A valid request to each route, and one that no route matches. */
const REQUESTS = [
  ...ENDPOINTS.map((route) => ({
    ...route,
    // Stated independently of the table of routes, so that a wrong scope there is found.
    scope:
      !/imports/.test(route.path) && (route.method === 'GET' || /export/.test(route.path))
        ? READ
        : WRITE,
    url: route.path
      .replace('{mexcParamvaluesetsid}', '1')
      .replace('{orgNum}', '5567037485')
      .replace('{exportId}', crypto.randomUUID())
      .replace('{importId}', crypto.randomUUID()),
    body:
      bodyOfImport(route.path) ??
      (/export/.test(route.path) || route.method === 'DELETE' ? [1] : { name: 'A' }),
    headers: /apply|undo/.test(route.path) ? { 'if-match': '"p-1"' } : {},
  })),
  { method: 'GET', function: DEFAULT_FUNCTION, scope: '', url: '/nowhere', body: {}, headers: {} },
];
type Request = (typeof REQUESTS)[number];

describe.runIf(isLocal)('Tokens', () => {
  let key: JWK;
  let issuer: LocalServer;
  let gateway: LocalServer;
  /** Functions that ran, and their requests to DynamoDB and S3, since the test began. */
  const ran: string[] = [];
  const asked = { dynamodb: [] as Passing[], s3: [] as Passing[] };
  useProxyOf('dynamodb', (passing) => asked.dynamodb.push(passing));
  useProxyOf('s3', (passing) => asked.s3.push(passing));

  beforeAll(async () => {
    key = await createKey();
    // The member alg of a published key is optional.
    const { alg: _, ...published } = key;
    issuer = await startIssuer(0, published);
    const lambda = createLambda(
      async (name) => (await import(`../../functions/${name}/handler.ts`)).handler,
    );
    const server = createGateway({
      routes: ENDPOINTS,
      defaultFunction: DEFAULT_FUNCTION,
      authorize: createAuthorizer(issuer.endpoint, AUDIENCE),
      invoke: (name, event) => {
        ran.push(name);
        return lambda(name, event);
      },
    });
    gateway = await start(server, 0);
  });
  afterAll(async () => {
    for (const server of [gateway, issuer]) await server.close();
  });
  afterEach(forget);

  function forget(): void {
    for (const list of [ran, asked.dynamodb, asked.s3]) list.length = 0;
  }

  const sign = (claims: Record<string, unknown> = {}) =>
    signToken(key, issuer.endpoint, { merchant: '1001', ...claims });

  /** Signs valid claims with any key and header. */
  async function signAs(jwk: JWK, header: { alg: string; kid?: string | undefined }) {
    const signer = jwk.kty === 'oct' ? Buffer.from(jwk.k ?? '', 'base64url') : undefined;
    return new SignJWT(goodClaims())
      .setProtectedHeader(header as JWTHeaderParameters)
      .sign(signer ?? (await importJWK(jwk, header.alg)));
  }

  function goodClaims() {
    const exp = Math.floor(Date.now() / 1_000) + 60;
    const scope = `${READ} ${WRITE}`;
    return { iss: issuer.endpoint, aud: AUDIENCE, exp, scope, [MERCHANT]: '1001' };
  }

  function send({ method, url, body, headers }: Request, token: string, more = {}) {
    const client = clientOf(gateway.endpoint, token);
    return client.call(method, url, {
      headers: { ...headers, ...more },
      ...(method !== 'GET' && { body }),
    });
  }

  /** Expects that API Gateway rejects every request. */
  async function expectRefused(
    status: 401 | 403,
    error: string,
    tokenFor: (request: Request) => string | Promise<string>,
    requests: readonly Request[] = REQUESTS,
  ): Promise<void> {
    const message = status === 401 ? 'Unauthorized' : 'Forbidden';
    for (const request of requests) {
      const { headers, ...answer } = await send(request, await tokenFor(request));
      const route = `${request.method} ${request.url}`;
      expect.soft(answer, route).toEqual({ status, body: { message } });
      expect
        .soft(headers.get('www-authenticate'), route)
        .toMatch(new RegExp(`^Bearer scope="${request.scope}" error="${error}"`));
    }
    expect({ ran, ...asked }).toEqual({ ran: [], dynamodb: [], s3: [] });
  }

  test('A valid token runs the function of each route', async () => {
    for (const request of REQUESTS) {
      expect((await send(request, await sign())).status, request.url).not.toBe(401);
      expect(ran).toEqual([request.function]);
      expect(asked.dynamodb.length > 0).toBe(request.function !== DEFAULT_FUNCTION);
      forget();
    }
  });

  const now = Math.floor(Date.now() / 1_000);
  test.each([
    ['is expired', { exp: now - 1 }],
    ['never expires', { exp: undefined }],
    ['is not yet valid', { nbf: now + 600 }],
    ['was issued in the future', { iat: now + 600 }],
    ['has another issuer', { iss: 'https://issuer.example' }],
    ['has no issuer', { iss: undefined }],
    ['is for another audience', { aud: 'other' }],
    ['is for another client', { aud: undefined, client_id: 'other' }],
    [
      'is for another audience, with the client id of our client',
      { aud: 'other', client_id: AUDIENCE },
    ],
    ['is for no audience', { aud: undefined }],
  ])('A token that %s returns 401 on every route, and runs no function', async (_, claims) => {
    const token = await sign(claims);
    await expectRefused(401, 'invalid_token', () => token);
  });

  /** The public key as a shared secret: the algorithm confusion attack. */
  const asSecret = (secret: string | Buffer): JWK => ({
    kty: 'oct',
    k: Buffer.from(secret).toString('base64url'),
  });
  const publicPem = () =>
    createPublicKey({ key: key as Record<string, string>, format: 'jwk' })
      .export({ type: 'spki', format: 'pem' })
      .toString();
  const ours = (alg = 'RS256') => ({ alg, kid: key.kid });

  test.each([
    ['is garbage', () => 'garbage'],
    ['has two parts', async () => (await sign()).split('.').slice(0, 2).join('.')],
    ['has no signature', async () => (await sign()).replace(/[^.]+$/, '')],
    ['is unsigned', () => new UnsecuredJWT(goodClaims()).encode()],
    ['is unsigned and names our key', () => unsigned({ alg: 'none', kid: key.kid })],
    ['has the public key as its secret', () => signAs(asSecret(publicPem()), ours('HS256'))],
    [
      'has the modulus of the public key as its secret',
      () => signAs(asSecret(`${key.n}`), ours('HS256')),
    ],
    ['has a critical extension that no header can carry', () => withCritical('å\r\nX: y 😀')],
    ['is signed by PS256', () => signAs({ ...key, alg: 'PS256' }, ours('PS256'))],
    ['is signed by ES256', async () => signEs256()],
    ['is signed with another key under our id', async () => signAs(await createKey(), ours())],
    ['is signed with an unknown key', async () => signAs(await createKey(), unknown())],
    ['names an unknown key', () => signAs(key, unknown())],
    ['names no key', () => signAs(key, { alg: 'RS256' })],
    ['contains its own key', async () => withOwnKey()],
    ['was changed after signing', async () => changed(await sign(), { [MERCHANT]: '1002' })],
    [
      'has a scope added after signing',
      async () => changed(await sign({ scope: READ }), { scope: WRITE }),
    ],
  ])('A token that %s returns 401 on every route, and runs no function', async (_, make) => {
    const token = await make();
    await expectRefused(401, 'invalid_token', () => token);
  });

  const unknown = () => ({ alg: 'RS256', kid: 'unknown' });
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const unsigned = (header: object) => `${encode(header)}.${encode(goodClaims())}.`;

  const withCritical = (extension: string) =>
    `${encode({ ...ours(), crit: [extension] })}.${encode(goodClaims())}.AAAA`;

  async function signEs256(): Promise<string> {
    const { privateKey } = await generateKeyPair('ES256');
    return new SignJWT(goodClaims())
      .setProtectedHeader(ours('ES256') as JWTHeaderParameters)
      .sign(privateKey);
  }

  /** Signs with the caller's own key, which the header contains. */
  async function withOwnKey(): Promise<string> {
    const { kty, n, e, kid, ...rest } = await createKey();
    const header = { alg: 'RS256', kid: kid as string, jwk: { kty, n, e } as JWK };
    return new SignJWT(goodClaims())
      .setProtectedHeader(header)
      .sign(await importJWK({ kty, n, e, kid, ...rest } as JWK, 'RS256'));
  }

  function changed(token: string, claims: object): string {
    const [header, payload = '', signature] = token.split('.');
    const said = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return [header, encode({ ...said, ...claims }), signature].join('.');
  }

  test('A valid token outside the Authorization header returns 401', async () => {
    const token = await sign();
    for (const { method, url } of REQUESTS) {
      const response = await fetch(`${gateway.endpoint}${url}?access_token=${token}`, {
        method,
        headers: { cookie: `access_token=${token}`, 'x-authorization': `Bearer ${token}` },
      });
      expect.soft(response.status, url).toBe(401);
    }
    expect({ ran, ...asked }).toEqual({ ran: [], dynamodb: [], s3: [] });
  });

  describe('Scopes', () => {
    const scoped = REQUESTS.filter(({ scope }) => scope !== '');
    const other = (scope: string) => (scope === READ ? WRITE : READ);
    test.each([
      ['the other scope', (scope: string) => other(scope)],
      ['no scope', () => ''],
      ['a scope that begins with it', (scope: string) => `${scope}r`],
      ['a scope that ends with it', (scope: string) => `my-${scope}`],
      ['the scope in upper case', (scope: string) => scope.toUpperCase()],
      ['wildcards', () => 'customers:* *'],
      ['comma-separated scopes', (scope: string) => `${other(scope)},${scope}`],
    ])('A token with %s in place of the scope of the route returns 403', async (_, scopeFor) => {
      const token = ({ scope }: Request) => sign({ scope: scopeFor(scope) });
      await expectRefused(403, 'insufficient_scope', token, scoped);
    });

    test('A token without the claim scope returns 403', async () => {
      const token = await sign({ scope: undefined });
      await expectRefused(403, 'insufficient_scope', () => token, scoped);
    });
  });

  describe('Merchant claims', () => {
    test.each([
      ['is missing', undefined],
      ['is empty', ''],
      ['is null', null],
      ['is a space', ' '],
      ['ends with a space', '1001 '],
      ['ends with a line feed', '1001\n'],
      ['contains a NUL', '10\u000001'],
      ['has the separator of keys', '1001#CUSTOMER'],
      ['has the separator of paths', '1001/1002'],
      ['is the current folder', '.'],
      ['is the parent folder', '..'],
      ['leads to another folder', '../1002'],
      ['has a percent sign', '1001%2F'],
      ['has digits of another script', '１００１'],
      ['is one character too long', 'x'.repeat(65)],
      ['is very long', 'x'.repeat(5_000)],
      ['is a list', ['1001']],
      ['is a list of two', ['1001', '1002']],
      ['is an object', { id: '1001' }],
      ['is a number in exponent notation', 1e21],
    ])(
      'A merchant claim that %s returns 403 from every function, which calls no server',
      async (_, merchant) => {
        const token = await sign({ [MERCHANT]: merchant });
        for (const request of REQUESTS) {
          const answer = await send(request, token);
          expectProblem(answer, 403);
          expect(answer.body.detail).toContain(
            `The token's claim ${MERCHANT} must name a merchant`,
          );
        }
        expect(ran).toEqual(REQUESTS.map((request) => request.function));
        expect(asked).toEqual({ dynamodb: [], s3: [] });
      },
    );

    const names = fc.string({
      unit: fc.constantFrom(...'aZ09_.-'),
      minLength: 1,
      maxLength: 64,
      size: 'max',
    });
    const nearlyNames = fc
      .tuple(names, fc.constantFrom(...'#/\\ \n\r\0:*%å０', '..', '#CUSTOMER#', '/../'), names)
      .map((parts) => parts.join(''));
    const claims = fc.oneof(
      { weight: 4, arbitrary: names },
      { weight: 2, arbitrary: nearlyNames },
      { weight: 1, arbitrary: fc.string({ unit: anyCharacter, maxLength: 70 }) },
      { weight: 2, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.boolean()) },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
    );

    // API Gateway passes every claim as text, so that numbers and texts are the same.
    test('Any merchant claim gives access to its own partition and folder only, or returns 403', async () => {
      let taken = 0;
      await fc.assert(
        fc.asyncProperty(claims, fc.constantFrom(...REQUESTS), async (claim, request) => {
          forget();
          const elsewhere = { [MERCHANT]: '1002', 'x-merchant-id': '1002' };
          const answer = await send(request, await sign({ [MERCHANT]: claim }), elsewhere);
          expect(ran).toEqual([request.function]);
          if (answer.status === 403) {
            expect(asked).toEqual({ dynamodb: [], s3: [] });
            return;
          }
          taken += 1;
          const folder = `/${localStack().bucket}/${EXPORTS_PREFIX}${claim}/`;
          const keys = asked.dynamodb.flatMap((passing) => readCall(passing).leadingKeys);
          expect([...new Set(keys)]).toEqual(
            request.function === DEFAULT_FUNCTION ? [] : [`MERCHANT#${claim}`],
          );
          for (const { operation } of asked.s3) {
            const [, path = ''] = operation.split(' ');
            expect(path.startsWith(folder), path).toBe(true);
            expect(path.slice(folder.length)).toMatch(/^[0-9a-f-]{36}\.(?:csv|jsonl|xlsx|xml)\?/);
          }
        }),
        { numRuns: iterations({ short: 40, long: 500 }) },
      );
      // Somewhat more than half of the claims are names that can be taken.
      expect(taken).toBeGreaterThan(iterations({ short: 5, long: 150 }));
    });
  });
});
