import { SWEDISH_HEADINGS } from './field-headings.ts';
import type { FaultParams, MatchField, RowFault } from './import.ts';

/** Languages of the texts about a row's faults. */
export type FaultLanguage = 'sv' | 'en';

/** Codes of what is wrong with a cell or a row of a file. */
export type ReadFaultCode = keyof typeof READ_FAULTS;

type Texts = readonly [
  sv: string | ((params: FaultParams) => string),
  en: string | ((params: FaultParams) => string),
];

const READ_FAULTS = {
  tooLong: [
    ({ maxLength }) => `Texten är för lång. Högst ${maxLength} tecken.`,
    ({ maxLength }) => `The text is too long. The maximum is ${maxLength} characters.`,
  ],
  halfCharacter: [
    'Texten innehåller ett halvt tecken, kanske en avklippt emoji. Skriv om den.',
    'The text has half a character, perhaps of an emoji that was cut. Write it again.',
  ],
  forbiddenCharacter: [
    ({ character }) =>
      `Texten innehåller ett tecken som inte kan sparas (${character}). Skriv om den.`,
    ({ character }) =>
      `The text has a character that cannot be stored (${character}). Write it again.`,
  ],
  undefinedCharacter: [
    'Texten innehåller ett tecken som inte finns i Windows-1252. Spara filen som CSV UTF-8.',
    'The text has a character that Windows-1252 lacks. Save the file as CSV UTF-8.',
  ],
  notAnId: [
    'Id ska vara ett heltal från exporten, eller tomt för en ny kund.',
    'The id must be an integer from the export, or empty for a new customer.',
  ],
  tooManyCells: [
    'Raden har fler celler än det finns rubriker. I en CSV-fil: sätt citattecken om text som innehåller skiljetecknet.',
    'The row has more cells than there are headings. In a CSV file, put quotation marks around text that contains the delimiter.',
  ],
  shortenedNumber: [
    'Kalkylprogrammet har förkortat ett långt nummer (7,3E+12). Formatera kolumnen som text och skriv numret igen.',
    'The spreadsheet has shortened a long number (7.3E+12). Format the column as text and enter the number again.',
  ],
  tooManyDigits: [
    'Kalkylprogram behåller bara 15 siffror i ett tal. Formatera kolumnen som text och skriv numret igen.',
    'Spreadsheets keep only 15 digits of a number. Format the column as text and enter the number again.',
  ],
  spreadsheetError: [
    'Cellen visar ett fel i kalkylprogrammet, till exempel #N/A eller ####. Rätta den.',
    'The cell shows an error of the spreadsheet, such as #N/A or ####. Correct it.',
  ],
  notCalculated: [
    'Formeln är inte beräknad. Öppna filen i ett kalkylprogram och spara den.',
    'The formula is not calculated. Open the file in a spreadsheet and save it.',
  ],
  cut: [
    'Filen tar slut mitt i raden. Hämta eller spara den igen.',
    'The file ends in the middle of the row. Download or save it again.',
  ],
  elementTwice: [
    'Fältet finns två gånger på raden. Ta bort det ena.',
    'The row has the field twice. Remove one.',
  ],
  memberTwice: [
    'Fältet finns två gånger på raden. Ta bort det ena.',
    'The row has the field twice. Remove one.',
  ],
  headingsAgain: [
    'Raden upprepar rubrikerna. Ta bort den.',
    'The row repeats the headings. Remove it.',
  ],
  notObject: [
    'Raden är inte ett JSON-objekt. Skriv en kund per rad, som {"name": "Alm AB"}.',
    'The line is not a JSON object. Write one customer a line, such as {"name": "Alm AB"}.',
  ],
  notText: [
    ({ type }) => `Värdet ska vara en text inom citattecken, inte ${type}.`,
    ({ type }) => `The value must be a text in quotation marks, not ${type}.`,
  ],
} satisfies Record<string, Texts>;

