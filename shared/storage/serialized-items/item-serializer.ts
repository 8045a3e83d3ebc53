import { FIELDS } from '../../domain/fields.ts';
import type { RowFormat } from '../../formats/row-format.ts';
import { UPDATED_AT } from '../table.ts';

/** Rows of the items in a response of DynamoDB. */
export interface Rows {
  /** UTF-8, one row after the other. */
  readonly text: Buffer;
  /** Ids of the customers, by row. */
  readonly ids: readonly number[];
  /** End offset of each row in the text. */
  readonly ends: readonly number[];
}

/** Rows of a response. */
interface SerializedList extends Rows {
  /** Offset at which the list of items ends in the response. */
  readonly end: number;
}

/**
 * Serializes a list of items in a response of DynamoDB. Nearly all texts stand in the response byte
 * for byte as in the row and are copied; those with JSON escapes, or with a character that is
 * special in the format, are converted one by one.
 *
 * @param response JSON without white space between its tokens.
 * @param start offset of the list's opening bracket.
 * @throws SyntaxError if there is no such list.
 */
export type ItemSerializer = (response: Buffer, start: number) => SerializedList;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const TYPE_S = 0x53;
const TYPE_N = 0x4e;

/** Classes of the bytes of a string; a text combines those of its bytes. */
const ORDINARY = 0;
const ENDS = 1;
const ESCAPES = 2;
const SPECIAL = 4;

/** Maximum bytes that one byte of a response becomes in a row: `&` becomes `&amp;`. */
const MAX_GROWTH = 5;
/** Maximum bytes added around a cell besides its column's own: two quotes and an apostrophe. */
const CELL_OVERHEAD = 3;
/** Longer texts are copied by a call of the runtime, which costs as much as a loop over these. */
const LOOP_BYTES = 48;

/** Attributes that a row can have. */
const ATTRIBUTES: readonly string[] = [...FIELDS.map(({ name }) => name), 'version', UPDATED_AT];
const ID = ATTRIBUTES.indexOf('mexcParamvaluesetsid');

/** Rows are assembled here and then copied; it grows to what the largest response needs. */
let scratch = Buffer.allocUnsafeSlow(1024 * 1024);

/** Returns the serializer of a format. */
export function itemSerializer(format: RowFormat): ItemSerializer {
  const classes = classesOf(format);
  // In JSON a text keeps its escapes.
  const notPlain = format.isJson ? SPECIAL : SPECIAL | ESCAPES;
  const isSpecialFirst = flagged(format.special.atStart);
  const rowStart = Buffer.from(format.rowStart);
  const rowEnd = Buffer.from(format.rowEnd);
  const { columns } = format;
  /** Attribute of each column, by its index. */
  const attributes = columns.map(({ of }) =>
    ATTRIBUTES.indexOf(of === 'updated' ? UPDATED_AT : of),
  );
  const cells = columns.map(({ cell }) => cell);
  const opens = columns.map(({ open }) => Buffer.from(open));
  const closes = columns.map(({ close }) => Buffer.from(close));
  const unsets = columns.map(({ unset }) => Buffer.from(unset));
  const overhead = [rowStart, rowEnd, ...opens, ...closes, ...unsets].reduce(
    (sum, { length }) => sum + length + CELL_OVERHEAD,
    0,
  );
  const count = ATTRIBUTES.length;
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  const kinds = new Uint8Array(count);

  return (response, start) => {
    const ids: number[] = [];
    const rowEnds: number[] = [];
    let written = 0;
    let at = expect(response, start, OPEN_BRACKET);
    while (response[at] !== CLOSE_BRACKET) {
      if (ids.length > 0) at = expect(response, at, COMMA);
      const itemStart = at;
      at = findFields(response, at);
      written = reserve(written, (at - itemStart) * MAX_GROWTH + overhead);
      written = writeRow(response, written);
      rowEnds.push(written);
      ids.push(Number(response.toString('latin1', starts[ID], ends[ID])));
    }
    const text = Buffer.from(scratch.subarray(0, written));
    return { text, ids, ends: rowEnds, end: at + 1 };
  };

  /** Records the offsets of the item's fields, and returns the end of the item. */
  function findFields(response: Buffer, itemStart: number): number {
    starts.fill(0);
    ends.fill(0);
    let at = itemStart;
    let field = -1;
    do {
      // Skips the opening brace the first time, then a comma.
      at = expect(response, at + 1, QUOTE);
      field = nameAt(response, at, field);
      at += (names[field] as Buffer).length;
      at = expect(response, expect(response, expect(response, at, QUOTE), COLON), OPEN_BRACE);
      const type = response[at + 1];
      const isText = (type === TYPE_S || type === TYPE_N) && response[at + 2] === QUOTE;
      if (!isText || field >= count) {
        at = skipObject(response, at - 1);
        continue;
      }
      at = expect(response, expect(response, at + 3, COLON), QUOTE);
      starts[field] = at;
      let kind = ORDINARY;
      for (;;) {
        const byteClass = classes[response[at] as number];
        if (byteClass === ORDINARY) {
          at += 1;
          continue;
        }
        if (byteClass === undefined) throw unexpected(response, at);
        if (byteClass === ENDS) break;
        kind |= byteClass;
        at += response[at] === BACKSLASH ? 2 : 1;
      }
      ends[field] = at;
      kinds[field] = kind;
      at = expect(response, at + 1, CLOSE_BRACE);
    } while (response[at] === COMMA);
    return expect(response, at, CLOSE_BRACE);
  }

  /** Writes a row of the fields found, and returns its end. */
  function writeRow(response: Buffer, rowAt: number): number {
    let out = copyAll(rowStart, rowAt);
    for (let column = 0; column < attributes.length; column += 1) {
      const field = attributes[column] as number;
      const start = starts[field] as number;
      const end = ends[field] as number;
      if (start === end) {
        out = copyAll(unsets[column] as Buffer, out);
        continue;
      }
      out = copyAll(opens[column] as Buffer, out);
      const kind = kinds[field] as number;
      const cell = cells[column];
      if (cell || kind & notPlain || isSpecialFirst[response[start] as number]) {
        const raw = response.toString('utf8', start, end);
        const text = kind & ESCAPES ? (JSON.parse(`"${raw}"`) as string) : raw;
        out += scratch.write((cell ?? format.cell)(text), out);
      } else if (end - start > LOOP_BYTES) {
        out += response.copy(scratch, out, start, end);
      } else {
        for (let at = start; at < end; at += 1) scratch[out++] = response[at] as number;
      }
      out = copyAll(closes[column] as Buffer, out);
    }
    return copyAll(rowEnd, out);
  }
}

