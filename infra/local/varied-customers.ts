/**
 * Invented customers in any number, which vary as those of a Swedish merchant do: common names are
 * frequent, and rare ones many.
 */

const FIRST_NAMES =
  `Anna Erik Maria Lars Karin Karl Margareta Anders Elisabeth Per Eva Johan Kristina Nils Birgitta
Jan Ingrid Mikael Linnéa Peter Sofia Hans Marie Lennart Marianne Fredrik Lena Olof Sara Gunnar
Helena Thomas Kerstin Sven Emma Bengt Johanna Daniel Susanne Göran Malin Håkan Åsa Björn Elin Örjan
Ulla Stefan Viktoria Mats Julia Jonas Ebba Ahmed Fatima Ali Zahra Mohammed Amina Alexander Ella Emil
Maja Oskar Alva Hugo Wilma Elias Astrid Axel Saga Viggo Freja Sixten Märta Åke Görel Pär Lovisa
Émile Zoë Jürgen Aino Eero Marta Paweł Agnieszka Goran Jelena Hussein Layla Mehmet Ayşe`.split(
    /\s+/,
  );
const SURNAMES =
  `Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson
Pettersson Jonsson Jansson Hansson Bengtsson Jönsson Lindberg Jakobsson Magnusson Lindström Olofsson
Lindqvist Lindgren Berg Axelsson Bergström Lundberg Lind Lundgren Lundqvist Mattsson Berglund
Fredriksson Sandberg Henriksson Forsberg Sjöberg Ali Wallin Mohamed Engström Eklund Danielsson Håkansson
Lundin Björk Bergman Gunnarsson Wikström Holm Samuelsson Isaksson Fransson Bergqvist Nyström Holmberg
Arvidsson Löfgren Söderberg Nyberg Ahmed Blomqvist Claesson Nordström Hassan Mårtensson Lundström
Eliasson Pålsson Björklund Viklund Sandström Åberg Öberg Haddad Kovačević Nowak Nguyen Yılmaz`.split(
    /\s+/,
  );
/** First and last parts of rarer surnames, such as Hagqvist. */
const SURNAME_STARTS =
  'Ahl Alm Asp Back Berg Björn Blom Bo Brand Bäck Dahl Ed Ek Eng Fager Fors Fur Gran Grön Gull Hag Hall Hav Hed Hell Hjort Hol Häg Kall Kihl Kron Kull Käll Lager Lilje Lind Ljung Lund Löv Malm Mo Mörk Nor Ny Näs Ram Ros Ryd Sand Sjö Skog Sten Ström Stål Sund Svan Söder Tall Thun Torn Ull Vall Vester Vik Väg Åker Ång Ås Älv Äng Öst Öster'.split(
    ' ',
  );
const SURNAME_ENDS =
  'berg ström gren qvist kvist lund man dahl mark stedt holm blad fors vall löf ell én in sten feldt skog strand ros ås'.split(
    ' ',
  );
const STREET_STARTS =
  'Stor Björk Skol Ängs Kungs Åker Kyrko Tall Järnvägs Ring Gran Ek Lind Rönn Hagel Smedje Kvarn Sjö Strand Hamn Nygårds Drottning Klockar Prost Lärk Svan Sten Berg Bruks Fabriks Industri Torg Park Slotts Backa Solros Vallmo Lilje Fågel Häst Oxel Asp Al Hassel Väster Öster Norr Söder Trädgårds Kaptens Gustaf Adolfs Linné Nobel Karl Johans Rådmans Garvar Bagar Skepps Lots Fyr Ljung Blåbärs Hallon Kantarell Skogs Mossa Myr Dals'.split(
    ' ',
  );
const STREET_ENDS = 'gatan vägen stigen gränd backen allén torget slingan gången leden'.split(' ');
/** Towns with the first digits of their postcodes, the larger ones first. */
const TOWNS =
  `11 Stockholm,41 Göteborg,21 Malmö,75 Uppsala,58 Linköping,70 Örebro,72 Västerås,25 Helsingborg,
60 Norrköping,55 Jönköping,90 Umeå,22 Lund,50 Borås,17 Solna,63 Eskilstuna,80 Gävle,85 Sundsvall,
15 Södertälje,65 Karlstad,35 Växjö,30 Halmstad,43 Mölndal,97 Luleå,46 Trollhättan,83 Östersund,
78 Borlänge,79 Falun,39 Kalmar,54 Skövde,29 Kristianstad,37 Karlskrona,93 Skellefteå,45 Uddevalla,
26 Landskrona,59 Motala,62 Visby,57 Nässjö,34 Ljungby,36 Nybro,38 Oskarshamn,40 Kungälv,44 Alingsås,
47 Åmål,52 Ulricehamn,53 Lidköping,56 Huskvarna,61 Nyköping,64 Katrineholm,66 Säffle,67 Arvika,
68 Filipstad,69 Karlskoga,73 Köping,74 Enköping,76 Norrtälje,77 Ludvika,81 Sandviken,82 Hudiksvall,
84 Ånge,86 Timrå,87 Härnösand,88 Sollefteå,89 Örnsköldsvik,91 Vännäs,92 Lycksele,94 Piteå,95 Boden,
96 Jokkmokk,98 Kiruna,13 Nacka,14 Huddinge,16 Bromma,18 Täby,19 Sollentuna,12 Hägersten,23 Trelleborg,
24 Eslöv,27 Ystad,28 Hässleholm,31 Laholm,33 Värnamo,42 Partille,51 Kinna,71 Lindesberg`.split(
    /,\s*/,
  );
