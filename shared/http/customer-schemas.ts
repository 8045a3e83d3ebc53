import * as v from 'valibot';
import { applyChanges, type CustomerFields } from '../domain/customer.ts';
import {
  CHARACTERS_RULE,
  CONTROLS,
  LENGTH_RULE,
  NONCHARACTERS,
  SURROGATES_RULE,
  type TextRule,
} from '../domain/field-text.ts';
import { type SystemFieldName, WRITABLE_FIELDS, type WritableFieldName } from '../domain/fields.ts';
import { MERGE_PATCH_TYPE } from './media-type.ts';
import { checked, closedObject, eachElement, elementsCheck, single } from './validation.ts';

const ID_MESSAGE = `must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}`;

/** Returns the schema of a customer's id, as a number or as a string of digits. */
function idSchema() {
  const message = `${ID_MESSAGE}, or its digits as a string`;
  return v.union(
    [
      v.pipe(v.number(), v.safeInteger(message), v.minValue(1, message)),
      v.pipe(
        v.string(),
        v.regex(digitsUpTo(Number.MAX_SAFE_INTEGER), message),
        v.transform(Number),
      ),
    ],
    message,
  );
}

/** Returns the schema of a body that names customers by id; duplicates count once. */
export function idsSchema(max: number) {
  const tooMany = `must name at most ${max} customers`;
  return v.pipe(
    // An array of unknown elements would be copied, however long it is.
    v.custom<unknown[]>(Array.isArray, 'must be an array of customer ids'),
    elementsCheck(idSchema(), (length) => (length > max ? tooMany : undefined)),
    v.array(idSchema()),
    v.minLength(1, 'must name at least one customer'),
    // For the document.
    v.maxLength(max, tooMany),
    v.transform((ids) => [...new Set(ids)]),
  );
}

/** Path parameter with a customer's id. */
export const customerIdParameter = single(() =>
  v.pipe(
    v.string(),
    v.regex(/^\d+$/, ID_MESSAGE),
    v.transform(Number),
    v.number(),
    v.safeInteger(ID_MESSAGE),
    v.minValue(1, ID_MESSAGE),
    v.maxValue(Number.MAX_SAFE_INTEGER),
  ),
);

/** Returns the schema of a customerid that names a customer. */
export function customeridSchema() {
  return v.pipe(
    textSchema(MAX_CUSTOMERID_LENGTH),
    checked((text) => text.trim() !== '', 'must not be blank', {
      pattern: `^[^${CONTROLS}]*[^\\s${CONTROLS}][^${CONTROLS}]*$`,
    }),
  );
}

const MAX_CUSTOMERID_LENGTH = WRITABLE_FIELDS.find(({ name }) => name === 'customerid')
  ?.maxLength as number;

/** Returns the schema of a new customer: the set fields. System fields are ignored. */
export function createCustomerSchema() {
  return v.pipe(
    membersSchema(v.unknown(), (maxLength) => textSchema(maxLength)),
    v.transform(({ mexcParamvaluesetsid, ...members }) => applyChanges({}, writable(members))),
  );
}

/** Returns the schema of an array of new customers. */
export function createCustomersSchema(max: number) {
  return v.pipe(
    // An array of unknown elements would be copied, however long it is.
    v.custom<unknown[]>(Array.isArray),
    checked(({ length }) => length > 0, 'must have at least one customer', {
      type: 'array',
      minItems: 1,
    }),
    checked(({ length }) => length <= max, `must have at most ${max} customers`, { maxItems: max }),
    eachElement(createCustomerSchema()),
  );
}

/**
 * Returns the schema of a change: the fields to change, an empty string for one to clear, and the
 * customer's id if it is sent. Other system fields are ignored.
 */
export function updateCustomerSchema() {
  // Clients send null for variables that are not set; a customer must not lose its fields by that.
  const hint = `; an empty string clears it, as null does in ${MERGE_PATCH_TYPE}`;
  const notText = (received: string) => notString(received) + (received === 'null' ? hint : '');
  return changeSchema((maxLength) => textSchema(maxLength, notText));
}

