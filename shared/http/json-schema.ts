/** A JSON Schema, or another part of the OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** Returns a reference to a named schema of the document. */
export function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** Returns the schema of an object; all of its properties are required unless listed otherwise. */
export function object(
  properties: Readonly<Record<string, Json>>,
  required: readonly string[] = Object.keys(properties),
  additionalProperties = false,
): Json {
  return { type: 'object', properties, required, additionalProperties };
}

/** Returns the schema of an object of one of several named schemas, by the value of a property. */
export function oneOfBy(propertyName: string, names: Readonly<Record<string, string>>): Json {
  const mapping = Object.entries(names).map(([value, name]) => [value, ref(name).$ref]);
  return {
    oneOf: Object.values(names).map(ref),
    discriminator: { propertyName, mapping: Object.fromEntries(mapping) },
  };
}

/** Returns the schema of a text. */
export function text(keywords: Json = {}): Json {
  return { type: 'string', ...keywords };
}

/** Returns the schema of a time, ISO 8601. */
export function time(keywords: Json = {}): Json {
  return { type: 'string', format: 'date-time', ...keywords };
}

/** Returns the schema of a number of things. */
export function count(keywords: Json = {}): Json {
  return { type: 'integer', minimum: 0, ...keywords };
}

/** Returns the schema of a customer's id. */
export function customerId(keywords: Json = {}): Json {
  return { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, ...keywords };
}

/** Returns a response header that is always there, or may be. */
export function header(description: string, required = true, schema: Json = text()): Json {
  return { schema, description, ...(required && { required }) };
}

/** Returns the `ETag` header of a customer. */
export function etagHeader(): Readonly<Record<string, Json>> {
  return { ETag: header("Entity tag of the customer's version.") };
}
