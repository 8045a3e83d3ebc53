import type { Bundles } from './bundles.ts';
import type { Comparison } from './harness.ts';

/** What a measure is given. */
export interface Bench {
  readonly bundles: Bundles;
  /** Fewer rows and rounds. */
  readonly quick: boolean;
}

/** Takes samples of all contenders and compares them. */
export type Measure = (bench: Bench) => Promise<Comparison[]>;
