import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { FIELDS, type Field } from '../../shared/domain/fields.ts';
import type { ResponseDescription } from '../../shared/http/contract.ts';
import { MAX_BODY_BYTES } from '../../shared/http/json-body.ts';
import {
  count,
  customerId,
  header,
  type Json,
  object,
  ref,
  text,
} from '../../shared/http/json-schema.ts';
import { MERGE_PATCH_TYPE } from '../../shared/http/media-type.ts';
import type { Parameter, Parameters } from '../../shared/http/validation.ts';
import { ENDPOINTS, type Endpoint } from '../endpoints.ts';

const PACKAGE = join(import.meta.dirname, '../../package.json');

/** Returns the OpenAPI 3.1 document of the API, derived from the contracts of its endpoints. */
export function openApiDocument(endpoints: readonly Endpoint[] = ENDPOINTS): Json {
  const { version, description } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of endpoints) {
    const { path, method } = endpoint;
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: operation(endpoint),
      ...(method === 'GET' && { head: headOperation(endpoint) }),
    };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Merchant customers', version, description },
    paths,
    components: {
      schemas: {
        Customer: customer(),
        ...Object.assign({}, ...endpoints.map(requestBodySchemas)),
        ...Object.assign({}, ...endpoints.map(({ schemas }) => schemas)),
        Problem: problem(),
        GatewayMessage: {
          ...object({ message: text() }, ['message'], true),
          description: "API Gateway's own response, sent before the API is called.",
        },
      },
      responses: COMMON_ERRORS,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'Access token with a claim that names the merchant. Reading needs scope ' +
            'customers:read, writing customers:write.',
        },
      },
    },
  };
}

