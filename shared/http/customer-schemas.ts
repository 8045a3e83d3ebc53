import * as v from 'valibot';
import { type CustomerTexts, merge } from '../domain/customer.ts';
import { FIELDS, type Field } from '../domain/fields.ts';

/**
 * Characters that XML 1.0 cannot hold (section 2.2) and no other part of an export can carry
 * faithfully: controls other than tab, line feed and carriage return, and U+FFFE and U+FFFF. Also
 * U+FFFD: it stands where a letter was lost, as in a body that is not UTF-8 by the time that API
 * Gateway has made text of it, and what is lost is not to be stored as if nothing were.
 */
const FORBIDDEN_CHARACTERS = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffd-\\uffff';
const FORBIDDEN = new RegExp(`[${FORBIDDEN_CHARACTERS}]`);

/** Regular expression, without its slashes, of texts that have none of those. */
export const TEXT_PATTERN = `^[^${FORBIDDEN_CHARACTERS}]*$`;

/** The members a body may have. */
export const MembersSchema = v.strictObject(
  // Without a prototype, so that `constructor` or `__proto__` in a body is as unknown as any.
  Object.assign(
    Object.create(null) as Record<string, v.GenericSchema>,
    Object.fromEntries(FIELDS.map((field) => [field.name, fieldSchema(field)])),
  ),
  ({ expected, received }) =>
    expected === 'never' ? 'is not a field of a customer' : `must be an object, not ${received}`,
);

/** Body of a new customer. Read-only members are ignored. */
export const NewCustomerSchema = v.pipe(
  v.unknown(),
  // An array is an object as well, and an empty one would pass for a customer with nothing set.
  v.check((body) => !Array.isArray(body), 'must be an object, not an array'),
  MembersSchema,
  v.transform((body) => body as CustomerTexts),
);

const READ_ONLY = FIELDS.filter((field) => field.readOnly).map((field) => field.name);

/** The texts of a body that fits {@link NewCustomerSchema}, without read-only members. */
export function textsOf(body: CustomerTexts): CustomerTexts {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !READ_ONLY.includes(name)));
}

/** The texts of a new customer: {@link textsOf} without the empty ones. */
export function newTexts(body: CustomerTexts): CustomerTexts {
  return merge({}, textsOf(body));
}

function fieldSchema(field: Field): v.GenericSchema {
  if (field.readOnly) return v.optional(v.unknown());
  return v.optional(
    v.pipe(
      v.string(({ received }) => `must be a string, not ${received}`),
      v.check(
        (text) => text.length <= field.maxLength || [...text].length <= field.maxLength,
        `must have at most ${field.maxLength} characters`,
      ),
      v.check((text) => text.isWellFormed(), 'must not contain half of a surrogate pair'),
      v.check(
        (text) => !FORBIDDEN.test(text),
        ({ input }) => `must not contain ${nameOf(FORBIDDEN.exec(input)?.[0])}`,
      ),
    ),
  );
}

function nameOf(character = ''): string {
  if (character === '\ufffd') return 'U+FFFD, the mark of a lost character; send UTF-8';
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `the character U+${code}, which XML cannot carry`;
}
