import { COMPANY_STATUSES, REGISTERS } from '../../shared/company-registers/company-register.ts';
import type { FunctionName } from '../../shared/routes.ts';
import {
  COUNTRY,
  CSV_FORM,
  EXPORT_ID_IN_PATH,
  FILTERING,
  ID_IN_PATH,
  IDEMPOTENCY_KEY,
  IF_MATCH,
  IF_NONE_MATCH,
  ORG_NUM_IN_PATH,
  PAGE,
} from './parameters.ts';
import { type Json, type SchemaName, schemaRef } from './schemas.ts';

/** What the document says of an endpoint beyond its route. */
interface Operation {
  readonly summary: string;
  readonly parameters?: readonly Json[];
  /** Schema of the body it takes. */
  readonly takes?: SchemaName;
  /** The answers when all goes well, by status. */
  readonly answers: Readonly<Record<number, Json>>;
  /** What may fail here besides what may fail everywhere, by status. */
  readonly failures?: Readonly<Record<number, string>>;
}

const RETRY_AFTER: Json = {
  schema: { type: 'integer' },
  description: 'Seconds after which to ask again, while the export runs.',
};
const NO_CUSTOMER = { 404: 'The merchant has no such customer.' };
const STALE = { 412: 'The customer has been changed since (If-Match).' };

/** Every endpoint by its function. */
export const OPERATIONS: Readonly<Record<FunctionName, Operation>> = {
  'list-customers': {
    summary: 'List customers by ascending id',
    parameters: [...PAGE, ...FILTERING],
    answers: {
      200: {
        ...json('A page of customers.', { type: 'array', items: schemaRef('Customer') }),
        headers: {
          Link: header('The next page (rel="next"), where there is one (RFC 8288).', false),
        },
      },
    },
  },
  'create-customer': {
    summary: 'Create a customer',
    parameters: [IDEMPOTENCY_KEY],
    takes: 'NewCustomer',
    answers: {
      200: {
        ...json('The new customer.', schemaRef('Customer')),
        headers: { ...tagHeader(), Location: header('Path of the customer.') },
      },
    },
    failures: { 422: 'The Idempotency-Key was used with another body.' },
  },
  'delete-customers': {
    summary: 'Delete many customers',
    takes: 'IdsToDelete',
    answers: { 200: json('The customers are gone.', schemaRef('RemovedCount')) },
  },
  'count-customers': {
    summary: 'Count customers',
    parameters: FILTERING,
    answers: { 200: json('How many there are.', schemaRef('Count')) },
  },
  'get-customer': {
    summary: 'Get a customer',
    parameters: [ID_IN_PATH, IF_NONE_MATCH],
    answers: {
      200: { ...json('The customer.', schemaRef('Customer')), headers: tagHeader() },
      304: { description: 'The caller has the customer as it is.', headers: tagHeader() },
    },
    failures: NO_CUSTOMER,
  },
  'update-customer': {
    summary: 'Change fields of a customer',
    parameters: [ID_IN_PATH, IF_MATCH],
    takes: 'CustomerChanges',
    answers: {
      200: { ...json('The customer as it is now.', schemaRef('Customer')), headers: tagHeader() },
    },
    failures: { ...NO_CUSTOMER, ...STALE },
  },
  'delete-customer': {
    summary: 'Delete a customer',
    parameters: [ID_IN_PATH, IF_MATCH],
    answers: { 200: json('The customer is gone.', schemaRef('Removed')) },
    failures: { ...NO_CUSTOMER, ...STALE },
  },
  'search-by-org-number': {
    summary: 'Look a person or company up by organisation number',
    parameters: [ORG_NUM_IN_PATH, COUNTRY],
    answers: {
      200: {
        ...json(
          "Name and address: of the merchant's own customer, or else of the company in the public register of its country, where that is switched on.",
          schemaRef('RegisterEntry'),
        ),
        headers: {
          'Register-Source': {
            schema: { enum: ['own', ...Object.values(REGISTERS)] },
            description: "Who says so: own, the merchant's own customers; or a public register.",
            required: true,
          },
          'Register-Retrieved': {
            schema: { type: 'string', format: 'date-time' },
            description: 'When it was read there.',
            required: true,
          },
          'Register-Status': {
            schema: { enum: [...COMPANY_STATUSES] },
            description: 'What a public register says of the company.',
          },
          'Register-Deregistered': header(
            'Day on which the company was deregistered, if known.',
            false,
          ),
          'Register-Partial': {
            schema: { const: 'true' },
            description: 'The register could not tell all of it at the moment.',
          },
        },
      },
    },
    failures: { 404: 'Neither a customer nor a public register that is asked has this number.' },
  },
  'export-customers-xml': exportOfSelected('XML', FILTERING),
  'export-customers-by-id-xml': exportOfChosen('XML', []),
  'export-customers-csv': exportOfSelected('CSV', [...CSV_FORM, ...FILTERING]),
  'export-customers-by-id-csv': exportOfChosen('CSV', CSV_FORM),
  'get-export': {
    summary: 'Ask how a long export gets on',
    parameters: [EXPORT_ID_IN_PATH],
    answers: {
      200: {
        ...json('The export as far as it has come.', schemaRef('Export')),
        headers: { 'Retry-After': RETRY_AFTER },
      },
    },
    failures: { 404: 'The merchant has no such export, or it is over for a day.' },
  },
};

function exportOf(whom: string, format: 'CSV' | 'XML', parameters: readonly Json[]): Operation {
  const type = { CSV: 'text/csv', XML: 'application/xml' }[format];
  return {
    summary: `Export ${whom} as ${format}`,
    parameters,
    answers: {
      200: json('The file is made.', schemaRef('ExportedFile')),
      303: {
        description: `The file is made; for a caller whose Accept prefers ${type}.`,
        headers: { Location: header('Where the file can be downloaded, without a token.') },
      },
    },
  };
}

function exportOfSelected(format: 'CSV' | 'XML', parameters: readonly Json[]): Operation {
  const { answers, ...operation } = exportOf(
    'all customers that meet the filters',
    format,
    parameters,
  );
  return {
    ...operation,
    answers: {
      ...answers,
      202: {
        ...json('The file takes longer to make, and goes on.', schemaRef('RunningExport')),
        headers: {
          Location: header('Path at which to ask how it gets on.'),
          'Retry-After': { ...RETRY_AFTER, required: true },
        },
      },
    },
  };
}

function exportOfChosen(format: 'CSV' | 'XML', parameters: readonly Json[]): Operation {
  return {
    ...exportOf('chosen customers', format, parameters),
    takes: 'IdsToExport',
    failures: { 404: 'None of these customers exists.' },
  };
}

function tagHeader() {
  return { ETag: header("Entity tag of the customer's version.") };
}

function header(description: string, required = true): Json {
  return { schema: { type: 'string' }, description, ...(required && { required }) };
}

function json(description: string, schema: Json): Json {
  return { description, content: { 'application/json': { schema } } };
}
