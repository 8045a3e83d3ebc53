import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { FIELD_DESCRIPTIONS } from '../../shared/domain/field-descriptions.ts';
import { FIELDS, type FieldName } from '../../shared/domain/fields.ts';
import type {
  ErrorDescription,
  ParameterDescription,
  ResponseDescription,
} from '../../shared/http/contract.ts';
import { filterParameters } from '../../shared/http/filter-parameters.ts';
import { MAX_BODY_BYTES } from '../../shared/http/json-body.ts';
import {
  count,
  customerId,
  header,
  type Json,
  object,
  ref,
  text,
  time,
} from '../../shared/http/json-schema.ts';
import { MERGE_PATCH_TYPE } from '../../shared/http/media-type.ts';
import { PROBLEM_TITLES, type ProblemType } from '../../shared/http/problem-details.ts';
import type { Parameter, Parameters } from '../../shared/http/validation.ts';
import { ENDPOINTS, type Endpoint } from '../endpoints.ts';
import { guideLink, guideTags, introduction, OPERATION_TAGS } from './guides.ts';
import {
  contractExamples,
  gatewayExample,
  problemExample,
  responseExamples,
  withExamples,
} from './openapi-examples.ts';

const PACKAGE = join(import.meta.dirname, '../../package.json');

/** Returns the OpenAPI 3.1 document of the API, derived from the contracts of its endpoints. */
export function openApiDocument(endpoints: readonly Endpoint[] = ENDPOINTS): Json {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const tags = guideTags();
  const schemas: Record<string, Json> = {
    Customer: customer(),
    ...Object.assign({}, ...endpoints.map(requestBodySchemas)),
    ...Object.assign({}, ...endpoints.map((endpoint) => endpoint.schemas)),
    ...parameterSchemas(),
    Problem: problem(),
    Fault: fault(),
    GatewayMessage: {
      ...object({ message: text({ description: 'What is wrong.' }) }, ['message'], true),
      description: "API Gateway's own response.",
    },
  };
  const examples = contractExamples(endpoints.flatMap(({ responses }) => Object.values(responses)));
  for (const [name, schema] of Object.entries(schemas)) {
    schemas[name] = withExamples(name, schema, examples);
  }
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of endpoints) {
    const { path, method } = endpoint;
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: operation(endpoint, schemas),
      ...(method === 'GET' && { head: headOperation(endpoint, schemas) }),
    };
  }
  return typed({
    openapi: '3.1.1',
    info: {
      title: 'Merchant customers',
      version,
      description: introduction(),
      contact: { name: 'Maintainers of the customer register' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: 'https://{api}.execute-api.{region}.amazonaws.com',
        description:
          "A deployment, by API id and region; the stack's output ApiAddress is its address.",
        variables: { api: { default: 'api-id' }, region: { default: 'eu-north-1' } },
      },
      {
        url: 'http://localhost:{port}',
        description: 'The local API of npm start.',
        variables: { port: { default: '3000' } },
      },
    ],
    tags,
    // An extension of Redoc, which Scalar reads too.
    'x-tagGroups': [
      {
        name: 'Guides',
        tags: tags.map(({ name }) => name).filter((name) => !Object.hasOwn(OPERATION_TAGS, name)),
      },
      { name: 'Endpoints', tags: Object.keys(OPERATION_TAGS) },
    ],
    paths,
    components: {
      schemas,
      responses: COMMON_ERRORS,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'Access token with a claim that names the merchant. The scopes that an operation ' +
            'lists under security must be in its claim scope: customers:read for calls that ' +
            'read, customers:write for calls that write and for all calls of imports.',
        },
      },
    },
  });
}

function operation(endpoint: Endpoint, schemas: Readonly<Record<string, Json>>): Json {
  const { request, requestBody, responses, errors = {}, scope, summary } = endpoint;
  const parameters = [
    ...parametersIn('path', request.path, endpoint.parameters),
    ...parametersIn('query', request.query, endpoint.parameters),
    ...parametersIn('header', request.headers, endpoint.parameters),
  ];
  return {
    operationId: camelCase(endpoint.function),
    tags: [tagOf(endpoint)],
    summary,
    description: `Needs the scope \`${scope}\`.${furtherReading(endpoint)}`,
    security: [{ token: [scope] }],
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && {
      requestBody: {
        required: !request.isBodyOptional,
        content: {
          'application/json': requestBody.batch
            ? eitherContent(requestBody, requestBody.batch)
            : bodyContent(requestBody),
          ...(requestBody.mergePatch && {
            [MERGE_PATCH_TYPE]: bodyContent(requestBody.mergePatch),
          }),
          // Any bytes, which OpenAPI 3.1 says by leaving the schema out.
          ...Object.fromEntries((request.files ?? []).map((type) => [type, {}])),
        },
      },
    }),
    responses: {
      ...mapValues(responses, (documented) => response(documented, schemas)),
      ...Object.fromEntries(
        Object.keys(COMMON_ERRORS)
          .filter((status) => requestBody || !ERRORS_OF_BODIES.includes(status))
          .map((status) => [status, { $ref: `#/components/responses/${status}` }]),
      ),
      ...Object.fromEntries(
        Object.entries(errors).map(([status, error]) => [status, endpointError(status, error)]),
      ),
    },
  };
}

