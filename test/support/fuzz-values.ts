// Values that make requests invalid. Outside JSON, each character of a text is one byte.

/** Texts that break careless code, including half of a surrogate pair. */
export const HOSTILE_TEXTS = [
  ...['', ' ', '\t', '\r\n', '\0', '\u001b[31m', '\u007f', '\u0085', '\u2028', '\u202e', '\ufeff'],
  ...['\ud800', '\udfff', '\udc00\ud800', 'a\ud83d', '\ufffd', '\ufffe', '\uffff', '\u{10ffff}'],
  ...['e\u0301', '\u0301', 'Z̸̢̛͓', '👩‍👩‍👧', '🇸🇪', '\u200b', 'ﷺ', 'İ', 'ß', 'ŉ', '＝1'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'then'],
  ...['=1+1', '+1', '-1', '@a', '"', "'", ',', ';', ']]>', '<a>', '&amp;', '&#0;', '<!--', '\\'],
  ...['null', 'undefined', 'NaN', 'true', '0', '-0', '1e309', '1e3', '0x10', '1_000', '٣', '１'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '1.5'],
  ...['0.99999999999999999999', '00000000000000000001', '1e-400', '1 ', '+1', 'Infinity'],
  ...[
    '../..',
    '..',
    '.',
    '/',
    '//',
    '%',
    '%00',
    '%zz',
    '%u0041',
    '%2e%2e%2f',
    '#',
    '?',
    '*',
    '$ne',
  ],
  ...['MERCHANT#1', 'CUSTOMER#0000000000000001', 'SEQUENCE', '{{7*7}}', "' OR 1=1 --"],
  ...['x'.repeat(255), 'x'.repeat(256), '😀'.repeat(255), 'å'.repeat(256), 'x'.repeat(10_001)],
  ...['2026-02-30', '2026-13-01', '0000-00-00', '10000-01-01', '2026-01-01T00:00:00Z'],
];

/** Not JSON, or not for every parser. */
export const BROKEN_JSON = [
  ...['', ' ', '{', '}', '[', ']', '"', '{"name"', '{"name":', '{"name":"A"', '[1', '[1,', '[,1]'],
  ...[
    '[1,]',
    '{"a":1,}',
    "{'name':'A'}",
    '{name:"A"}',
    'NaN',
    '[NaN]',
    '[Infinity]',
    '[01]',
    '[+1]',
  ],
  ...['[.5]', '[1.]', '[0x1]', '[1]//', '/**/[1]', '[1][2]', 'name=A&fax=1', '<a/>', 'undefined'],
  ...[
    '"\\x41"',
    '["\\u12"]',
    '["\t"]',
    '\ufeff[1]',
    '\ufeff{}',
    '{}\0',
    '\0',
    '"name"',
    '1',
    'null',
  ],
];

/** Texts that some parsers accept as numbers. */
export const NUMBERS_OF_A_KIND = [
  '1e2',
  '0x10',
  '%201',
  '1%20',
  '1.0',
  '1_0',
  '%2B1',
  '1n',
  'Infinity',
];

/** Names of members of every object, and unknown names. */
export const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  'nmae',
  'Name',
  'version',
];

/** Valid identity numbers. */
export const NUMBERS = [
  ...['5567037485', '556703-7485', '165567037485', '8112189876', '19811218-9876'],
  // Known to the registers of the local stack.
  ...['559987-6546', '9699876547', '999990010', '999 990 037', '9999001-5'],
  ...['SE559987654601', '559987–6546', '559987 6546', 'NO 999 990 010 MVA', 'FI99990015'],
];

