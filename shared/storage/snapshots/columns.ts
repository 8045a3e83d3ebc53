import type { Kind } from '../../domain/search-attributes.ts';
import { type IndexEntry, TEXT_BLOCKS } from './snapshot-format.ts';

const KINDS: readonly Kind[] = ['private', 'company', 'unknown'];
const E_INVOICE = 1 << 2;
const REVERSE_TAX = 1 << 3;
/** The bit of the first text that an entry has; those of the others follow. */
const FIRST_TEXT = 1 << 4;
/** Values that a byte of flags has. */
export const FLAGS_VALUES = 256;

/** The attributes that a byte of flags holds. Texts are there or not. */
type Flags = Pick<IndexEntry, 'kind' | 'eInvoice' | 'reverseTax' | (typeof TEXT_BLOCKS)[number]>;

/**
 * Returns kind, marks and which texts there are, in a byte.
 *
 * @throws RangeError if there is no such kind.
 */
export function toFlags(entry: Flags): number {
  let flags = KINDS.indexOf(entry.kind);
  if (flags < 0) throw new RangeError(`kind must be one of ${KINDS}; got ${entry.kind}`);
  if (entry.eInvoice) flags |= E_INVOICE;
  if (entry.reverseTax) flags |= REVERSE_TAX;
  for (const [index, name] of TEXT_BLOCKS.entries()) {
    if (entry[name] !== undefined) flags |= FIRST_TEXT << index;
  }
  return flags;
}

/** Returns the attributes of a byte of flags, with the texts that `textOf` returns, by their number. */
export function fromFlags(flags: number, textOf: (index: number) => string): Flags {
  const text = (index: number) => (flags & (FIRST_TEXT << index) ? textOf(index) : undefined);
  return {
    kind: KINDS[flags & 3] as Kind,
    eInvoice: flags & E_INVOICE ? true : undefined,
    reverseTax: flags & REVERSE_TAX ? true : undefined,
    nameText: text(0),
    addressText: text(1),
    postcodeText: text(2),
    companyText: text(3),
  };
}

/** Bits of a varint's byte that are data; the next bit says that more follow. */
const VARINT_BASE = 0x80;
const MAX_VARINT_BYTES = 8;

/**
 * Returns integers as varints (LEB128) of the differences between neighbours, which are mapped to
 * natural numbers by zigzag: 0, -1, 1, -2, 2, …
 *
 * @param start the number before the first.
 * @param step the difference that becomes 0.
 */
export function encodeDeltas(numbers: readonly number[], start: number, step: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(numbers.length * MAX_VARINT_BYTES);
  let end = 0;
  let previous = start;
  for (const number of numbers) {
    const delta = number - previous - step;
    // No bit operations: differences have up to 53 bits.
    let rest = delta < 0 ? -2 * delta - 1 : 2 * delta;
    while (rest >= VARINT_BASE) {
      bytes[end] = (rest % VARINT_BASE) + VARINT_BASE;
      rest = Math.floor(rest / VARINT_BASE);
      end += 1;
    }
    bytes[end] = rest;
    end += 1;
    previous = number;
  }
  return bytes.subarray(0, end);
}

/** Returns the integers of {@link encodeDeltas}. */
export function decodeDeltas(
  bytes: Uint8Array,
  count: number,
  start: number,
  step: number,
): Float64Array {
  const numbers = new Float64Array(count);
  let place = 0;
  let previous = start;
  for (let index = 0; index < count; index += 1) {
    let value = 0;
    let scale = 1;
    let byte = bytes[place] as number;
    place += 1;
    while (byte >= VARINT_BASE) {
      value += (byte - VARINT_BASE) * scale;
      scale *= VARINT_BASE;
      byte = bytes[place] as number;
      place += 1;
    }
    value += byte * scale;
    previous += step + (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
    numbers[index] = previous;
  }
  return numbers;
}