/** Returns the schema of a change as a merge patch (RFC 7396), in which null clears a field. */
export function mergePatchSchema() {
  return changeSchema((maxLength) =>
    v.pipe(
      v.nullable(textSchema(maxLength)),
      v.transform((text) => text ?? ''),
    ),
  );
}

function changeSchema(textOf: TextSchema) {
  return v.pipe(
    membersSchema(idSchema(), textOf),
    v.transform(({ mexcParamvaluesetsid, ...members }) => ({
      mexcParamvaluesetsid,
      changes: writable(members),
    })),
  );
}

/** Returns the schema of a field's text. */
type TextSchema = (maxLength: number) => v.GenericSchema<string | null, string>;

/** Removes the system fields. */
function writable({
  date,
  mexcModulesid,
  mm3servicesid,
  ...fields
}: CustomerFields & { [name in SystemFieldName]?: unknown }): CustomerFields {
  return fields;
}

/** Returns the schema of an object that has members of a customer and no others. */
function membersSchema<const I extends v.GenericSchema>(id: I, textOf: TextSchema) {
  const ignored = v.exactOptional(v.unknown());
  return closedObject(
    {
      ...textMembers(textOf),
      mexcParamvaluesetsid: v.exactOptional(id),
      date: ignored,
      mexcModulesid: ignored,
      mm3servicesid: ignored,
    },
    { one: 'a field of a customer', many: 'fields of a customer' },
    ({ received }) => `must be an object, not ${received}`,
  );
}

/** Returns a schema for each field that a merchant writes. */
function textMembers(textOf: TextSchema) {
  const lengths = new Set(WRITABLE_FIELDS.map(({ maxLength }) => maxLength));
  const schemas = new Map(
    [...lengths].map((length) => [length, v.exactOptional(textOf(length))] as const),
  );
  // `fromEntries` knows no names.
  return Object.fromEntries(
    WRITABLE_FIELDS.map(({ name, maxLength }) => [name, schemas.get(maxLength)]),
  ) as Record<WritableFieldName, ReturnType<typeof schemas.get> & object>;
}

/**
 * The rule of characters for the document, in two patterns: PCRE has no `\u`, and generated PHP clients match a
 * text with the pattern, but pass over `not`.
 */
const ALLOWED_TEXT = {
  pattern: `^[^${CONTROLS}]*$`,
  not: { type: 'string', pattern: `[${NONCHARACTERS}]` },
};

/** @param notText returns the message about a value of another type. */
function textSchema(maxLength: number, notText = notString) {
  const rule = ({ allows, detail }: TextRule, jsonSchema: Readonly<Record<string, unknown>> = {}) =>
    checked<string>(
      (text) => allows(text, maxLength),
      ({ input }) => detail(input, maxLength),
      jsonSchema,
    );
  return v.pipe(
    v.string(({ received }) => notText(received)),
    rule(LENGTH_RULE, { maxLength }),
    rule(SURROGATES_RULE),
    rule(CHARACTERS_RULE, ALLOWED_TEXT),
  );
}

function notString(received: string): string {
  return `must be a string, not ${received}`;
}

/** Returns the pattern of an integer from 1 to `max` in digits, as JSON Schema can express it. */
function digitsUpTo(max: number): RegExp {
  const digits = String(max);
  const smaller = [...digits].flatMap((digit, index) => {
    const least = index === 0 ? 1 : 0;
    const rest = `[0-9]{${digits.length - index - 1}}`;
    const isLeast = Number(digit) === least;
    return isLeast ? [] : `${digits.slice(0, index)}[${least}-${Number(digit) - 1}]${rest}`;
  });
  const shorter = `[1-9][0-9]{0,${digits.length - 2}}`;
  return new RegExp(`^0*(?:${[shorter, ...smaller, digits].join('|')})$`);
}
