import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CAPACITY } from '../../infra/capacity.ts';
import { EXPORT_WORKER } from '../../infra/endpoints.ts';
import { type LambdaApi, startLambdaApi } from '../../infra/local/lambda-api.ts';
import { S3_CREDENTIALS, startS3 } from '../../infra/local/s3.ts';
import { startScheduler } from '../../infra/local/scheduler.ts';
import { type LocalServer, start } from '../../infra/local/server.ts';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { clientOf, eventually, isLocal } from '../support/api.ts';
import { quiet } from '../support/logs.ts';

// The local stack's servers listen on this machine, where pages in a browser can send requests to
// them, too.

const SERVERS = [
  'API',
  'issuer',
  'DynamoDB',
  'S3',
  'Lambda API',
  'scheduler',
  'registers',
] as const;
type ServerName = (typeof SERVERS)[number];

interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe.runIf(isLocal)('the local stack', () => {
  let stack: LocalStack;
  let token: string;
  let urls: Record<ServerName, string>;

  beforeAll(async () => {
    quiet();
    stack = await startLocalStack({ sampleToken: { merchant: '1001' }, capacity: CAPACITY });
    token = await stack.token({ merchant: '1001' });
    urls = {
      API: `${stack.url}/customers`,
      issuer: `${stack.issuer}/.well-known/jwks.json`,
      DynamoDB: `${stack.dynamodbEndpoint}/`,
      S3: `${stack.s3Endpoint}/${stack.bucket}`,
      'Lambda API': `${process.env.AWS_ENDPOINT_URL_LAMBDA}/2025-12-01/durable-executions/none`,
      scheduler: `${process.env.AWS_ENDPOINT_URL_SCHEDULER}/schedules/none`,
      registers: `${stack.registersEndpoint}/brreg/enhetsregisteret/api/enheter/999990010`,
    };
  });
  afterAll(() => stack.close());

  describe.each(SERVERS)('%s', (server) => {
    test.each([
      'rebound.example',
      'rebound.example:3000',
      'localhost.rebound.example',
      '127.0.0.1.rebound.example',
      'localhost@rebound.example',
      '192.168.0.2',
    ])('rejects the host "%s" as one that DNS rebinding could name', async (host) => {
      const { status, headers, body } = await send('GET', urls[server], { host });
      expect({ status, body }).toEqual({
        status: 403,
        body: `The Host header must be localhost, 127.0.0.1 or [::1], with or without a port; got \`${host}\`.\n`,
      });
      expect(headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    });

    test.each(['localhost', 'LOCALHOST:1', '127.0.0.1', '[::1]:3000'])(
      'accepts the host %s',
      async (host) => {
        expect((await send('GET', urls[server], { host })).body).not.toContain('Host header');
      },
    );

    test('allows no origin to read its responses', async () => {
      const origin = 'https://page.example';
      const preflight = { origin, 'access-control-request-method': 'POST' };
      for (const response of [
        await send('GET', urls[server], { origin }),
        await send('POST', urls[server], { origin, 'content-type': 'text/plain' }, '{}'),
        await send('OPTIONS', urls[server], preflight),
      ]) {
        expect(response.headers).not.toHaveProperty('access-control-allow-origin');
      }
    });
  });

  test.each(SERVERS.filter((server) => server !== 'API'))(
    '%s rejects requests of pages, whatever their origin',
    async (server) => {
      const { origin: own } = new URL(urls[server]);
      for (const origin of ['https://page.example', 'http://localhost:5173', 'null', own]) {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
          expect(await send(method, urls[server], { origin })).toMatchObject({
            status: 403,
            body: `This server takes no requests from web pages: the Origin header must be absent; got \`${origin}\`.\n`,
          });
        }
      }
    },
  );

  test('the API takes requests with an origin, as API Gateway does, if they have a token', async () => {
    const headers = { origin: stack.url, 'content-type': 'application/json' };
    expect(await send('POST', urls.API, headers, '{"name":"A"}')).toMatchObject({ status: 401 });
    const authorized = { ...headers, authorization: `Bearer ${token}` };
    expect(await send('POST', urls.API, authorized, '{"name":"A"}')).toMatchObject({ status: 200 });
  });

  test('a long body is rejected before it has been sent', async () => {
    const { hostname, port } = new URL(urls.DynamoDB);
    const headers = { host: 'rebound.example', 'content-length': 16 * 1024 * 1024 };
    const request = httpRequest({ hostname, port, method: 'POST', headers });
    request.write('{');
    const status = await new Promise((resolve, reject) => {
      request.on('response', ({ statusCode }) => resolve(statusCode)).on('error', reject);
    });
    request.destroy();
    expect(status).toBe(403);
  });

  describe('the API reference', () => {
    test('gets a token of the sample merchant, which is stored in no cache', async () => {
      const page = await send('GET', `${stack.url}/docs`);
      const [, path] = /<meta name="token-path" content="([^"]+)">/.exec(page.body) ?? [];
      expect(page.body).not.toMatch(/ey[\w-]+\.[\w-]+\./);
      const { headers, body } = await send('GET', stack.url + path);
      expect(headers['cache-control']).toBe('no-store');
      const client = clientOf(stack.url, JSON.parse(body).token);
      expect((await client.call('GET', '/customers/count')).status).toBe(200);
    });

    test('gets a token that pages of other origins can neither read nor embed', async () => {
      const headers = { origin: 'https://page.example' };
      const response = await send('GET', `${stack.url}/local/token`, headers);
      expect(response.headers).toMatchObject({
        'content-type': 'application/json',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      });
      expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    });

    test('is throttled apart from the endpoints, each of its documents by itself', async () => {
      /** Returns the statuses seen until one request is throttled: a slow machine sends too few at once. */
      const statuses = async (path: string) => {
        const seen = new Set<number>();
        for (let left = 20; left > 0 && !seen.has(429); left -= 1) {
          const calls = Array.from({ length: 60 }, () => send('HEAD', stack.url + path));
          for (const { status } of await Promise.all(calls)) seen.add(status);
        }
        return seen;
      };
      expect(await statuses('/favicon.ico')).toEqual(new Set([200, 429]));
      expect((await send('GET', `${stack.url}/favicon.ico`)).status).toBe(200);
      expect((await send('HEAD', `${stack.url}/openapi.json`)).status).toBe(200);
      const { status } = await clientOf(stack.url, token).call('GET', '/customers/count');
      expect(status).toBe(200);
    });
  });
});

