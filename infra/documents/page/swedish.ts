import { SWEDISH_HEADINGS } from '../../../shared/domain/field-headings.ts';
import {
  MAX_IMPORT_CELL_LENGTH,
  MAX_IMPORT_COLUMNS,
  MAX_IMPORT_ROWS,
} from '../../../shared/domain/limits.ts';
import type { Texts } from './english.ts';

const formatter = new Intl.NumberFormat('sv-SE');
const number = (value: number) => formatter.format(value);
const plural = (count: number, one: string, other: string) =>
  `${number(count)} ${count === 1 ? one : other}`;
const customers = (count: number) => plural(count, 'kund', 'kunder');
const rows = (count: number) => plural(count, 'rad', 'rader');

export const swedish: Texts = {
  title: 'Kunder in och ut',
  language: 'Språk',
  number,
  date: (iso) => new Date(iso).toLocaleString('sv-SE', { dateStyle: 'medium', timeStyle: 'short' }),
  bytes: (bytes) =>
    bytes < 1_000_000
      ? `${number(Math.ceil(bytes / 1_000))} kB`
      : `${number(Math.round(bytes / 100_000) / 10)} MB`,
  cancel: 'Avbryt',
  noContact: 'Registret går inte att nå. Kontrollera uppkopplingen och försök igen.',
  retry: 'Försök igen',
  token: {
    heading: 'Åtkomst',
    label: 'Åtkomstnyckel (token)',
    help: 'Klistra in nyckeln som du har fått av den som sköter registret. Den sparas tills du stänger fliken och skickas ingen annanstans.',
    submit: 'Fortsätt',
    change: 'Byt åtkomstnyckel',
  },
  export: {
    heading: 'Hämta kunder',
    intro: 'Alla kunder i registret, som en fil.',
    legend: 'Typ av fil',
    choices: {
      xlsx: ['Excel', 'För att läsa eller ändra i Excel. Kan skickas in igen här nedanför.'],
      csvSwedish: [
        'CSV för Excel med svenska inställningar',
        'Semikolon och svenska rubriker, för program som inte läser Excelfiler.',
      ],
      csv: ['CSV', 'Kommatecken och UTF-8, för webbutiker och andra program.'],
      xml: ['XML', 'För program som läser XML.'],
      jsonl: ['JSON Lines', 'För utvecklare: en kund per rad.'],
    },
    submit: 'Hämta',
    preparing: 'Filen skapas …',
    progress: (done, total) => `${number(done)} av omkring ${customers(total)} finns i filen.`,
    stop: 'Avbryt',
    stopped: 'Avbrutet. Ingen fil skapades.',
    failed: 'Filen kunde inte skapas. Försök igen.',
    ready: (count, size) => `${customers(count)}, ${size}. Hämtningen har börjat.`,
    again: (filename) => `Hämta ${filename} igen`,
  },
  form: {
    heading: 'Lägg in eller ändra kunder',
    intro: 'Inget ändras förrän du har sett vad som ska hända och sagt ja.',
    drop: 'Släpp en fil här, eller',
    choose: 'Välj fil',
    accepted:
      'Excel (.xlsx), CSV, XML eller JSON Lines, högst 256 MB. I Excel och CSV har första raden rubriker.',
    chosen: (name, format, size) => `${name} (${format}, ${size})`,
    formats: { xlsx: 'Excel', csv: 'CSV', xml: 'XML', jsonl: 'JSON Lines' },
    match: {
      legend: 'Hur känner vi igen en kund som redan finns?',
      choices: {
        customerid: ['På kundnumret', ''],
        companyno: ['På organisationsnumret', 'Eller personnumret.'],
        either: ['På kundnumret, annars organisationsnumret', ''],
        id: [
          'På id',
          'För en fil som du har hämtat här ovanför. Nya rader, utan id, matchas på kundnumret.',
        ],
      },
    },
    mode: {
      legend: 'Vad får hända?',
      choices: {
        upsert: ['Lägg till nya kunder och ändra befintliga', ''],
        update: ['Ändra befintliga kunder', 'Nya hoppas över.'],
        create: ['Lägg till nya kunder', 'Befintliga hoppas över.'],
      },
    },
    empty: {
      legend: 'Vad betyder en tom cell?',
      choices: {
        keep: ['Behåll det som står i registret', ''],
        clear: ['Töm fältet i registret', ''],
      },
    },
    unkeyed: 'Rader utan ett sådant nummer blir nya kunder',
    sheet: 'Blad i filen (tomt: det första med innehåll)',
    submit: 'Granska filen',
    noFile: 'Välj en fil först.',
    fileErrors: {
      empty: 'Filen är tom.',
      tooLarge: 'Filen är större än 256 MB. Dela upp den i flera.',
      unreadable: 'Filen går inte att öppna. Finns den kvar? Välj den igen.',
      changed: 'Filen har ändrats sedan du valde den. Välj den igen.',
      xls: 'Det här är det gamla Excelformatet (.xls), eller en fil med lösenord. Öppna den i Excel och spara den som .xlsx utan lösenord.',
      ods: 'Det här är en fil från LibreOffice eller Numbers. Spara den som .xlsx.',
      pdf: 'Det här är en PDF. Skicka själva kalkylbladet, sparat som .xlsx eller CSV.',
      other: 'Det här är varken Excel, CSV, XML eller JSON Lines. Spara filen som .xlsx.',
      several: 'Skicka en fil i taget.',
    },
    sending: 'Filen skickas …',
    sent: (percent) => `${percent} % skickat`,
    sendFailed: 'Filen kom inte fram. Kontrollera uppkopplingen och skicka den igen.',
  },
  import: {
    heading: 'Import',
    back: 'Alla importer',
    states: {
      awaitingFile: 'Filen är inte skickad',
      reading: 'Läser filen',
      planned: 'Klar att genomföra',
      applying: 'Genomförs',
      applied: 'Genomförd',
      undoing: 'Ångras',
      undone: 'Ångrad',
      stopped: 'Avbruten halvvägs',
      failed: 'Filen gick inte att läsa',
      canceled: 'Borttagen',
      expired: 'För gammal',
    },
    rows,
    of: (done, total) => `${number(done)} av ${rows(total)}`,
    rowsRead: (done) => `${rows(done)} hittills`,
    facts: (count, encoding, delimiter) =>
      [rows(count), encoding, delimiter && `avgränsad med ${delimiter}`].filter(Boolean).join(', '),
    delimiters: { ',': 'kommatecken', ';': 'semikolon', '\t': 'tabbtecken' },
    outcomes: {
      create: (count) => (count === 1 ? 'ny kund' : 'nya kunder'),
      update: (count) => (count === 1 ? 'kund ändras' : 'kunder ändras'),
      unchanged: (count) => (count === 1 ? 'oförändrad' : 'oförändrade'),
      ambiguous: (count) => (count === 1 ? 'oklar' : 'oklara'),
      invalid: () => 'med fel',
      skipped: () => 'hoppas över',
    },
    meanings: {
      create: 'Varje rad här blir en ny kund.',
      update: 'De här kunderna ändras. Det gamla värdet står före pilen, det nya efter.',
      unchanged: 'De här raderna stämmer redan med registret. Inget händer med dem.',
      ambiguous:
        'Det är oklart vilken kund de här raderna gäller. De utelämnas; rätta dem i filen och skicka den igen.',
      invalid: 'De här raderna har fel. De utelämnas; rätta dem i filen och skicka den igen.',
      skipped: 'De här raderna utelämnas på grund av det du valde.',
    },
    show: 'Visa rader',
    unknownColumns: (names) =>
      `De här kolumnerna läses inte, eftersom deras rubriker är okända: ${names}.`,
    sheetsNotRead: (names) => `De här bladen läses inte: ${names}.`,
    earlier: 'Visa den importen',
    resultNames: {
      created: (count) => (count === 1 ? 'tillagd' : 'tillagda'),
      updated: (count) => (count === 1 ? 'ändrad' : 'ändrade'),
      unchanged: (count) => (count === 1 ? 'oförändrad' : 'oförändrade'),
      changedMeanwhile: (count) =>
        count === 1 ? 'ändrad av någon annan' : 'ändrade av någon annan',
      unclear: () => 'att kontrollera',
      leftOut: (count) => (count === 1 ? 'utelämnad' : 'utelämnade'),
    },
    undone: {
      removed: 'Borttagen igen.',
      restored: 'Som förut igen.',
      changedMeanwhile: 'Lämnad som den är, eftersom någon har ändrat den efter importen.',
      unclear: 'Kontrollera den: det är oklart om den är som förut.',
    },
    table: {
      row: 'Rad',
      customer: 'Kund',
      details: 'Uppgifter',
      empty: 'tomt',
      becomes: 'blir',
    },
    previous: 'Föregående',
    next: 'Nästa',
    page: (from, to, total) => `Rad ${number(from)}–${number(to)} av ${number(total)}`,
    rejected: {
      heading: 'Rätta raderna som utelämnas',
      help: 'Filen innehåller raderna så som du skickade dem, var och en med vad som är fel. Rätta dem, spara filen och skicka den hit.',
      xlsx: 'Hämta som Excel',
      csv: 'Hämta som CSV',
      first: (count, total) =>
        `Filen har de första ${number(count)} av de ${number(total)} raderna: de är för många för en fil.`,
    },
    apply: 'Genomför …',
    applyHeading: 'Genomföra importen?',
    applyConfirm: 'Ja, genomför',
    create: (count) => `${customers(count)} läggs till.`,
    update: (count) => `${customers(count)} ändras.`,
    keep: (count) => `${rows(count)} stämmer redan med registret.`,
    leave: (count, reasons) => `${rows(count)} utelämnas: ${reasons}.`,
    canUndo: 'Du kan ångra det i 7 dagar.',
    nothing: 'Det finns inget att genomföra.',
    usable: (date) => `Den kan genomföras fram till ${date}.`,
    results: {
      created: (count) => `${customers(count)} har lagts till`,
      updated: (count) => `${customers(count)} har ändrats`,
      unchanged: (count) => `${rows(count)} ${count === 1 ? 'oförändrad' : 'oförändrade'}`,
      changedMeanwhile: (count) =>
        `${rows(count)} genomfördes inte, eftersom någon ändrade kunden efter granskningen`,
      unclear: (count) =>
        `${rows(count)} att kontrollera: på grund av ett avbrott är det oklart om importen ändrade kunden`,
      leftOut: (count) => `${rows(count)} utelämnades`,
    },
    undoResults: {
      removed: (count) => `${customers(count)} har tagits bort`,
      restored: (count) => `${customers(count)} är som förut`,
      changedMeanwhile: (count) =>
        `${customers(count)} lämnas som de är, eftersom någon har ändrat dem efter importen`,
      unclear: (count) =>
        `${customers(count)} att kontrollera: på grund av ett avbrott är det oklart om de är som förut`,
    },
    undo: 'Ångra …',
    undoHeading: 'Ångra importen?',
    undoConfirm: 'Ja, ångra',
    undoCreated: (count) => `${customers(count)} som lades till tas bort.`,
    undoUpdated: (count) => `${customers(count)} som ändrades blir som förut.`,
    undoLimits: 'Kunder som någon har ändrat eller tagit bort efter importen lämnas som de är nu.',
    undoable: (date) => `Den kan ångras fram till ${date}.`,
    stopped: 'En del av raderna är klara. Fortsätt med resten, eller ångra det som blev gjort.',
    anotherFile: 'Skicka en annan fil',
    proceed: 'Fortsätt',
    remove: 'Ta bort',
    removeHeading: 'Ta bort importen?',
    removeConfirm: 'Ja, ta bort',
    removePlan: 'Filen och planen tas bort. Ingen kund ändras.',
    removeApplied: 'Kunderna blir kvar som de är. Sedan kan importen inte längre ångras.',
    stop: 'Avbryt',
    stopHelp: 'Det som är gjort blir kvar och kan ångras.',
    notSent: 'Hela filen kom inte fram. Skicka den igen.',
    tooOld: 'Filen skickades för länge sedan. Skicka den igen.',
  },
  list: {
    heading: 'Tidigare importer',
    empty: 'Det finns inga än. De sparas i 7 dagar.',
    started: 'Påbörjad',
    file: 'Fil',
    state: 'Status',
    result: 'Resultat',
    actions: 'Vad du kan göra',
  },
  fields: SWEDISH_HEADINGS,
  keys: {
    mexcParamvaluesetsid: 'id',
    customerid: 'kundnummer',
    companyno: 'organisationsnummer',
  },
  warnings: {
    doubleEncoded:
      'Några bokstäver ser skadade ut, som ”Ã¥” i stället för ”å”. Kontrollera raderna innan du genomför importen; om de är fel, spara filen i Excelformat och skicka den igen.',
    sameFileApplied: 'Du har redan importerat precis samma fil.',
  },
  reasons: {
    bomb: 'Filen packas upp till en orimlig storlek. Spara den igen som .xlsx, eller dela upp den i flera.',
    cellTooLong: `En cell har fler än ${number(MAX_IMPORT_CELL_LENGTH)} tecken. Korta texten.`,
    damaged: 'Filen är skadad. Spara den igen och skicka den nya.',
    doctype: 'En XML-fil får inte ha en DOCTYPE. Ta bort den.',
    duplicateColumn: 'Två kolumner gäller samma fält. Ta bort eller döp om en av dem.',
    encrypted:
      'Filen har lösenord eller är i det gamla formatet .xls. Spara den som .xlsx utan lösenord.',
    fileTooLarge: 'Filen är större än 256 MB. Dela upp den i flera.',
    noHeader: 'Första raden måste ha rubriker som är kända, till exempel Kundnummer och Namn.',
    noSuchSheet: 'Filen har inget blad med det namnet. Kontrollera namnet, eller lämna det tomt.',
    notUtf8: 'Filens bokstäver går inte att läsa. Spara den som Excel eller CSV UTF-8.',
    rowTooLong: 'En rad är längre än 1 MB. Leta efter ett citattecken som inte avslutas.',
    tooManyColumns: `Filen har fler än ${MAX_IMPORT_COLUMNS} kolumner. Ta bort dem som inte behövs.`,
    tooManyRows: `Filen har fler än ${number(MAX_IMPORT_ROWS)} rader. Dela upp den i flera.`,
    truncated: 'Slutet av filen saknas. Spara den igen och skicka den nya.',
    unsupported: 'Den här sortens fil går inte att läsa. Spara den som .xlsx.',
    wrongFormat: 'Filen är inte det som namnet säger. Spara den som .xlsx eller CSV.',
    digestMismatch: 'Filen ändrades på vägen. Skicka den igen.',
    noKeyColumn:
      'Filen saknar kolumnen som kunderna hittas med. Lägg till den, eller välj ett annat sätt. Ska varje rad bli en ny kund? Välj ”Lägg till nya kunder” och ”Rader utan ett sådant nummer blir nya kunder”.',
    noFile: 'Filen har inte kommit fram. Skicka den igen.',
    interrupted: 'Den avbröts. Försök igen, eller fortsätt.',
    stoppedByRequest: 'Den stoppades. Fortsätt, eller ångra det som blev gjort.',
    outage:
      'Den stannade, eftersom registret var upptaget. Fortsätt, eller ångra det som blev gjort.',
    defect:
      'Den stannade på grund av ett fel i registret. Rapportera det; det som blev gjort kan ångras.',
    planExpired:
      'Planen är för gammal. Skicka filen igen för resten; det som blev gjort kan ångras.',
    undoExpired: 'Det är för sent att ångra importen.',
  },
  problems: {
    401: 'Åtkomstnyckeln är ogiltig eller har gått ut. Klistra in en ny.',
    403: 'Åtkomstnyckeln tillåter inte det här. Be om en som ger rätt att läsa och ändra kunder.',
    404: 'Det här finns inte längre.',
    409: 'Det går inte just nu, kanske för att en annan import genomförs. Vänta och försök igen.',
    410: 'Planen är för gammal. Skicka filen igen.',
    412: 'Planen har ändrats under tiden. Granska den igen.',
    413: 'Filen är större än 256 MB. Dela upp den i flera.',
    429: 'För många anrop på en gång. Vänta en minut och försök igen.',
    500: 'Något gick fel. Försök igen; rapportera det om det inte hjälper.',
    503: 'Registret är upptaget. Försök igen om en stund.',
  },
};
