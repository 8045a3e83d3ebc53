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
import { clientOf, isLocal, localStack, useApi } from '../support/api.ts';
import { readCall } from '../support/dynamodb-call.ts';
import { type FaultProxy, type Passing, startProxyOf } from '../support/fault-proxy.ts';
import { howMany } from '../support/length.ts';
import { expectProblem } from '../support/problem.ts';

// What a token must be before a request gets anywhere, on every route, with the real functions.
// That a refused one gets nowhere is seen from behind: no function runs, and no server is asked.

useApi();

const READ = 'customers:read';
const WRITE = 'customers:write';
const MERCHANT = 'merchant_id';

/** A request to each route that its function would take, and one that no route answers. */
const REQUESTS = [
  ...ENDPOINTS.map((route) => ({
    ...route,
    // Said here once more, so that the table of routes cannot give rights away.
    scope: route.method === 'GET' || /export/.test(route.path) ? READ : WRITE,
    url: route.path
      .replace('{mexcParamvaluesetsid}', '1')
      .replace('{orgNum}', '5567037485')
      .replace('{exportId}', crypto.randomUUID()),
    body: /export/.test(route.path) || route.method === 'DELETE' ? [1] : { name: 'A' },
  })),
  { method: 'GET', function: DEFAULT_FUNCTION, scope: '', url: '/nowhere', body: {} },
];
type Request = (typeof REQUESTS)[number];

