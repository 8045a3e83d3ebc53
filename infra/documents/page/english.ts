import type { UnreadableFileCode } from '../../../shared/domain/errors.ts';
import type { FieldName } from '../../../shared/domain/fields.ts';
import type {
  ImportOptions,
  MatchField,
  Outcome,
  Result,
  UndoResult,
} from '../../../shared/domain/import.ts';
import type { ImportState } from '../../../shared/domain/import-job.ts';
import {
  MAX_IMPORT_CELL_LENGTH,
  MAX_IMPORT_COLUMNS,
  MAX_IMPORT_ROWS,
} from '../../../shared/domain/limits.ts';
import type { Choices, ExportChoice, MatchChoice } from './choices.ts';

const formatter = new Intl.NumberFormat('en-GB');
const number = (value: number) => formatter.format(value);
const plural = (count: number, one: string, other: string) =>
  `${number(count)} ${count === 1 ? one : other}`;
const customers = (count: number) => plural(count, 'customer', 'customers');
const rows = (count: number) => plural(count, 'row', 'rows');

/** Names of fields for readers; the API's names are no words. */
const FIELDS: Readonly<Record<FieldName, string>> = {
  mexcParamvaluesetsid: 'Id',
  date: 'Created',
  customerid: 'Customer number',
  name: 'Name',
  address: 'Address',
  postcode: 'Postcode',
  postoffice: 'Town',
  state: 'State',
  countrycode: 'Country code',
  telephone: 'Telephone',
  fax: 'Fax',
  mobile: 'Mobile phone',
  deliveryaddress: 'Delivery address',
  deliverypostcode: 'Delivery postcode',
  deliverypostoffice: 'Delivery town',
  email: 'E-mail',
  reference: 'Reference',
  companyno: 'Organisation number',
  vatregno: 'VAT number',
  paymentterms: 'Payment terms',
  rebate: 'Rebate',
  currency: 'Currency',
  language: 'Language',
  export: 'Export',
  handlingcharge: 'Handling charge',
  reversetax: 'Reverse VAT',
  mexcModulesid: 'Module id',
  mm3servicesid: 'Service id',
  country: 'Country',
  creditlimit: 'Credit limit',
  customertypecode: 'Customer type',
  deliveryterms: 'Delivery terms',
  deliverymethod: 'Delivery method',
  deliveryname: 'Delivery name',
  deliveryaddress2: 'Delivery address 2',
  deliverycountrycode: 'Delivery country code',
  deliverycountry: 'Delivery country',
  profile: 'Profile',
  name2: 'Name 2',
  address2: 'Address 2',
  propertydesignation: 'Property designation',
  housingassociationregno: 'Organisation number of the housing association',
  status: 'Status',
  statuslog: 'Status log',
  longitude: 'Longitude',
  latitude: 'Latitude',
  glncode: 'GLN',
  reference_order: 'Reference, order',
  email_order: 'E-mail, order',
  reference_offer: 'Reference, offer',
  email_offer: 'E-mail, offer',
  notes: 'Notes',
  origin: 'Origin',
  pricelist: 'Price list',
  crediflowPartyId: 'E-invoice id',
  internalCreditLimit: 'Internal credit limit',
  internalRegressLimit: 'Internal regress limit',
  sendByPostOnly: 'Post only',
  dontSendEFaktura: 'No e-invoice',
};

const EXPORTS: Readonly<Record<ExportChoice, readonly [name: string, forWhom: string]>> = {
  xlsx: ['Excel', 'To read or change in Excel. Can be sent back below.'],
  csvSwedish: [
    'CSV for Excel in Swedish settings',
    'Semicolons and Swedish headings, for programs that do not read Excel files.',
  ],
  csv: ['CSV', 'Commas and UTF-8, for web shops and other programs.'],
  xml: ['XML', 'For programs that read XML.'],
  jsonl: ['JSON Lines', 'For developers: one customer a line.'],
};

/** How rows are recognised, and what becomes of them. */
const MATCH: Choices<MatchChoice> = {
  legend: 'How do we recognise a customer that is in the register?',
  choices: {
    customerid: ['By customer number', ''],
    companyno: ['By organisation number', 'Or personal identity number.'],
    either: ['By customer number, else by organisation number', ''],
    id: [
      'By id',
      'For a file that you downloaded above. New rows, without an id, go by customer number.',
    ],
  },
};

const MODE: Choices<ImportOptions['mode']> = {
  legend: 'What may happen?',
  choices: {
    upsert: ['Add new customers and change existing ones', ''],
    update: ['Change existing customers', 'New ones are skipped.'],
    create: ['Add new customers', 'Existing ones are skipped.'],
  },
};

