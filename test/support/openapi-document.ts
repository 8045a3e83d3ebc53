import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

const FILE = join(import.meta.dirname, '../../shared/openapi.json');

/** The OpenAPI document, as it is checked in. */
export const document = JSON.parse(readFileSync(FILE, 'utf8'));

const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
ajvFormats.default(ajv);
// The top-level keywords of OpenAPI are no JSON Schema; only the schemas are compiled.
ajv.addVocabulary([
  'openapi',
  'info',
  'servers',
  'tags',
  'x-tagGroups',
  'paths',
  'components',
  'discriminator',
]);
ajv.addSchema(document, 'api');

const validators = new Map<string, ValidateFunction>();

/** Returns the errors of a value by the schema at a JSON pointer of the document. */
export function errorsBy(pointer: string, value: unknown) {
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: `api#${pointer}` });
  validators.set(pointer, validate);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** Returns a part of the document, with references resolved, and its JSON pointer. */
export function at(...keys: (string | number)[]) {
  let value = document;
  let pointer = '';
  for (const key of keys) {
    value = value?.[key];
    // The pointer is used as a URI fragment, in which braces and percent signs are encoded.
    pointer += `/${encodeURIComponent(String(key).replaceAll('~', '~0').replaceAll('/', '~1'))}`;
    if (value?.$ref) {
      pointer = value.$ref.slice(1);
      value = pointer.split('/').reduce((object, part) => (part ? object[part] : object), document);
    }
  }
  return { value, pointer };
}

/** The documented parts of a response; the body is parsed JSON, or '' if there is none. */
export interface ResponseParts {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: unknown;
}

const PROBLEM_TYPE = 'application/problem+json';

/** The example of a media type, or its examples. */
interface Examples {
  readonly example?: { readonly type: string };
  readonly examples?: Readonly<Record<string, { readonly value: { readonly type: string } }>>;
}

/** Returns how a response deviates from the documented operation. */
export function deviations(
  method: string,
  path: string,
  { status, headers, body }: ResponseParts,
): string[] {
  const response = ['paths', path, method.toLowerCase(), 'responses', status] as const;
  const { value: documented } = at(...response);
  if (!documented) return [`status ${status} is not documented`];
  const missing = Object.entries<{ required?: boolean }>(documented.headers ?? {})
    .filter(([name, { required }]) => required && !headers.get(name))
    .map(([name]) => `header ${name} is missing`);
  if (body === '') return documented.content ? [...missing, 'the body is missing'] : missing;
  const type = headers.get('content-type') ?? '';
  if (!documented.content?.[type]) return [...missing, `type ${type} is not documented`];
  const { pointer } = at(...response, 'content', type, 'schema');
  const own = document.paths[path][method.toLowerCase()].responses[status];
  const errors = errorsBy(pointer, body).map((error) => `${error.instancePath} ${error.message}`);
  return [...missing, ...errors, ...undocumentedTypes(own, type, body)];
}

/**
 * Returns the type of a problem if it is in none of the documented examples of the response.
 *
 * @param reference of a response that all operations have; its example has one type of several.
 */
function undocumentedTypes(
  { $ref: reference, content }: { $ref?: string; content?: Record<string, Examples> },
  type: string,
  body: unknown,
): string[] {
  const { type: problem } = body as { type?: string };
  if (reference || type !== PROBLEM_TYPE) return [];
  const { example, examples = {} } = content?.[type] ?? {};
  const values = [{ value: example }, ...Object.values(examples)].map(({ value }) => value?.type);
  return values.includes(problem) ? [] : [`problem type ${problem} is in no example`];
}
