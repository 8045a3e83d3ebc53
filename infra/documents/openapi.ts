import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_BODY_BYTES } from '../../shared/domain/limits.ts';
import { ROUTES } from '../../shared/routes.ts';
import { OPERATIONS } from './operations.ts';
import { type Json, type SchemaName, schemaRef, schemas } from './schemas.ts';

const PACKAGE = join(import.meta.dirname, '../../package.json');

/** The OpenAPI 3.1 document of the API, made from the routes, the schemas and the filters. */
export function openApiDocument(): Json {
  const { version, description } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Merchant customers', version, description },
    paths,
    components: {
      schemas: schemas(),
      responses: RESPONSES,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'Access token whose claim names the merchant. Reading needs scope customers:read, ' +
            'writing customers:write.',
        },
      },
    },
  };
}

function operation(route: (typeof ROUTES)[number]): Json {
  const { summary, parameters, takes, answers, failures } = OPERATIONS[route.function];
  return {
    operationId: camelCase(route.function),
    summary,
    description: `Needs scope ${route.scope}.`,
    security: [{ token: [] }],
    ...(parameters && { parameters }),
    ...(takes && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaRef(takes), example: EXAMPLES[takes] } },
      },
    }),
    responses: {
      ...answers,
      ...mapValues(failures ?? {}, problem),
      ...Object.fromEntries(
        Object.keys(RESPONSES)
          .filter((status) => takes || !ONLY_WITH_BODY.includes(status))
          .map((status) => [status, { $ref: `#/components/responses/${status}` }]),
      ),
    },
  };
}

/** Bodies to begin with, which the page of the local stack fills in. */
const EXAMPLES: Readonly<Partial<Record<SchemaName, unknown>>> = {
  NewCustomer: {
    customerid: '10301',
    name: 'Gläntans Bageri AB',
    address: 'Storgatan 1',
    postcode: '111 20',
    postoffice: 'Stockholm',
    countrycode: 'SE',
    companyno: '556703-7485',
    email: 'faktura@glantans-bageri.example',
  },
  CustomerChanges: { email: 'ekonomi@glantans-bageri.example', fax: '' },
  IdsToDelete: [299, '300'],
  IdsToExport: [1, '2'],
};

const ONLY_WITH_BODY = ['413', '415'];

/** What may be answered everywhere, or wherever there is a body, by status. */
const RESPONSES: Readonly<Record<string, Json>> = {
  400: problem('The request is not valid; errors says what is wrong and where.'),
  401: gateway('There is no token, or it is not valid.'),
  403: either("The token lacks the route's scope, or names no merchant."),
  406: problem('Accept allows no media type that this call has.'),
  413: either(`The body is larger than ${MAX_BODY_BYTES} bytes.`),
  415: problem('The body is not JSON in UTF-8.'),
  429: gateway('Too many requests at once; try again shortly.'),
  431: gateway('Request line and headers are larger than 10,240 bytes.'),
  500: either('Something went wrong here; the request id finds it in the logs.'),
  503: {
    ...either('The register is busy or cannot be reached; try again shortly.'),
    headers: {
      'Retry-After': {
        schema: { type: 'integer' },
        description: 'Seconds to wait, from the API itself.',
      },
    },
  },
};

function problem(description: string): Json {
  return { description, content: problemContent() };
}

function gateway(description: string): Json {
  return { description, content: gatewayContent() };
}

/** Answered by the API itself or, before it is asked, by API Gateway. */
function either(description: string): Json {
  return { description, content: { ...problemContent(), ...gatewayContent() } };
}

function problemContent(): Json {
  return { 'application/problem+json': { schema: schemaRef('Problem') } };
}

function gatewayContent(): Json {
  return { 'application/json': { schema: schemaRef('GatewayMessage') } };
}

function mapValues<T>(object: Readonly<Record<string, T>>, change: (value: T) => Json) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
