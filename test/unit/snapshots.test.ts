import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { variedCustomer } from '../../infra/local/varied-customers.ts';
import {
  type Condition,
  type CustomerFilter,
  EVERYONE,
  meetsFilter,
  toCustomerFilter,
} from '../../shared/domain/customer-filter.ts';
import { toSearchAttributes } from '../../shared/domain/search-attributes.ts';
import {
  FRAME_ENTRIES,
  type IndexEntry,
  SnapshotDamagedError,
} from '../../shared/storage/snapshots/snapshot-format.ts';
import { SnapshotMemory } from '../../shared/storage/snapshots/snapshot-memory.ts';
import {
  openSnapshot,
  type RangeReader,
  type Snapshot,
} from '../../shared/storage/snapshots/snapshot-reader.ts';
import { SnapshotWriter } from '../../shared/storage/snapshots/snapshot-writer.ts';
import { iterations } from '../support/iterations.ts';

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

const frameSizes = fc.constantFrom(1, 2, 7, 100);

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

interface File {
  readonly bytes: Buffer;
  readonly headBytes: number;
}

function fileOf(entries: Iterable<IndexEntry>, frameEntries?: number): File {
  const writer = new SnapshotWriter(frameEntries);
  writer.add(entries);
  const { chunks, bytes, headBytes } = writer.finish();
  const file = Buffer.concat(chunks);
  expect(file.length).toBe(bytes);
  return { bytes: file, headBytes };
}

/** Opens a file, with a memory of its own; `reads` gets the ranges that are read. */
function open(
  { bytes, headBytes }: File,
  { memory = new SnapshotMemory(), reads = [] as [from: number, to: number][] } = {},
): Promise<Snapshot> {
  const read: RangeReader['read'] = async (from, to) => {
    reads.push([from, to]);
    return bytes.subarray(from, to);
  };
  return openSnapshot({ read }, headBytes, memory);
}

async function idsOf(frames: ReturnType<Snapshot['frames']>): Promise<number[]> {
  const found: number[] = [];
  for await (const { ids, marks } of frames) {
    for (const [index, id] of ids.entries()) if (marks[index]) found.push(id);
  }
  return found;
}

async function entriesOf(snapshot: Snapshot): Promise<IndexEntry[]> {
  const read: IndexEntry[] = [];
  for await (const entries of snapshot.entries()) read.push(...entries);
  return read;
}

const meets = (filter: CustomerFilter, entries: readonly IndexEntry[]) =>
  entries.filter((entry) => meetsFilter(filter, entry)).map(({ id }) => id);

/** Invented customers with realistic texts, some ids missing. */
function* customers(count: number): Generator<IndexEntry> {
  for (let index = 0; index < count; index += 1) {
    const date = new Date(START_MS + index * 1_000).toISOString();
    yield {
      id: index + 1 + Math.floor(index / 50),
      ...toSearchAttributes({ date }, variedCustomer(index)),
    };
  }
}
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const createdAfter = (seconds: number) => START_MS + seconds * 1_000;

