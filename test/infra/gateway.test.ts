import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent, Context } from 'aws-lambda';
import type { JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAuthorizer } from '../../infra/local/authorizer.ts';
import { createGateway } from '../../infra/local/gateway.ts';
import { AUDIENCE, createKey, signToken, startIssuer } from '../../infra/local/issuer.ts';
import { createLambda, type Handler } from '../../infra/local/lambda.ts';
import { S3_CREDENTIALS, startS3 } from '../../infra/local/s3.ts';
import { type LocalServer, start } from '../../infra/local/server.ts';
import { createThrottle } from '../../infra/local/throttle.ts';

// The rules of API Gateway and S3 that the local stack keeps, with functions made for the test.

interface CallOptions {
  /** A good token where not given; none where null. */
  token?: string | null;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

const READ = 'things:read';
const WRITE = 'things:write';
const ROUTES = [
  { method: 'GET', path: '/things/{id}', function: 'echo', scope: READ },
  { method: 'GET', path: '/things/special', function: 'echo', scope: READ },
  { method: 'GET', path: '/things/{id}/parts/{part}', function: 'echo', scope: READ },
  { method: 'POST', path: '/things', function: 'echo', scope: WRITE },
  { method: 'GET', path: '/result', function: 'result', scope: READ },
];

const reservedForResult = (name: string) => (name === 'result' ? 2 : 9);

/** What the function `result` does. */
let result: (context: Context) => unknown;

const functions: Record<string, Handler> = {
  echo: async (event: ApiEvent) => ({
    statusCode: 200,
    headers: { 'x-route-key': event.routeKey },
    body: JSON.stringify(event),
  }),
  result: async (_event, context) => result(context),
};

let key: JWK;
let issuer: LocalServer;
let gateway: LocalServer;

beforeAll(async () => {
  key = await createKey();
  issuer = await startIssuer(0, key);
  gateway = await startGateway();
});

afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('event', () => {
  test('has the shape of payload format 2.0', async () => {
    const event = await eventOf('GET', '/things/7?a=1&b=x%20y&a=2', {
      headers: { 'user-agent': 'test', 'x-mixed-Case': 'Yes', cookie: 'one=1; two=2' },
    });

    const { host } = new URL(gateway.endpoint);
    expect(event).toEqual({
      version: '2.0',
      routeKey: 'GET /things/{id}',
      rawPath: '/things/7',
      rawQueryString: 'a=1&b=x%20y&a=2',
      cookies: ['one=1', 'two=2'],
      headers: {
        authorization: expect.stringMatching(/^Bearer ey/),
        'content-length': '0',
        host,
        'user-agent': 'test',
        'x-amzn-trace-id': expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': new URL(gateway.endpoint).port,
        'x-forwarded-proto': 'http',
        'x-mixed-case': 'Yes',
      },
      queryStringParameters: { a: '1,2', b: 'x y' },
      pathParameters: { id: '7' },
      requestContext: {
        accountId: expect.any(String),
        apiId: expect.any(String),
        authorizer: {
          jwt: { claims: expect.objectContaining({ merchant_id: '1001' }), scopes: [READ] },
        },
        domainName: '127.0.0.1',
        domainPrefix: '127',
        http: {
          method: 'GET',
          path: '/things/7',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test',
        },
        requestId: expect.stringMatching(/^.{16}$/),
        routeKey: 'GET /things/{id}',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      isBase64Encoded: false,
    });
  });

  test('leaves out what the request does not have', async () => {
    const event = await eventOf('GET', '/things/special');

    expect(event).not.toHaveProperty('queryStringParameters');
    expect(event).not.toHaveProperty('pathParameters');
    expect(event).not.toHaveProperty('cookies');
    expect(event).not.toHaveProperty('body');
    expect(event.rawQueryString).toBe('');
  });

  test('joins repeated headers with commas and adds to forwarded addresses', async () => {
    const { headers } = await eventOf('GET', '/things/1', {
      headers: { 'X-Many': ['a', 'b, c'], 'X-Forwarded-For': '192.0.2.1' },
    });

    expect(headers['x-many']).toBe('a,b, c');
    expect(headers['x-forwarded-for']).toBe('192.0.2.1, 127.0.0.1');
  });

  test('decodes the path and its parameters', async () => {
    const event = await eventOf('GET', '/things/%C3%A5%20b/parts/c+d');

    expect(event.rawPath).toBe('/things/å b/parts/c+d');
    expect(event.pathParameters).toEqual({ id: 'å b', part: 'c+d' });
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'text/csv', 'application/xml'])(
    'passes a body of type %s as text',
    async (type) => {
      const event = await eventOf('POST', '/things', {
        headers: { 'content-type': type },
        body: '{"å":1}',
      });

      expect(event).toMatchObject({ body: '{"å":1}', isBase64Encoded: false });
      expect(event.headers['content-length']).toBe('8');
    },
  );

  test.each(['application/octet-stream', 'application/x-www-form-urlencoded', undefined])(
    'passes a body of type %s as base64',
    async (type) => {
      const event = await eventOf('POST', '/things', {
        headers: type ? { 'content-type': type } : {},
        body: Buffer.from([0xff, 0x00]),
      });

      expect(event).toMatchObject({ body: '/wA=', isBase64Encoded: true });
    },
  );

  test('carries every claim as text', async () => {
    const token = await sign({ number: 7, flag: true, list: ['a', 'b'], map: { b: [1], a: null } });
    const event = await eventOf('GET', '/things/1', { token });

    expect(event.requestContext.authorizer.jwt.claims).toMatchObject({
      iss: issuer.endpoint,
      exp: expect.stringMatching(/^\d{10}$/),
      number: '7',
      flag: 'true',
      list: '[a b]',
      map: 'map[a:<nil> b:[1]]',
    });
  });
});

describe('routes', () => {
  test.each([
    ['GET', '/things/special', 'GET /things/special'],
    ['GET', '/things/other', 'GET /things/{id}'],
    ['GET', '/things/1/parts/2', 'GET /things/{id}/parts/{part}'],
    ['POST', '/things', 'POST /things'],
    ['GET', '/things', '$default'],
    ['GET', '/things/', '$default'],
    ['GET', '/Things/1', '$default'],
    ['PUT', '/things/1', '$default'],
    ['HEAD', '/things/1', '$default'],
    ['OPTIONS', '/things/1', '$default'],
    ['GET', '/', '$default'],
  ])('%s %s goes to %s', async (method, path, routeKey) => {
    const { status, headers } = await call(method, path);

    expect(status).toBe(200);
    expect(headers['x-route-key']).toBe(routeKey);
  });

  test('the default route needs a token but no scope', async () => {
    const event = await eventOf('GET', '/nowhere', { token: await sign({ scope: '' }) });
    const { status } = await call('GET', '/nowhere', { token: null });

    expect(event.requestContext.authorizer.jwt.scopes).toBeNull();
    expect(status).toBe(401);
  });

  test('without a default route there is 404', async () => {
    const bare = await startGateway({ defaultFunction: undefined });
    const response = await fetch(`${bare.endpoint}/nowhere`);
    await bare.close();

    expect(response.status).toBe(404);
    expect(await response.text()).toBe('{"message":"Not Found"}');
  });

  test('a path that cannot be decoded is 400', async () => {
    expect(await call('GET', '/things/%zz')).toMatchObject(refusal(400, 'Bad Request'));
  });
});

describe('tokens', () => {
  // Which are refused is in tokens.test.ts, on the routes that there are.
  test.each([
    ['as a bearer', async () => `Bearer ${await sign()}`],
    ['bare', () => sign()],
    ['with a list of audiences', () => sign({ aud: ['other', AUDIENCE] })],
    ['with client_id in place of aud', () => sign({ aud: undefined, client_id: AUDIENCE })],
    ['with scopes in scp', () => sign({ scope: undefined, scp: [READ] })],
  ])('taken: %s', async (_, authorization) => {
    const headers = { authorization: await authorization() };
    expect(await call('GET', '/things/1', { token: null, headers })).toMatchObject({ status: 200 });
  });

  test('none is 401 with a plain challenge', async () => {
    const response = await call('GET', '/things/1', { token: null });

    expect(response).toMatchObject(refusal(401, 'Unauthorized'));
    expect(response.headers['www-authenticate']).toBe('Bearer');
  });

  test('the challenge says what is wrong', async () => {
    const { headers } = await call('GET', '/things/1', { token: await sign({ aud: 'other' }) });

    expect(headers['www-authenticate']).toBe(
      `Bearer scope="${READ}" error="invalid_token" error_description="the token does not have a valid audience"`,
    );
  });

  test('without the scope of the route is 403', async () => {
    const token = await sign({ scope: `${READ} things:writer` });
    const response = await call('POST', '/things', { token });

    expect(response).toMatchObject(refusal(403, 'Forbidden'));
    expect(response.headers['www-authenticate']).toBe(
      `Bearer scope="${WRITE}" error="insufficient_scope"`,
    );
  });
});

describe('limits', () => {
  test('more than 10,240 bytes of request line and header values are 431', async () => {
    const headers = (length: number) => ({ 'x-long': 'x'.repeat(length) });

    expect((await call('GET', '/things/1', { headers: headers(9_000) })).status).toBe(200);
    for (const length of [10_240, 100_000]) {
      expect(await call('GET', '/things/1', { headers: headers(length) })).toMatchObject(
        refusal(431, 'Request Header Fields Too Large'),
      );
    }
  });

  test('a body of more than 10 MB is 413', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1, 'x');
    expect(await call('POST', '/things', { body })).toMatchObject(
      refusal(413, 'Request Entity Too Large'),
    );
  });

  test('an event of more than 6 MB is 413', async () => {
    const headers = { 'content-type': 'text/plain' };
    const body = Buffer.alloc(6 * 1024 * 1024, 'x');
    expect(await call('POST', '/things', { headers, body })).toMatchObject(
      refusal(413, 'Request Entity Too Large'),
    );
  });

  test('a result of more than 6 MB is 500', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const envelope = JSON.stringify({ statusCode: 200, body: '' }).length;

    result = () => ({ statusCode: 200, body: 'x'.repeat(6_291_556 - envelope) });
    expect((await call('GET', '/result')).status).toBe(200);
    expect(log).not.toHaveBeenCalled();

    result = () => ({ statusCode: 200, body: 'x'.repeat(6_291_557 - envelope) });
    expect(await call('GET', '/result')).toMatchObject(refusal(500, 'Internal Server Error'));
    expect(log).toHaveBeenCalledOnce();
  });