function bodyContent({ name, example }: NonNullable<Endpoint['requestBody']>): Json {
  return { schema: ref(name), example };
}

/** Returns the content of a body that is an object or an array. */
function eitherContent(
  one: NonNullable<Endpoint['requestBody']>,
  batch: NonNullable<Endpoint['requestBody']>,
): Json {
  const examples = [one, batch].map(({ name, example }) => [name, { value: example }]);
  return {
    schema: { oneOf: [ref(one.name), ref(batch.name)] },
    examples: Object.fromEntries(examples),
  };
}

/** Sections of the API guide that explain parameters, by a parameter's name. */
const GUIDE_OF_PARAMETER: Readonly<Record<string, string>> = {
  cursor: 'Pages',
  sort: 'Pages',
  fields: 'Pages',
  filter: 'Filters',
  'Idempotency-Key': 'Retries and concurrent changes',
  'If-Match': 'Retries and concurrent changes',
  'If-None-Match': 'Retries and concurrent changes',
};

function furtherReading({ path, parameters }: Endpoint): string {
  // Parameters of the same names are explained in the section of imports, which is their tag's.
  if (path.startsWith('/customers/imports')) return '';
  const titles = new Set(Object.keys(parameters).flatMap((name) => GUIDE_OF_PARAMETER[name] ?? []));
  const links = [...titles].map((title) => guideLink(title));
  return links.length > 0 ? ` See ${links.join(' and ')}.` : '';
}

/** Returns the HEAD of a GET: the same request, and the same responses without their bodies. */
function headOperation(endpoint: Endpoint, schemas: Readonly<Record<string, Json>>): Json {
  const { operationId, summary, description, responses, ...rest } = operation(endpoint, schemas);
  const createsFile = endpoint.files === 'write';
  return {
    operationId: `${operationId}Head`,
    summary: `${summary}: the headers`,
    description:
      `${description} The headers of GET, without a body.` +
      (createsFile ? ' Checks the request and creates no file.' : ''),
    ...rest,
    // The API reference lists the GET alone.
    'x-scalar-ignore': true,
    responses: Object.fromEntries(
      Object.entries(responses as Record<string, Json>)
        .filter(([status]) => !createsFile || status === '200' || Number(status) >= 400)
        .map(([status, response]) => [status, withoutBody(status, response)]),
    ),
  };
}

function withoutBody(status: string, response: Json): Json {
  const { content, ...rest } = '$ref' in response ? (COMMON_ERRORS[status] as Json) : response;
  return rest;
}

function tagOf({ path }: Endpoint): keyof typeof OPERATION_TAGS {
  if (path.startsWith('/customers/export')) return 'Exports';
  if (path.startsWith('/customers/imports')) return 'Imports';
  if (path === '/customers/changes' || path === '/customers/digest') return 'Changes';
  return path.startsWith('/customers/searchBy') ? 'Look-up' : 'Customers';
}

function parametersIn(
  place: 'path' | 'query' | 'header',
  parameters: Parameters = {},
  descriptions: Readonly<Record<string, ParameterDescription>>,
): Json[] {
  return Object.entries(parameters).map(([name, parameter]) => {
    const [description, example] = descriptions[name] ?? [];
    return {
      name,
      in: place,
      ...(place === 'path' && { required: true }),
      schema: named(parameterSchema(parameter)),
      description,
      // The API reference sends the example of an optional parameter unless this extension forbids it.
      ...(place === 'path'
        ? { example: [example].flat()[0] }
        : { examples: { example: { value: example, 'x-disabled': true } } }),
      ...(parameter.style === 'comma-separated' && { explode: false }),
    };
  });
}

