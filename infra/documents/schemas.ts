import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { FIELDS, type Field } from '../../shared/domain/fields.ts';
import { MAX_IDS_DELETED, MAX_IDS_EXPORTED } from '../../shared/domain/limits.ts';
import { MembersSchema, TEXT_PATTERN } from '../../shared/http/customer-schemas.ts';
import { idsSchema } from '../../shared/http/id-schemas.ts';

/** A JSON Schema, or another part of the document. */
export type Json = Readonly<Record<string, unknown>>;

/** Names of {@link schemas}. */
export type SchemaName = keyof ReturnType<typeof schemas>;

/** Reference to one of {@link schemas}. */
export function schemaRef(name: SchemaName): Json {
  return ref(name);
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** Every schema that the document names. */
export function schemas() {
  return {
    Customer: customer(),
    NewCustomer: newCustomer('A new customer. Every member may be left out or empty.'),
    CustomerChanges: newCustomer(
      'The members to change; an empty string clears one, and what is left out stays. ' +
        'mexcParamvaluesetsid, where it is sent, must be that of the path.',
    ),
    IdsToDelete: ids(MAX_IDS_DELETED),
    IdsToExport: ids(MAX_IDS_EXPORTED),
    Count: object({ count: COUNT }),
    Removed: object({ result: { const: 'Removed' }, mexcParamvaluesetsid: ID }),
    RemovedCount: object({
      result: { const: 'Removed' },
      count: { ...COUNT, description: 'How many customers there were to remove.' },
    }),
    ExportedFile: object(EXPORTED_FILE),
    Export: { oneOf: ['RunningExport', 'ReadyExport', 'FailedExport'].map(ref) },
    RunningExport: object(progress('running')),
    ReadyExport: object({ ...progress('ready'), ...EXPORTED_FILE }),
    FailedExport: object({
      ...progress('failed'),
      reason: { ...TEXT, description: 'Why it failed.' },
    }),
    RegisterEntry: registerEntry(),
    Problem: problem(),
    GatewayMessage: {
      ...object({ message: { type: 'string' } }, ['message'], true),
      description: "API Gateway's own answer, given before the API itself is asked.",
    },
  };
}

/** A customer's id. */
export const ID: Json = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

const COUNT: Json = { type: 'integer', minimum: 0 };
const TEXT: Json = { type: 'string' };
const TIME: Json = { ...TEXT, format: 'date-time' };

const EXPORTED_FILE: Readonly<Record<string, Json>> = {
  url: {
    ...TEXT,
    format: 'uri',
    description: 'Where the file can be downloaded, without a token.',
  },
  expires: { ...TIME, description: 'Until when the address works.' },
  filename: TEXT,
  contentType: { ...TEXT, description: "The file's Content-Type." },
  count: { ...COUNT, description: 'How many customers are in the file.' },
  bytes: COUNT,
};

function customer(): Json {
  const required = FIELDS.filter(({ always }) => always).map(({ name }) => name);
  return {
    ...object(Object.fromEntries(FIELDS.map((field) => [field.name, answered(field)])), required),
    description:
      'A customer. An unset member is an empty string; the last four are there only where set.',
  };
}

function answered({ name, type, maxLength }: Field): Json {
  if (type === 'string') return { type, maxLength };
  if (type === 'date') {
    return { type: 'string', format: 'date-time', description: 'Time of creation, in UTC.' };
  }
  if (name === 'mexcParamvaluesetsid') return { ...ID, description: "The customer's id." };
  return { anyOf: [{ type: 'integer', minimum: 0 }, { const: '' }] };
}

/**
 * The body schema as the API checks it. What a text may be is added here, since the API's own
 * checks are code that no converter can read; it counts code points, as JSON Schema does.
 */
function newCustomer(description: string): Json {
  const { properties, ...schema } = fromValibot(MembersSchema) as Json & { properties: object };
  const checked = FIELDS.map(({ name, readOnly, maxLength }) => [
    name,
    readOnly
      ? { description: 'The register sets it, whatever is sent.' }
      : { ...TEXT, maxLength, pattern: TEXT_PATTERN },
  ]);
  return { ...schema, description, properties: { ...properties, ...Object.fromEntries(checked) } };
}

function ids(most: number): Json {
  return {
    ...fromValibot(idsSchema(most)),
    description: 'Ids of customers, as numbers or as digits; one given twice counts once.',
  };
}

function fromValibot(schema: GenericSchema): Json {
  const { $schema: _, ...json } = toJsonSchema(schema, {
    typeMode: 'input',
    // Checks in code and transformations have no form in JSON Schema.
    errorMode: 'ignore',
    target: 'draft-2020-12',
  });
  return json as Json;
}

function progress(state: 'running' | 'ready' | 'failed'): Readonly<Record<string, Json>> {
  return {
    state: { const: state },
    rowsDone: { ...COUNT, description: 'How many customers are in the file by now.' },
    rowsExpected: { ...COUNT, description: 'How many there will be, by estimate.' },
    started: TIME,
    updated: { ...TIME, description: 'When the export last moved.' },
  };
}

function registerEntry(): Json {
  return object({
    firstname: TEXT,
    lastname: TEXT,
    company: TEXT,
    street: TEXT,
    zip: {
      type: ['integer', 'string'],
      description: 'A number where the postcode is digits only, otherwise as it stands.',
    },
    city: TEXT,
    country: { ...TEXT, description: 'ISO 3166-1 alpha-2.' },
    phone: { ...TEXT, description: 'Digits with country code, without +.' },
    email: TEXT,
  });
}

function problem(): Json {
  const place = (where: string, description: string) =>
    object({ [where]: { ...TEXT, description }, detail: TEXT });
  return {
    ...object(
      {
        type: { const: 'about:blank' },
        title: TEXT,
        status: { type: 'integer', minimum: 400, maximum: 599 },
        detail: TEXT,
        errors: {
          type: 'array',
          minItems: 1,
          items: {
            oneOf: [
              place('pointer', 'JSON Pointer into the body; empty for the body as a whole.'),
              place('parameter', 'Name of a query or path parameter.'),
              place('header', 'Name of a header.'),
            ],
          },
        },
        requestId: { ...TEXT, description: 'Finds the request in the logs.' },
      },
      ['type', 'title', 'status', 'detail', 'requestId'],
    ),
    description: 'Problem details (RFC 9457).',
  };
}

/** An object with these members, all required unless said otherwise. */
function object(
  properties: Readonly<Record<string, Json>>,
  required: readonly string[] = Object.keys(properties),
  additionalProperties = false,
): Json {
  return { type: 'object', properties, required, additionalProperties };
}
