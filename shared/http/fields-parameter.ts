import * as v from 'valibot';
import { READABLE_NAMES } from '../domain/fields.ts';
import { commaSeparated, suggestion } from './validation.ts';

/** Query parameter with the members of a customer that a response has. */
export const fieldsParameter = commaSeparated(() =>
  v.pipe(
    v.array(v.picklist(READABLE_NAMES, ({ input }) => unknownField(String(input)))),
    v.minLength(1),
    v.transform((names): ReadonlySet<string> => new Set(names)),
  ),
);

/** Description of {@link fieldsParameter} for the OpenAPI document. */
export const FIELDS_DESCRIPTION =
  'Members of each customer; mexcParamvaluesetsid is always there. Besides the fields of a customer ' +
  'these are version, the number in its entity tag, and updated, the time of its last change. ' +
  'Default: every field, without these two.';

/** Example of {@link fieldsParameter}. */
export const FIELDS_EXAMPLE = ['mexcParamvaluesetsid', 'name', 'version'];

function unknownField(name: string): string {
  const known = suggestion(name, READABLE_NAMES) ?? `known are ${READABLE_NAMES.join(', ')}`;
  return `names ${name || 'nothing'}, which is no member of a customer; ${known}`;
}