const TRADES =
  'Bygg,Måleri,Rör,El,Snickeri,Bageri,Redovisning,Trädgård,Åkeri,Städ,Konsult,Fastigheter,Invest,Data,Design,Reklam,Restaurang,Salong,Bil,Däck,Plåt,Mark,Transport,Förvaltning,Tandvård,Juristbyrå,Kök,Golv,Glas,Lås,Kyl,Media,Musik,Teknik,Trä'.split(
    ',',
  );
const BUILDING_TRADES = new Set(['Bygg', 'Måleri', 'Rör', 'El', 'Snickeri', 'Golv', 'Glas']);
const FORMS = ['AB', 'AB', 'AB', 'AB', 'HB', 'i Sverige AB', '& Co AB', 'Ek. för.'];

/** Test numbers of Skatteverket have serials from here on. */
const FIRST_SERIAL = 980;

/**
 * Returns the customer of an index, always the same.
 *
 * Numbers of persons are test numbers of Skatteverket, those of companies are valid but not in use,
 * telephone numbers are among those that PTS reserves for fiction, and the mail domains are reserved.
 */
export function variedCustomer(index: number): Record<string, string> {
  const random = randomOf(index);
  return {
    customerid: String(10_001 + index),
    ...addressFields(random),
    countrycode: 'SE',
    country: 'Sverige',
    currency: 'SEK',
    language: 'sv',
    ...(random() < 0.4 ? company(random) : person(random)),
  };
}

/** Returns the next number from 0 up to 1. */
type Random = () => number;

function person(random: Random): Record<string, string> {
  const name = `${common(FIRST_NAMES, random)} ${surname(random)}`;
  const day = new Date(Date.UTC(1940, 0, 1 + below(23_000, random)));
  const digits = day.toISOString().slice(2, 10).replaceAll('-', '');
  const nine = `${digits}${FIRST_SERIAL + below(20, random)}`;
  const number = `${day.getUTCFullYear().toString().slice(0, 2)}${digits}-${nine.slice(6)}${checkDigit(nine)}`;
  return {
    name,
    ...(random() < 0.9 && { companyno: number }),
    mobile: `070-174 06 ${twoDigits(5 + below(95, random))}`,
    email: `${slug(name, '.')}${below(100, random)}@example.com`,
    paymentterms: '14',
    ...(random() < 0.2 && { sendByPostOnly: '1' }),
  };
}

function company(random: Random): Record<string, string> {
  const trade = common(TRADES, random);
  const owner = random() < 0.7 ? surname(random) : (common(TOWNS, random).slice(3) as string);
  const firm = `${owner}${owner.endsWith('s') ? '' : 's'} ${trade}`;
  const name = `${firm} ${common(FORMS, random)}`;
  const nine = `5599${String(below(100_000, random)).padStart(5, '0')}`;
  const digits = `${nine}${checkDigit(nine)}`;
  const domain = `${slug(firm, '-')}.example`;
  return {
    name,
    companyno: `${digits.slice(0, 6)}-${digits.slice(6)}`,
    vatregno: `SE${digits}01`,
    telephone: `08-465 004 ${twoDigits(below(100, random))}`,
    email: `faktura@${domain}`,
    reference: `${common(FIRST_NAMES, random)} ${surname(random)}`,
    paymentterms: '30',
    creditlimit: String(10_000 * (1 + below(20, random))),
    ...(BUILDING_TRADES.has(trade) && { reversetax: '1' }),
    ...(random() < 0.35 && { crediflowPartyId: `0007:${digits}` }),
  };
}

function addressFields(random: Random): Record<string, string> {
  const town = common(TOWNS, random);
  const street = `${pick(STREET_STARTS, random)}${common(STREET_ENDS, random)}`;
  const entrance = random() < 0.2 ? ` ${pick(['A', 'B', 'C', 'D'], random)}` : '';
  return {
    address: `${street} ${1 + below(120, random)}${entrance}`,
    postcode: `${town.slice(0, 2)}${below(10, random)} ${below(9, random) + 1}${below(10, random)}`,
    postoffice: town.slice(3),
  };
}

/** A quarter of all have a rare name. */
function surname(random: Random): string {
  if (random() < 0.75) return common(SURNAMES, random);
  return `${pick(SURNAME_STARTS, random)}${pick(SURNAME_ENDS, random)}`;
}

/** Picks one, the first ones more often: a quarter of all are from the first sixteenth. */
function common<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() ** 2 * list.length)] as T;
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[below(list.length, random)] as T;
}

function below(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

/** Returns the local part of a mail address for a name: `asa.oberg` for `Åsa Öberg`. */
function slug(text: string, separator: string): string {
  return text
    .normalize('NFD')
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .toLowerCase()
    .replaceAll(' ', separator);
}

/** Returns the check digit of nine digits (Luhn). */
function checkDigit(nine: string): number {
  let sum = 0;
  for (let index = 0; index < nine.length; index += 1) {
    const product = Number(nine[index]) * (index % 2 === 0 ? 2 : 1);
    sum += product > 9 ? product - 9 : product;
  }
  return (10 - (sum % 10)) % 10;
}

/** Returns a random sequence (mulberry32) of a number. */
function randomOf(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e37_79b1);
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