  test('a function that outlasts its own time-out is 500', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const impatient = await startGateway({ timeoutMs: 50 });
    result = () => setTimeout(300);
    const response = await call('GET', '/result', {}, impatient);
    await impatient.close();

    expect(response).toMatchObject(refusal(500, 'Internal Server Error'));
  });

  test('a function that outlasts the integration time-out is 503', async () => {
    const impatient = await startGateway({ integrationMs: 50 });
    result = () => setTimeout(300);
    const response = await call('GET', '/result', {}, impatient);
    await impatient.close();

    expect(response).toMatchObject(refusal(503, 'Service Unavailable'));
  });

  test('a function knows how much time it has', async () => {
    result = (context) => ({ left: context.getRemainingTimeInMillis() });
    const { left } = JSON.parse((await call('GET', '/result')).body);

    expect(left).toBeGreaterThan(28_000);
    expect(left).toBeLessThanOrEqual(29_000);
  });
});

describe('what may come at once', () => {
  test('requests beyond the burst are 429 and reach no function; those a while later pass', async () => {
    let time = 0;
    const throttle = createThrottle({ rateLimit: 2, burstLimit: 3 }, () => time);
    const throttled = await startGateway({ throttles: [throttle] });
    const calls = vi.fn(() => ({}));
    result = calls;
    const flood = async () => {
      const responses = await Promise.all(
        Array.from({ length: 9 }, () => call('GET', '/result', {}, throttled)),
      );
      const refused = responses.filter(({ status }) => status === 429);
      for (const each of refused) {
        expect(each).toMatchObject(refusal(429, 'Too Many Requests'));
      }
      return responses.length - refused.length;
    };

    expect(await flood()).toBe(3);
    expect(await flood()).toBe(0);
    time = 1_000;
    expect(await flood()).toBe(2);
    // However long nothing comes, no more than the burst may.
    time = 60_000;
    expect(await flood()).toBe(3);
    expect(calls).toHaveBeenCalledTimes(8);
    await throttled.close();
  });

  test('requests without a token use up the throttle, so that one with a token gets 429', async () => {
    const throttle = createThrottle({ rateLimit: 0, burstLimit: 2 });
    const throttled = await startGateway({ throttles: [throttle] });
    result = () => ({});
    const statuses: number[] = [];
    for (const token of [null, null, undefined]) {
      const options = token === null ? { token } : {};
      statuses.push((await call('GET', '/result', options, throttled)).status);
    }
    expect(statuses).toEqual([401, 401, 429]);
    await throttled.close();
  });

  test('a route with a throttle of its own leaves the others alone', async () => {
    const throttle = createThrottle({ rateLimit: 0, burstLimit: 1 });
    const throttled = await startGateway({
      throttles: [(route) => route?.function !== 'result' || throttle()],
    });
    result = () => ({});
    const statuses: number[] = [];
    for (const path of ['/result', '/result', '/things/1']) {
      statuses.push((await call('GET', path, {}, throttled)).status);
    }
    expect(statuses).toEqual([200, 429, 200]);
    await throttled.close();
  });

  test.each([
    { limited: 'all functions', lambda: { concurrency: 2 }, other: 503 },
    { limited: 'a function', lambda: { reserved: reservedForResult }, other: 200 },
  ])('executions of $limited beyond its number are 503', async ({ lambda, other }) => {
    const busy = await startGateway({ lambda });
    const released = Promise.withResolvers<object>();
    let under = 0;
    result = () => {
      under += 1;
      return released.promise;
    };
    const first = [call('GET', '/result', {}, busy), call('GET', '/result', {}, busy)];
    await vi.waitFor(() => expect(under).toBe(2), 50_000);
    expect(await call('GET', '/result', {}, busy)).toMatchObject(
      refusal(503, 'Service Unavailable'),
    );
    expect((await call('GET', '/things/1', {}, busy)).status).toBe(other);
    released.resolve({});
    for (const { status } of await Promise.all(first)) expect(status).toBe(200);
    expect((await call('GET', '/result', {}, busy)).status).toBe(200);
    expect(under).toBe(3);
    await busy.close();
  });
});