describe.runIf(isLocal)('a token', () => {
  let key: JWK;
  let issuer: LocalServer;
  let gateway: LocalServer;
  let dynamodb: FaultProxy;
  let s3: FaultProxy;
  /** Functions that ran, and what they asked the servers behind, since the test began. */
  const ran: string[] = [];
  const asked = { dynamodb: [] as Passing[], s3: [] as Passing[] };

  beforeAll(async () => {
    key = await createKey();
    // An issuer need not say which algorithm its key is for.
    const { alg: _, ...published } = key;
    issuer = await startIssuer(0, published);
    dynamodb = await startProxyOf('dynamodb', (passing) => asked.dynamodb.push(passing));
    s3 = await startProxyOf('s3', (passing) => asked.s3.push(passing));
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
    for (const server of [gateway, issuer, dynamodb, s3]) await server.close();
  });
  afterEach(forget);

  function forget(): void {
    for (const list of [ran, asked.dynamodb, asked.s3]) list.length = 0;
  }

  const sign = (claims: Record<string, unknown> = {}) =>
    signToken(key, issuer.endpoint, { merchant: '1001', ...claims });

  /** Signs good claims with any key, in any way. */
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

  function send({ method, url, body }: Request, token: string, headers = {}) {
    const client = clientOf(gateway.endpoint, token);
    return client.call(method, url, { headers, ...(method !== 'GET' && { body }) });
  }

  /** Expects that every request is answered by API Gateway itself. */
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

  test('that is good runs the function of each route, which asks for what it needs', async () => {
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
    ['never ends', { exp: undefined }],
    ['is not yet valid', { nbf: now + 600 }],
    ['was issued in the future', { iat: now + 600 }],
    ['is of another issuer', { iss: 'https://issuer.example' }],
    ['is of no issuer', { iss: undefined }],
    ['is for another audience', { aud: 'other' }],
    ['is for another client', { aud: undefined, client_id: 'other' }],
    ['is for another audience, though of our client', { aud: 'other', client_id: AUDIENCE }],
    ['is for no audience', { aud: undefined }],
  ])('that %s is refused everywhere', async (_, claims) => {
    const token = await sign(claims);
    await expectRefused(401, 'invalid_token', () => token);
  });

  /** The public key in the forms that a careless verifier takes for a shared secret. */
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
    ['is unsigned, though it names our key', () => unsigned({ alg: 'none', kid: key.kid })],
    ['has the public key as its secret', () => signAs(asSecret(publicPem()), ours('HS256'))],
    ['has its modulus as its secret', () => signAs(asSecret(`${key.n}`), ours('HS256'))],
    ['has a critical extension that no header can carry', () => withCritical('å\r\nX: y 😀')],
    ['is signed by PS256', () => signAs({ ...key, alg: 'PS256' }, ours('PS256'))],
    ['is signed by ES256', async () => signEs256()],
    ['is signed with another key under our id', async () => signAs(await createKey(), ours())],
    ['is signed with an unknown key', async () => signAs(await createKey(), unknown())],
    ['names a key that is unknown', () => signAs(key, unknown())],
    ['names no key', () => signAs(key, { alg: 'RS256' })],
    ['brings its own key', async () => bringingItsKey()],
    ['was changed after signing', async () => changed(await sign(), { [MERCHANT]: '1002' })],
    ['was given more rights', async () => changed(await sign({ scope: READ }), { scope: WRITE })],
  ])('that %s is refused everywhere', async (_, make) => {
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

  /** Signed with a key of the caller's own, which the header offers for verification. */
  async function bringingItsKey(): Promise<string> {
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

  test('that is good is taken from nowhere but the Authorization header', async () => {
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

  describe('without the scope of the route is refused:', () => {
    const scoped = REQUESTS.filter(({ scope }) => scope !== '');
    const other = (scope: string) => (scope === READ ? WRITE : READ);
    test.each([
      ['that of the other kind', (scope: string) => other(scope)],
      ['none', () => ''],
      ['one that begins so', (scope: string) => `${scope}r`],
      ['one that ends so', (scope: string) => `my-${scope}`],
      ['one in capitals', (scope: string) => scope.toUpperCase()],
      ['one with a wildcard', () => 'customers:* *'],
      ['several with commas between', (scope: string) => `${other(scope)},${scope}`],
    ])('%s', async (_, scopeFor) => {
      const token = ({ scope }: Request) => sign({ scope: scopeFor(scope) });
      await expectRefused(403, 'insufficient_scope', token, scoped);
    });

    test('no claim of that name', async () => {
      const token = await sign({ scope: undefined });
      await expectRefused(403, 'insufficient_scope', () => token, scoped);
    });
  });

  describe('whose merchant', () => {
    test.each([
      ['is missing', undefined],
      ['is empty', ''],
      ['is null', null],
      ['is a space', ' '],
      ['has a space behind it', '1001 '],
      ['has a line feed behind it', '1001\n'],
      ['has a NUL in it', '10\u000001'],
      ['has the separator of keys', '1001#CUSTOMER'],
      ['has the separator of paths', '1001/1002'],
      ['is the folder', '.'],
      ['is the folder above', '..'],
      ['leads out of its folder', '../1002'],
      ['has a percent sign', '1001%2F'],
      ['has digits of another script', '１００１'],
      ['is one character too long', 'x'.repeat(65)],
      ['is very long', 'x'.repeat(5_000)],
      ['is a list', ['1001']],
      ['is a list of two', ['1001', '1002']],
      ['is an object', { id: '1001' }],
      ['is a number that is no name', 1e21],
    ])('%s is refused by every function, which asks for nothing', async (_, merchant) => {
      const token = await sign({ [MERCHANT]: merchant });
      for (const request of REQUESTS) {
        const answer = await send(request, token);
        expectProblem(answer, 403);
        expect(answer.body.detail).toBe(`The token's claim ${MERCHANT} names no merchant.`);
      }
      expect(ran).toEqual(REQUESTS.map((request) => request.function));
      expect(asked).toEqual({ dynamodb: [], s3: [] });
    });

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
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 70 }) },
      { weight: 2, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.boolean()) },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
    );

    // A text in place of a number cannot be told apart: API Gateway passes every claim as text.
    test('is anything at all leads to its own partition and folder alone, or nowhere', async () => {
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
            expect(path.slice(folder.length)).toMatch(/^[0-9a-f-]{36}\.(?:csv|xml)\?/);
          }
        }),
        { numRuns: howMany({ short: 120, long: 500 }) },
      );
      expect(taken).toBeGreaterThan(20);
    });
  });
});