/** Reserves room for more bytes, and returns the offset at which they start. */
function reserve(written: number, bytes: number): number {
  if (written + bytes > scratch.length) {
    const larger = Buffer.allocUnsafeSlow(2 * (written + bytes));
    scratch.copy(larger, 0, 0, written);
    scratch = larger;
  }
  return written;
}

function copyAll(source: Buffer, to: number): number {
  let out = to;
  for (let at = 0; at < source.length; at += 1) scratch[out++] = source[at] as number;
  return out;
}

function classesOf({ special }: RowFormat): Uint8Array {
  const classes = new Uint8Array(256);
  for (const byte of special.anywhere) classes[byte] = SPECIAL;
  classes[QUOTE] = ENDS;
  classes[BACKSLASH] = ESCAPES;
  return classes;
}

function flagged(bytes: readonly number[]): Uint8Array {
  const flags = new Uint8Array(256);
  for (const byte of bytes) flags[byte] = 1;
  return flags;
}

/** Names of the attributes seen so far; those that a row can have first, in their order. */
const names = ATTRIBUTES.map((name) => Buffer.from(name));
const indexes = new Map<string, number>(ATTRIBUTES.map((name, index) => [name, index]));
/**
 * Index of the attribute that followed an attribute in the last item, by the index of the latter
 * plus one: items tend to keep one order.
 */
const followers: number[] = [];

/** Returns the index of the attribute whose name starts here, after the attribute `previous`. */
function nameAt(response: Buffer, start: number, previous: number): number {
  const guess = followers[previous + 1];
  if (guess !== undefined && standsAt(response, start, names[guess] as Buffer)) return guess;
  const end = response.indexOf(QUOTE, start);
  if (end < 0) throw unexpected(response, response.length);
  const name = response.toString('latin1', start, end);
  const index = indexes.get(name) ?? names.push(Buffer.from(name, 'latin1')) - 1;
  indexes.set(name, index);
  followers[previous + 1] = index;
  return index;
}

function standsAt(response: Buffer, start: number, name: Buffer): boolean {
  for (let at = 0; at < name.length; at += 1) {
    if (response[start + at] !== name[at]) return false;
  }
  return response[start + name.length] === QUOTE;
}

/** Returns the end of the object that starts here. */
function skipObject(response: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < response.length; at += 1) {
    const byte = response[at];
    if (byte === OPEN_BRACE) depth += 1;
    if (byte === CLOSE_BRACE) depth -= 1;
    if (depth === 0) return at + 1;
    if (byte === QUOTE) {
      for (at += 1; response[at] !== QUOTE && at < response.length; at += 1) {
        if (response[at] === BACKSLASH) at += 1;
      }
    }
  }
  throw unexpected(response, response.length);
}

function expect(response: Buffer, at: number, byte: number): number {
  if (response[at] !== byte) throw unexpected(response, at);
  return at + 1;
}

function unexpected(response: Buffer, at: number): SyntaxError {
  return new SyntaxError(`Unexpected byte ${response[at]} at ${at} of ${response.length}`);
}
