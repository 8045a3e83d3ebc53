/** What several samples of one measure come to. */
export interface Stats {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: readonly number[];
}

/** What is to be reached by a ratio. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** Two contenders, measured in the same run. */
export interface Comparison {
  /** The measure, by the name that selects it: `export`, `cold`, … */
  readonly measure: string;
  /** What is compared, such as `CSV, full rows`. */
  readonly name: string;
  /** Whom ours is compared with. */
  readonly against: string;
  /** Unit of the samples. */
  readonly unit: string;
  readonly ours: Stats;
  readonly theirs: Stats;
  /** Of the medians, in the direction that `ratioOf` says. */
  readonly ratio: number;
  readonly ratioOf: RatioOf;
  /** None for what is told for orientation only. */
  readonly target?: Target;
  readonly reached?: boolean;
}

type RatioOf = 'ours / theirs' | 'theirs / ours';

/** Someone who takes part in a measure. */
export interface Contender<T = number> {
  readonly name: string;
  /** Takes one sample. */
  sample(): Promise<T>;
}

/** How a series of rounds is run. */
export interface Series {
  /** What progress calls it. */
  readonly title: string;
  readonly rounds: number;
  /** Rounds before those that count. */
  readonly warmUps?: number;
  readonly unit: string;
}

/** Median, least and most of some samples. */
export function statsOf(samples: readonly number[]): Stats {
  if (samples.length === 0) throw new Error('There are no samples.');
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number, samples };
}

/** Judges two contenders by the ratio of their medians. */
export function compare(comparison: Omit<Comparison, 'ratio' | 'reached'>): Comparison {
  const { ours, theirs, ratioOf, target } = comparison;
  const ratio =
    ratioOf === 'ours / theirs' ? ours.median / theirs.median : theirs.median / ours.median;
  return { ...comparison, ratio, ...(target && { reached: reaches(ratio, target) }) };
}

function reaches(ratio: number, target: Target): boolean {
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

/**
 * Lets contenders take samples in turn, so that whatever else happens on the machine meets them
 * alike; another one begins each round. Tells each round on stderr.
 *
 * @param numberOf what progress shows of a sample.
 * @returns each contender's samples, in the order of the contenders.
 */
export async function interleave<T>(
  contenders: readonly Contender<T>[],
  { title, rounds, warmUps = 1, unit }: Series,
  numberOf: (sample: T) => number,
): Promise<T[][]> {
  const samples: T[][] = contenders.map(() => []);
  for (let round = 1 - warmUps; round <= rounds; round += 1) {
    const told: string[] = [];
    for (const turn of contenders.keys()) {
      const place = (turn + round - 1 + warmUps) % contenders.length;
      const { name, sample } = contenders[place] as Contender<T>;
      const taken = await sample();
      if (round > 0) samples[place]?.push(taken);
      told[place] = `${name} ${figure(numberOf(taken))}`;
    }
    const when = round > 0 ? `round ${round} of ${rounds}` : 'warm-up';
    progress(`${title}, ${when}: ${told.join(', ')} ${unit}`);
  }
  return samples;
}

/** Says on stderr what is going on. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A number with as many digits as say something. */
export function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

/** Fails where two contenders did not do the same. */
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
