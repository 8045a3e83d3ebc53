import { isUtf8 } from 'node:buffer';
import { duplicateMembers, mayHaveMoreMembers } from '../../domain/duplicate-members.ts';
import { UnreadableFileError } from '../../domain/errors.ts';
import type { FileRow } from '../../domain/import.ts';
import { MAX_IMPORT_ROW_BYTES } from '../../domain/limits.ts';
import { checkCell, checkedRows } from './checked-rows.ts';
import { type FileSource, piecesOf } from './file-source.ts';
import { GrowingColumns } from './growing-columns.ts';
import type { CellFault } from './row-of-cells.ts';
import type { FileWarning, RowsOfFile } from './rows-of-file.ts';

/** Reads the customers of a file of JSON Lines: an object on each line, as exports write it. */
export async function jsonlRows(source: FileSource): Promise<RowsOfFile> {
  const columns = new GrowingColumns();
  async function* batches() {
    let isFirst = true;
    for await (const lines of linesOf(source)) {
      const rows: FileRow[] = [];
      for (const { number, text } of lines) {
        rows.push(rowOf(number, text, isFirst, columns));
        isFirst = false;
      }
      yield rows;
    }
  }
  const warnings: FileWarning[] = [];
  return {
    columns: columns.columns,
    encoding: 'utf-8',
    unknownColumns: columns.unknown,
    sheetsNotRead: [],
    warnings,
    rows: checkedRows(batches(), warnings),
  };
}

const NOT_LINES =
  'Each line must be a JSON object, such as {"customerid":"K7","name":"Alm AB"}, without an array around them';

function rowOf(number: number, text: string, isFirst: boolean, columns: GrowingColumns): FileRow {
  const where = () => `line ${number}`;
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    // A file of another form would have no valid row at all.
    if (isFirst) throw new UnreadableFileError('wrongFormat', NOT_LINES, where());
    return columns.row(number, [], undefined, [NOT_OBJECT]);
  }
  const cells: (string | undefined)[] = new Array(columns.columns.length);
  const damage = new Map<number, CellFault>();
  const members = Object.entries(value);
  for (const [name, member] of members) {
    const index = columns.indexOf(name, where);
    const isText = typeof member === 'string';
    const cell = isText ? member : shown(member);
    checkCell(cell, where);
    cells[index] = cell;
    const isId = columns.columns[index]?.field === 'mexcParamvaluesetsid';
    if (!isText && !(isId && typeof member === 'number')) damage.set(index, notText(member));
  }
  if (mayHaveMoreMembers(text, members.length)) {
    for (const name of membersTwice(text)) damage.set(columns.indexOf(name, where), MEMBER_TWICE);
  }
  return columns.row(number, cells, damage);
}

const NOT_OBJECT: CellFault = { code: 'notObject', detail: 'must be a JSON object' };

/** The last of them is in the parsed object. */
const MEMBER_TWICE: CellFault = { code: 'memberTwice', detail: 'must not be there twice' };

/**
 * Returns the names that an object has more than once; of those inside its members the row is wrong in any
 * case, or the member is not read.
 */
function membersTwice(text: string): readonly string[] {
  return duplicateMembers(text)
    .filter((path) => path.length === 1)
    .map(([name]) => String(name));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  // Serializing arrays inside one another would take as many calls inside one another.
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}';
  return String(value);
}

function notText(value: unknown): CellFault {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return { code: 'notText', detail: `must be a string, not ${type}`, params: { type } };
}

interface Line {
  readonly number: number;
  readonly text: string;
}

const LINE_FEED = 0x0a;

/** Streams the lines with text, those of each piece at once. */
async function* linesOf(source: FileSource): AsyncGenerator<readonly Line[], void, undefined> {
  let number = 1;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const textOf = (bytes: Buffer) => {
    if (bytes.length > MAX_IMPORT_ROW_BYTES) throw tooLong();
    if (!isUtf8(bytes)) {
      throw new UnreadableFileError('notUtf8', 'The file must be UTF-8', `line ${number}`);
    }
    // A byte order mark may begin the file.
    return number === 1 ? bytes.toString().replace(/^\ufeff/, '') : bytes.toString();
  };
  const tooLong = () => {
    const detail = `The line has more than ${MAX_IMPORT_ROW_BYTES} bytes`;
    return new UnreadableFileError('rowTooLong', detail, `line ${number}`);
  };
  for await (const piece of piecesOf(source)) {
    const lines: Line[] = [];
    let start = 0;
    for (let feed = piece.indexOf(LINE_FEED); feed !== -1; feed = piece.indexOf(LINE_FEED, start)) {
      const text = textOf(Buffer.concat([...rest, piece.subarray(start, feed)]));
      if (text.trim() !== '') lines.push({ number, text });
      rest = [];
      restBytes = 0;
      number += 1;
      start = feed + 1;
    }
    rest.push(Buffer.from(piece.subarray(start)));
    restBytes += piece.length - start;
    if (restBytes > MAX_IMPORT_ROW_BYTES) throw tooLong();
    if (lines.length > 0) yield lines;
  }
  const text = textOf(Buffer.concat(rest));
  if (text.trim() !== '') yield [{ number, text }];
}
