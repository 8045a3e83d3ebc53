import { FIELDS } from '../../domain/fields.ts';
import type { RowFormat } from '../../formats/row-format.ts';

/** Rows of the items in an answer of DynamoDB. */
export interface Rows {
  /** UTF-8, one row after the other. */
  readonly text: Buffer;
  /** Ids of the customers, by row. */
  readonly ids: readonly number[];
  /** Where each row ends in the text. */
  readonly ends: readonly number[];
  /** Where the list of items ends in the answer. */
  readonly end: number;
}

/**
 * Writes the rows of a list of items, as it stands in an answer of DynamoDB.
 *
 * @param answer JSON without white space between its tokens.
 * @param start where the list begins, with its bracket.
 * @throws SyntaxError where there is no such list.
 */
export type RowWriter = (answer: Buffer, start: number) => Rows;

/*
 * Why not the SDK's objects: of the time a page of 1 MB takes, turning attribute values into
 * objects is 40 ms, reading the JSON into plain ones still 6 to 13 ms; copying the values' bytes
 * from the answer into the row is 2 ms (on one core of a 2026 server). Nearly all texts stand in
 * the answer byte for byte as they stand in the row; the few with JSON's escapes or with a
 * character that is special in the format go the plain way, one by one.
 */

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

/** What a byte of a string is; a text may have several. */
const ORDINARY = 0;
const ENDS = 1;
const ESCAPES = 2;
const SPECIAL = 4;

/** Most bytes that a byte of an answer may become in a row: `&` becomes `&amp;`. */
const MAX_GROWTH = 5;
/** Bytes around a cell besides its column's own: two quotes and an apostrophe. */
const CELL_OVERHEAD = 3;
/** Longer texts are copied by the runtime, whose call costs as much as a loop over a few bytes. */
const LOOP_BYTES = 48;

const ID = FIELDS.findIndex(({ name }) => name === 'mexcParamvaluesetsid');

/** Rows are put together here and then copied out; it grows to what the largest answer needs. */
let scratch = Buffer.allocUnsafeSlow(1024 * 1024);

/** Makes the writer of a format. */
export function rowWriter(format: RowFormat): RowWriter {
  const classes = classesOf(format);
  // As JSON a text is copied with its escapes.
  const notPlain = format.isJson ? SPECIAL : SPECIAL | ESCAPES;
  const isSpecialFirst = flagged(format.special.atStart);
  const rowStart = Buffer.from(format.rowStart);
  const rowEnd = Buffer.from(format.rowEnd);
  const opens = format.columns.map(({ open }) => Buffer.from(open));
  const closes = format.columns.map(({ close }) => Buffer.from(close));
  const unsets = format.columns.map(({ unset }) => Buffer.from(unset));
  const overhead = [rowStart, rowEnd, ...opens, ...closes, ...unsets].reduce(
    (sum, { length }) => sum + length + CELL_OVERHEAD,
    0,
  );
  const count = FIELDS.length;
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  const kinds = new Uint8Array(count);

  return (answer, start) => {
    const ids: number[] = [];
    const rowEnds: number[] = [];
    let written = 0;
    let at = expect(answer, start, OPEN_BRACKET);
    while (answer[at] !== CLOSE_BRACKET) {
      if (ids.length > 0) at = expect(answer, at, COMMA);
      const itemStart = at;
      at = findFields(answer, at);
      written = reserve(written, (at - itemStart) * MAX_GROWTH + overhead);
      written = writeRow(answer, written);
      rowEnds.push(written);
      ids.push(Number(answer.toString('latin1', starts[ID], ends[ID])));
    }
    const text = Buffer.from(scratch.subarray(0, written));
    return { text, ids, ends: rowEnds, end: at + 1 };
  };

  /** Notes where the item's fields stand, and returns where the item ends. */
  function findFields(answer: Buffer, itemStart: number): number {
    starts.fill(0);
    ends.fill(0);
    let at = itemStart;
    let field = -1;
    do {
      // The first time past the opening brace, then past a comma.
      at = expect(answer, at + 1, QUOTE);
      field = nameAt(answer, at, field);
      at += (names[field] as Buffer).length;
      at = expect(answer, expect(answer, expect(answer, at, QUOTE), COLON), OPEN_BRACE);
      const type = answer[at + 1];
      const isText = (type === TYPE_S || type === TYPE_N) && answer[at + 2] === QUOTE;
      if (!isText || field >= count) {
        at = skipObject(answer, at - 1);
        continue;
      }
      at = expect(answer, expect(answer, at + 3, COLON), QUOTE);
      starts[field] = at;
      let kind = ORDINARY;
      for (;;) {
        const byteClass = classes[answer[at] as number];
        if (byteClass === ORDINARY) {
          at += 1;
          continue;
        }
        if (byteClass === undefined) throw unexpected(answer, at);
        if (byteClass === ENDS) break;
        kind |= byteClass;
        at += answer[at] === BACKSLASH ? 2 : 1;
      }
      ends[field] = at;
      kinds[field] = kind;
      at = expect(answer, at + 1, CLOSE_BRACE);
    } while (answer[at] === COMMA);
    return expect(answer, at, CLOSE_BRACE);
  }

  /** Writes a row of the fields found, and returns where it ends. */
  function writeRow(answer: Buffer, rowAt: number): number {
    let out = copyAll(rowStart, rowAt);
    for (let field = 0; field < count; field += 1) {
      const start = starts[field] as number;
      const end = ends[field] as number;
      if (start === end) {
        out = copyAll(unsets[field] as Buffer, out);
        continue;
      }
      out = copyAll(opens[field] as Buffer, out);
      const kind = kinds[field] as number;
      if (kind & notPlain || isSpecialFirst[answer[start] as number]) {
        const raw = answer.toString('utf8', start, end);
        const text = kind & ESCAPES ? (JSON.parse(`"${raw}"`) as string) : raw;
        out += scratch.write(format.cell(text), out);
      } else if (end - start > LOOP_BYTES) {
        out += answer.copy(scratch, out, start, end);
      } else {
        for (let at = start; at < end; at += 1) scratch[out++] = answer[at] as number;
      }
      out = copyAll(closes[field] as Buffer, out);
    }
    return copyAll(rowEnd, out);
  }
}