/** Headers that the API or its gateway reads, or might, with values to try. */
export const HEADERS: Readonly<Record<string, readonly string[]>> = {
  Accept: [
    ...['', '*/*', 'application/json', 'text/csv', 'application/xml', 'text/html', '*', '*/json'],
    ...['text/csv;q=0.1, */*;q=0', 'application/json;q=0', ';;;', ', ,', 'a/b/c', 'text/csv;q=NaN'],
    ...['application/json;q="0.5"', 'application/json;q=1e309', 'application/json;x="\\"', '/'],
    ...['application/problem+json', 'x/y,'.repeat(1_000), 'application/xml;q=-1', '*/*;q=0'],
  ],
  'Accept-Encoding': [
    ...['gzip', 'gzip;q=0', '*', '*;q=0', 'identity;q=0', 'br', 'gzip;q=abc', '', ',,', 'GZIP'],
  ],
  'If-Match': ['*', '"1"', 'W/"1"', '"1", "2"', '""', '"', '1', ',,', '"a,b"', '"\xff"', '"1'],
  'If-None-Match': ['*', '"1"', 'W/"1"', '"1", "2"', '""', '"', '1', ',,', 'W/', '"\xff"', ''],
  'Idempotency-Key': [
    ...['', 'a', 'b', 'x'.repeat(255), 'x'.repeat(256), '#', '../..', '\xe5', 'a b', '__proto__'],
  ],
  'Content-Type': [
    ...['', 'application/json', 'APPLICATION/JSON', 'application/json;charset=UTF-8', 'text/plain'],
    ...[
      'application/json; charset="utf-8"',
      'application/json;charset=utf-16',
      'json',
      'text/json',
    ],
    ...['application/merge-patch+json', 'application/+json', 'application/xml', ';', 'a/b', '\xff'],
    ...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'image/png'],
    ...['application/json, application/json', 'application/json;charset=', 'application/json;;='],
  ],
  'Content-Encoding': ['gzip', 'identity', 'x'],
  Expect: ['100-continue'],
  Range: ['bytes=0-1', 'bytes=-1', 'x'],
  'X-HTTP-Method-Override': ['DELETE', 'PUT'],
  'X-Forwarded-Proto': ['javascript', 'https', '\xff'],
  'X-Forwarded-For': ['a, b', '"', '\xff'],
  'X-Amzn-Trace-Id': ['x', ''],
  Cookie: ['', 'a', ';;', '__proto__=1', '=', '\xff=\xff'],
  Host: ['a', 'localhost:1', '[::1]', 'a b', '"><x', '\xe5.example', ''],
  Origin: ['null', 'https://evil.example'],
  Upgrade: ['websocket', 'h2c'],
  ['__proto__']: [],
  'X-Odd': [''],
  constructor: [''],
};

/** Paths, percent-encoded as they are sent. */
export const ODD_PATHS = [
  ...['/', '', '//', '//customers', '/customers/', '/customers//', '/customers//1', '/Customers'],
  ...['/customers/1/', '/customers/1/2', '/customers/.', '/customers/..', '/./customers', '*'],
  ...['/customers/../customers', '/customers/%2e%2e', '/customers/1%2F2', '/customers%2F1', '/%'],
  ...['/customers/%63ount', '/%63ustomers', '/customers/%zz', '/customers/%00', '/customers/%ff'],
  ...['/customers/%C0%80', '/customers/%ED%A0%80', '/customers/%EF%BF%BF', '/customers/\xe5'],
  ...['/customers/export', '/customers/export/', '/customers/export/pdf', '/customers/export/CSV'],
  ...['/customers/exports', '/customers/exports/', '/customers/searchByOrgNumber', '/favicon.ico'],
  ...[
    '/customers/searchByOrgNumber/',
    '/customers/__proto__',
    '/__proto__',
    '/constructor',
    '/a;b',
  ],
  ...[
    '/customers/count/1',
    '/customers;v=1',
    '/customers/1;v=1',
    '/customers/+1',
    '/customers/1+1',
  ],
  ...[
    '/customers/1#x',
    '/%E2%80%AE',
    '/customers/%0d%0aX:%20y',
    'http://a.example/customers',
    '/\\',
  ],
  `/customers/${'1'.repeat(3_000)}`,
  `/${'a/'.repeat(3_000)}`,
];