describe.runIf(isLocal)('the local Lambda API', () => {
  let parent: string;
  let api: LambdaApi;

  beforeAll(async () => {
    quiet();
    parent = mkdtempSync(join(tmpdir(), 'lambda-api-'));
    api = await startLambdaApi({ folder: join(parent, 'durable') });
  });
  afterAll(() => api.close());

  test('rejects requests without the secret of its start', async () => {
    const { origin, pathname } = new URL(api.endpoint);
    const path = `/2015-03-31/functions/${EXPORT_WORKER}/invocations`;
    const other = await startLambdaApi({});
    const secrets = ['', '/', `/${crypto.randomUUID()}`, new URL(other.endpoint).pathname];
    await other.close();
    expect(pathname).toMatch(/^\/[\w-]{36}$/);
    expect(secrets).not.toContain(pathname);
    for (const secret of [...secrets, `${pathname}0`, pathname.slice(0, -1)]) {
      const sent = { 'x-amz-durable-execution-name': crypto.randomUUID() };
      expect(await send('POST', origin + secret + path, sent, '{}')).toMatchObject({
        status: 403,
        body: 'The path must begin with the secret of this start, which AWS_ENDPOINT_URL_LAMBDA has.\n',
      });
    }
    expect(executions()).toEqual([]);
  });

  test.each([
    'data:text/javascript,export const handler = () => process.exit(1)//',
    'file:///tmp/handler',
    '../test/support/functions/count-runs',
    '../../functions/run-export',
    'get-customer',
    'toString',
    '__proto__',
    'none',
  ])('does not run the function %s', async (name) => {
    const path = `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;
    const sent = { 'x-amz-durable-execution-name': crypto.randomUUID() };
    expect(await send('POST', api.endpoint + path, sent, '{}')).toMatchObject({
      status: 404,
      headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
      body: JSON.stringify({ Message: `Function not found: ${name}` }),
    });
    expect(executions()).toEqual([]);
  });

  test.each(['../outside', '..', 'a/b', '', 'name', `${crypto.randomUUID()}/../../outside`])(
    'refuses "%s" as the name of an execution, which is to be a UUID',
    async (name) => {
      const path = `/2015-03-31/functions/${EXPORT_WORKER}/invocations`;
      const sent = { 'x-amz-durable-execution-name': name };
      expect(await send('POST', api.endpoint + path, sent, '{}')).toMatchObject({
        status: 400,
        headers: { 'x-amzn-errortype': 'InvalidParameterValueException' },
        body: JSON.stringify({
          Message: `The name of a durable execution must be a UUID; got \`${name}\`.`,
        }),
      });
      expect(executions()).toEqual([]);
      expect(readdirSync(parent)).toEqual(['durable']);
    },
  );

  test('runs the export worker under a UUID', async () => {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const lambda = new LambdaClient({ endpoint: api.endpoint, region: 'local', credentials });
    const name = crypto.randomUUID();
    const { StatusCode } = await lambda.send(
      new InvokeCommand({
        FunctionName: `arn:aws:lambda:eu-north-1:000000000000:function:${EXPORT_WORKER}:live`,
        InvocationType: 'Event',
        DurableExecutionName: name,
        Payload: '{}',
      }),
    );
    lambda.destroy();
    expect(StatusCode).toBe(202);
    expect(executions()).toEqual([`${name}.json`]);
  });

  test('has stored, once it is closed, each execution that it has begun to store', async () => {
    const folder = join(parent, 'closed');
    const closed = await startLambdaApi({ folder });
    const path = `/2015-03-31/functions/${EXPORT_WORKER}/invocations`;
    const sent = { 'x-amz-durable-execution-name': crypto.randomUUID() };
    const invoked = send('POST', closed.endpoint + path, sent, `"${'x'.repeat(50_000_000)}"`);
    invoked.catch(() => {});
    await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1), {
      timeout: 50_000,
      interval: 1,
    });
    await closed.close();
    expect(readdirSync(folder)).toEqual([`${sent['x-amz-durable-execution-name']}.json`]);
  });

  function executions(): string[] {
    // One that is being written has a name of its own until it is whole.
    return readdirSync(join(parent, 'durable')).filter((file) => !file.endsWith('.new'));
  }
});

