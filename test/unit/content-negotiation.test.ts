import middy from '@middy/core';
import { expect, test } from 'vitest';
import { contentNegotiation } from '../../shared/http/content-negotiation.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

const negotiate = (accept?: string, produces = ['application/json', 'text/csv']) =>
  middy<ReturnType<typeof httpEvent>, string>()
    .use(contentNegotiation(produces))
    .handler(async (_, { preferredMediaType }) => preferredMediaType)(
    httpEvent({ headers: accept === undefined ? {} : { accept } }),
    lambdaContext(),
  );

test.each([
  [undefined, 'application/json'],
  ['', 'application/json'],
  [' , ', 'application/json'],
  ['*/*', 'application/json'],
  ['text/csv', 'text/csv'],
  ['text/*', 'text/csv'],
  ['text/csv;q=0.5, application/json', 'application/json'],
  ['application/json;q=0.1, text/csv;q=0.9', 'text/csv'],
  ['application/json; charset=utf-8', 'application/json'],
  ['text/csv;header=present;q=0.3, */*;q=0.1', 'text/csv'],
])('Accept: %s selects %s', async (accept, mediaType) => {
  expect(await negotiate(accept)).toBe(mediaType);
});

test.each([
  ['text/xml', 'application/xml'],
  ['text/xml;charset=utf-8;q=0.9, application/json;q=0.5', 'application/xml'],
  ['application/xml, text/xml', 'application/xml'],
  ['text/*', 'application/xml'],
  ['text/xml;q=0.5, application/json', 'application/json'],
  ['*/*', 'application/json'],
])(
  'Accept: %s prefers %s where XML is produced, which text/xml names too',
  async (accept, type) => {
    expect(await negotiate(accept, ['application/json', 'application/xml'])).toBe(type);
  },
);

test('Accept: text/xml is refused where no XML is produced', async () => {
  await expect(negotiate('text/xml')).rejects.toMatchObject({ status: 406 });
});

test.each(['text/html', 'application/xml', 'text/csv;q=0', 'nonsense'])(
  'Accept: %s is rejected with 406, which names the header and the media types produced',
  async (accept) => {
    await expect(negotiate(accept)).rejects.toMatchObject({
      status: 406,
      faults: [{ header: 'Accept', detail: 'must allow application/json or text/csv' }],
    });
  },
);