function operation(endpoint: Endpoint): Json {
  const { request, requestBody, responses, errors = {}, scope, summary } = endpoint;
  const parameters = [
    ...parametersIn('path', request.path, endpoint.parameters),
    ...parametersIn('query', request.query, endpoint.parameters),
    ...parametersIn('header', request.headers, endpoint.parameters),
  ];
  return {
    operationId: camelCase(endpoint.function),
    summary,
    description: `Needs scope ${scope}.`,
    security: [{ token: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && {
      requestBody: {
        required: true,
        content: {
          'application/json': bodyContent(requestBody),
          ...(requestBody.mergePatch && {
            [MERGE_PATCH_TYPE]: bodyContent(requestBody.mergePatch),
          }),
        },
      },
    }),
    responses: {
      ...mapValues(responses, response),
      ...Object.fromEntries(
        Object.keys(COMMON_ERRORS)
          .filter((status) => requestBody || !ERRORS_OF_BODIES.includes(status))
          .map((status) => [status, { $ref: `#/components/responses/${status}` }]),
      ),
      ...Object.fromEntries(
        Object.entries(errors).map(([status, description]) => [
          status,
          endpointError(status, description),
        ]),
      ),
    },
  };
}

function bodyContent({ name, example }: NonNullable<Endpoint['requestBody']>): Json {
  return { schema: ref(name), example };
}

/** Returns the HEAD of a GET: the same request, and the same responses without their bodies. */
function headOperation(endpoint: Endpoint): Json {
  const { operationId, summary, description, responses, ...rest } = operation(endpoint);
  const createsFile = endpoint.files === 'write';
  return {
    operationId: `${operationId}Head`,
    summary: `${summary}: the headers`,
    description:
      `${description} The headers of GET, without a body.` +
      (createsFile ? ' Checks the request and creates no file.' : ''),
    ...rest,
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

function parametersIn(
  place: 'path' | 'query' | 'header',
  parameters: Parameters = {},
  descriptions: Readonly<Record<string, string>>,
): Json[] {
  return Object.entries(parameters).map(([name, parameter]) => ({
    name,
    in: place,
    ...(place === 'path' && { required: true }),
    schema: parameterSchema(parameter),
    description: descriptions[name],
    ...(parameter.style === 'comma-separated' && { explode: false }),
  }));
}

function parameterSchema(parameter: Parameter): Json {
  const schema = toJson(parameter.schema());
  if (parameter.default === undefined) return schema;
  const isText = schema.type === 'string' || 'enum' in schema;
  return { ...schema, default: isText ? String(parameter.default) : parameter.default };
}

/** Returns the named schemas of an endpoint's request body. */
function requestBodySchemas({ request, requestBody }: Endpoint): Json {
  if (!request.body || !requestBody) return {};
  const { name, description, mergePatch } = requestBody;
  return {
    [name]: { ...bodySchema(request.body()), description },
    ...(request.mergePatch &&
      mergePatch && {
        [mergePatch.name]: {
          ...bodySchema(request.mergePatch()),
          description: mergePatch.description,
        },
      }),
  };
}

function bodySchema(body: GenericSchema): Json {
  const { properties, ...schema } = toJson(body) as { properties?: Json };
  if (!properties) return schema;
  const documented = FIELDS.map((field) => [
    field.name,
    field.readOnly
      ? { description: 'The register sets it; ignored.' }
      : withType(properties[field.name] as Json),
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

function customer(): Json {
  const required = FIELDS.filter(({ always }) => always).map(({ name }) => name);
  return {
    ...object(
      Object.fromEntries(FIELDS.map((field) => [field.name, responseField(field)])),
      required,
    ),
    description:
      'A customer. An unset member is an empty string; the last four are returned only if set.',
  };
}

function responseField({ name, type, maxLength }: Field): Json {
  if (type === 'string') return { type, maxLength };
  if (type === 'date') {
    return { type: 'string', format: 'date-time', description: 'Time of creation, in UTC.' };
  }
  if (name === 'mexcParamvaluesetsid') return customerId({ description: "The customer's id." });
  return { anyOf: [{ type: 'integer', minimum: 0 }, { const: '' }] };
}

function problem(): Json {
  const fault = (place: string, description: string) =>
    object({ [place]: text({ description }), detail: text() });
  return {
    ...object(
      {
        type: { const: 'about:blank' },
        title: text(),
        status: { type: 'integer', minimum: 400, maximum: 599 },
        detail: text(),
        errors: {
          type: 'array',
          minItems: 1,
          items: {
            oneOf: [
              fault('pointer', 'JSON Pointer into the body; empty for the body as a whole.'),
              fault('parameter', 'Name of a query or path parameter.'),
              fault('header', 'Name of a header.'),
            ],
          },
        },
        count: count({
          description: 'How many customers a bulk delete had deleted before it failed.',
        }),
        requestId: text({ description: 'Finds the request in the logs.' }),
      },
      ['type', 'title', 'status', 'detail', 'requestId'],
    ),
    description: 'Problem details (RFC 9457).',
  };
}

const ERRORS_OF_BODIES = ['413', '415'];

/** Errors that every endpoint may respond with, or every one that has a body, by status. */
const COMMON_ERRORS: Readonly<Record<string, Json>> = {
  400: problemResponse('The request is not valid; errors lists what is wrong and where.'),
  401: gatewayResponse('The token is missing or not valid.'),
  403: eitherResponse("The token lacks the route's scope, or names no merchant."),
  406: problemResponse('Accept allows no media type that this call produces.'),
  413: eitherResponse(`The body is larger than ${MAX_BODY_BYTES} bytes.`),
  415: {
    ...problemResponse('The body is not JSON in UTF-8, or it is compressed.'),
    headers: {
      Accept: header('Media types that are taken.', false),
      'Accept-Patch': header('The same of a PATCH (RFC 5789).', false),
      'Accept-Encoding': header('Content codings that are taken: identity, which is none.', false),
    },
  },
  429: gatewayResponse('Too many requests at once; retry later.'),
  431: gatewayResponse('Request line and headers are larger than 10,240 bytes.'),
  500: eitherResponse('Something went wrong here; the request id finds it in the logs.'),
  503: retryLater('The register is busy or cannot be reached; retry later.'),
};

/** Returns an error of one endpoint. API Gateway sends 429 as well. */
function endpointError(status: string, description: string): Json {
  return status === '429' ? retryLater(description) : problemResponse(description);
}

/** An error with `Retry-After`, of the API or of API Gateway. */
function retryLater(description: string): Json {
  return {
    ...eitherResponse(description),
    headers: {
      'Retry-After': {
        schema: { type: 'integer' },
        description: "Seconds to wait; missing in API Gateway's own response.",
      },
    },
  };
}

function response({ description, schema, headers }: ResponseDescription): Json {
  return {
    description,
    ...(schema && { content: { 'application/json': { schema } } }),
    ...(headers && { headers }),
  };
}

function problemResponse(description: string): Json {
  return { description, content: problemContent() };
}

function gatewayResponse(description: string): Json {
  return { description, content: gatewayContent() };
}

/** Sent by the API or, before the API is invoked, by API Gateway. */
function eitherResponse(description: string): Json {
  return { description, content: { ...problemContent(), ...gatewayContent() } };
}

function problemContent(): Json {
  return { 'application/problem+json': { schema: ref('Problem') } };
}

function gatewayContent(): Json {
  return { 'application/json': { schema: ref('GatewayMessage') } };
}

function mapValues<T>(object: Readonly<Record<string, T>>, change: (value: T) => Json) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
