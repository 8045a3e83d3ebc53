import organisationsnummer from 'organisationsnummer';
import personnummer from 'personnummer';

/** Merchant for whom the first local start creates the sample customers. */
export const SAMPLE_MERCHANT = '1001';

/** Name of a sample customer, as an example of a search. */
export const SAMPLE_NAME = 'Åsa Björklund';

const CUSTOMER_COUNT = 300;

const WOMEN = 'Åsa Märta Elin Ebba Görel Karin Saga Fatima Lovisa Anna Zahra'.split(' ');
const MEN = 'Örjan Erik Göran Lars Håkan Nils Björn Ali Viktor Pär Åke Émile'.split(' ');
const SURNAMES =
  'Björklund Andersson Åkesson Lindström Öberg Sjöberg Hansson Ekström Wallin Ängquist Haddad Nyström Söderlund'.split(
    ' ',
  );
const STREETS =
  'Storgatan,Björkvägen,Skolgatan,Ängsvägen,Kungsgatan,Åkervägen,Kyrkogatan,Östra Ågatan,Tallstigen,Järnvägsgatan,Ringvägen'.split(
    ',',
  );
const TOWNS = `111 20 Stockholm,118 46 Stockholm,169 70 Solna,172 66 Sundbyberg,411 03 Göteborg,
431 30 Mölndal,211 20 Malmö,223 50 Lund,252 21 Helsingborg,753 20 Uppsala,582 22 Linköping,
602 23 Norrköping,553 16 Jönköping,352 30 Växjö,392 31 Kalmar,371 30 Karlskrona,302 42 Halmstad,
503 30 Borås,541 30 Skövde,652 24 Karlstad,702 11 Örebro,722 11 Västerås,632 20 Eskilstuna,
791 30 Falun,803 20 Gävle,852 30 Sundsvall,831 30 Östersund,871 30 Härnösand,903 26 Umeå,
931 30 Skellefteå,972 31 Luleå,981 30 Kiruna,621 56 Visby`.split(/,\s*/);
const FIRMS = 'Norrskenets,Björkens,Ängslyckans,Ekorrens,Älvstrandens,Tallkottens,Gläntans'.split(
  ',',
);
const BUILDING_TRADES = ['Bygg', 'Måleri', 'Rör', 'Snickeri'];
const TRADES = [...BUILDING_TRADES, 'Bageri', 'Redovisning', 'Trädgård', 'Åkeri', 'Städ'];
const NOTES = [
  'Vill ha faktura på papper, även påminnelser.',
  'Ring före leverans: porten är låst efter kl. 17.',
  'Avtal om samfakturering;\nspecifikation per arbetsställe.',
  'Kontakta "Åsa på ekonomi" vid frågor.',
];

/**
 * Returns a few hundred invented customers, always the same: persons, companies and some of unknown
 * kind. Numbers of persons are test numbers of Skatteverket (serials 980 to 999), those of companies
 * are valid but not in use, telephone numbers are those that PTS reserves for fiction, and the mail
 * domains are reserved (RFC 2606). The postcodes are real.
 */
export function sampleCustomers(): Record<string, string>[] {
  return Array.from({ length: CUSTOMER_COUNT }, (_, index) => ({
    customerid: String(10_001 + index),
    ...addressFields(index),
    countrycode: 'SE',
    country: 'Sverige',
    currency: 'SEK',
    language: 'sv',
    ...identityFields(index),
    ...(index % 8 === 3 && { notes: pick(NOTES, index >> 3) }),
  }));
}

function identityFields(index: number): Record<string, string> {
  if (index % 5 === 2 || index % 5 === 4) return company(index);
  // Some have no number, so that their kind is unknown.
  return index % 20 === 11 ? { ...person(index), companyno: '' } : person(index);
}

function person(index: number): Record<string, string> {
  const isMan = index % 2 === 1;
  const firstName = pick(isMan ? MEN : WOMEN, index >> 1);
  const name = `${firstName} ${pick(SURNAMES, index)}`;
  const birthday = `${1940 + ((index * 7) % 65)}${twoDigits(1 + ((index * 5) % 12))}${twoDigits(1 + ((index * 11) % 28))}`;
  const serial = 980 + ((index * 2) % 20) + (isMan ? 1 : 0);
  return {
    name,
    companyno: withCheckDigit(`${birthday}-${serial}`, (text) => personnummer.valid(text)),
    mobile: `070-174 06 ${twoDigits(5 + (index % 95))}`,
    email: `${slug(name, '.')}@example.com`,
    paymentterms: '14',
    ...(index % 10 === 5 && { propertydesignation: `${pick(FIRMS, index)} ${1 + (index % 9)}:12` }),
    ...(index % 6 === 1 && { sendByPostOnly: '1' }),
  };
}

function company(index: number): Record<string, string> {
  const trade = pick(TRADES, index);
  const firm = `${pick(FIRMS, index >> 1)} ${trade}`;
  const number = withCheckDigit(
    `5599${twoDigits((index * 7) % 100)}-${String((index * 37) % 1_000).padStart(3, '0')}`,
    (text) => organisationsnummer.valid(text),
  );
  const digits = number.replace('-', '');
  const domain = `${slug(firm, '-')}.example`;
  const buyer = `${pick(index % 2 ? MEN : WOMEN, index >> 2)} ${pick(SURNAMES, index >> 1)}`;
  return {
    name: `${firm} AB`,
    companyno: number,
    vatregno: `SE${digits}01`,
    telephone: `08-465 004 ${twoDigits(index % 100)}`,
    email: `faktura@${domain}`,
    reference: buyer,
    reference_order: buyer,
    email_order: `${slug(buyer, '.')}@${domain}`,
    paymentterms: '30',
    creditlimit: String(10_000 * (1 + (index % 20))),
    ...(BUILDING_TRADES.includes(trade) && { reversetax: '1' }),
    ...(index % 3 === 0 && { crediflowPartyId: `0007:${digits}` }),
    ...(index % 4 === 0 && deliveryFields(index)),
  };
}

function addressFields(index: number): Record<string, string> {
  const [postcode, town] = postcodeAndTown(index);
  return { address: streetAddress(index), postcode, postoffice: town };
}

function deliveryFields(index: number): Record<string, string> {
  const [postcode, town] = postcodeAndTown(index + 7);
  return {
    deliveryname: 'Godsmottagningen',
    deliveryaddress: streetAddress(index + 3),
    deliverypostcode: postcode,
    deliverypostoffice: town,
    deliverycountrycode: 'SE',
    deliverycountry: 'Sverige',
  };
}

function postcodeAndTown(index: number): [postcode: string, town: string] {
  const text = pick(TOWNS, index);
  return [text.slice(0, 6), text.slice(7)];
}

function streetAddress(index: number): string {
  const entrance = index % 4 === 1 ? ` ${pick(['A', 'B', 'C'], index)}` : '';
  return `${pick(STREETS, index)} ${1 + ((index * 13) % 98)}${entrance}`;
}

/** Returns the number with the check digit that makes it valid. */
function withCheckDigit(number: string, isValid: (text: string) => boolean): string {
  return Array.from({ length: 10 }, (_, digit) => `${number}${digit}`).find((text) =>
    isValid(text),
  ) as string;
}

/** Returns the local part of a mail address for a name: `asa.oberg` for `Åsa Öberg`. */
function slug(text: string, separator: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll(' ', separator);
}

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
