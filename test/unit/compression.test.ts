import { gunzipSync } from 'node:zlib';
import middy from '@middy/core';
import { expect, test } from 'vitest';
import { compression } from '../../shared/http/compression.ts';
import type { HttpResponse } from '../../shared/http/event.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

const respond = (response: HttpResponse, acceptEncoding?: string) =>
  middy<ReturnType<typeof httpEvent>, HttpResponse>()
    .use(compression())
    .handler(async () => response)(
    httpEvent({
      headers: acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding },
    }),
    lambdaContext(),
  );

const LARGE = 'å'.repeat(1_000);

test.each(['gzip', 'gzip, deflate, br', 'br;q=1, gzip;q=0.5', '*'])(
  'A large response is compressed if Accept-Encoding is %s',
  async (acceptEncoding) => {
    const { headers, body = '', isBase64Encoded } = await respond({ body: LARGE }, acceptEncoding);
    expect(headers).toEqual({ 'content-encoding': 'gzip' });
    expect(isBase64Encoded).toBe(true);
    expect(gunzipSync(Buffer.from(body, 'base64')).toString()).toBe(LARGE);
  },
);

test.each([undefined, '', 'identity', 'br', 'gzip;q=0', 'gzip;q=0.1, identity'])(
  'A large response is not compressed if Accept-Encoding is %s',
  async (acceptEncoding) => {
    expect(await respond({ body: LARGE }, acceptEncoding)).toEqual({ body: LARGE });
  },
);

test('A response under 1,024 bytes is not compressed', async () => {
  expect(await respond({ body: 'x'.repeat(1_023) }, 'gzip')).not.toHaveProperty('isBase64Encoded');
  expect(await respond({ body: 'x'.repeat(1_024) }, 'gzip')).toHaveProperty(
    'isBase64Encoded',
    true,
  );
});

test('A response with an entity tag is not compressed, since the tag identifies one representation', async () => {
  const response = { body: LARGE, headers: { etag: '"1"' } };
  expect(await respond(response, 'gzip')).toEqual(response);
});

test('A response without a body is not compressed', async () => {
  expect(await respond({ statusCode: 304 }, 'gzip')).toEqual({ statusCode: 304 });
});
