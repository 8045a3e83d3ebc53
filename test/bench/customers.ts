import { sampleCustomers } from '../../infra/local/sample-customers.ts';
import type { Customer } from '../../shared/domain/customer.ts';
import { WRITABLE_FIELDS } from '../../shared/domain/fields.ts';

/**
 * How many fields of a customer are set: every documented one (55), few of them (18), or those of
 * typical data (about 1.1 kB as an item), also with long notes (20 kB), or a name alone (200 bytes).
 */
export type Shape = 'full' | 'sparse' | 'typical' | 'large' | 'small';

const SPARSE = `customerid name address postcode postoffice countrycode telephone email reference
companyno paymentterms currency language country customertypecode notes`.split(/\s+/);
const TYPICAL = `customerid name address postcode postoffice countrycode telephone mobile email
reference companyno vatregno paymentterms currency language export handlingcharge country
creditlimit customertypecode deliveryterms deliverymethod deliveryname deliveryaddress
deliverypostcode deliverypostoffice deliverycountrycode deliverycountry reference_order email_order
notes pricelist crediflowPartyId reversetax status`.split(/\s+/);
/** Documented fields, except those that a response contains only if they are set. */
const FULL = WRITABLE_FIELDS.filter(({ always }) => always).map(({ name }) => name);
/** Names of the fields that customers of each shape have. */
export const FIELDS: Readonly<Record<Shape, readonly string[]>> = {
  full: FULL,
  sparse: SPARSE,
  typical: TYPICAL,
  large: TYPICAL,
  small: ['name', 'companyno', 'notes'],
};
const LONG_TEXT = 'Ring före leverans; porten är låst efter klockan 16. '.repeat(175);

/** Values of fields. None looks like a formula, which alternatives escape differently. */
const FILLERS: Readonly<Record<string, string>> = {
  address2: 'Leveransingång på gården',
  companyno: '556703-7485',
  creditlimit: '25000',
  crediflowPartyId: '0007:5567037485',
  customertypecode: 'Company',
  deliveryaddress: 'Godsvägen 12',
  deliveryaddress2: 'Port 3, lastkaj B',
  deliverycountry: 'Sverige',
  deliverycountrycode: 'SE',
  deliverymethod: 'Postpaket',
  deliveryname: 'Godsmottagningen',
  deliverypostcode: '412 63',
  deliverypostoffice: 'Göteborg',
  deliveryterms: 'Fritt vårt lager',
  email: 'kontoret@example.com',
  email_offer: 'offert@example.com',
  email_order: 'order@example.com',
  export: '0',
  fax: '08-465 004 99',
  glncode: '7300009012345',
  handlingcharge: '29',
  housingassociationregno: '769600-0000',
  latitude: '59.329323',
  longitude: '18.068581',
  mobile: '070-174 06 05',
  name2: 'Ekonomiavdelningen',
  notes: 'Vill ha faktura på papper, även påminnelser.',
  origin: 'Webbutiken',
  paymentterms: '30',
  pricelist: 'Återförsäljare',
  profile: 'Standard',
  propertydesignation: 'Björken 4:12',
  rebate: '5',
  reference: 'Märta Öberg',
  reference_offer: 'Örjan Hansson',
  reference_order: 'Åke Söderlund',
  reversetax: '0',
  state: 'Västra Götaland',
  status: 'Aktiv',
  statuslog: '2026-01-15 kreditkontroll utan anmärkning; 2026-02-01 aktiverad & godkänd',
  telephone: '08-465 004 12',
  vatregno: 'SE556703748501',
};

/** Number of different customers of each shape; further ones repeat them with other ids. */
export const VARIETY = 300;
const FIRST_DATE = Date.UTC(2020, 0, 1);
/** Number of customers with the same creation time. */
const AT_ONCE = 100;
const SAMPLES = sampleCustomers();

let lastDate: readonly [second: number, date: string] | undefined;

/** Returns the creation time of a customer, ISO 8601. Times ascend with ids. */
export function dateOf(id: number): string {
  const second = Math.floor(id / AT_ONCE);
  // Called for each customer of a page, mostly with the result of the last call.
  if (lastDate?.[0] !== second) {
    lastDate = [second, new Date(FIRST_DATE + second * 1_000).toISOString()];
  }
  return lastDate[1];
}

/** Returns the customer with an id, from 1. */
export function customerOf(shape: Shape, id: number): Customer {
  const sample = SAMPLES[(id - 1) % VARIETY] ?? {};
  const fields = Object.fromEntries(
    FIELDS[shape].map((name) => [name, sample[name] || FILLERS[name] || name]),
  );
  if (shape === 'large') Object.assign(fields, { notes: LONG_TEXT, statuslog: LONG_TEXT });
  const membership = shape === 'full' ? { mexcModulesid: 7, mm3servicesid: 1042 } : {};
  return {
    system: { mexcParamvaluesetsid: id, date: dateOf(id), ...membership },
    fields,
    version: 1,
    updated: dateOf(id),
  };
}
