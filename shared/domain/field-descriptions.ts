import type { FieldName } from './fields.ts';

/** What the documents say of a field. */
export interface FieldDescription {
  /** One sentence. */
  readonly description: string;
  /** A value as a response has it. */
  readonly example: string | number;
}

/**
 * Description and example of each field. Together they are one customer, the example of the OpenAPI
 * document.
 *
 * Apart from `fields.ts`, so that the functions' bundles have no prose: the documents import
 * this file, and nothing else does.
 */
export const FIELD_DESCRIPTIONS: Readonly<Record<FieldName, FieldDescription>> = {
  mexcParamvaluesetsid: field(
    "The customer's id, unique within the merchant; the register sets it.",
    1000,
  ),
  date: field(
    'Time of creation in UTC, ISO 8601; the register sets it.',
    '2022-08-07T15:50:57.000Z',
  ),
  customerid: field("The merchant's own number of the customer; search finds it.", '10301'),
  name: field('Name of the person or company; search finds it.', 'Gläntans Bageri AB'),
  address: field('Street address; search finds it.', 'Storgatan 1'),
  postcode: field(
    'Postcode, with or without its space; search finds it, and a look-up by number returns it as zip.',
    '111 20',
  ),
  postoffice: field('Town of the postcode; search finds it.', 'Stockholm'),
  state: field('State, province or region of the address.', 'Stockholms län'),
  countrycode: field('Country of the address as a two-letter code (ISO 3166-1 alpha-2).', 'SE'),
  telephone: field('Telephone number.', '08-465 004 02'),
  fax: field('Fax number.', '08-465 004 03'),
  mobile: field(
    'Mobile telephone number; a look-up by number prefers it to telephone.',
    '070-174 06 05',
  ),
  deliveryaddress: field('Street address for deliveries.', 'Bagargatan 4'),
  deliverypostcode: field('Postcode for deliveries.', '111 21'),
  deliverypostoffice: field('Town of the postcode for deliveries.', 'Stockholm'),
  email: field('E-mail address.', 'faktura@glantans-bageri.example'),
  reference: field("The customer's reference: a person or a cost centre.", 'Åsa Björklund'),
  companyno: field(
    'Identity number of the company or person; search and look-ups find it, and the kind of the customer follows from it if customertypecode names none.',
    '556703-7485',
  ),
  vatregno: field('VAT registration number.', 'SE556703748501'),
  paymentterms: field("Terms of payment in the merchant's own form, such as days.", '30'),
  rebate: field('Discount, such as a percentage.', '5'),
  currency: field('Currency of invoices, such as a three-letter code (ISO 4217).', 'SEK'),
  language: field('Language of invoices, such as a two-letter code (ISO 639-1).', 'sv'),
  export: field('Whether sales to the customer are exports.', '0'),
  handlingcharge: field('Handling charge that is added to invoices.', '29'),
  reversetax: field(
    'Whether the buyer accounts for VAT: 1, true, yes, ja or on, in any case; the filter isReverseTax reads it.',
    '0',
  ),
  mexcModulesid: field(
    'Id of the module that the customer belongs to, from the token that created it; 0 if the token names none.',
    12,
  ),
  mm3servicesid: field(
    'Id of the service that the customer belongs to, from the token that created it; 0 if the token names none.',
    1001,
  ),
  country: field('Country of the address by name.', 'Sverige'),
  creditlimit: field('Highest amount that the customer may owe.', '50000'),
  customertypecode: field(
    'Kind of the customer, such as Privat or Företag; filters by kind read it before companyno.',
    'Företag',
  ),
  deliveryterms: field('Terms of delivery, such as an Incoterm.', 'DAP'),
  deliverymethod: field('Way of delivery.', 'Budbil'),
  deliveryname: field('Name of the recipient of deliveries.', 'Gläntans Bageri, lastkaj'),
  deliveryaddress2: field('Second line of the address for deliveries.', 'Port 2'),
  deliverycountrycode: field(
    'Country of the address for deliveries as a two-letter code (ISO 3166-1 alpha-2).',
    'SE',
  ),
  deliverycountry: field('Country of the address for deliveries by name.', 'Sverige'),
  profile: field("Profile of the customer, in the merchant's own words.", 'Standard'),
  name2: field('Second line of the name.', 'Ekonomiavdelningen'),
  address2: field('Second line of the address.', '2 tr'),
  propertydesignation: field('Property designation (fastighetsbeteckning).', 'Gläntan 1:12'),
  housingassociationregno: field(
    'Organisation number of the housing association (bostadsrättsförening).',
    '769699-9999',
  ),
  status: field("Status of the customer, in the merchant's own words.", 'Aktiv'),
  statuslog: field(
    'Log of changes of the status, up to 10,000 characters.',
    '2022-08-07 Aktiv sedan första ordern',
  ),
  longitude: field('Longitude of the address in degrees.', '18.0686'),
  latitude: field('Latitude of the address in degrees.', '59.3293'),
  glncode: field('Global Location Number (GLN) of the customer.', '7350000000009'),
  reference_order: field("The customer's reference on orders.", 'Elin Öberg'),
  email_order: field('E-mail address for orders.', 'order@glantans-bageri.example'),
  reference_offer: field("The customer's reference on offers.", 'Nils Wallin'),
  email_offer: field('E-mail address for offers.', 'offert@glantans-bageri.example'),
  notes: field(
    'Notes on the customer, up to 10,000 characters.',
    'Ring före leverans: porten är låst efter kl. 17.',
  ),
  origin: field('System or channel from which the customer comes.', 'Webbutik'),
  pricelist: field('Price list that applies to the customer.', 'Grossist'),
  crediflowPartyId: field(
    'Party id in the e-invoice network; a customer who has one receives e-invoices, unless dontSendEFaktura is set.',
    '0007:5567037485',
  ),
  internalCreditLimit: field(
    'Internal credit limit of a record that was moved here; returned if it is set.',
    '40000',
  ),
  internalRegressLimit: field(
    'Internal limit with recourse of a record that was moved here; returned if it is set.',
    '10000',
  ),
  sendByPostOnly: field('Whether invoices go by post alone; returned if it is set.', '0'),
  dontSendEFaktura: field(
    'Whether the customer gets no e-invoices in spite of a crediflowPartyId: 1, true, yes, ja or on, in any case; returned if it is set.',
    '0',
  ),
};

function field(description: string, example: string | number): FieldDescription {
  return { description, example };
}
