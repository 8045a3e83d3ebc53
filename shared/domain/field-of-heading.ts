import { SWEDISH_HEADINGS } from './field-headings.ts';
import { FIELDS, type FieldName } from './fields.ts';
import { fold } from './fold.ts';

/** Other headings by which spreadsheets and other systems name a field. */
const ALIASES: Readonly<Partial<Record<FieldName, readonly string[]>>> = {
  customerid: ['Kundnr', 'Kund nr', 'Kund-id', 'Customer number', 'Customer no'],
  name: ['Kundnamn', 'Företagsnamn', 'Customer name', 'Company name'],
  address: ['Gatuadress', 'Utdelningsadress', 'Adress 1', 'Street', 'Address 1'],
  postcode: ['Postnr', 'Zip', 'Zip code', 'Postal code'],
  postoffice: ['Postort', 'Stad', 'City', 'Town'],
  state: ['Region', 'Delstat'],
  countrycode: ['Landkod'],
  telephone: ['Tel', 'Tfn', 'Telefonnummer', 'Telefonnr', 'Telefon 1', 'Phone', 'Phone number'],
  fax: ['Faxnummer', 'Telefax'],
  mobile: ['Mobil', 'Mobilnummer', 'Mobilnr', 'Mobiltel', 'Mobile phone', 'Cell phone'],
  deliverypostcode: ['Leveranspostnr'],
  deliverypostoffice: ['Leveranspostort'],
  email: ['E-postadress', 'E-mail', 'E-mailadress', 'Mejl', 'Mail', 'Epost', 'Email address'],
  reference: ['Er referens', 'Kontaktperson', 'Kontakt'],
  companyno: ['Org.nr', 'Orgnummer', 'Organisationsnr', 'Org/persnr', 'Personnummer', 'Persnr'],
  vatregno: [
    'Momsregnr',
    'Momsreg.nr',
    'Momsnummer',
    'VAT-nummer',
    'VAT-nr',
    'VAT number',
    'VAT no',
  ],
  paymentterms: ['Betalvillkor', 'Payment terms'],
  creditlimit: ['Kreditlimit', 'Credit limit'],
  glncode: ['GLN-kod', 'GLN-nummer', 'GLN-nr'],
  notes: ['Anteckning', 'Notering', 'Noteringar', 'Kommentar', 'Note', 'Comments'],
  pricelist: ['Price list'],
};

/** What heads a column of each field. */
export const HEADINGS_OF_FIELDS: ReadonlyMap<FieldName, readonly string[]> = new Map(
  FIELDS.map(({ name }) => [name, [name, SWEDISH_HEADINGS[name], ...(ALIASES[name] ?? [])]]),
);

const FIELDS_BY_HEADING = new Map(
  [...HEADINGS_OF_FIELDS].flatMap(([name, headings]) =>
    headings.map((heading) => [keyOf(heading), name] as const),
  ),
);

/**
 * Headings that are no fields and are ignored: members of the API's responses, and what a file of
 * rejected rows says of its rows.
 */
const IGNORED = new Set(
  ['version', 'updated', 'etag', 'radnummer', 'kolumn', 'fel', 'row', 'column', 'error'].map(keyOf),
);

/**
 * Returns the field that a column's heading names: by its name in the API, the Swedish heading or an
 * alias, whatever its case, accents, spaces and punctuation.
 */
export function fieldOfHeading(heading: string): FieldName | undefined {
  return FIELDS_BY_HEADING.get(keyOf(heading));
}

/** Returns whether a column is of those that a file of ours has beside the fields. */
export function isIgnoredHeading(heading: string): boolean {
  return IGNORED.has(keyOf(heading));
}

/** Returns a heading in the form in which headings are compared. */
function keyOf(heading: string): string {
  return fold(heading).replace(/[^\p{L}\p{N}]/gu, '');
}