/** Makes room for so many bytes more, and returns where they go. */
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

/** Names of attributes met so far; the fields first, in their order. */
const names = FIELDS.map(({ name }) => Buffer.from(name));
const indexes = new Map(FIELDS.map(({ name }, index) => [name, index]));
/** What came after an attribute the last time, by its index and 1; items tend to keep one order. */
const followers: number[] = [];

/** Index of the attribute whose name stands here, after the one with the index `previous`. */
function nameAt(answer: Buffer, start: number, previous: number): number {
  const guess = followers[previous + 1];
  if (guess !== undefined && standsAt(answer, start, names[guess] as Buffer)) return guess;
  const end = answer.indexOf(QUOTE, start);
  if (end < 0) throw unexpected(answer, answer.length);
  const name = answer.toString('latin1', start, end);
  const index = indexes.get(name) ?? names.push(Buffer.from(name, 'latin1')) - 1;
  indexes.set(name, index);
  followers[previous + 1] = index;
  return index;
}

function standsAt(answer: Buffer, start: number, name: Buffer): boolean {
  for (let at = 0; at < name.length; at += 1) {
    if (answer[start + at] !== name[at]) return false;
  }
  return answer[start + name.length] === QUOTE;
}

/** Where the object ends that begins here. */
function skipObject(answer: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < answer.length; at += 1) {
    const byte = answer[at];
    if (byte === OPEN_BRACE) depth += 1;
    if (byte === CLOSE_BRACE) depth -= 1;
    if (depth === 0) return at + 1;
    if (byte === QUOTE) {
      for (at += 1; answer[at] !== QUOTE && at < answer.length; at += 1) {
        if (answer[at] === BACKSLASH) at += 1;
      }
    }
  }
  throw unexpected(answer, answer.length);
}

function expect(answer: Buffer, at: number, byte: number): number {
  if (answer[at] !== byte) throw unexpected(answer, at);
  return at + 1;
}

function unexpected(answer: Buffer, at: number): SyntaxError {
  return new SyntaxError(`Unexpected byte ${answer[at]} at ${at} of ${answer.length}`);
}