function parameterSchema(parameter: Parameter): Json {
  const schema = toJson(parameter.schema());
  if (parameter.default === undefined) return schema;
  const isText = schema.type === 'string' || 'enum' in schema;
  return { ...schema, default: isText ? String(parameter.default) : parameter.default };
}

/** Schemas of parameters that have a name in the document, and so one type in a client. */
function parameterSchemas() {
  const { items } = toJson(filterParameters.filter.schema()) as { items: Json };
  return {
    Flag: { ...toJson(filterParameters.isPrivate.schema()), description: '1 for yes, 0 for no.' },
    FilterTerm: { ...items, description: 'Name of a filter; `!` in front inverts it.' },
  };
}

/** Returns a reference in place of a schema, or of that of a list's items, that has a name. */
function named(schema: Json): Json {
  for (const [name, { description: _, ...known }] of Object.entries(parameterSchemas())) {
    if (isDeepStrictEqual(schema, known)) return ref(name);
    if (isDeepStrictEqual(schema.items, known)) return { ...schema, items: ref(name) };
  }
  return schema;
}

/** Returns the named schemas of an endpoint's request body. */
function requestBodySchemas({ request, requestBody }: Endpoint): Json {
  if (!request.body || !requestBody) return {};
  const { name, description, members, batch, mergePatch } = requestBody;
  return {
    [name]: { ...bodySchema(request.body(), members), description },
    ...(request.batch &&
      batch && {
        [batch.name]: {
          ...toJson(request.batch()),
          items: ref(name),
          description: batch.description,
        },
      }),
    ...(request.mergePatch &&
      mergePatch && {
        [mergePatch.name]: {
          ...bodySchema(request.mergePatch()),
          description: mergePatch.description,
        },
      }),
  };
}

/** @param members descriptions of its members; those of a customer are documented with the fields. */
function bodySchema(body: GenericSchema, members?: Readonly<Record<string, string>>): Json {
  const { properties, ...schema } = toJson(body) as { properties?: Json };
  if (!properties) return schema;
  if (members) {
    const described = Object.entries(properties).map(([name, its]) => [
      name,
      { ...(its as Json), description: members[name] },
    ]);
    // Unknown members are reported by a check in code.
    return {
      ...schema,
      properties: Object.fromEntries(described),
      additionalProperties: false,
    };
  }
  const documented = FIELDS.map((field) => [
    field.name,
    field.readOnly
      ? { description: 'The register sets it; ignored.' }
      : { ...described(field.name), ...withType(properties[field.name] as Json) },
  ]);
  return {
    ...schema,
    // Unknown members are reported by a check in code.
    additionalProperties: false,
    properties: Object.fromEntries(documented),
  };
}

/** Returns the schema of a text that may be null with one list of types, and others as they are. */
function withType(schema: Json): Json {
  const [text, none] = (schema.anyOf ?? []) as readonly Json[];
  return text && none?.type === 'null' ? { ...text, type: [text.type, 'null'] } : schema;
}

/** Converts a valibot schema. Checks in code contribute the keywords that they carry. */
function toJson(schema: GenericSchema): Json {
  const { $schema: _, ...json } = toJsonSchema(schema, {
    // Of a pipe this takes the last schema, which says most; transformations are left out.
    typeMode: 'output',
    errorMode: 'ignore',
    target: 'draft-2020-12',
    overrideAction: ({ valibotAction, jsonSchema }) =>
      'jsonSchema' in valibotAction
        ? { ...jsonSchema, ...(valibotAction.jsonSchema as object) }
        : undefined,
  });
  return json as Json;
}

/** A customer of any response: which members it has depends on the parameter `fields`. */
function customer(): Json {
  const { name: id } = FIELDS[0];
  return {
    ...object(
      {
        ...Object.fromEntries(FIELDS.map((field) => [field.name, responseField(field)])),
        version: count({
          minimum: 1,
          description:
            'Number of writes: the number in the entity tag. Returned if fields names it.',
          examples: [3],
        }),
        updated: time({
          description: 'Time of the last change. Returned if fields names it.',
          examples: ['2026-01-31T09:00:00.000Z'],
        }),
      },
      // One type for a customer of each call; a caller that names no fields gets all but the last six.
      [id],
    ),
    description:
      'A customer. Every field is returned, an unset text as an empty string, unless the parameter ' +
      'fields chooses members; internalCreditLimit and the next three are returned only if they are set.',
  };
}

function responseField({ name, type, maxLength }: (typeof FIELDS)[number]): Json {
  const keywords = described(name);
  if (type === 'string') return text({ maxLength, ...keywords });
  if (type === 'date') return time(keywords);
  if (name === 'mexcParamvaluesetsid') return customerId(keywords);
  return count({ maximum: Number.MAX_SAFE_INTEGER, ...keywords });
}

