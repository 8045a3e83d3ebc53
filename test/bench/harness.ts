/** Statistics of the samples of one measure. */
export interface Stats {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: readonly number[];
}

/** Limit that a ratio has to reach. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** Result of two contenders, measured in the same run. */
export interface Comparison {
  /** Name of the measure on the command line: `export`, `cold`, … */
  readonly measure: string;
  /** Subject of the comparison, such as `CSV, full rows`. */
  readonly name: string;
  /** The other contender. */
  readonly against: string;
  /** Unit of the samples. */
  readonly unit: string;
  readonly ours: Stats;
  readonly theirs: Stats;
  /** Ratio of the medians, or the median ratio of rounds, in the direction of `ratioOf`. */
  readonly ratio: number;
  readonly ratioOf: RatioOf;
  /** None for a comparison that is for information only. */
  readonly target?: Target;
  readonly reached?: boolean;
}

type RatioOf = 'ours / theirs' | 'theirs / ours';

/** A participant of a measure. */
export interface Contender<T = number> {
  readonly name: string;
  /** Takes one sample. */
  sample(): Promise<T>;
}

/** A series of rounds. */
export interface Series {
  /** Title in the progress output. */
  readonly title: string;
  readonly rounds: number;
  /** Rounds before the measured ones; 1 if not given. */
  readonly warmUps?: number;
  readonly unit: string;
}

/** Returns median, minimum and maximum of samples. @throws if there are none. */
export function statsOf(samples: readonly number[]): Stats {
  if (samples.length === 0) throw new Error('There are no samples.');
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number, samples };
}

/** Compares two contenders by the ratio of their medians. */
export function compare(comparison: Omit<Comparison, 'ratio' | 'reached'>): Comparison {
  const { ours, theirs, ratioOf } = comparison;
  const ratio =
    ratioOf === 'ours / theirs' ? ours.median / theirs.median : theirs.median / ours.median;
  return withRatio(comparison, ratio);
}

/**
 * Compares two contenders by the median of the ratios of each round, ours / theirs. Other load on a
 * machine makes samples slow or fast, and few between: then medians of samples jump from the ones to
 * the others, and the ratios of most rounds do not.
 */
export function compareRounds(
  comparison: Omit<Comparison, 'ratio' | 'ratioOf' | 'reached'>,
): Comparison {
  const { ours, theirs } = comparison;
  const ratios = ours.samples.map((sample, round) => sample / (theirs.samples[round] as number));
  return withRatio({ ...comparison, ratioOf: 'ours / theirs' }, statsOf(ratios).median);
}

function withRatio(comparison: Omit<Comparison, 'ratio' | 'reached'>, ratio: number): Comparison {
  const { target } = comparison;
  return { ...comparison, ratio, ...(target && { reached: reaches(ratio, target) }) };
}

function reaches(ratio: number, target: Target): boolean {
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

/**
 * Takes samples of the contenders in turn, so that other load on the machine affects all alike. Each
 * round starts with another contender, and is reported on stderr.
 *
 * @param numberOf returns the number of a sample that the report shows.
 * @returns the samples of each contender, in the order of the contenders.
 */
export async function interleave<T>(
  contenders: readonly Contender<T>[],
  { title, rounds, warmUps = 1, unit }: Series,
  numberOf: (sample: T) => number,
): Promise<T[][]> {
  const samples: T[][] = contenders.map(() => []);
  for (let round = 1 - warmUps; round <= rounds; round += 1) {
    const shown: string[] = [];
    for (const turn of contenders.keys()) {
      const place = (turn + round - 1 + warmUps) % contenders.length;
      const { name, sample } = contenders[place] as Contender<T>;
      const taken = await sample();
      if (round > 0) samples[place]?.push(taken);
      shown[place] = `${name} ${figure(numberOf(taken))}`;
    }
    const when = round > 0 ? `round ${round} of ${rounds}` : 'warm-up';
    progress(`${title}, ${when}: ${shown.join(', ')} ${unit}`);
  }
  return samples;
}

/** Reports progress on stderr. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Formats a number with about three significant digits. */
export function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

/** Throws if two contenders have different outputs; the error shows the first difference. */
export function checkSame(what: string, ours: unknown, theirs: unknown): void {
  const [a, b] = [ours, theirs].map((value) =>
    typeof value === 'string' ? value : JSON.stringify(value),
  ) as [string, string];
  if (a === b) return;
  let at = 0;
  while (a[at] === b[at]) at += 1;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 60), at + 60));
  throw new Error(
    `${what}: the outputs differ at character ${at}.\n  ours:   ${around(a)}\n  theirs: ${around(b)}`,
  );
}
