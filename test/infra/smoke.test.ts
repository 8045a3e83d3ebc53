import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer, json, text } from 'node:stream/consumers';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { smokeFaults } from '../../infra/deploy/smoke-calls.ts';
import { readTokens } from '../../infra/deploy/tokens.ts';
import { ROUTES } from '../../infra/endpoints.ts';
import { isLocal, localStack, useApi } from '../support/api.ts';
import { createFakeAws } from '../support/fake-aws.ts';
import type { Json } from '../support/synthesize.ts';

useApi();

const SMOKE = join(import.meta.dirname, '../../infra/deploy/smoke.ts');
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
): Promise<string> {
  const server = createServer((request, response) => void handle(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The operations of the API: its routes but those that refuse a method. */
const OPERATIONS = ROUTES.filter(({ scope }) => scope).map(
  ({ method, path }) => `${method.toLowerCase()} ${path.replace('+}', '}')}`,
);

/** Returns the operation that a request is of. */
function operationOf({ method = '', url = '' }: IncomingMessage): string | undefined {
  const segments = (url.split('?')[0] as string).split('/');
  const isMatch = (path: string) =>
    path.split('/').length === segments.length &&
    path.split('/').every((part, index) => part.startsWith('{') || part === segments[index]);
  const matching = OPERATIONS.filter((operation) => {
    const [verb, path = ''] = operation.split(' ');
    return verb === method.toLowerCase() && isMatch(path);
  });
  return matching.toSorted((a, b) => a.split('{').length - b.split('{').length)[0];
}

describe.runIf(isLocal)('The smoke test', () => {
  let tokens: string[];
  beforeAll(async () => {
    const token = (merchant: string, scopes?: string[]) =>
      localStack().token({ merchant, ...(scopes && { scopes }) });
    tokens = [
      await token('smoke-1'),
      await token('smoke-2'),
      await token('smoke-1', ['customers:read']),
    ];
  });

  /** Starts a proxy of the API in which some operations are broken. */
  async function startProxy(isBroken: (operation: string | undefined, token: string) => boolean) {
    const called: string[] = [];
    const url = await listen(async (request, response) => {
      const { method = '', url: path = '', headers } = request;
      const operation = operationOf(request);
      const token = headers.authorization?.replace('Bearer ', '') ?? '';
      called.push(`${operation} as ${tokens.indexOf(token)}`);
      const body = await buffer(request);
      if (isBroken(operation, token)) {
        response.writeHead(500).end();
        return;
      }
      const { host: _, ...sent } = headers;
      const answer = await fetch(localStack().url + path, {
        method,
        redirect: 'manual',
        headers: sent as Record<string, string>,
        ...(body.length > 0 && { body }),
      });
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? '',
      });
      response.end(await answer.text());
    });
    return { url, called };
  }

  /** Runs the command, and returns its output. */
  async function smoke(api: string): Promise<string> {
    vi.stubEnv('API_TOKENS', tokens.join(','));
    return (await promisify(execFile)(process.execPath, [SMOKE, '--api', api])).stdout;
  }

  test('calls each operation as both merchants, and leaves no customer', async () => {
    const { url, called } = await startProxy(() => false);
    expect(await smoke(url)).toBe(`${url} responds as it should.\n`);
    const expected = OPERATIONS.flatMap((operation) =>
      [0, 1].map((merchant) => `${operation} as ${merchant}`),
    );
    expect(new Set(called)).toEqual(
      new Set([...expected, 'get /customers as -1', 'post /customers as 2']),
    );
    const response = await fetch(`${localStack().url}/customers/count`, {
      headers: { authorization: `Bearer ${tokens[0]}` },
    });
    expect(await response.json()).toEqual({ count: 0 });
  });

  test('fails for each operation that is broken, and names it', async () => {
    const { url } = await startProxy(
      (operation, token) => token !== '' && operation !== 'post /customers',
    );
    const faults = await smokeFaults(url, tokens);
    const expected = OPERATIONS.filter((operation) => operation !== 'post /customers');
    for (const operation of expected) {
      const ofOperation = faults.filter((fault) => fault.startsWith(`${operation}: `));
      expect(ofOperation).toEqual(Array(2).fill(`${operation}: responds with 500`));
    }
    expect(faults).toHaveLength(2 * expected.length);
  });

  test('fails if no customer can be created, or for one merchant only', async () => {
    const none = await startProxy((operation) => operation === 'post /customers');
    expect(await smokeFaults(none.url, tokens)).toEqual([
      'without the scope to write: 500 is not 403',
      'post /customers: 500,500, without an id',
      'post /customers: 500,500, without an id',
    ]);
    const second = await startProxy(
      (operation, token) => operation === 'get /customers/count' && token === tokens[1],
    );
    expect(await smokeFaults(second.url, tokens)).toEqual([
      'get /customers/count: responds with 500',
    ]);
  });

  test('fails if a merchant sees customers of the other', async () => {
    const [first = '', , readOnly = ''] = tokens;
    const faults = await smokeFaults(localStack().url, [first, first, readOnly]);
    expect(faults).toEqual([]);
    // Here a merchant's customers are left when the other lists its own: both are the same.
    const leaky = await startProxy((operation) => operation?.startsWith('delete ') ?? false);
    expect(await smokeFaults(leaky.url, [first, first, readOnly])).toContain(
      "get /customers: contains another merchant's customer",
    );
  });

  test('fails if the API accepts calls without a token or a scope', async () => {
    const [first = '', second = ''] = tokens;
    const open = await listen(async (request, response) => {
      const { url = '', method = '' } = request;
      const body = await text(request);
      const answer = await fetch(localStack().url + url, {
        method,
        headers: { authorization: `Bearer ${first}`, 'content-type': 'application/json' },
        ...(body && { body }),
      });
      response.writeHead(answer.status).end(await answer.text());
    });
    const faults = await smokeFaults(open, [first, second, first]);
    expect(faults).toEqual(
      expect.arrayContaining([
        'without a token: 200 is not 401',
        'without the scope to write: 200 is not 403',
      ]),
    );
  });

  test('is a command that exits with 1 and the faults if there are any', async () => {
    // Nothing else is called if no customer can be created, so that this is soon known.
    const { url } = await startProxy((operation) => operation === 'post /customers');
    await expect(smoke(url)).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: `${[
        `${url} fails:`,
        'without the scope to write: 500 is not 403',
        ...Array(2).fill('post /customers: 500,500, without an id'),
      ].join('\n  ')}\n`,
    });
  });
});