describe('What a snapshot holds', () => {
  const entries = [...customers(3_000)];
  const file = fileOf(entries, 1_000);

  test('A snapshot returns the entries that were written to it', () =>
    fc.assert(
      fc.asyncProperty(entryLists, frameSizes, async (entries, frameEntries) => {
        const snapshot = await open(fileOf(entries, frameEntries));
        expect(await entriesOf(snapshot)).toEqual(entries);
        expect(snapshot.count).toBe(entries.length);
        expect(snapshot.lastId).toBe(entries.at(-1)?.id ?? 0);
      }),
    ));

  test('A snapshot finds the customers that meet a filter, whatever is in their texts', () =>
    fc.assert(
      fc.asyncProperty(entryLists, frameSizes, filters, async (entries, frameEntries, filter) => {
        const snapshot = await open(fileOf(entries, frameEntries));
        expect(await idsOf(snapshot.frames(filter))).toEqual(meets(filter, entries));
      }),
      { numRuns: iterations({ short: 150, long: 5_000 }) },
    ));

  test('A time begins between the last entry before it and the first one since', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(3)), { maxLength: 40 }),
        frameSizes,
        fc.integer({ min: -1, max: 130 }),
        async (steps, frameSize, time) => {
          let [id, createdAt] = [0, 0];
          const customer = toSearchAttributes({ date: '2026-01-01T00:00:00Z' }, {});
          const entries = steps.map(([gap, ms]): IndexEntry => {
            id += gap;
            createdAt += ms;
            return { ...customer, id, createdAt };
          });
          const snapshot = await open(fileOf(entries, frameSize));
          const since = entries.find((entry) => entry.createdAt >= time)?.id;
          const before = entries.findLast((entry) => entry.createdAt < time)?.id ?? 0;
          const expected = since === undefined ? undefined : { before, since };
          expect(await snapshot.idsAround(time)).toEqual(expected);
          expect(await snapshot.idsAround(time)).toEqual(expected);
        },
      ),
    ));

  test.each([
    ['a rare name', ['search'], { search: ['tallfeldt'] }],
    ['a letter', ['search'], { search: ['a'] }],
    ['two letters', ['search'], { search: ['an'] }],
    ['a letter that few lack', ['!search'], { search: ['a'] }],
    ['two texts', ['search', 'isCompany'], { search: ['bygg', 'gatan'] }],
    ['a company number', ['searchInInvoiceForm'], { searchInInvoiceForm: ['5599'] }],
    ['kinds and marks', ['!isPrivate', 'isEFaktura', '!isReverseTax'], {}],
  ] as const)(
    'A search for %s finds the same customers as a look at each',
    async (_, terms, values) => {
      const filter = toCustomerFilter(terms, values);
      const found = meets(filter, entries);
      expect(found.length).toBeGreaterThan(0);
      const snapshot = await open(file);
      expect(await idsOf(snapshot.frames(filter))).toEqual(found);
      // Again, with what has been kept.
      expect(await idsOf(snapshot.frames(filter))).toEqual(found);
    },
  );

  test('A range of ids yields the entries in it, in ascending or descending frames, with their names', () =>
    fc.assert(
      fc.asyncProperty(
        entryLists,
        frameSizes,
        filters,
        fc.tuple(fc.nat(400), fc.nat(400)),
        fc.record({ descending: fc.boolean(), mayStop: fc.boolean() }),
        async (entries, frameEntries, filter, [from, to], options) => {
          const snapshot = await open(fileOf(entries, frameEntries));
          const frames: (readonly [number, string | undefined])[][] = [];
          for await (const frame of snapshot.frames(filter, {
            ...{ ...options, from, to, withNames: true },
          })) {
            expect(frame.marks.length).toBe(frame.count);
            expect([frame.firstId, frame.lastId]).toEqual([frame.ids[0], frame.ids.at(-1)]);
            frames.push(
              [...frame.ids].flatMap((id, index) =>
                frame.marks[index] ? [[id, frame.nameText(index)] as const] : [],
              ),
            );
          }
          if (options.descending) frames.reverse();
          expect(frames.flat()).toEqual(
            entries
              .filter((entry) => entry.id >= from && entry.id <= to && meetsFilter(filter, entry))
              .map(({ id, nameText }) => [id, nameText]),
          );
        },
      ),
      { numRuns: iterations({ short: 100, long: 3_000 }) },
    ));

  test.each([
    ['the same id again', [{ id: 1 }, { id: 1 }]],
    ['a lower id', [{ id: 2 }, { id: 1 }]],
    ['an id that is no integer', [{ id: 1.5 }]],
    ['a time that is no integer', [{ createdAt: Number.NaN }]],
    ['a kind that there is not', [{ kind: 'k' as IndexEntry['kind'] }]],
  ])('A snapshot is not written with %s', (_, changes) => {
    const [entry] = customers(1) as Iterable<IndexEntry> as [IndexEntry];
    const write = () => fileOf(changes.map((change) => ({ ...entry, ...change })));
    expect(write).toThrow(RangeError);
  });
});

