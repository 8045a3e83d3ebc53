import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Condition,
  type CustomerFilter,
  EVERYONE,
  meetsFilter,
} from '../../shared/domain/customer-filter.ts';
import type { IndexEntry } from '../../shared/storage/snapshots/snapshot-format.ts';
import {
  openSnapshot,
  type RangeReader,
  type Snapshot,
} from '../../shared/storage/snapshots/snapshot-reader.ts';
import { SnapshotWriter } from '../../shared/storage/snapshots/snapshot-writer.ts';

/** Characters that could be taken for separators, or are of several bytes or two code units. */
const HOSTILE = [
  ...['A', 'Å', 'B', '0', '1', ' ', '\n', '\r', '\0', '\u00ff', '\u0100', 'ß', '€', '\uffff'],
  ...['\u{10ffff}', '😀', '\u0301'],
];
const texts = fc.string({ unit: fc.constantFrom(...HOSTILE), maxLength: 6 });
const text = fc.option(texts, { nil: undefined });
const flag = fc.constantFrom(true as const, undefined);

const attributes = fc.record({
  createdAt: fc.oneof(fc.nat(20), fc.integer({ min: -(2 ** 45), max: 2 ** 45 })),
  nameText: text,
  addressText: text,
  postcodeText: text,
  companyText: text,
  kind: fc.constantFrom('private', 'company', 'unknown'),
  eInvoice: flag,
  reverseTax: flag,
});
const gaps = fc.oneof(
  { weight: 20, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 45 }) },
);
const entryLists = fc
  .array(fc.tuple(gaps, attributes), { maxLength: 60 })
  .map((pairs): IndexEntry[] => {
    let id = 0;
    return pairs.map(([gap, attributes]) => {
      id += gap;
      return { id, ...attributes };
    });
  });

const TEXT_ATTRIBUTES = ['nameText', 'addressText', 'postcodeText', 'companyText'] as const;
const conditions = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ attribute: fc.constantFrom(...TEXT_ATTRIBUTES), contains: texts }),
    fc.record({
      attribute: fc.constant('kind' as const),
      equals: fc.constantFrom('private', 'company', 'unknown'),
    }),
    fc.record({
      attribute: fc.constantFrom(...TEXT_ATTRIBUTES, 'kind', 'eInvoice', 'reverseTax'),
      exists: fc.constant(true as const),
    }),
    fc.record({ all: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
})).condition as fc.Arbitrary<Condition>;
const times = fc.integer({ min: -2, max: 22 });
const filters: fc.Arbitrary<CustomerFilter> = fc
  .tuple(
    fc.oneof(
      fc.constant(EVERYONE.created),
      fc.uniqueArray(times, { maxLength: 4 }).map((ends) => {
        const [a, b, c, d] = ends.toSorted((x, y) => x - y);
        return [
          ...(a !== undefined && b !== undefined ? [{ from: a, to: b }] : []),
          ...(c !== undefined && d !== undefined ? [{ from: c, to: d }] : []),
        ];
      }),
    ),
    fc.option(conditions, { nil: undefined }),
  )
  .map(([created, condition]) => (condition ? { created, condition } : { created }));

function fileOf(entries: readonly IndexEntry[]): { bytes: Buffer; headBytes: number } {
  const writer = new SnapshotWriter();
  writer.add(entries);
  const { chunks, headBytes } = writer.finish();
  return { bytes: Buffer.concat(chunks), headBytes };
}

function readerOf(bytes: Uint8Array): RangeReader {
  return { read: async (from, to) => bytes.subarray(from, to) };
}

async function snapshotOf(entries: readonly IndexEntry[]): Promise<Snapshot> {
  const { bytes, headBytes } = fileOf(entries);
  return openSnapshot(readerOf(bytes), headBytes);
}

async function idsIn(frames: ReturnType<Snapshot['frames']>): Promise<number[]> {
  const found: number[] = [];
  for await (const { ids, marks } of frames) {
    for (const [index, id] of ids.entries()) if (marks[index]) found.push(id);
  }
  return found;
}

describe('Snapshots of the customer index', () => {
  test('A snapshot returns the entries that were written to it', () =>
    fc.assert(
      fc.asyncProperty(entryLists, async (entries) => {
        const snapshot = await snapshotOf(entries);
        const read: IndexEntry[] = [];
        for await (const page of snapshot.entries()) read.push(...page);
        expect(read).toEqual(entries);
        expect(snapshot.count).toBe(entries.length);
        expect(snapshot.lastId).toBe(entries.at(-1)?.id ?? 0);
      }),
    ));

  test('A snapshot finds the customers that meet a filter, whatever is in their texts', () =>
    fc.assert(
      fc.asyncProperty(entryLists, filters, async (entries, filter) => {
        const snapshot = await snapshotOf(entries);
        expect(await idsIn(snapshot.frames(filter))).toEqual(
          entries.filter((entry) => meetsFilter(filter, entry)).map(({ id }) => id),
        );
      }),
      { numRuns: 500 },
    ));
});
