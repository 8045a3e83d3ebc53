import type { FieldName } from './fields.ts';

/** What heads the columns of a spreadsheet: the names of the API, or Swedish headings. */
export type HeadingLanguage = 'api' | 'sv';

/**
 * Swedish heading of each field, as in a spreadsheet. Two fields have different ones, also without
 * case, spaces and punctuation, so that a heading names its field.
 */
export const SWEDISH_HEADINGS: Readonly<Record<FieldName, string>> = {
  mexcParamvaluesetsid: 'Id',
  date: 'Skapad',
  customerid: 'Kundnummer',
  name: 'Namn',
  address: 'Adress',
  postcode: 'Postnummer',
  postoffice: 'Ort',
  state: 'Län',
  countrycode: 'Landskod',
  telephone: 'Telefon',
  fax: 'Fax',
  mobile: 'Mobiltelefon',
  deliveryaddress: 'Leveransadress',
  deliverypostcode: 'Leveranspostnummer',
  deliverypostoffice: 'Leveransort',
  email: 'E-post',
  reference: 'Referens',
  companyno: 'Organisationsnummer',
  vatregno: 'Momsregistreringsnummer',
  paymentterms: 'Betalningsvillkor',
  rebate: 'Rabatt',
  currency: 'Valuta',
  language: 'Språk',
  export: 'Export',
  handlingcharge: 'Expeditionsavgift',
  reversetax: 'Omvänd moms',
  mexcModulesid: 'Modul-id',
  mm3servicesid: 'Tjänst-id',
  country: 'Land',
  creditlimit: 'Kreditgräns',
  customertypecode: 'Kundtyp',
  deliveryterms: 'Leveransvillkor',
  deliverymethod: 'Leveranssätt',
  deliveryname: 'Leveransnamn',
  deliveryaddress2: 'Leveransadress 2',
  deliverycountrycode: 'Leveranslandskod',
  deliverycountry: 'Leveransland',
  profile: 'Profil',
  name2: 'Namn 2',
  address2: 'Adress 2',
  propertydesignation: 'Fastighetsbeteckning',
  housingassociationregno: 'Bostadsrättsföreningens organisationsnummer',
  status: 'Status',
  statuslog: 'Statuslogg',
  longitude: 'Longitud',
  latitude: 'Latitud',
  glncode: 'GLN',
  reference_order: 'Referens order',
  email_order: 'E-post order',
  reference_offer: 'Referens offert',
  email_offer: 'E-post offert',
  notes: 'Anteckningar',
  origin: 'Ursprung',
  pricelist: 'Prislista',
  crediflowPartyId: 'E-faktura-id',
  internalCreditLimit: 'Intern kreditgräns',
  internalRegressLimit: 'Intern regressgräns',
  sendByPostOnly: 'Endast post',
  dontSendEFaktura: 'Ingen e-faktura',
};

/** Returns the heading of a field. */
export function headingOf(field: FieldName, language: HeadingLanguage = 'api'): string {
  return language === 'sv' ? SWEDISH_HEADINGS[field] : field;
}
