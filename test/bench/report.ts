import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Comparison, figure, type Stats, type Target } from './harness.ts';
import { toSvg } from './svg.ts';

const FOLDER = import.meta.dirname;
const HEAD = ['measure', 'what', 'against', 'unit', 'ours', 'theirs', 'ratio', 'target', ''];

/** Formats the results as a text table. */
export function toTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => [
    comparison.measure,
    comparison.name,
    comparison.against,
    comparison.unit,
    span(comparison.ours),
    span(comparison.theirs),
    figure(comparison.ratio),
    comparison.target ? words(comparison.target) : '',
    comparison.reached === undefined ? '' : comparison.reached ? 'reached' : 'MISSED',
  ]);
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd();
  return [line(HEAD), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line), ''].join(
    '\n',
  );
}

/** Entry of one measure in `results.json`. */
interface Result {
  /** Time of the measurement, ISO 8601. */
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly comparisons: readonly (Comparison & { readonly rounds: number })[];
}

/**
 * Writes `results.json` and the chart of it, `results.svg`. Measures that did not run keep their
 * earlier results.
 */
export function writeResults(comparisons: readonly Comparison[]): void {
  const file = join(FOLDER, 'results.json');
  const results: Record<string, Result> = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : {};
  for (const [measure, all = []] of Map.groupBy(comparisons, (each) => each.measure)) {
    results[measure] = {
      date: new Date().toISOString(),
      node: process.version,
      cpu: cpus()[0]?.model ?? '',
      cpus: cpus().length,
      comparisons: all.map((each) => ({ rounds: each.ours.samples.length, ...each })),
    };
  }
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  const stored = Object.values(results).flatMap((result) => result.comparisons);
  writeFileSync(join(FOLDER, 'results.svg'), toSvg(stored));
}

function words(target: Target): string {
  return 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
}

function span({ median, min, max }: Stats): string {
  const middle = figure(median);
  return min === max ? middle : `${middle} (${figure(min)}–${figure(max)})`;
}