const EMPTY: Choices<ImportOptions['empty']> = {
  legend: 'What does an empty cell mean?',
  choices: {
    keep: ['Keep what is in the register', ''],
    clear: ['Clear it in the register', ''],
  },
};

const STATES: Readonly<Record<ImportState, string>> = {
  awaitingFile: 'File not sent',
  reading: 'Reading the file',
  planned: 'Ready to apply',
  applying: 'Applying',
  applied: 'Applied',
  undoing: 'Undoing',
  undone: 'Undone',
  stopped: 'Stopped half-way',
  failed: 'File could not be read',
  canceled: 'Deleted',
  expired: 'Too old',
};

const OUTCOMES: Readonly<Record<Outcome, (count: number) => string>> = {
  create: (count) => (count === 1 ? 'new customer' : 'new customers'),
  update: (count) => (count === 1 ? 'customer changes' : 'customers change'),
  unchanged: () => 'unchanged',
  ambiguous: () => 'unclear',
  invalid: () => 'with errors',
  skipped: () => 'skipped',
};

/** What each outcome means, above its rows. */
const MEANINGS: Readonly<Record<Outcome, string>> = {
  create: 'Each of these rows becomes a new customer.',
  update: 'These customers change. The old value stands before the arrow, the new one after it.',
  unchanged: 'The register has these values already. Nothing happens to these rows.',
  ambiguous:
    'It is not clear which customer these rows mean. They are left out; correct them in the file and send it again.',
  invalid: 'These rows have errors. They are left out; correct them in the file and send it again.',
  skipped: 'These rows are left out because of what you chose.',
};

const RESULTS: Readonly<Record<Result, (count: number) => string>> = {
  created: (count) => `${customers(count)} added`,
  updated: (count) => `${customers(count)} changed`,
  unchanged: (count) => `${rows(count)} unchanged`,
  changedMeanwhile: (count) =>
    `${rows(count)} not applied, since somebody changed the customer after the file was checked`,
  unclear: (count) =>
    `${rows(count)} to check: because of an interruption it is not known whether this import changed the customer`,
  leftOut: (count) => `${rows(count)} left out`,
};

const UNDO_RESULTS: Readonly<Record<UndoResult, (count: number) => string>> = {
  removed: (count) => `${customers(count)} removed`,
  restored: (count) => `${customers(count)} as before`,
  changedMeanwhile: (count) =>
    `${customers(count)} left as they are, since somebody has changed them after the import`,
  unclear: (count) =>
    `${customers(count)} to check: because of an interruption it is not known whether they are as before`,
};

const KEYS: Readonly<Record<MatchField, string>> = {
  mexcParamvaluesetsid: 'id',
  customerid: 'customer number',
  companyno: 'organisation number',
};

/** What is odd about a file. */
const WARNINGS: Readonly<Record<string, string>> = {
  doubleEncoded:
    'Some letters look damaged, such as “Ã¥” for “å”. Look at the rows before you apply; if they are wrong, save the file again as Excel.',
  sameFileApplied: 'You have applied exactly the same file before.',
};

/** Why a file cannot be read. */
const UNREADABLE: Readonly<Record<UnreadableFileCode, string>> = {
  bomb: 'The file unpacks to an unreasonable size. Save it again as .xlsx, or split it into several.',
  cellTooLong: `A cell has more than ${number(MAX_IMPORT_CELL_LENGTH)} characters. Shorten it.`,
  damaged: 'The file is damaged. Save it again, and send the new one.',
  doctype: 'An XML file must not have a DOCTYPE. Remove it.',
  duplicateColumn: 'Two columns are for the same field. Remove or rename one of them.',
  encrypted:
    'The file has a password, or is in the old format .xls. Save it as .xlsx without a password.',
  fileTooLarge: 'The file is larger than 256 MB. Split it into several.',
  noHeader:
    'The first row must have headings that we know, such as Customer number and Name, or Kundnummer and Namn.',
  noSuchSheet: 'The file has no sheet with this name. Check the name, or leave it empty.',
  notUtf8: 'The letters of the file cannot be read. Save it as Excel or as CSV UTF-8.',
  rowTooLong: 'A row is longer than 1 MB. Look for a quotation mark that is not closed.',
  tooManyColumns: `The file has more than ${MAX_IMPORT_COLUMNS} columns. Remove those that are not needed.`,
  tooManyRows: `The file has more than ${number(MAX_IMPORT_ROWS)} rows. Split it into several.`,
  truncated: 'The end of the file is missing. Save it again, and send the new one.',
  unsupported: 'The file is of a kind that cannot be read. Save it as .xlsx.',
  wrongFormat: 'The file is not what its name says. Save it as .xlsx or as CSV.',
};

