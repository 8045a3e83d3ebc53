import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import SwaggerParser from '@apidevtools/swagger-parser';
import { beforeAll, describe, expect, test } from 'vitest';
import { OPERATION_TAGS } from '../../infra/documents/guides.ts';
import { openApiDocument } from '../../infra/documents/openapi.ts';
import { ENDPOINTS, routesOf } from '../../infra/endpoints.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import {
  type ApiResponse,
  type Client,
  clientOf,
  create,
  eventually,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { EXAMPLE_CUSTOMER } from '../support/example-customer.ts';
import { EXPORT_TYPES } from '../support/export-files.ts';
import { at, deviations, document, errorsBy } from '../support/openapi-document.ts';

useApi();

test('The checked-in OpenAPI document is the output of npm run generate', () => {
  expect(document).toEqual(openApiDocument());
});

test('The OpenAPI document is valid OpenAPI 3.1', async () => {
  await expect(SwaggerParser.validate(structuredClone(document))).resolves.toBeDefined();
});

test('The OpenAPI document has the sections of the API guide as tags, with links to tags and served files', () => {
  const tags = document.tags as { name: string; description: string }[];
  const anchors = tags.map(({ name }) => `#tag/${name.toLowerCase().replaceAll(' ', '-')}`);
  const texts = [document.info.description, ...tags.map(({ description }) => description)];
  const links = texts.flatMap((text) => [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to));
  expect(links.length).toBeGreaterThan(10);
  expect(
    links.filter((to) => ![...anchors, '/customers.xsd', '/openapi.json'].includes(to)),
  ).toEqual([]);
  const guide = readFileSync(join(import.meta.dirname, '../../functions/README.md'), 'utf8');
  const titles = [...guide.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title);
  const sections = [...document['x-tagGroups'][0].tags, ...Object.values(OPERATION_TAGS).flat()];
  expect(sections.toSorted()).toEqual(titles.toSorted());
});

