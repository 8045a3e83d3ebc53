// Companies that do not exist, in the response formats of the public registers.

/** In the format of Bolagsverket's API for high-value datasets. */
export const SWEDISH = [
  swedish('5599876546', 'Ljungby Påhittade Skruv AB', 'Uppdiktade vägen 1', '34131', 'LJUNGBY'),
  // A firm with two names, of which the later is valid; the other row is of the former owner.
  {
    ...swedish('9699876547', 'Gamla Fantasi Handelsbolag', 'Box 12', '10465', 'STOCKHOLM'),
    avregistreradOrganisation: { avregistreringsdatum: '2015-04-30' },
  },
  {
    ...swedish('9699876547', 'Nya Fantasi Handelsbolag', 'Box 12', '10465', 'STOCKHOLM'),
    organisationsnamn: {
      organisationsnamnLista: [
        swedishName('Fantasi Service', 'SARSKILT_FORETAGSNAMN', '2020-01-02'),
        swedishName('Fantasi Handelsbolag', 'FORETAGSNAMN', '2015-05-01'),
        swedishName('Nya Fantasi Handelsbolag', 'FORETAGSNAMN', '2019-09-01'),
      ],
    },
  },
  {
    ...swedish('5599876553', 'Nedlagda Drömmar AB', 'Sluttampen 9', '90325', 'UMEÅ'),
    verksamOrganisation: { kod: 'NEJ' },
    avregistreradOrganisation: { avregistreringsdatum: '2021-11-30' },
  },
  {
    ...swedish('7699876541', 'Bristande Likviditet Ek. för.', 'Tomgången 2', '75320', 'UPPSALA'),
    pagaendeAvvecklingsEllerOmstruktureringsforfarande: {
      pagaendeAvvecklingsEllerOmstruktureringsforfarandeLista: [
        { kod: 'LI', klartext: 'Likvidation', fromDatum: '2023-02-01' },
        { kod: 'KK', klartext: 'Konkurs', fromDatum: '2024-05-01' },
      ],
    },
  },
  // Its address was not available.
  {
    ...swedish('5599876561', 'Adresslösa Hem AB', '', '', ''),
    postadressOrganisation: {
      postadress: null,
      fel: { typ: 'OTILLGANGLIG_UPPGIFTSKALLA', felBeskrivning: 'Uppgiftskällan är otillgänglig' },
    },
  },
];

function swedish(
  identitetsbeteckning: string,
  namn: string,
  utdelningsadress: string,
  postnummer: string,
  postort: string,
) {
  return {
    organisationsidentitet: {
      identitetsbeteckning,
      typ: { kod: 'ORGANISATIONSNUMMER', klartext: 'Organisationsnummer' },
    },
    organisationsnamn: {
      organisationsnamnLista: [swedishName(namn, 'FORETAGSNAMN', '2012-03-01')],
    },
    organisationsform: { kod: 'AB', klartext: 'Aktiebolag' },
    postadressOrganisation: {
      postadress: { utdelningsadress, postnummer, postort, coAdress: null, land: null },
    },
    verksamOrganisation: { kod: 'JA' },
    avregistreradOrganisation: null,
  };
}

function swedishName(namn: string, kod: string, registreringsdatum: string) {
  return { namn, organisationsnamntyp: { kod, klartext: kod }, registreringsdatum };
}

/** In the format of Enhetsregisteret's API. */
export const NORWEGIAN = [
  {
    ...norwegian('999990010', 'OPPDIKTET FISK AS'),
    postadresse: norwegianAddress(['Postboks 7'], '8901', 'BRØNNØYSUND'),
  },
  { ...norwegian('999990029', 'KONKURS DRØM AS'), konkurs: true },
  {
    organisasjonsnummer: '999990037',
    navn: 'SLETTET FANTASI AS',
    organisasjonsform: { kode: 'AS', beskrivelse: 'Aksjeselskap' },
    slettedato: '2018-06-01',
  },
  {
    ...norwegian('999990061', 'FRIDA FRISØR'),
    organisasjonsform: { kode: 'ENK', beskrivelse: 'Enkeltpersonforetak' },
  },
  {
    ...norwegian('999990045', 'FILIAL I UTLANDET NUF'),
    underAvvikling: true,
    forretningsadresse: {
      ...norwegianAddress(['c/o Fantasi Ltd', '1 Nowhere Street'], '', ''),
      poststed: 'LONDON',
      land: 'Storbritannia',
      landkode: 'GB',
    },
  },
];