describe('results', () => {
  test('a structured one is sent as it is', async () => {
    result = () => ({
      statusCode: 201,
      headers: { 'Content-Type': 'application/problem+json', 'X-Number': 7, 'X-Flag': false },
      cookies: ['a=1', 'b=2; HttpOnly'],
      body: '{"å":1}',
    });
    const { status, headers, body } = await call('GET', '/result');

    expect({ status, body }).toEqual({ status: 201, body: '{"å":1}' });
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'content-length': '8',
      'x-number': '7',
      'x-flag': 'false',
      'set-cookie': ['a=1', 'b=2; HttpOnly'],
      'apigw-requestid': expect.stringMatching(/^.{16}$/),
    });
  });

  test('a base64 body is decoded', async () => {
    result = () => ({ statusCode: 200, body: 'w6U=', isBase64Encoded: true });
    expect((await call('GET', '/result')).body).toBe('å');
  });

  test('a body without type is plain text', async () => {
    result = () => ({ statusCode: 200, body: 'text' });
    const { headers } = await call('GET', '/result');
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  test.each([
    [{ a: 1 }, '{"a":1}'],
    [[1, 2], '[1,2]'],
    ['text', 'text'],
  ])('%j without status code is the body of a 200', async (value, body) => {
    result = () => value;
    const response = await call('GET', '/result');

    expect(response).toMatchObject({ status: 200, body });
    expect(response.headers['content-type']).toBe('application/json');
  });

  test.each([
    [
      'a thrown error',
      () => {
        throw new Error('secret');
      },
    ],
    ['a status code that is none', () => ({ statusCode: 'two hundred' })],
    ['a body that is no text', () => ({ statusCode: 200, body: { a: 1 } })],
    ['a header that cannot be sent', () => ({ statusCode: 200, headers: { 'x-a': 'a\nb' } })],
  ])('%s is 500 and says nothing', async (_, value) => {
    vi.spyOn(console, 'error').mockReturnValue();
    result = value;
    expect(await call('GET', '/result')).toMatchObject(refusal(500, 'Internal Server Error'));
  });

  test('a result passes as JSON', async () => {
    const date = new Date(0);
    result = () => ({ date, nothing: undefined });
    expect((await call('GET', '/result')).body).toBe('{"date":"1970-01-01T00:00:00.000Z"}');
  });
});