/** Why an import failed or stopped. */
const REASONS: Readonly<Record<string, string>> = {
  ...UNREADABLE,
  digestMismatch: 'The file changed on its way. Send it again.',
  noKeyColumn:
    'The file lacks the column by which customers are found. Add it, or choose another way. Is each row to become a new customer? Choose “Add new customers” and “Rows without such a number become new customers”.',
  noFile: 'The file has not arrived. Send it again.',
  interrupted: 'It was interrupted. Try again, or continue.',
  stoppedByRequest: 'It was stopped. Continue, or undo what was done.',
  outage: 'It stopped because the register was busy. Continue, or undo what was done.',
  defect: 'It stopped because of a fault in the register. Report it; what was done can be undone.',
  planExpired:
    'The plan is too old. Send the file again for the rest; what was done can be undone.',
  undoExpired: 'It is too late to undo the import.',
};

/** Errors by their type or status. */
const PROBLEMS: Readonly<Record<string, string>> = {
  401: 'The access key is not valid, or has expired. Paste a new one.',
  403: 'The access key does not permit this. Ask for one with the right to read and change customers.',
  404: 'This no longer exists.',
  409: 'This is not possible at the moment, perhaps because another import is being applied. Wait, and try again.',
  410: 'The plan is too old. Send the file again.',
  412: 'The plan has changed meanwhile. Look at it again.',
  413: 'The file is larger than 256 MB. Split it into several.',
  429: 'Too many requests at once. Wait a minute, and try again.',
  500: 'Something went wrong. Try again; if it does not help, report it.',
  503: 'The register is busy. Try again in a moment.',
};

