import * as v from 'valibot';
import { FIELDS, type FieldName } from '../shared/domain/fields.ts';
import type { ParameterDescription } from '../shared/http/contract.ts';
import { checked, commaSeparated, oneOf, single, suggestion } from '../shared/http/validation.ts';

const FIELD_NAMES: readonly FieldName[] = FIELDS.map(({ name }) => name);

/** Query parameters with the options of a file with columns. */
export const columnParameters = {
  columns: commaSeparated(() =>
    v.pipe(
      v.array(v.picklist(FIELD_NAMES, ({ input }) => unknownColumn(String(input)))),
      v.minLength(1),
      checked(
        (names) => new Set(names).size === names.length,
        ({ input }) => `names ${input.find((name, index) => input.indexOf(name) < index)} twice`,
        { uniqueItems: true },
      ),
    ),
  ),
  headers: single(() => oneOf(['api', 'sv']), 'api'),
};

/** Descriptions and examples of {@link columnParameters} for the OpenAPI document. */
export const columnDescriptions = () =>
  ({
    columns: [
      'Fields of the file, one a column, in this order. Default: all fields.',
      ['customerid', 'name', 'email'],
    ],
    headers: [
      'Headings of the columns: the names of the fields in the API, or Swedish ones (sv).',
      'sv',
    ],
  }) satisfies Record<keyof typeof columnParameters, ParameterDescription>;

function unknownColumn(name: string): string {
  const known = suggestion(name, FIELD_NAMES) ?? `known are ${FIELD_NAMES.join(', ')}`;
  return `names ${name || 'nothing'}, which is no field of a customer; ${known}`;
}

/** Query parameters with the options of a CSV file. */
export const csvParameters = {
  ...columnParameters,
  delimiter: single(() => oneOf(['comma', 'semicolon']), 'comma'),
  bom: single(
    () =>
      v.pipe(
        oneOf(['true', 'false']),
        v.transform((word) => word === 'true'),
      ),
    false,
  ),
  formulas: single(() => oneOf(['escape', 'keep']), 'escape'),
};

/** Descriptions and examples of {@link csvParameters} for the OpenAPI document. */
export const csvDescriptions = () =>
  ({
    ...columnDescriptions(),
    delimiter: [
      'Separator of the cells; Excel in Swedish settings needs a semicolon.',
      'semicolon',
    ],
    formulas: [
      'escape puts an apostrophe in front of a cell that a spreadsheet could evaluate as a formula; ' +
        'keep leaves all cells as they are, for programs. To undo escape, remove the first character ' +
        'of a cell that begins with one or more apostrophes, then white space or none, then one of ' +
        '= + - @, their full-width forms, tab, line feed or carriage return.',
      'keep',
    ],
    bom: [
      'Whether the file starts with a byte order mark, by which Excel recognises UTF-8.',
      'true',
    ],
  }) satisfies Record<keyof typeof csvParameters, ParameterDescription>;