describe.runIf(isLocal)('the local S3', () => {
  const bucket = { Bucket: 'exports' };
  /** Also the name of a file outside the bucket's folder, as the server would name an object's. */
  const OUTSIDE = 'outside._S3rver_object';
  const FORM = [
    '--edge',
    'Content-Disposition: form-data; name="key"',
    '',
    '../../outside',
    '--edge',
    'Content-Disposition: form-data; name="file"; filename="file"',
    '',
    'written',
    '--edge--',
    '',
  ].join('\r\n');
  const DELETE = '<Delete><Object><Key>../../outside</Key></Object></Delete>';

  let parent: string;
  let server: LocalServer;
  let client: S3Client;

  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), 's3-'));
    writeFileSync(join(parent, OUTSIDE), 'secret');
    server = await startS3({ port: 0, bucket: bucket.Bucket, path: join(parent, 's3') });
    client = signingClient(server.endpoint);
    await client.send(new PutObjectCommand({ ...bucket, Key: 'a/b.csv', Body: 'b' }));
  });
  afterAll(async () => {
    client.destroy();
    await server.close();
  });

  test.each([
    ['PUT', '/exports/../../outside', 'InvalidURI'],
    ['PUT', '/exports/a/../../../outside', 'InvalidURI'],
    ['PUT', '/exports/a/../b.csv', 'InvalidURI'],
    ['PUT', '/exports/./a/b.csv', 'InvalidURI'],
    ['PUT', '/exports/%2E%2E/%2e%2e/outside', 'InvalidURI'],
    ['PUT', '/exports/..%2F..%2Foutside', 'InvalidURI'],
    ['POST', '/exports/../../outside?uploads=', 'InvalidURI'],
    ['GET', '/exports/../../outside', 'InvalidURI'],
    ['DELETE', '/exports/../../outside', 'InvalidURI'],
    ['GET', '/../outside', 'NoSuchBucket'],
    ['PUT', '/%2E%2E/outside', 'NoSuchBucket'],
    ['PUT', '/%2E%2E%2Foutside', 'NoSuchBucket'],
    ['PUT', '/other', 'NoSuchBucket'],
    ['DELETE', '/%2E%2E', 'NoSuchBucket'],
  ])('rejects %s %s, although it is signed, with %s', async (method, path, code) => {
    expect(await signed(method, path)).toBe(code);
    expectUnchanged();
  });

  test.each<[string, string, string, Record<string, string>, string?]>([
    ['the source of a copy', 'PUT', '/exports/c', { 'x-amz-copy-source': 'exports/../../outside' }],
    ['a form', 'POST', '/exports', { 'content-type': 'multipart/form-data; boundary=edge' }, FORM],
    ['a list of keys to delete', 'POST', '/exports?delete=', {}, DELETE],
  ])('rejects a key that leads out of the bucket in %s', async (_, ...request) => {
    const [method, target, headers, body] = request;
    expect(await signed(method, target, headers, body)).toBe('InvalidURI');
    expectUnchanged();
  });

  test.each(['../../../outside', '1/../../../../outside', '0', '10001', '1.5', ''])(
    'refuses "%s" as the number of a part',
    async (number) => {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ ...bucket, Key: 'c.csv' }),
      );
      const query = `uploadId=${UploadId}&partNumber=${encodeURIComponent(number)}`;
      expect(await signed('PUT', `/exports/c.csv?${query}`)).toBe('InvalidArgument');
      expectUnchanged();
      expect(readdirSync(join(parent, 's3/exports/._S3rver_uploads', `${UploadId}`))).toEqual([
        'key',
        'metadata',
      ]);
    },
  );

  /** Sends a request with the right signature to a path that the SDK would change; returns the error. */
  async function signed(
    method: string,
    target: string,
    headers: Readonly<Record<string, string>> = {},
    body = 'written',
  ): Promise<string> {
    const [path = '', query] = target.split('?');
    const sender = signingClient(server.endpoint);
    sender.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as Record<string, unknown> & { headers: object };
        const hasBody = method === 'PUT' || method === 'POST';
        // The server verifies the signature of the path that it has decoded.
        const decoded = decodeURIComponent(path);
        Object.assign(request, { method, path: decoded, body: hasBody ? body : undefined });
        request.query = Object.fromEntries(new URLSearchParams(query));
        request.headers = {
          ...request.headers,
          'content-length': String(hasBody ? body.length : 0),
          ...headers,
        };
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    sender.middlewareStack.add(
      (next) => (args) => {
        Object.assign(args.request as object, { path });
        return next(args);
      },
      { step: 'deserialize', priority: 'high' },
    );
    const sending = sender.send(new PutObjectCommand({ ...bucket, Key: 'x', Body: body }));
    const error = await sending.then(
      () => 'none',
      ({ name }) => name,
    );
    sender.destroy();
    return error;
  }

  function expectUnchanged() {
    expect(readdirSync(parent).toSorted()).toEqual([OUTSIDE, 's3']);
    expect(readFileSync(join(parent, OUTSIDE), 'utf8')).toBe('secret');
    expect(readdirSync(join(parent, 's3'))).toEqual(['exports']);
    expect(readFileSync(join(parent, 's3/exports/a/b.csv._S3rver_object'), 'utf8')).toBe('b');
  }
});