test('Operations of imports and changes have no links to guides but that of their tag', () => {
  const { paths } = openApiDocument() as {
    paths: Record<string, Record<string, { description: string }>>;
  };
  for (const [path, operations] of Object.entries(paths)) {
    if (!/^\/customers\/(?:imports|changes)/.test(path)) continue;
    for (const { description } of Object.values(operations)) {
      expect([path, description.match(/#tag\/[\w-]+/g) ?? []]).toEqual([
        path,
        path.endsWith('/changes') ? ['#tag/pages'] : [],
      ]);
    }
  }
});

test('The OpenAPI document has every route and no other', () => {
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(documented.toSorted()).toEqual(
    ENDPOINTS.flatMap(routesOf)
      // OpenAPI has no notation for a path parameter that can have slashes.
      .map(({ method, path }) => `${method} ${path.replace('+}', '}')}`)
      .toSorted(),
  );
});

describe('Responses', () => {
  let merchant: Client;
  let id: number;
  beforeAll(async () => {
    merchant = await newMerchant();
    ({ mexcParamvaluesetsid: id } = await create(merchant, EXAMPLE_CUSTOMER));
    await create(merchant, { name: 'Anna Berg', companyno: '811218-9876', postcode: '123 45' });
    await create(merchant, { name: 'A', internalCreditLimit: '1', sendByPostOnly: '1' });
  });

  const key = crypto.randomUUID();
  const withKey = (body: unknown) => ({ body, headers: { 'idempotency-key': key } });
  const ONE = '/customers/{mexcParamvaluesetsid}';
  const KEYED = '/customers/by-customerid/{customerid}';
  const putIf = (client: Client, headers: Record<string, string>) =>
    client.call('PUT', `/customers/by-customerid/${key}`, { body: {}, headers });
  const EXPORT = '/customers/exports/{exportId}';
  const LOOK_UP = '/customers/searchByOrgNumber/{orgNum}';

  test.each<[string, string, number, (merchant: Client) => Promise<ApiResponse>]>([
    ['GET', '/customers', 200, (m) => m.call('GET', '/customers?limit=2&filter=isUnknown')],
    ['GET', '/customers', 400, (m) => m.call('GET', '/customers?limit=0&start=x&nothing=1')],
    ['GET', '/customers', 401, (m) => clientOf(m.url, '').call('GET', '/customers')],
    [
      'GET',
      '/customers',
      406,
      (m) => m.call('GET', '/customers', { headers: { accept: 'image/png' } }),
    ],
    ['POST', '/customers', 200, (m) => m.call('POST', '/customers', withKey({ name: 'B' }))],
    ['POST', '/customers', 201, (m) => m.call('POST', '/customers', { body: [{}, {}] })],
    ['POST', '/customers', 422, (m) => m.call('POST', '/customers', withKey({ name: 'C' }))],
    ['POST', '/customers', 400, (m) => m.call('POST', '/customers', { body: { nmae: 1 } })],
    [
      'POST',
      '/customers',
      413,
      (m) => m.call('POST', '/customers', { body: { notes: 'x'.repeat(1_100_000) } }),
    ],
    [
      'POST',
      '/customers',
      415,
      (m) => m.call('POST', '/customers', { body: 'x', headers: { 'content-type': 'text/plain' } }),
    ],
    ['GET', '/customers/count', 200, (m) => m.call('GET', '/customers/count')],
    ['GET', ONE, 200, (m) => m.call('GET', `/customers/${id}`)],
    [
      'GET',
      ONE,
      304,
      (m) => m.call('GET', `/customers/${id}`, { headers: { 'if-none-match': '*' } }),
    ],
    ['GET', ONE, 404, (m) => m.call('GET', '/customers/999999999')],
    ['HEAD', ONE, 200, (m) => m.call('HEAD', `/customers/${id}`)],
    [
      'HEAD',
      ONE,
      304,
      (m) => m.call('HEAD', `/customers/${id}`, { headers: { 'if-none-match': '*' } }),
    ],
    ['HEAD', ONE, 404, (m) => m.call('HEAD', '/customers/999999999')],
    ['HEAD', '/customers', 200, (m) => m.call('HEAD', '/customers?limit=2')],
    ['HEAD', '/customers', 400, (m) => m.call('HEAD', '/customers?limit=0')],
    ['HEAD', '/customers/export/csv', 200, (m) => m.call('HEAD', '/customers/export/csv')],
    ['PATCH', ONE, 200, (m) => m.call('PATCH', `/customers/${id}`, { body: { name: '' } })],
    ['PATCH', ONE, 400, (m) => m.call('PATCH', `/customers/${id}`, { body: [] })],
    ['PATCH', ONE, 404, (m) => m.call('PATCH', '/customers/999999999', { body: {} })],
    [
      'PATCH',
      ONE,
      412,
      (m) => m.call('PATCH', `/customers/${id}`, { body: {}, headers: { 'if-match': '"0"' } }),
    ],
    ['PUT', KEYED, 201, (m) => m.call('PUT', `/customers/by-customerid/${key}`, { body: {} })],
    ['PUT', KEYED, 400, (m) => m.call('PUT', `/customers/by-customerid/${key}`, { body: [] })],
    ['PUT', KEYED, 412, (m) => putIf(m, { 'if-none-match': '*' })],
    ['PUT', KEYED, 412, (m) => putIf(m, { 'if-match': '"0"' })],
    ['GET', LOOK_UP, 400, (m) => m.call('GET', '/customers/searchByOrgNumber/1234567890')],
    ['GET', LOOK_UP, 404, (m) => m.call('GET', '/customers/searchByOrgNumber/5560360793')],
    ...Object.entries(EXPORT_TYPES).flatMap(
      ([format, accept]): [string, string, number, typeof exported][] => {
        const path = `/customers/export/${format}`;
        const exported = (m: Client) => m.call('GET', path);
        return [
          ['GET', path, 200, exported],
          ['GET', path, 303, (m) => m.call('GET', path, { headers: { accept } })],
          ['POST', path, 200, (m) => m.call('POST', path, { body: [id, String(id), 999999999] })],
          ['POST', path, 404, (m) => m.call('POST', path, { body: [999999999] })],
        ];
      },
    ),
    [
      'DELETE',
      ONE,
      412,
      (m) => m.call('DELETE', `/customers/${id}`, { headers: { 'if-match': '"0"' } }),
    ],
    ['DELETE', ONE, 200, (m) => m.call('DELETE', `/customers/${id}`)],
    ['DELETE', ONE, 404, (m) => m.call('DELETE', `/customers/${id}`)],
    ['DELETE', '/customers', 200, (m) => m.call('DELETE', '/customers', { body: [id] })],
    ['DELETE', '/customers', 400, (m) => m.call('DELETE', '/customers', { body: [] })],
    ['GET', EXPORT, 400, (m) => m.call('GET', '/customers/exports/x')],
    ['GET', EXPORT, 404, (m) => m.call('GET', `/customers/exports/${crypto.randomUUID()}`)],
  ])(
    'The response of %s %s with status %i is as documented',
    async (method, path, status, call) => {
      const answer = await call(merchant);
      expect(answer.status).toBe(status);
      expect(deviations(method, path, answer)).toEqual([]);
    },
  );

  test('The response of PUT for a customerid that several customers have is as documented', async () => {
    for (const name of ['A', 'B']) await create(merchant, { customerid: 'twice', name });
    const answer = await eventually(async () => {
      const refused = await merchant.call('PUT', '/customers/by-customerid/twice', {
        body: {},
        headers: { 'if-match': '"0"' },
      });
      expect(refused.status).toBe(409);
      return refused;
    });
    expect(deviations('PUT', KEYED, answer)).toEqual([]);
  });

  test('The response of searchByOrgNumber for a person is as documented', async () => {
    const answer = await eventually(async () => {
      const found = await merchant.call('GET', '/customers/searchByOrgNumber/8112189876');
      expect(found).toMatchObject({ status: 200, body: { lastname: 'Berg', zip: 12345 } });
      return found;
    });
    expect(deviations('GET', LOOK_UP, answer)).toEqual([]);
  });
});

test.each(
  ENDPOINTS.filter(
    ({ method, path }) => at('paths', path, method.toLowerCase(), 'requestBody').value,
  ),
)('The example of $method $path is valid by its schema', ({ method, path }) => {
  const content = ['paths', path, method.toLowerCase(), 'requestBody', 'content'];
  for (const type of Object.keys(at(...content).value)) {
    const { schema, example, examples } = at(...content, type).value;
    // A file has no schema.
    if (!schema) continue;
    const values = examples
      ? Object.values<{ value: unknown }>(examples).map(({ value }) => value)
      : [example];
    for (const value of values) {
      expect(value).toBeDefined();
      expect(errorsBy(at(...content, type, 'schema').pointer, value)).toEqual([]);
    }
  }
});

describe('Requests', () => {
  const NEW = '/components/schemas/NewCustomer';
  test.each<[string, unknown]>([
    ['the documented example', EXAMPLE_CUSTOMER],
    ['no fields', {}],
    ['read-only members of any type', { mexcParamvaluesetsid: null, date: {}, mexcModulesid: [] }],
    ['255 characters outside the basic plane', { name: '😀'.repeat(255) }],
    ['256 characters', { name: 'å'.repeat(256) }],
    ['10,000 characters of notes', { notes: 'x'.repeat(10_000) }],
    ['10,001 characters of notes', { notes: 'x'.repeat(10_001) }],
    ['white space and right-to-left characters', { name: '\t\r\n\u00a0\u2028\u202e\u05d0\ufeff' }],
    ['the character NUL', { name: 'a\u0000' }],
    ['an escape character', { name: '\u001b[31m' }],
    ['a noncharacter', { name: '\uffff' }],
    ['the replacement character', { name: '\ufffdke' }],
    ['a number for a text', { name: 1 }],
    ['null for a text', { name: null }],
    ['an unknown member', { nmae: 'x' }],
    ['an array', []],
  ])('A new customer with %s is accepted if and only if its schema allows it', async (_, body) => {
    const merchant = await newMerchant();
    const { status } = await merchant.call('POST', '/customers', { body });
    expect(status).toBe(errorsBy(NEW, body).length === 0 ? 200 : 400);
  });

  test.each<[string, unknown]>([
    ['null for each text', { name: null, notes: null }],
    ['texts', { name: 'B', notes: '' }],
    ['a text that is too long', { name: 'å'.repeat(256) }],
    ['a number for a text', { name: 1 }],
    ['null for an unknown member', { nmae: null }],
    ['no object', null],
  ])('a merge patch: %s', async (_, body) => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const headers = { 'content-type': 'application/merge-patch+json' };
    const { status } = await merchant.call('PATCH', `/customers/${id}`, { body, headers });
    const isValid = errorsBy('/components/schemas/CustomerMergePatch', body).length === 0;
    expect(status).toBe(isValid ? 200 : 400);
  });

  test.each<[string, unknown]>([
    ['numbers and strings', [1, '2', '0003']],
    ['zero', [0]],
    ['a fraction', [1.5]],
    ['a negative number', [-1]],
    ['a number above 2^53', [2 ** 53]],
    ['the largest id as a string', ['9007199254740991', '09007199254740990']],
    ['a string above 2^53', ['9007199254740992']],
    ['a string far above 2^53', ['9999999999999999']],
    ['a string without digits', ['x']],
    ['no element', []],
    ['1,000 elements', Array.from({ length: 1_000 }, (_, index) => index + 1)],
    ['1,001 elements', Array.from({ length: 1_001 }, (_, index) => index + 1)],
    ['an object in place of the array', { id: 1 }],
  ])('DELETE of ids with %s is accepted if and only if their schema allows it', async (_, body) => {
    const merchant = await newMerchant();
    const { status } = await merchant.call('DELETE', '/customers', { body });
    const isValid = errorsBy('/components/schemas/IdsToDelete', body).length === 0;
    expect(status).toBe(isValid ? 200 : 400);
  });

  test.each([crypto.randomUUID(), crypto.randomUUID().toUpperCase(), 'x'])(
    'The export id %s is accepted if and only if its schema allows it',
    async (id) => {
      const merchant = await newMerchant();
      const { status } = await merchant.call('GET', `/customers/exports/${id}`);
      const { pointer } = at('paths', '/customers/exports/{exportId}', 'get', 'parameters', 0);
      expect(status).toBe(errorsBy(`${pointer}/schema`, id).length === 0 ? 404 : 400);
    },
  );
});