/** Parts of a query, as they are sent. */
export const ODD_QUERIES = [
  ...[
    '',
    '&',
    '=',
    '==',
    '%',
    '%zz',
    '%00',
    '%ff=1',
    '%u0041=1',
    '%C0%80',
    '%ED%A0%80=1',
    '+',
    ';',
  ],
  ...[
    '[]=1',
    '[0]=1',
    'limit[]=1',
    'limit[0]=1',
    'limit[a]=1',
    'limit%00=1',
    'limit=1%00',
    '?',
    '#',
  ],
  ...[
    'limit',
    'limit=',
    'limit=%31',
    'LIMIT=1',
    'limit=1&limit=1',
    'filter',
    'filter=',
    'filter=,',
  ],
  ...['filter=!', 'filter=!!search', 'filter[]=search&search[]=a', 'filter=toString', 'cursor='],
  ...['filter=search&search=%E0%A4%A', 'filter=search&search=', 'search=a', 'from=2026-01-01'],
  ...[
    'filter=rangeByDate',
    'filter=isTitle',
    'filter=search&search=%00',
    'cursor=AAAA',
    '\xe5=\xff',
  ],
  ...[
    'filter=rangeByDate&from=2026-02-01&to=2026-01-01',
    'start=0&cursor=x',
    'delimiter=,',
    'bom=1',
  ],
  ...[
    '__proto__=1',
    'constructor=1',
    '__proto__[polluted]=1',
    'start=9007199254740993',
    'start=1e3',
  ],
  'x&y&'.repeat(1_500),
  Array.from({ length: 1_500 }, (_, index) => `a${index}`).join('&'),
  `filter=search&${'search=a&'.repeat(11)}`,
  `filter=${'!isTitle,'.repeat(300)}`,
  `cursor=${'A'.repeat(4_000)}`,
];

/** Authorization headers without a valid token. */
export const BAD_TOKENS = [
  ...[
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'Bearer a',
    'Bearer a.b.c',
    'Bearer ..',
    '\xff',
    'x y',
  ],
  ...[
    { alg: 'none' },
    { alg: 'HS256', kid: 'x' },
    { alg: 'RS256' },
    { alg: 'RS256', kid: '__proto__' },
    { alg: 'RS256', kid: 'x', crit: ['å\r\nX: y'] },
    { alg: 'RS256', kid: 'x', crit: ['😀'] },
    { alg: 'RS256', kid: 'x', b64: false, crit: ['b64'] },
    { alg: 'å\n', kid: '\0' },
    { alg: 'RS256', jku: 'http://evil.example', kid: 'x' },
    [],
    null,
  ].map((header) => `Bearer ${encoded(header)}.${encoded({ merchant_id: '1001' })}.AAAA`),
];

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Bytes that are no HTTP, sent in place of a request. */
export const NO_HTTP = [
  ...[
    '',
    '\0',
    'GET',
    'GET /customers',
    'GET /customers\r\n\r\n',
    'GET /customers HTTP/9.9\r\n\r\n',
  ],
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /customers HTTP/1.1\r\n\r\n',
  'GET /customers HTTP/1.0\r\n\r\n',
  'GET /customers HTTP/1.1\nHost: localhost\n\n',
  'GET  /customers HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /a b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  'GET /customers\0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  'G\xe5T /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  'FROB /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  'GET /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: a\0b\r\n\r\n',
  'GET /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: a\r\n b\r\n\r\n',
  'GET /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX y\r\n\r\n',
  'GET /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX : y\r\n\r\n',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: x\r\n\r\n{}',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: -1\r\n\r\n{}',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1e3\r\n\r\n{}',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{}',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n{}\r\n0\r\n\r\n',
  'POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: x\r\n\r\n{}',
  `GET /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ${'x'.repeat(1_100_000)}\r\n\r\n`,
];