describe('exports bucket', () => {
  const bucket = { Bucket: 'exports' };
  let s3Server: LocalServer;
  let s3: S3Client;

  beforeAll(async () => {
    s3Server = await startS3({
      port: 0,
      bucket: bucket.Bucket,
      browserOrigins: ['https://portal.example.com'],
    });
    s3 = new S3Client({
      endpoint: s3Server.endpoint,
      region: 'eu-north-1',
      credentials: S3_CREDENTIALS,
      forcePathStyle: true,
      maxAttempts: 1,
    });
  });

  afterAll(async () => {
    s3.destroy();
    await s3Server.close();
  });

  async function begin(Key: string) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...bucket, Key }));
    return { ...bucket, Key, UploadId };
  }

  async function uploads(Prefix?: string) {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ ...bucket, Prefix }));
    return Uploads.map(({ Key, UploadId }) => ({ Key, UploadId }));
  }

  test('a page of an allowed origin reads a file by its presigned URL, and no other page does', async () => {
    await s3.send(new PutObjectCommand({ ...bucket, Key: 'a.csv', Body: 'a' }));
    const url = await getSignedUrl(s3, new GetObjectCommand({ ...bucket, Key: 'a.csv' }));
    const origin = 'https://portal.example.com';
    const read = await fetch(url, { headers: { origin } });
    expect([read.status, await read.text()]).toEqual([200, 'a']);
    expect(read.headers.get('access-control-allow-origin')).toBe(origin);
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    });
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD, PUT');
    for (const other of ['https://evil.example.com', 'null']) {
      expect((await fetch(url, { headers: { origin: other } })).status).toBe(403);
    }
    expect((await fetch(s3Server.endpoint, { headers: { origin } })).status).toBe(403);
  });

  test('an upload is listed until it is complete', async () => {
    const upload = await begin('done/å b.csv');
    const { Key, UploadId } = upload;
    expect(await uploads('done/')).toEqual([{ Key, UploadId }]);

    const parts = await Promise.all(
      [2, 1].map(async (PartNumber) => {
        const Body = String(PartNumber).repeat(5);
        const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
        return { PartNumber, ETag };
      }),
    );
    const { Parts } = await s3.send(new ListPartsCommand(upload));
    expect(Parts).toEqual(
      parts.reverse().map((part) => ({ ...part, Size: 5, LastModified: expect.any(Date) })),
    );

    await s3.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
    );
    const { Body } = await s3.send(new GetObjectCommand({ ...bucket, Key }));
    expect(await Body?.transformToString()).toBe('1111122222');
    expect(await uploads('done/')).toEqual([]);
  });

  test('an aborted upload is gone', async () => {
    const upload = await begin('aborted.csv');
    const part = { ...upload, PartNumber: 1, Body: 'x' };
    await s3.send(new UploadPartCommand(part));
    const { $metadata } = await s3.send(new AbortMultipartUploadCommand(upload));

    expect($metadata.httpStatusCode).toBe(204);
    expect(await uploads('aborted')).toEqual([]);
    const gone = { name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } };
    await expect(s3.send(new AbortMultipartUploadCommand(upload))).rejects.toMatchObject(gone);
    await expect(s3.send(new ListPartsCommand(upload))).rejects.toMatchObject(gone);
    await expect(s3.send(new UploadPartCommand(part))).rejects.toMatchObject(gone);
  });

  test('lists of uploads need a signature that is right', async () => {
    const stranger = new S3Client({
      endpoint: s3Server.endpoint,
      region: 'eu-north-1',
      credentials: { ...S3_CREDENTIALS, secretAccessKey: 'guessed' },
      forcePathStyle: true,
    });
    await expect(stranger.send(new ListMultipartUploadsCommand(bucket))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
    stranger.destroy();
  });

  test('a presigned address serves the file for its time, and nothing else', async () => {
    const file = { ...bucket, Key: 'merchant/file.csv' };
    const ContentDisposition = 'attachment; filename="file.csv"';
    await s3.send(
      new PutObjectCommand({ ...file, Body: 'a,b', ContentType: 'text/csv', ContentDisposition }),
    );
    const presign = (signingDate = new Date()) =>
      getSignedUrl(s3, new GetObjectCommand(file), { expiresIn: 900, signingDate });
    const url = await presign();

    const response = await fetch(url);
    expect(await response.text()).toBe('a,b');
    expect(response.headers.get('content-type')).toBe('text/csv');
    expect(response.headers.get('content-disposition')).toBe(ContentDisposition);

    const refused = {
      unsigned: url.replace(/\?.*/, ''),
      'with nothing but a signature': url.replace(/\?.*/, '?X-Amz-Signature=0'),
      'for another file': url.replace('/merchant/', '/other/'),
      'for longer': url.replace('X-Amz-Expires=900', 'X-Amz-Expires=9000'),
      'signed otherwise': url.replace(/(X-Amz-Signature=)./, '$1g'),
      expired: await presign(new Date(Date.now() - 901_000)),
    };
    for (const [how, address] of Object.entries(refused)) {
      expect.soft((await fetch(address)).status, how).toBe(403);
    }
  });
});