/** Every schema in a part of the document, and where it stands. */
function schemasIn(part: unknown, pointer = ''): [pointer: string, Record<string, unknown>][] {
  if (typeof part !== 'object' || part === null) return [];
  // An example is a value.
  const parts = Object.entries(part).filter(([key]) => !/^examples?$/.test(key));
  const inner = parts.flatMap(([key, value]) => schemasIn(value, `${pointer}/${key}`));
  const isSchema = /\/(?:schemas|properties)\/\w+$|\/(?:schema|items)$/.test(pointer);
  return isSchema ? [[pointer, part as Record<string, unknown>], ...inner] : inner;
}

/** Every response of every operation that has a body, by its media type. */
function bodies() {
  return ENDPOINTS.flatMap(({ method, path }) => {
    const responses = ['paths', path, method.toLowerCase(), 'responses'] as const;
    return Object.keys(at(...responses).value).flatMap((status) =>
      Object.keys(at(...responses, status, 'content').value ?? {}).map((mediaType) => ({
        name: `${method} ${path} ${status} as ${mediaType}`,
        keys: [...responses, status, 'content', mediaType],
      })),
    );
  });
}

/** Description of members that the register sets and ignores in a body. */
const READ_ONLY = 'The register sets it; ignored.';

describe('tools that read the document find', () => {
  test('servers, a licence, a contact, and tags that have a description', () => {
    const { servers, info, tags, paths } = document;
    expect(servers.map(({ url }: { url: string }) => url)).toEqual([
      'https://{api}.execute-api.{region}.amazonaws.com',
      'http://localhost:{port}',
    ]);
    expect(info).toMatchObject({ license: { identifier: 'MIT' }, contact: expect.anything() });
    const declared = tags.map(({ name }: { name: string }) => name);
    expect(tags.filter(({ description }: { description?: string }) => !description)).toEqual([]);
    const used = Object.values<Record<string, { tags: string[] }>>(paths).flatMap((operations) =>
      Object.values(operations).flatMap((operation) => operation.tags),
    );
    const [guides, endpoints] = document['x-tagGroups'];
    expect(new Set(used)).toEqual(new Set(endpoints.tags));
    expect([...guides.tags, ...endpoints.tags]).toEqual(declared);
  });

  test.each(ENDPOINTS)('the scope of $method $path', ({ method, path, scope }) => {
    const { security } = at('paths', path, method.toLowerCase()).value;
    expect(security).toEqual([{ token: [scope] }]);
  });

  test('a description of every property', () => {
    const properties = schemasIn(document).filter(([pointer]) =>
      /\/properties\/\w+$/.test(pointer),
    );
    expect(properties.length).toBeGreaterThan(150);
    const silent = properties.filter(([, schema]) => !schema.description);
    expect(silent.map(([pointer]) => pointer)).toEqual([]);
  });

  test('an example of every field that fits its schema', () => {
    for (const schema of ['Customer', 'NewCustomer', 'CustomerChanges']) {
      for (const { name, readOnly } of FIELDS) {
        if (readOnly && schema !== 'Customer') continue;
        const { value, pointer } = at('components', 'schemas', schema, 'properties', name);
        expect(value.examples, `${schema}.${name}`).toHaveLength(1);
        expect(errorsBy(pointer, value.examples[0])).toEqual([]);
      }
    }
  });

  test('an example of every property of every named schema that fits it', () => {
    const properties = schemasIn(document).filter(([pointer]) =>
      /^\/components\/schemas\/\w+\/properties\/\w+$/.test(pointer),
    );
    expect(properties.length).toBeGreaterThan(200);
    for (const [pointer, { examples, enum: values, const: only, description }] of properties) {
      if (values || only !== undefined || description === READ_ONLY) continue;
      expect(examples, pointer).toBeDefined();
      expect(examples, pointer).toEqual([expect.anything(), ...(examples as unknown[]).slice(1)]);
      for (const example of examples as unknown[]) expect(errorsBy(pointer, example)).toEqual([]);
    }
  });

  test('an example of every parameter that fits its schema', () => {
    const parameters = ENDPOINTS.flatMap(({ method, path }) => {
      const keys = ['paths', path, method.toLowerCase(), 'parameters'] as const;
      return Object.keys(at(...keys).value ?? []).map((index) => [...keys, Number(index)]);
    });
    expect(parameters.length).toBeGreaterThan(60);
    for (const keys of parameters) {
      const { name, required, example, examples } = at(...keys).value;
      // The API reference would send the example of an optional parameter.
      expect(required || examples.example['x-disabled'], name).toBe(true);
      const value = required ? example : examples.example.value;
      expect(value, name).toBeDefined();
      expect(errorsBy(at(...keys, 'schema').pointer, value), name).toEqual([]);
    }
  });

  test('an example of every response that fits its schema', () => {
    const documented = bodies();
    expect(documented.length).toBeGreaterThan(100);
    for (const { name, keys } of documented) {
      const { example, examples = {} } = at(...keys).value;
      const values = [
        ...(example === undefined ? [] : [example]),
        ...Object.values<{ value: unknown }>(examples).map(({ value }) => value),
      ];
      expect(
        values,
        `${name} needs an example, in its contract or openapi-examples.ts`,
      ).not.toEqual([]);
      const { pointer } = at(...keys, 'schema');
      for (const value of values) expect(errorsBy(pointer, value), name).toEqual([]);
    }
  });

  test('the type of every value, and the format of every integer', () => {
    for (const [pointer, schema] of schemasIn(document)) {
      const { type, format } = schema;
      if (schema.enum || schema.const !== undefined) expect(type, pointer).toBe('string');
      if (type === 'integer') expect(format, pointer).toMatch(/^int(?:32|64)$/);
      const isWide = Number(schema.maximum ?? 0) >= 2 ** 31;
      if (isWide) expect(format, pointer).toBe('int64');
    }
  });

  test('patterns that PCRE reads too: generated PHP clients check texts by them', () => {
    const patterns = schemasIn(document).flatMap(([, { pattern }]) => pattern ?? []);
    expect(patterns.length).toBeGreaterThan(100);
    expect(patterns.filter((pattern) => String(pattern).includes('\\u'))).toEqual([]);
  });

  test('one named schema for flags, filters and the faults of a problem', () => {
    const references = JSON.stringify(document.paths);
    for (const name of ['Flag', 'FilterTerm']) {
      expect(references).toContain(`"#/components/schemas/${name}"`);
    }
    const { items } = document.components.schemas.Problem.properties.errors;
    expect(items).toEqual({ $ref: '#/components/schemas/Fault' });
  });
});

test.each<[string, unknown, boolean]>([
  ['one place', { pointer: '/name', detail: 'x' }, true],
  ['no place', { detail: 'x' }, false],
  ['two places', { pointer: '/name', header: 'If-Match', detail: 'x' }, false],
])('a fault with %s fits its schema or not', (_, fault, isValid) => {
  expect(errorsBy('/components/schemas/Fault', fault).length === 0).toBe(isValid);
});

test.each<[unknown, boolean]>([
  [12341, true],
  ['SW1A 1AA', true],
  ['01234', true],
  ['', true],
  [1.5, false],
  [true, false],
  [null, false],
  [[], false],
])('the zip %j of a look-up is as documented or not', (zip, isValid) => {
  const { pointer } = at('components', 'schemas', 'RegisterEntry', 'properties', 'zip');
  expect(errorsBy(pointer, zip).length === 0).toBe(isValid);
});