export const english = {
  title: 'Customers in and out',
  language: 'Language',
  number,
  date: (iso: string) =>
    new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }),
  bytes: (bytes: number) =>
    bytes < 1_000_000
      ? `${number(Math.ceil(bytes / 1_000))} kB`
      : `${number(Math.round(bytes / 100_000) / 10)} MB`,
  cancel: 'Cancel',
  noContact: 'The register cannot be reached. Check the connection, and try again.',
  retry: 'Try again',
  token: {
    heading: 'Access',
    label: 'Access key (token)',
    help: 'Paste the key that you got from whoever runs the register. It is kept until you close this tab, and is sent nowhere else.',
    submit: 'Continue',
    change: 'Change access key',
  },
  export: {
    heading: 'Download customers',
    intro: 'All customers of the register, as a file.',
    legend: 'Kind of file',
    choices: EXPORTS,
    submit: 'Download',
    preparing: 'The file is being prepared …',
    progress: (done: number, total: number) =>
      `${number(done)} of about ${customers(total)} are in the file.`,
    stop: 'Stop',
    stopped: 'Stopped. No file was created.',
    failed: 'The file could not be created. Try again.',
    ready: (count: number, size: string) => `${customers(count)}, ${size}. The download has begun.`,
    again: (filename: string) => `Download ${filename} again`,
  },
  form: {
    heading: 'Add or change customers',
    intro: 'Nothing changes before you have seen what will happen, and have said yes.',
    drop: 'Drop a file here, or',
    choose: 'Choose file',
    accepted:
      'Excel (.xlsx), CSV, XML or JSON Lines, up to 256 MB. In Excel and CSV the first row has headings.',
    chosen: (name: string, format: string, size: string) => `${name} (${format}, ${size})`,
    formats: { xlsx: 'Excel', csv: 'CSV', xml: 'XML', jsonl: 'JSON Lines' },
    match: MATCH,
    mode: MODE,
    empty: EMPTY,
    unkeyed: 'Rows without such a number become new customers',
    sheet: 'Sheet of the file (empty: the first with content)',
    submit: 'Check the file',
    noFile: 'Choose a file first.',
    fileErrors: {
      empty: 'The file is empty.',
      tooLarge: 'The file is larger than 256 MB. Split it into several.',
      unreadable: 'The file cannot be opened. Is it still there? Choose it again.',
      changed: 'The file has been changed since you chose it. Choose it again.',
      xls: 'This is the old Excel format (.xls), or protected by a password. Open it in Excel, and save it as .xlsx without a password.',
      ods: 'This is a file of LibreOffice or Numbers. Save it as .xlsx.',
      pdf: 'This is a PDF. Send the spreadsheet itself, saved as .xlsx or CSV.',
      other: 'This is neither Excel, CSV, XML nor JSON Lines. Save it as .xlsx.',
      several: 'Send one file at a time.',
    },
    sending: 'The file is being sent …',
    sent: (percent: number) => `${percent} % sent`,
    sendFailed: 'The file did not arrive. Check the connection, and send it again.',
  },
  import: {
    heading: 'Import',
    back: 'All imports',
    states: STATES,
    rows,
    of: (done: number, total: number) => `${number(done)} of ${rows(total)}`,
    rowsRead: (done: number) => `${rows(done)} so far`,
    facts: (count: number, encoding: string | undefined, delimiter: string | undefined) =>
      [rows(count), encoding, delimiter && `separated by ${delimiter}`].filter(Boolean).join(', '),
    delimiters: { ',': 'commas', ';': 'semicolons', '\t': 'tabs' } as Record<string, string>,
    outcomes: OUTCOMES,
    meanings: MEANINGS,
    show: 'Show rows',
    unknownColumns: (names: string) =>
      `These columns are not read, since their headings are unknown: ${names}.`,
    sheetsNotRead: (names: string) => `These sheets are not read: ${names}.`,
    earlier: 'Show that import',
    resultNames: {
      created: () => 'added',
      updated: () => 'changed',
      unchanged: () => 'unchanged',
      changedMeanwhile: () => 'changed by somebody else',
      unclear: () => 'to check',
      leftOut: () => 'left out',
    } as Record<Result, (count: number) => string>,
    undone: {
      removed: 'Removed again.',
      restored: 'As before again.',
      changedMeanwhile: 'Left as it is, since somebody has changed it after the import.',
      unclear: 'Check it: it is not known whether it is as before.',
    } satisfies Record<UndoResult, string>,
    table: {
      row: 'Row',
      customer: 'Customer',
      details: 'Details',
      empty: 'empty',
      becomes: 'becomes',
    },
    previous: 'Previous',
    next: 'Next',
    page: (from: number, to: number, total: number) =>
      `Rows ${number(from)}–${number(to)} of ${number(total)}`,
    rejected: {
      heading: 'Correct the rows that are left out',
      help: 'The file has these rows as you sent them, each with what is wrong. Correct them, save the file, and send it here.',
      xlsx: 'Download as Excel',
      csv: 'Download as CSV',
      first: (count: number, total: number) =>
        `The file has the first ${number(count)} of the ${number(total)} rows: there are too many for one file.`,
    },
    apply: 'Apply …',
    applyHeading: 'Apply the import?',
    applyConfirm: 'Yes, apply',
    create: (count: number) => `${customers(count)} will be added.`,
    update: (count: number) => `${customers(count)} will be changed.`,
    keep: (count: number) =>
      `${rows(count)} ${count === 1 ? 'is' : 'are'} the same as in the register.`,
    leave: (count: number, reasons: string) => `${rows(count)} will be left out: ${reasons}.`,
    canUndo: 'You can undo it for 7 days.',
    nothing: 'There is nothing to apply.',
    usable: (date: string) => `It can be applied until ${date}.`,
    results: RESULTS,
    undoResults: UNDO_RESULTS,
    undo: 'Undo …',
    undoHeading: 'Undo the import?',
    undoConfirm: 'Yes, undo',
    undoCreated: (count: number) => `${customers(count)} that it added will be removed.`,
    undoUpdated: (count: number) => `${customers(count)} that it changed will be as before.`,
    undoLimits:
      'Customers that somebody has changed or deleted after the import stay as they are now.',
    undoable: (date: string) => `It can be undone until ${date}.`,
    stopped: 'A part of the rows is done. Continue with the rest, or undo what was done.',
    anotherFile: 'Send another file',
    proceed: 'Continue',
    remove: 'Delete',
    removeHeading: 'Delete the import?',
    removeConfirm: 'Yes, delete',
    removePlan: 'The file and its plan are deleted. No customer changes.',
    removeApplied: 'Customers stay as they are now. The import can then no longer be undone.',
    stop: 'Stop',
    stopHelp: 'What is done stays, and can be undone.',
    notSent: 'The file did not arrive completely. Send it again.',
    tooOld: 'The file was sent too long ago. Send it again.',
  },
  list: {
    heading: 'Earlier imports',
    empty: 'There are none yet. They are kept for 7 days.',
    started: 'Started',
    file: 'File',
    state: 'State',
    result: 'Result',
    actions: 'What you can do',
  },
  fields: FIELDS,
  keys: KEYS,
  warnings: WARNINGS,
  reasons: REASONS,
  problems: PROBLEMS,
};

/** All texts of the page in a language. */
export type Texts = typeof english;