describe('CORS', () => {
  const ORIGIN = 'https://portal.example.com';
  const PREFLIGHT = { origin: ORIGIN, 'access-control-request-method': 'PATCH' };
  let withCors: LocalServer;
  beforeAll(async () => {
    withCors = await startGateway({ browserOrigins: [ORIGIN, 'http://localhost:5173'] });
  });
  afterAll(() => withCors.close());

  const corsOf = (headers: IncomingHttpHeaders) =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));
  const send = (method: string, options: CallOptions) =>
    call(method, '/things/7', options, withCors);

  test('answers the preflight of an allowed origin without a token', async () => {
    const { status, headers, body } = await send('OPTIONS', { token: null, headers: PREFLIGHT });
    expect([status, body]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': expect.stringMatching(/\bPATCH\b/),
      'access-control-allow-headers': expect.stringMatching(/authorization.*idempotency-key/),
      'access-control-max-age': '7200',
      vary: 'Origin',
    });
  });

  test('allows nothing to pages of other origins, also if they look alike', async () => {
    for (const origin of ['https://evil.example.com', `${ORIGIN}.evil.example`, 'null']) {
      const preflight = await send('OPTIONS', { token: null, headers: { ...PREFLIGHT, origin } });
      expect([preflight.status, corsOf(preflight.headers)]).toEqual([204, []]);
      expect(corsOf((await send('GET', { headers: { origin } })).headers)).toEqual([]);
    }
  });

  test('lets a page read responses, errors included, and the headers that contracts have', async () => {
    for (const [token, status] of [
      [undefined, 200],
      [null, 401],
    ] as const) {
      const response = await send('GET', {
        ...(token === null && { token }),
        headers: { origin: ORIGIN },
      });
      expect(response.status).toBe(status);
      expect(response.headers).toMatchObject({
        'access-control-allow-origin': ORIGIN,
        'access-control-expose-headers': expect.stringMatching(/etag.*retry-after/),
        vary: 'Origin',
      });
    }
  });

  test('changes nothing for callers that are not browsers', async () => {
    expect(corsOf((await send('GET', {})).headers)).toEqual([]);
    expect((await send('GET', { token: null })).status).toBe(401);
  });

  test('passes an OPTIONS that is no preflight to the default function, without a token', async () => {
    const { status, body } = await send('OPTIONS', { token: null });
    expect(status).toBe(200);
    expect(JSON.parse(body).requestContext).not.toHaveProperty('authorizer');
  });

  test('is off by default: a preflight needs a token', async () => {
    const { status, headers } = await call('OPTIONS', '/things/7', {
      token: null,
      headers: PREFLIGHT,
    });
    expect([status, corsOf(headers)]).toEqual([401, []]);
  });
});

