import type { Bundles } from './bundles.ts';
import type { Comparison } from './harness.ts';

/** Input of a measure. */
export interface Bench {
  readonly bundles: Bundles;
  /** Whether to take fewer rows and rounds. */
  readonly quick: boolean;
  /** Earlier commits of this repository to compare with, in place of the usual way. */
  readonly commits: readonly string[];
}

/** Takes samples of all contenders and compares them. */
export type Measure = (bench: Bench) => Promise<Comparison[]>;