function described(name: FieldName): Json {
  const { description, example } = FIELD_DESCRIPTIONS[name];
  return { description, examples: [example] };
}

function problem(): Json {
  return {
    ...object(
      {
        // No enum: generated clients would refuse a type that a later version adds.
        type: text({
          format: 'uri-reference',
          examples: ['about:blank', ...Object.keys(PROBLEM_TITLES)],
          description:
            'What kind of error it is; about:blank if the status says so. ' +
            Object.entries(PROBLEM_DESCRIPTIONS)
              .map(([type, description]) => `${type}: ${description}`)
              .join(' '),
        }),
        title: text({ description: 'The type in words; not for programs.' }),
        status: {
          type: 'integer',
          minimum: 400,
          maximum: 599,
          description: 'The status of the response.',
        },
        detail: text({ description: 'What is wrong with this request.' }),
        errors: {
          type: 'array',
          minItems: 1,
          items: ref('Fault'),
          description: 'Where the request is wrong, for 400.',
        },
        count: count({
          description: 'How many customers a bulk delete had deleted before it failed.',
        }),
        ids: {
          type: 'array',
          items: customerId({ description: 'Id of a customer.' }),
          description: 'Customers that have the same customerid.',
        },
        code: text({ examples: ['noHeader'], description: 'Why a file cannot be read.' }),
        importId: text({ format: 'uuid', description: 'Id of the import that it is about.' }),
        counts: {
          type: 'object',
          additionalProperties: count(),
          description: 'How many rows of a plan have each outcome.',
        },
        requestId: text({ description: 'Finds the request in the logs.' }),
      },
      ['type', 'title', 'status', 'detail', 'requestId'],
    ),
    description: 'Problem details (RFC 9457).',
  };
}

function fault(): Json {
  return {
    ...object(
      {
        pointer: text({
          description: 'JSON Pointer into the body; empty for the body as a whole.',
        }),
        parameter: text({ description: 'Name of a query or path parameter.' }),
        header: text({ description: 'Name of a header.' }),
        detail: text({ description: 'What is wrong there, or what would be right.' }),
      },
      ['detail'],
    ),
    // The detail and one place. Clients make one type of this, of a oneOf often none.
    minProperties: 2,
    maxProperties: 2,
    description: 'What is wrong with a request, and where: pointer, parameter or header.',
  };
}
/** When each type of problem is sent. */
const PROBLEM_DESCRIPTIONS: Readonly<Record<ProblemType, string>> = {
  '/problems/changes-expired':
    'changes after the token are no longer kept; load all customers from restart (410).',
  '/problems/customer-exists':
    'a customer has the customerid, and If-None-Match allows none (412).',
  '/problems/customer-not-found':
    'the merchant has no such customer, or none of those named (404).',
  '/problems/duplicate-customerid': 'several customers have the customerid; ids are theirs (409).',
  '/problems/export-not-found': 'there is no such export, or its status has expired (404).',
  '/problems/import-expired':
    'the plan of the import, or what undoing it needs, is no longer kept (410).',
  '/problems/import-not-found': 'there is no such import, or it is no longer kept (404).',
  '/problems/import-state':
    'the import cannot be moved like this from where it is; or another one, importId, is being applied or undone (409).',
  '/problems/interrupted-deletion':
    'a bulk delete failed after count customers; send it again for the rest (503).',
  '/problems/invalid-changes-token':
    'the token is not one of these changes; take it from next or changesFrom, unchanged (400).',
  '/problems/invalid-cursor':
    'the cursor is not one of this list with these filters; start at the first page (400).',
  '/problems/number-not-found':
    "no customer and no company has the number, or it is a sole trader's (404).",
  '/problems/reused-idempotency-key': 'the Idempotency-Key was used with another body (422).',
  '/problems/rows-to-leave-out':
    'rows of the plan are ambiguous or invalid, and leaveOut does not name them; counts are those of the plan (409).',
  '/problems/stale-plan': 'the import has another plan, by If-Match; look at it again (412).',
  '/problems/stale-version': 'the customer has changed since, by If-Match; read it again (412).',
  '/problems/unreadable-file': 'the file cannot be read; code says why (422).',
};

const ERRORS_OF_BODIES = ['413', '415'];