function startGateway({
  timeoutMs = 29_000,
  integrationMs = 30_000,
  lambda,
  ...options
}: {
  timeoutMs?: number;
  integrationMs?: number;
  defaultFunction?: string | undefined;
  lambda?: Parameters<typeof createLambda>[1];
  throttles?: Parameters<typeof createGateway>[0]['throttles'];
  browserOrigins?: readonly string[];
} = {}) {
  const gateway = createGateway({
    routes: ROUTES,
    defaultFunction: 'echo',
    authorize: createAuthorizer(issuer.endpoint, AUDIENCE),
    invoke: createLambda(async (name) => functions[name] as Handler, { timeoutMs, ...lambda }),
    limits: { integrationMs },
    ...options,
  });
  return start(gateway, 0, { allowOrigin: true });
}

async function call(
  method: string,
  path: string,
  { token, headers = {}, body }: CallOptions = {},
  { endpoint }: LocalServer = gateway,
) {
  const authorization =
    token === null ? {} : { authorization: `Bearer ${token ?? (await sign())}` };
  // Not fetch, which joins headers itself and resolves paths.
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>(
    (resolve, reject) => {
      httpRequest(endpoint + path, { method, headers: { ...authorization, ...headers } })
        .on('error', reject)
        .on('response', async (response) => {
          const { statusCode = 0 } = response;
          resolve({ status: statusCode, headers: response.headers, body: await text(response) });
        })
        .end(body);
    },
  );
}

async function eventOf(method: string, path: string, options?: CallOptions): Promise<ApiEvent> {
  return JSON.parse((await call(method, path, options)).body);
}

function refusal(status: number, message: string) {
  return {
    status,
    body: JSON.stringify({ message }),
    headers: { 'apigw-requestid': expect.any(String) },
  };
}

function sign(claims: Record<string, unknown> = {}): Promise<string> {
  const scopes = [READ, WRITE];
  return signToken(key, issuer.endpoint, { merchant: '1001', scopes, ...claims });
}
