/** One field of a customer, as the API names it. */
export interface Field {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  /** Set by the register; ignored in a request's body. */
  readonly readOnly: boolean;
  /** Whether every response carries the field, also if it is unset. */
  readonly always: boolean;
  /** Value of the unset field in responses and exports, of the same type as a set one. */
  readonly unset: '' | 0;
  /** Maximum characters (Unicode code points); 0 for fields that are not text. */
  readonly maxLength: number;
}

const MAX_LENGTH = 255;
const MAX_LENGTH_LONG = 10_000;

/**
 * All fields of a customer, in the order of responses and exports: the 55 documented ones, then
 * four that real records carry and that are returned only if set.
 *
 * Schemas, CSV, XML, XSD and OpenAPI are derived from this table.
 */
export const FIELDS = [
  systemField('mexcParamvaluesetsid', 'integer'),
  systemField('date', 'date'),
  text('customerid'),
  text('name'),
  text('address'),
  text('postcode'),
  text('postoffice'),
  text('state'),
  text('countrycode'),
  text('telephone'),
  text('fax'),
  text('mobile'),
  text('deliveryaddress'),
  text('deliverypostcode'),
  text('deliverypostoffice'),
  text('email'),
  text('reference'),
  text('companyno'),
  text('vatregno'),
  text('paymentterms'),
  text('rebate'),
  text('currency'),
  text('language'),
  text('export'),
  text('handlingcharge'),
  text('reversetax'),
  systemField('mexcModulesid', 'integer'),
  systemField('mm3servicesid', 'integer'),
  text('country'),
  text('creditlimit'),
  text('customertypecode'),
  text('deliveryterms'),
  text('deliverymethod'),
  text('deliveryname'),
  text('deliveryaddress2'),
  text('deliverycountrycode'),
  text('deliverycountry'),
  text('profile'),
  text('name2'),
  text('address2'),
  text('propertydesignation'),
  text('housingassociationregno'),
  text('status'),
  text('statuslog', { maxLength: MAX_LENGTH_LONG }),
  text('longitude'),
  text('latitude'),
  text('glncode'),
  text('reference_order'),
  text('email_order'),
  text('reference_offer'),
  text('email_offer'),
  text('notes', { maxLength: MAX_LENGTH_LONG }),
  text('origin'),
  text('pricelist'),
  text('crediflowPartyId'),
  text('internalCreditLimit', { always: false }),
  text('internalRegressLimit', { always: false }),
  text('sendByPostOnly', { always: false }),
  text('dontSendEFaktura', { always: false }),
] as const satisfies readonly Field[];

type AnyField = (typeof FIELDS)[number];

/** Name of a field. */
export type FieldName = AnyField['name'];
/** Name of a field that the register sets. */
export type SystemFieldName = Extract<AnyField, { readOnly: true }>['name'];
/** Name of a field that a merchant writes. */
export type WritableFieldName = Extract<AnyField, { readOnly: false }>['name'];

/** The fields that a merchant writes: all strings. */
export const WRITABLE_FIELDS = FIELDS.filter(isWritable);

/** Members that a caller can choose: the fields, and what the register records of writes. */
export const READABLE_NAMES: readonly string[] = [
  ...FIELDS.map(({ name }) => name),
  'version',
  'updated',
];

/** Returns the fields with these names, in their order; without names all fields, in theirs. */
export function fieldsNamed(names?: readonly FieldName[]): readonly AnyField[] {
  return names
    ? names.map((name) => FIELDS.find((field) => field.name === name) as AnyField)
    : FIELDS;
}

/** Whether a merchant writes the field. */
export function isWritable(field: AnyField): field is Extract<AnyField, { readOnly: false }> {
  return !field.readOnly;
}

function systemField<const N extends string, const T extends 'integer' | 'date'>(name: N, type: T) {
  const unset = type === 'integer' ? 0 : '';
  return { name, type, readOnly: true, always: true, unset, maxLength: 0 } as const;
}

function text<const N extends string>(
  name: N,
  { always = true, maxLength = MAX_LENGTH }: { always?: boolean; maxLength?: number } = {},
) {
  return { name, type: 'string', readOnly: false, always, unset: '', maxLength } as const;
}