test.runIf(isLocal)('The tests of the HTTP API run against a deployed API', async () => {
  const tokens = [];
  for (const merchant of ['suite-1', 'suite-2', 'suite-1']) {
    tokens.push(await localStack().token({ merchant }));
  }
  const suite = join(import.meta.dirname, '../../infra/deploy/suite.ts');
  const options = ['--stage', 'dev', '--api', localStack().url, 'test/contract/delete.test.ts'];
  const { stdout } = await promisify(execFile)(process.execPath, [suite, ...options], {
    env: { ...process.env, API_TOKENS: tokens.join(',') },
  });
  expect(stripVTControlCharacters(stdout)).toMatch(/Tests +\d+ passed/);
});

describe('The tokens of the smoke test', () => {
  const logins = (login: object) =>
    JSON.stringify({ first: login, second: login, readOnly: login });
  /** Makes a secret the one that the AWS CLI returns. */
  function stubSecret(secret: string) {
    const replies = { 'secretsmanager get-secret-value': { SecretString: secret } };
    const { environment, calls } = createFakeAws({ stack: null, replies });
    vi.stubEnv('PATH', environment.PATH);
    vi.stubEnv('API_TOKENS', undefined);
    return calls;
  }

  test('are those of users of the user pool in the secret of the stage', async () => {
    const cognito = await listen(async (request, response) => {
      const { ClientId, AuthFlow, AuthParameters } = (await json(request)) as Json;
      expect([ClientId, AuthFlow]).toEqual(['c', 'USER_PASSWORD_AUTH']);
      const { USERNAME, PASSWORD } = AuthParameters;
      const isRight = PASSWORD === 'p';
      response
        .writeHead(isRight ? 200 : 400)
        .end(
          JSON.stringify(
            isRight
              ? { AuthenticationResult: { AccessToken: `token of ${USERNAME}` } }
              : { message: 'Incorrect username or password.' },
          ),
        );
    });
    vi.stubEnv('AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER', cognito);
    const calls = stubSecret(logins({ clientId: 'c', username: 'u', password: 'p' }));
    expect(await readTokens('prod')).toEqual(['token of u', 'token of u', 'token of u']);
    expect(calls()[0]).toContain('customer-register/prod/smoke');
    stubSecret(logins({ clientId: 'c', username: 'u', password: 'wrong' }));
    await expect(readTokens('prod')).rejects.toThrow(
      'failed with 400: Incorrect username or password.',
    );
  });

  test('are those of client credentials if the stage has an issuer', async () => {
    const issuer = await listen(async (request, response) => {
      const basic = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64');
      const form = new URLSearchParams(await text(request));
      const token = `${basic} ${form.get('grant_type')} ${form.get('scope')}`;
      response.end(JSON.stringify({ access_token: token }));
    });
    const login = { tokenEndpoint: issuer, clientId: 'c', clientSecret: 's', scope: 'a' };
    stubSecret(logins(login));
    expect(await readTokens('dev')).toEqual(Array(3).fill('c:s client_credentials a'));
  });

  test.each(['', '{}', logins({ clientId: 'c' }), JSON.stringify({ first: {} })])(
    'are refused with the form of the secret, which is not %j, and without its content',
    async (secret) => {
      stubSecret(secret);
      await expect(readTokens('dev')).rejects.toThrow(
        'Secret customer-register/dev/smoke: must have first, second, readOnly',
      );
    },
  );
});