function norwegian(organisasjonsnummer: string, navn: string) {
  return {
    organisasjonsnummer,
    navn,
    organisasjonsform: { kode: 'AS', beskrivelse: 'Aksjeselskap' },
    forretningsadresse: norwegianAddress(['Havnegata 1', '2. etasje'], '8900', 'BRØNNØYSUND'),
    registrertIMvaregisteret: true,
    konkurs: false,
    underAvvikling: false,
    underTvangsavviklingEllerTvangsopplosning: false,
  };
}

function norwegianAddress(adresse: string[], postnummer: string, poststed: string) {
  return {
    adresse,
    postnummer,
    poststed,
    kommune: 'BRØNNØY',
    kommunenummer: '1813',
    land: 'Norge',
    landkode: 'NO',
  };
}

/** In the format of the Finnish business information system's API. */
export const FINNISH = [
  {
    businessId: { value: '9999001-5', registrationDate: '2010-05-05' },
    names: [
      {
        name: 'Vanha Keksitty Oy',
        type: '1',
        registrationDate: '2010-05-05',
        endDate: '2016-01-31',
      },
      { name: 'Keksitty Paja Oy', type: '1', registrationDate: '2016-02-01' },
      { name: 'Pajan Puoti', type: '3', registrationDate: '2018-02-01' },
    ],
    addresses: [
      finnishAddress(1, { street: 'Tyhjäkatu', buildingNumber: '12', entrance: 'B' }, '00100'),
      finnishAddress(2, { postOfficeBox: '45' }, '00101'),
    ],
    companyForms: [{ type: '16' }],
  },
  {
    businessId: { value: '9999003-1', registrationDate: '2012-01-01' },
    names: [{ name: 'Pulassa Oleva Oy', type: '1', registrationDate: '2012-01-01' }],
    addresses: [],
    companySituations: [
      { type: 'SANE', registrationDate: '2022-01-01', endDate: '2022-12-31' },
      { type: 'SELTILA', registrationDate: '2023-01-01' },
    ],
  },
  {
    businessId: { value: '9999006-6', registrationDate: '2012-01-01' },
    names: [{ name: 'Tmi Freja Frisör', type: '1', registrationDate: '2012-01-01' }],
    addresses: [],
    companyForms: [{ type: '26' }],
  },
  {
    businessId: { value: '9999002-3', registrationDate: '1999-01-01' },
    names: [{ name: 'Lopetettu Haave Oy', type: '1', registrationDate: '1999-01-01' }],
    companySituations: [],
    addresses: [
      finnishAddress(
        1,
        { street: 'Tyhjäkatu', buildingNumber: '3', apartmentNumber: '4' },
        '00100',
      ),
    ],
    companyForms: [{ type: '16' }],
    endDate: '2020-12-31',
  },
];

/** Returns Bolagsverket's row for an unknown number: each part of it has the error. */
export function unknownSwedish(identitetsbeteckning: string) {
  const nothing = {
    fel: {
      typ: 'ORGANISATION_FINNS_EJ',
      felBeskrivning: 'Den efterfrågade informationen gick inte att hitta.',
    },
  };
  return {
    organisationsidentitet: { identitetsbeteckning },
    organisationsnamn: { organisationsnamnLista: null, ...nothing },
    postadressOrganisation: { postadress: null, ...nothing },
    avregistreradOrganisation: { avregistreringsdatum: null, ...nothing },
  };
}

function finnishAddress(type: number, place: Record<string, string>, postCode: string) {
  return {
    type,
    ...place,
    postCode,
    postOffices: [
      { city: 'HELSINGFORS', languageCode: '2' },
      { city: 'HELSINKI', languageCode: '1' },
    ],
  };
}
