/** Reproducible random numbers. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number;
  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number;
  /** Returns true with this probability. */
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** Seed of all random choices; the environment variable SEED sets another. */
export const SEED = Number(process.env.SEED || 1);

/** Returns a Mulberry32 generator: small, and sufficient to choose requests. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    next,
    below,
    chance: (share) => next() < share,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
  };
}

/** Returns a valid organisationsnummer. */
export function organisationNumber({ below }: Random): string {
  const nine = `55${2 + below(8)}${String(below(1e6)).padStart(6, '0')}`;
  const sum = [...nine].reduce((total, digit, index) => {
    const product = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (product > 9 ? product - 9 : product);
  }, 0);
  return `${nine}${(10 - (sum % 10)) % 10}`;
}
