import { exportAll, startExporter, startExportServers } from './exporting.ts';
import { type Comparison, compare, interleave, statsOf } from './harness.ts';
import type { Measure } from './measure.ts';

const MEGABYTE = 1_000_000;
const LIMIT_MB = 200;

/**
 * Measures the peak resident memory of a process that exports full rows as CSV, in MB, and whether
 * ours stays the same for ten times as many rows.
 */
export const measureMemory: Measure = async ({ bundles, quick }) => {
  const [few, many] = quick ? ([20_000, 200_000] as const) : ([100_000, 1_000_000] as const);
  const servers = await startExportServers();
  const contender = (who: string, rows: number) => ({
    name: `${who} ${rows.toLocaleString('en')} rows`,
    sample: async () => {
      const exporter = await startExporter('csv', who, servers, bundles);
      try {
        return (await exportAll(exporter, 'csv', 'full', rows)).maxRss / MEGABYTE;
      } finally {
        await exporter.stop();
      }
    },
  });
  const series = { title: 'memory', warmUps: 0, unit: 'MB' };
  try {
    const [oursFew = [], oursMany = [], usualFew = []] = await interleave(
      [contender('ours', few), contender('ours', many), contender('usual', few)],
      { ...series, rounds: quick ? 1 : 2 },
      (megabytes) => megabytes,
    );
    // Takes minutes and has no target, so once is enough.
    const [usualMany = []] = await interleave(
      [contender('usual', many)],
      { ...series, rounds: 1 },
      (megabytes) => megabytes,
    );
    const of = { measure: 'memory', unit: 'MB', ratioOf: 'ours / theirs' } as const;
    const named = (rows: number) => `CSV, ${rows.toLocaleString('en')} full rows`;
    const comparisons: Comparison[] = [
      compare({
        ...of,
        name: named(many),
        against: `ours, ${few.toLocaleString('en')} rows`,
        ours: statsOf(oursMany),
        theirs: statsOf(oursFew),
        target: { atMost: 1.1 },
      }),
      compare({
        ...of,
        name: named(many),
        against: `limit of ${LIMIT_MB} MB`,
        ours: statsOf(oursMany),
        theirs: statsOf([LIMIT_MB]),
        target: { atMost: 1 },
      }),
      ...(
        [
          [few, oursFew, usualFew],
          [many, oursMany, usualMany],
        ] as const
      ).map(([rows, ours, theirs]) =>
        compare({
          ...of,
          name: named(rows),
          against: 'csv-stringify',
          ours: statsOf(ours),
          theirs: statsOf(theirs),
        }),
      ),
    ];
    return comparisons;
  } finally {
    servers.stop();
  }
};
