/** One field of a customer, as the API names it. */
export interface Field {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  /** Set by the register; ignored in a request's body. */
  readonly readOnly: boolean;
  /** Whether every answer carries it, as an empty string where unset. */
  readonly always: boolean;
  /** Most characters (Unicode code points) a value may have; 0 for fields that are not text. */
  readonly maxLength: number;
}

const MAX_LENGTH = 255;
const MAX_LENGTH_LONG = 10_000;

/**
 * All fields of a customer, in the order in which they are answered and exported: the 55
 * documented ones, then four that real records carry, answered only where they are set.
 *
 * This table is the one source of the fields: the schema, CSV, XML, XSD and OpenAPI follow it.
 */
export const FIELDS: readonly Field[] = [
  { name: 'mexcParamvaluesetsid', type: 'integer', readOnly: true, always: true, maxLength: 0 },
  { name: 'date', type: 'date', readOnly: true, always: true, maxLength: 0 },
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
  { name: 'mexcModulesid', type: 'integer', readOnly: true, always: true, maxLength: 0 },
  { name: 'mm3servicesid', type: 'integer', readOnly: true, always: true, maxLength: 0 },
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
];

/** The fields a merchant writes: all strings. */
export const WRITABLE_FIELDS = FIELDS.filter((field) => !field.readOnly);

function text(name: string, options: { always?: boolean; maxLength?: number } = {}): Field {
  const { always = true, maxLength = MAX_LENGTH } = options;
  return { name, type: 'string', readOnly: false, always, maxLength };
}
