import fc from 'fast-check';
import { expect, test } from 'vitest';
import { queryInParallel } from '../../shared/storage/parallel-query.ts';
import type { IdRange } from '../../shared/storage/table.ts';

/** Customers by ascending id, with gaps between the ids, and the share of a page that each takes. */
const registers = fc
  .array(
    fc.record({
      step: fc.oneof(
        { weight: 9, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.integer({ min: 2, max: 2_000 }) },
      ),
      size: fc.integer({ min: 1, max: 40 }),
    }),
    { maxLength: 400 },
  )
  .map((steps) => {
    let id = 0;
    return steps.map(({ step, size }) => {
      id += step;
      return { id, size };
    });
  });

test('A range of ids is read completely and in order, however many customers a page holds', async () => {
  await fc.assert(
    fc.asyncProperty(
      registers,
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 0, max: 1_000 }),
      fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: Number.MAX_SAFE_INTEGER }),
      async (register, pageSize, from, to) => {
        let underWay = 0;
        let most = 0;
        const readPage = async (range: IdRange) => {
          underWay += 1;
          most = Math.max(most, underWay);
          await Promise.resolve();
          underWay -= 1;
          const value: number[] = [];
          let size = 0;
          for (const customer of register) {
            if (customer.id < range.from || customer.id > range.to) continue;
            size += customer.size;
            value.push(customer.id);
            // DynamoDB returns LastEvaluatedKey even if nothing follows.
            if (size >= pageSize) return { value, size, lastEvaluatedId: customer.id };
          }
          return { value, size, lastEvaluatedId: undefined };
        };
        const newestId = async () => register.at(-1)?.id ?? 0;
        const read: number[] = [];
        for await (const ids of queryInParallel({ from, to }, readPage, newestId))
          read.push(...ids);
        expect(read).toEqual(register.map(({ id }) => id).filter((id) => id >= from && id <= to));
        expect(most).toBeLessThanOrEqual(4);
      },
    ),
    { numRuns: 500 },
  );
});

test('A query rejects if one page fails, and no request continues in the background', async () => {
  let underWay = 0;
  const readPage = async ({ from }: IdRange) => {
    underWay += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
    underWay -= 1;
    if (from > 50) throw new Error('throttled');
    return { value: from, size: 10, lastEvaluatedId: from + 9 };
  };
  const read = async () => {
    for await (const _ of queryInParallel({ from: 1, to: 1_000 }, readPage, async () => 1_000));
  };
  await expect(read()).rejects.toThrow('throttled');
  expect(underWay).toBe(0);
});
