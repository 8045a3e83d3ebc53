import middy from '@middy/core';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { jsonBody, MAX_BODY_BYTES } from '../../shared/http/json-body.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

const read = (
  parts: Parameters<typeof httpEvent>[0],
  schemas = { body: () => v.unknown() } as object,
) =>
  middy<ReturnType<typeof httpEvent>, unknown>()
    .use(jsonBody(schemas))
    .handler(async (event) => event.body)(httpEvent(parts), lambdaContext());

const json = (body: string, contentType = 'application/json') =>
  read({ body, headers: { 'content-type': contentType } });

test.each([
  ['{"a":1}', { a: 1 }],
  ['[1,"2"]', [1, '2']],
  ['null', null],
  ['"å"', 'å'],
])('The body %s is parsed', async (body, value) => {
  expect(await json(body)).toEqual(value);
});

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'APPLICATION/JSON;charset="UTF-8"',
  'application/vnd.example.v2+json',
])('Content-Type: %s is accepted', async (type) => {
  expect(await json('1', type)).toBe(1);
});

test.each(['application/json', 'application/merge-patch+json;charset=utf8'])(
  'Content-Type: %s is accepted by an endpoint that takes a merge patch',
  async (type) => {
    const schemas = { body: () => v.unknown(), mergePatch: () => v.unknown() };
    expect(await read({ body: '1', headers: { 'content-type': type } }, schemas)).toBe(1);
  },
);

test('A body without Content-Type is parsed as JSON', async () => {
  expect(await read({ body: '1' })).toBe(1);
});

test('A body in base64 is decoded', async () => {
  const body = Buffer.from('"å"').toString('base64');
  expect(await read({ body, isBase64Encoded: true })).toBe('å');
});

test('A body is ignored if the endpoint takes none', async () => {
  expect(await read({ body: 'not JSON' }, {})).toBeUndefined();
});

describe('Rejected bodies', () => {
  test.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'application/merge-patch+json',
    'application/json-patch+json',
    'application/example-patch.v1+json',
    'application/json; charset=latin1',
  ])('Content-Type: %s is rejected with 415 and the header Accept', async (type) => {
    await expect(json('{}', type)).rejects.toMatchObject({
      status: 415,
      headers: { accept: 'application/json' },
      faults: [{ header: 'Content-Type' }],
    });
  });

  test('A body larger than the maximum is rejected with 413 before it is parsed', async () => {
    const largest = `"${'å'.repeat(MAX_BODY_BYTES / 2 - 1)}"`;
    expect(await json(largest)).toHaveLength(MAX_BODY_BYTES / 2 - 1);
    await expect(json(`${largest} `)).rejects.toMatchObject({ status: 413 });
  });

  test.each([
    ['', 'is missing'],
    ['{', 'is not JSON: at position 1'],
    ['{"a":1,}', 'is not JSON: at position 7'],
  ])('The body "%s" is rejected with 400, since it %s', async (body, detail) => {
    await expect(json(body)).rejects.toMatchObject({
      status: 400,
      faults: [{ pointer: '', detail }],
    });
  });

  test.each(['gzip', 'br, gzip', 'x'])(
    'Content-Encoding: %s is rejected with 415 and the header Accept-Encoding',
    async (coding) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': coding };
      await expect(read({ body: '{}', headers })).rejects.toMatchObject({
        status: 415,
        headers: { 'accept-encoding': 'identity' },
        faults: [{ header: 'Content-Encoding' }],
      });
    },
  );

  test('A body that is not UTF-8 is rejected with 400', async () => {
    const body = Buffer.from([0x22, 0xe5, 0x22]).toString('base64');
    await expect(read({ body, isBase64Encoded: true })).rejects.toMatchObject({
      status: 400,
      faults: [{ pointer: '', detail: 'is not UTF-8' }],
    });
  });

  test('A body with a member twice is rejected with 400 that names it, however it is written', async () => {
    const body =
      '[{"a":"1","a":"2"},{"b":{"a":1},"c":"\\",\\"c\\":","\\u0062/~":[0,{"d":0,"d" :0}],"b/~":0}]';
    const detail = 'is there more than once; send it once';
    await expect(json(body)).rejects.toMatchObject({
      status: 400,
      faults: [
        { pointer: '/0/a', detail },
        { pointer: '/1/b~1~0/1/d', detail },
        { pointer: '/1/b~1~0', detail },
      ],
    });
    const same = '{"a":{"a":"a\\":"},"b":[{"a":"{\\"a\\":1"},{"a":1}],"c":"\\\\","":""}';
    expect(await json(same)).toEqual(JSON.parse(same));
  });

  test('A body with thousands of members twice is rejected as soon as one with a hundred', async () => {
    const body = `{${Array(50_000)
      .fill(`"${'a'.repeat(500)}":0`)
      .join(',')
      .slice(0, 1_000_000)}`;
    const end = body.lastIndexOf(',"');
    const error = await json(`${body.slice(0, end)}}`).catch((problem) => problem);
    expect(error).toHaveProperty('faults.length', 100);
    expect(error).toHaveProperty('faults.0.pointer', expect.stringMatching(/^\/a{199}…$/));
  });
});
