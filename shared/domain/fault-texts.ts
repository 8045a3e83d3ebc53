import type { RowFault } from './import.ts';

/** Languages in which a row's faults are told. */
export type FaultLanguage = 'sv' | 'en';

/** Codes of what is wrong with a cell or a row of a file. */
export type ReadFaultCode = keyof typeof READ_FAULTS;

type Params = NonNullable<RowFault['params']>;
type Texts = readonly [
  sv: string | ((params: Params) => string),
  en: string | ((params: Params) => string),
];

const READ_FAULTS = {
  tooLong: [
    ({ maxLength }) => `Texten är för lång. Högst ${maxLength} tecken.`,
    ({ maxLength }) => `The text is too long. The maximum is ${maxLength} characters.`,
  ],
  halfCharacter: [
    'Texten har ett halvt tecken, kanske en avklippt emoji. Skriv om den.',
    'The text has half a character, perhaps of an emoji that was cut. Write it again.',
  ],
  forbiddenCharacter: [
    ({ character }) => `Texten har ett tecken som inte kan sparas (${character}). Skriv om den.`,
    ({ character }) =>
      `The text has a character that cannot be stored (${character}). Write it again.`,
  ],
  undefinedCharacter: [
    'Texten har ett tecken som inte finns i Windows-1252. Spara filen som CSV UTF-8.',
    'The text has a character that Windows-1252 lacks. Save the file as CSV UTF-8.',
  ],
  notAnId: [
    'Id ska vara ett heltal från exporten, eller tomt för en ny kund.',
    'The id must be an integer from the export, or empty for a new customer.',
  ],
  tooManyCells: [
    'Raden har fler celler än det finns rubriker. Sätt citattecken om text som innehåller skiljetecknet.',
    'The row has more cells than there are headings. Put quotation marks around text that contains the delimiter.',
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
    'The file ends in the midst of the row. Download or save it again.',
  ],
  elementTwice: [
    'Fältet finns två gånger. Ta bort det ena.',
    'The field is there twice. Remove one.',
  ],
  notObject: ['Raden är inte ett JSON-objekt.', 'The line is not a JSON object.'],
  notText: [
    ({ type }) => `Värdet ska vara en text inom citattecken, inte ${type}.`,
    ({ type }) => `The value must be a text in quotation marks, not ${type}.`,
  ],
} satisfies Record<string, Texts>;

/** Why a row that can be read is not imported. */
const PLAN_FAULTS = {
  noKey: [
    'Raden saknar det som kunden hittas med, till exempel kundnummer. Fyll i det.',
    'The row lacks what its customer is found by, such as a customer number. Fill it in.',
  ],
  noCustomer: ['Det finns ingen sådan kund.', 'There is no such customer.'],
  customerExists: ['Kunden finns redan.', 'The customer exists already.'],
  severalCustomers: [
    ({ customers }) =>
      `Flera kunder passar (id ${customers}). Ange vilken med id, eller rätta dem först.`,
    ({ customers }) =>
      `Several customers match (ids ${customers}). Name one by its id, or correct them first.`,
  ],
  keysDisagree: [
    ({ customers }) =>
      `Kundnummer, organisationsnummer eller id pekar på olika kunder (id ${customers}). Rätta raden.`,
    ({ customers }) =>
      `Customer number, organisation number or id name different customers (ids ${customers}). Correct the row.`,
  ],
  repeated: [
    'Flera rader gäller samma kund. Behåll en av dem.',
    'Several rows are about the same customer. Keep one of them.',
  ],
  zerosLost: [
    ({ customers }) =>
      `Numret saknar kanske inledande nollor: en kund har det med nollor (id ${customers}). Skriv det som text.`,
    ({ customers }) =>
      `The number may have lost leading zeros: a customer has it with zeros (id ${customers}). Enter it as text.`,
  ],
} satisfies Record<string, Texts>;

const TEXTS: ReadonlyMap<string, Texts> = new Map(
  Object.entries({ ...READ_FAULTS, ...PLAN_FAULTS } as Readonly<Record<string, Texts>>),
);

/** Returns what is wrong and what to do, in words for a bookkeeper; the detail of an unknown code. */
export function faultText(
  { code, detail, params = {} }: RowFault,
  language: FaultLanguage,
): string {
  const text = TEXTS.get(code)?.[language === 'sv' ? 0 : 1] ?? detail;
  return typeof text === 'string' ? text : text(params);
}