/** Why a row that can be read is not imported. */
const PLAN_FAULTS = {
  noKey: [
    ({ fields }) => `Raden saknar ${fieldsIn('sv', fields)}, som kunden hittas med. Fyll i det.`,
    ({ fields }) =>
      `The row lacks ${fieldsIn('en', fields)}, by which its customer is found. Fill it in.`,
  ],
  noCustomer: [
    (params) =>
      params.field
        ? `Det finns ingen kund med ${keyIn('sv', params)}.`
        : 'Raden anger ingen kund som finns.',
    (params) =>
      params.field
        ? `There is no customer with ${keyIn('en', params)}.`
        : 'The row names no customer that exists.',
  ],
  customerExists: [
    ({ customers }) => `Kunden finns redan (id ${customers}).`,
    ({ customers }) => `The customer exists already (id ${customers}).`,
  ],
  severalCustomers: [
    (params) =>
      `Flera kunder har ${keyIn('sv', params)} (id ${listIn('sv', params.customers)}). Ange vilken med id, eller rätta dem först.`,
    (params) =>
      `Several customers have ${keyIn('en', params)} (ids ${listIn('en', params.customers)}). Name one by its id, or correct them first.`,
  ],
  keysDisagree: [
    (params) => {
      const other = `${otherKeyIn('sv', params)} (id ${listIn('sv', params.customers)})`;
      return params.field
        ? `Raden pekar på olika kunder: ${keyIn('sv', params)}${ownerIn('sv', params)} och ${other}. Rätta den.`
        : `Det finns redan en kund med ${other}, men raden saknar det som kunden hittas med. Fyll i det.`;
    },
    (params) => {
      const other = `${otherKeyIn('en', params)} (id ${listIn('en', params.customers)})`;
      return params.field
        ? `The row names different customers: ${keyIn('en', params)}${ownerIn('en', params)} and ${other}. Correct it.`
        : `There is a customer with ${other} already, but the row lacks what it is found by. Fill it in.`;
    },
  ],
  repeated: [
    (params) => {
      const rows = `Raderna ${listIn('sv', params.rows)}`;
      return params.field
        ? `${rows} har samma ${keyIn('sv', params)}. Behåll en av dem, eller rätta den som är fel.`
        : `${rows} gäller samma kund (id ${params.customers}). Behåll en av dem.`;
    },
    (params) => {
      const rows = `Rows ${listIn('en', params.rows)}`;
      return params.field
        ? `${rows} have the same ${keyIn('en', params)}. Keep one of them, or correct the wrong one.`
        : `${rows} are about the same customer (id ${params.customers}). Keep one of them.`;
    },
  ],
  zerosLost: [
    (params) =>
      `Numret saknar kanske inledande nollor: ingen kund har ${keyIn('sv', params)}, men en har det med nollor (id ${listIn('sv', params.customers)}). Skriv det som text.`,
    (params) =>
      `The number may have lost leading zeros: no customer has ${keyIn('en', params)}, but one has it with zeros (id ${listIn('en', params.customers)}). Enter it as text.`,
  ],
} satisfies Record<string, Texts>;

const TEXTS: ReadonlyMap<string, Texts> = new Map(
  Object.entries({ ...READ_FAULTS, ...PLAN_FAULTS } as Readonly<Record<string, Texts>>),
);

/** Returns the codes of what is wrong with a row, and of why it is ambiguous or skipped. */
export function rowFaultCodes(): string[] {
  return [...TEXTS.keys()];
}

/** Returns what is wrong and what to do, in words for a bookkeeper; the detail of an unknown code. */
export function faultText(
  { code, detail, params = {} }: RowFault,
  language: FaultLanguage,
): string {
  const text = TEXTS.get(code)?.[language === 'sv' ? 0 : 1] ?? detail;
  return typeof text === 'string' ? text : text(params);
}

/** Maximum faults of a row that a person is told at first, or in a cell. */
export const MAX_FAULTS_TOLD = 10;

/** Returns that a row has more faults than are told. */
export function moreFaultsText(count: number, language: FaultLanguage): string {
  if (language === 'sv') return `Och ${count} fel till.`;
  return `And ${count} more error${count === 1 ? '' : 's'}.`;
}

const WORDS = { sv: { and: 'och', or: 'eller' }, en: { and: 'and', or: 'or' } } as const;

type Param = FaultParams[string] | undefined;

/** Returns what a match field is called within a sentence. */
function fieldIn(language: FaultLanguage, field: Param): string {
  if (field === 'mexcParamvaluesetsid') return 'id';
  const heading = language === 'sv' ? SWEDISH_HEADINGS[field as MatchField] : undefined;
  return heading?.toLowerCase() ?? String(field ?? '');
}

function fieldsIn(language: FaultLanguage, fields: Param = ''): string {
  const names = String(fields)
    .split(', ')
    .map((field) => fieldIn(language, field));
  return listIn(language, names.join(', '), 'or');
}

/** Returns a field and its value: what a row names a customer by. */
function keyIn(language: FaultLanguage, { field, value }: FaultParams): string {
  return `${fieldIn(language, field)} ${value}`;
}

function otherKeyIn(language: FaultLanguage, { otherField, otherValue }: FaultParams): string {
  return `${fieldIn(language, otherField)} ${otherValue}`;
}

/** Returns the id of the customer that a key names, unless the key is the id. */
function ownerIn(language: FaultLanguage, { field, customer }: FaultParams): string {
  if (customer === undefined) return language === 'sv' ? ' (ingen kund)' : ' (no customer)';
  return field === 'mexcParamvaluesetsid' ? '' : ` (id ${customer})`;
}

/** Returns a list in words; one that is cut as it is. */
function listIn(language: FaultLanguage, list: Param = '', word: 'and' | 'or' = 'and'): string {
  return String(list).replace(/, ([^,…]+)$/, ` ${WORDS[language][word]} $1`);
}