describe('the local scheduler', () => {
  const TARGET = {
    Arn: 'arn:aws:scheduler:::aws-sdk:s3:deleteObject',
    RoleArn: 'arn:aws:iam::000000000000:role/schedules',
    Input: JSON.stringify({ Bucket: 'files', Key: 'a' }),
  };
  const schedule = (Name: string, ScheduleExpression: string, Target = TARGET) =>
    new CreateScheduleCommand({
      Name,
      GroupName: 'group',
      ScheduleExpression,
      Target,
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });
  /** Expression of a time in so many seconds. */
  const inSeconds = (seconds: number) =>
    `at(${new Date(Date.now() + 1_000 * seconds).toISOString().slice(0, 19)})`;

  test('runs what was due while it was stopped, again until it succeeds, and then no more', async () => {
    // However slow the machine is, nothing is due before the clock is set.
    vi.useFakeTimers({ toFake: ['Date'] });
    const requests: string[] = [];
    let status = 503;
    const target = await start(
      createServer((request, response) => {
        requests.push(`${request.method} ${request.url}`);
        response.writeHead(status).end();
      }),
      0,
    );
    const dataFolder = mkdtempSync(join(tmpdir(), 'schedules-'));
    const options = {
      dataFolder,
      s3Endpoint: target.endpoint,
      dynamodbEndpoint: target.endpoint,
    };
    vi.stubEnv('AWS_REGION', 'eu-north-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', S3_CREDENTIALS.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', S3_CREDENTIALS.secretAccessKey);
    let scheduler = await startScheduler(options);
    const client = new SchedulerClient({ endpoint: scheduler.endpoint, maxAttempts: 1 });
    await client.send(schedule('soon', inSeconds(2)));
    await client.send(schedule('later', inSeconds(3_600)));
    await expect(client.send(schedule('soon', inSeconds(2)))).rejects.toThrow(
      expect.objectContaining({ name: 'ConflictException' }),
    );
    await scheduler.close();
    expect(requests).toEqual([]);
    vi.setSystemTime(Date.now() + 2_000);
    scheduler = await startScheduler(options);
    await eventually(() => expect(requests.length).toBeGreaterThan(1));
    expect(new Set(requests)).toEqual(new Set(['DELETE /files/a?x-id=DeleteObject']));
    status = 204;
    const stored = () => readFileSync(join(dataFolder, 'schedules.json'), 'utf8');
    await eventually(() => expect(stored()).not.toContain('group/soon'));
    expect(stored()).toContain('group/later');
    await scheduler.close();
    await target.close();
  });

  test('refuses what it cannot do', async () => {
    const scheduler = await startScheduler({
      s3Endpoint: 'http://s3',
      dynamodbEndpoint: 'http://db',
    });
    const client = new SchedulerClient({
      endpoint: scheduler.endpoint,
      region: 'eu-north-1',
      credentials: S3_CREDENTIALS,
      maxAttempts: 1,
    });
    await expect(client.send(schedule('cron', 'cron(0 8 * * ? *)'))).rejects.toThrow(
      'The local scheduler has no cron(0 8 * * ? *).',
    );
    const lambda = { ...TARGET, Arn: 'arn:aws:scheduler:::aws-sdk:lambda:invoke' };
    await expect(client.send(schedule('lambda', inSeconds(1), lambda))).rejects.toThrow(
      'The local scheduler does not call arn:aws:scheduler:::aws-sdk:lambda:invoke.',
    );
    await expect(client.send(new DeleteScheduleCommand({ Name: 'cron' }))).rejects.toThrow(
      'DELETE /schedules/cron',
    );
    await scheduler.close();
  });
});

function signingClient(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: 'eu-north-1',
    credentials: S3_CREDENTIALS,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}

/** Sends a request with any headers; `fetch` sets some itself. */
function send(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { method, headers: { connection: 'close', ...headers } })
      .on('error', reject)
      .on('response', async (response) => {
        const { statusCode = 0 } = response;
        resolve({ status: statusCode, headers: response.headers, body: await text(response) });
      })
      .end(body);
  });
}