/** Errors that every endpoint may respond with, or every one that has a body, by status. */
const COMMON_ERRORS: Readonly<Record<string, Json>> = mapValues<CommonError, Json>(
  {
    400: [problemResponse, 'The request is not valid; errors lists what is wrong and where.'],
    401: [gatewayResponse, 'The token is missing or not valid.'],
    403: [eitherResponse, "The token lacks the route's scope, or names no merchant."],
    406: [problemResponse, 'Accept allows no media type that this call produces.'],
    413: [eitherResponse, `The body is larger than ${MAX_BODY_BYTES} bytes.`],
    415: [unsupportedResponse, 'The body is not JSON in UTF-8, or it is compressed.'],
    429: [gatewayResponse, 'Too many requests at once; retry later.'],
    431: [gatewayResponse, 'Request line and headers are larger than 10,240 bytes.'],
    500: [eitherResponse, 'A defect of the API; the request id finds it in the logs.'],
    503: [retryLater, 'The register is busy or cannot be reached; retry later.'],
  },
  ([toResponse, description], status) => toResponse(status, description),
);

/** What responds with an error, and what the error is. */
type CommonError = readonly [
  toResponse: (status: string, description: string) => Json,
  description: string,
];

function response(
  { description, schema, example, headers }: ResponseDescription,
  schemas: Readonly<Record<string, Json>>,
): Json {
  const examples = schema && (example ? { example } : responseExamples(schema, schemas));
  return {
    description,
    ...(schema && { content: { 'application/json': { schema, ...examples } } }),
    ...(headers && { headers }),
  };
}

function problemResponse(
  status: string,
  description: string,
  types?: readonly ProblemType[],
): Json {
  return { description, content: problemContent(status, description, types) };
}

function gatewayResponse(status: string, description: string): Json {
  return { description, content: gatewayContent(status) };
}

/** Sent by the API or, before the API is invoked, by API Gateway. */
function eitherResponse(status: string, description: string): Json {
  return {
    description,
    content: { ...problemContent(status, description), ...gatewayContent(status) },
  };
}

function unsupportedResponse(status: string, description: string): Json {
  return {
    ...problemResponse(status, description),
    headers: {
      Accept: header('Media types that are taken.', false),
      'Accept-Patch': header('The same of a PATCH (RFC 5789).', false),
      'Accept-Encoding': header('Content codings that are taken: identity, which is none.', false),
    },
  };
}

/** Returns an error of one endpoint. API Gateway sends 429 as well. */
function endpointError(status: string, error: ErrorDescription): Json {
  const [description, ...types] = typeof error === 'string' ? [error] : error;
  return status === '429'
    ? retryLater(status, description)
    : problemResponse(status, description, types);
}

/** An error with `Retry-After`, of the API or of API Gateway. */
function retryLater(status: string, description: string): Json {
  return {
    ...eitherResponse(status, description),
    headers: {
      'Retry-After': {
        schema: { type: 'integer' },
        description: "Seconds to wait; missing in API Gateway's own response.",
      },
    },
  };
}

function problemContent(
  status: string,
  description: string,
  types: readonly ProblemType[] = [],
): Json {
  const examples = types.map((type) => [
    type.replace(/.*\//, ''),
    { value: problemExample(status, description, type) },
  ]);
  return {
    'application/problem+json': {
      schema: ref('Problem'),
      ...(types.length > 1
        ? { examples: Object.fromEntries(examples) }
        : { example: problemExample(status, description, types[0]) }),
    },
  };
}

function gatewayContent(status: string): Json {
  return { 'application/json': { schema: ref('GatewayMessage'), example: gatewayExample(status) } };
}

/**
 * Adds what generators of clients need and a schema may leave out: the type of a constant or of an
 * enumeration of texts, and the format of an integer, which else has 32 bits in Java.
 */
function typed<T>(part: T): T {
  if (Array.isArray(part)) return part.map(typed) as T;
  if (typeof part !== 'object' || part === null) return part;
  const json: Record<string, unknown> = mapValues(part as Json, typed);
  const values = json.enum ?? [json.const];
  const isText = Array.isArray(values) && values.every((value) => typeof value === 'string');
  if (isText && !('type' in json)) json.type = 'string';
  if (json.type === 'integer' && !('format' in json)) {
    const { maximum = Number.POSITIVE_INFINITY } = json;
    json.format = (maximum as number) < 2 ** 31 ? 'int32' : 'int64';
  }
  return json as T;
}

function mapValues<T, U>(
  object: Readonly<Record<string, T>>,
  change: (value: T, key: string) => U,
): Record<string, U> {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(value, key)]),
  );
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