describe('What is read of a snapshot', () => {
  const file = fileOf(customers(40_000));
  const { headBytes, bytes } = file;

  test('The file takes less than 30 bytes a customer, and its head less than half a byte', () => {
    expect(bytes.length / 40_000).toBeLessThan(30);
    expect(headBytes / 40_000).toBeLessThan(0.5);
  });

  test('Counts by kind and marks, and of all, read the head alone', async () => {
    const reads: [number, number][] = [];
    const snapshot = await open(file, { reads });
    const filter = toCustomerFilter(['isCompany', '!isEFaktura', '!isReverseTax'], {});
    expect((await idsOf(snapshot.frames(filter))).length).toBeGreaterThan(1_000);
    expect(await idsOf(snapshot.frames(EVERYONE))).toHaveLength(40_000);
    expect(reads).toEqual([[0, headBytes]]);
  });

  test('A range of time reads the times of the frames in which it begins and ends', async () => {
    const reads: [number, number][] = [];
    const snapshot = await open(file, { reads });
    const created = [{ from: createdAfter(1_000), to: createdAfter(39_000) }];
    expect(await idsOf(snapshot.frames({ created }))).toHaveLength(38_001);
    const [, ...more] = reads;
    expect(more).toHaveLength(2);
    expect(sizeOf(more)).toBeLessThan(2 * 4 * FRAME_ENTRIES);
  });

  test('A search that may stop early reads a frame, and more as it continues', async () => {
    const reads: [number, number][] = [];
    const snapshot = await open(file, { reads });
    const frames = snapshot.frames(toCustomerFilter(['search'], { search: ['a'] }), {
      mayStop: true,
    });
    await frames.next();
    expect(reads).toHaveLength(2);
    expect(sizeOf(reads)).toBeLessThan(bytes.length / 2);
    await frames.return(undefined);
  });

  test('A second search reads nothing', async () => {
    const reads: [number, number][] = [];
    const snapshot = await open(file, { reads });
    const filter = toCustomerFilter(['search'], { search: ['björk'] });
    const found = await idsOf(snapshot.frames(filter));
    const before = reads.length;
    expect(await idsOf(snapshot.frames(filter))).toEqual(found);
    expect(reads).toHaveLength(before);
  });

  test('Searches of several snapshots keep no more in memory than the limits, and find the same', async () => {
    const filter = toCustomerFilter(['search'], { search: ['björk'] });
    const expected = await idsOf((await open(file)).frames(filter));
    const memory = new SnapshotMemory(400_000, 2_000_000);
    const reads: [number, number][] = [];
    const snapshots = [await open(file, { memory, reads }), await open(file, { memory, reads })];
    for (let turn = 0; turn < 6; turn += 1) {
      const snapshot = snapshots[turn % 4 < 2 ? 0 : 1] as Snapshot;
      expect(await idsOf(snapshot.frames(filter))).toEqual(expected);
      expect(memory.packed.bytes).toBeLessThanOrEqual(400_000);
      expect(memory.unpacked.bytes).toBeLessThanOrEqual(2_000_000);
      expect(memory.packed.bytes + memory.unpacked.bytes).toBeGreaterThan(1_000_000);
    }
  });

  test('Searches at the same time count once what they keep', async () => {
    const memory = new SnapshotMemory();
    const snapshot = await open(file, { memory });
    const filter = toCustomerFilter(['search'], { search: ['björk'] });
    await idsOf(snapshot.frames(filter));
    const alone = [memory.packed.bytes, memory.unpacked.bytes];
    const other = new SnapshotMemory();
    const shared = await open(file, { memory: other });
    await Promise.all([1, 2, 3].map(() => idsOf(shared.frames(filter))));
    expect([other.packed.bytes, other.unpacked.bytes]).toEqual(alone);
  });

  test('A read that fails fails the search, and the next one reads again', async () => {
    let isDown = false;
    const read: RangeReader['read'] = async (from, to) => {
      if (isDown) throw new Error('S3 is down');
      return bytes.subarray(from, to);
    };
    const snapshot = await openSnapshot({ read }, headBytes, new SnapshotMemory());
    const filter = toCustomerFilter(['search'], { search: ['björk'] });
    isDown = true;
    await expect(idsOf(snapshot.frames(filter))).rejects.toThrow('S3 is down');
    isDown = false;
    expect((await idsOf(snapshot.frames(filter))).length).toBeGreaterThan(0);
  });
});

describe('Damage', () => {
  /** Bytes between two that are changed, or at which the file is cut off. */
  const STEP = iterations({ short: 7, long: 1 });
  const file = fileOf(customers(40), 16);
  const readAll = async (damaged: File) => {
    const snapshot = await open(damaged);
    await idsOf(snapshot.frames(toCustomerFilter(['isCompany'], {})));
    return entriesOf(snapshot);
  };

  test('A file with a changed byte is not read, whichever it is', async () => {
    for (let place = 0; place < file.bytes.length; place += STEP) {
      const bytes = Buffer.from(file.bytes);
      (bytes[place] as number) ^= 1 << (place & 7);
      await expect(readAll({ ...file, bytes }), `byte ${place}`).rejects.toThrow(
        SnapshotDamagedError,
      );
    }
  });

  test('A file that is cut off is not read, wherever it ends', async () => {
    for (let length = 0; length < file.bytes.length; length += STEP) {
      const bytes = file.bytes.subarray(0, length);
      await expect(readAll({ ...file, bytes }), `${length} bytes`).rejects.toThrow(
        SnapshotDamagedError,
      );
    }
  });

  test('A file is not read with the parts of another', async () => {
    const other = fileOf(customers(41), 16);
    const bytes = Buffer.concat([
      file.bytes.subarray(0, file.headBytes),
      other.bytes.subarray(other.headBytes),
    ]);
    await expect(readAll({ ...file, bytes })).rejects.toThrow(SnapshotDamagedError);
  });

  test.each([
    ['another version', (bytes: Buffer) => bytes.writeUInt8(2, 3), 'another version'],
    ['another size of its head', (bytes: Buffer) => bytes.writeUInt8(1, 8), 'head'],
  ])('The error of a file of %s says so', async (_, change, message) => {
    const bytes = Buffer.from(file.bytes);
    change(bytes);
    await expect(readAll({ ...file, bytes })).rejects.toThrow(message);
  });

  test('A file is not read by a wrong size of its head', async () => {
    for (const headBytes of [
      0,
      15,
      file.headBytes - 1,
      file.headBytes + 1,
      2 * file.bytes.length,
    ]) {
      await expect(readAll({ ...file, headBytes })).rejects.toThrow(SnapshotDamagedError);
    }
  });
});

function sizeOf(ranges: readonly (readonly [from: number, to: number])[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}
