import { describe, expect, test } from 'vitest';
import { iterations } from '../support/iterations.ts';
import { type Random, randomOf } from '../support/random.ts';

// A model of PUT by customerid, whose requests are interleaved step by step in random order: with POST,
// DELETE and changes of the customerid, an index that lags behind, and functions that die. It compares
// what `shared/storage/put-by-customerid.ts` does with simpler ways, which each make two customers of
// one customerid, or bring a deleted one back.

/** What a variant leaves out. */
type Variant =
  | 'as it is'
  | 'the index alone'
  | 'claim and customer one after the other'
  | 'a stale claim is overwritten'
  | 'the stale owner may have changed'
  | 'the claim is read before its owner'
  | 'any version is replaced';

const KEY = 'K';
const KNOWN = { key: KEY, isKnown: true, wasRekeyed: false } as const;

interface Customer {
  key: string;
  version: number;
  /** Whether a PUT has created or replaced it under its present key. */
  isKnown: boolean;
  /** Whether it had another key since a PUT has claimed it. */
  wasRekeyed: boolean;
}

class Register {
  readonly customers = new Map<number, Customer>();
  readonly everDeleted = new Set<number>();
  claim: number | undefined;
  lastId = 0;
  /** Ids with the key, after each step. */
  readonly #history: number[][] = [[]];
  readonly violations: string[] = [];

  idsWithKey(): number[] {
    return [...this.customers].flatMap(([id, { key }]) => (key === KEY ? [id] : []));
  }

  /** Returns what an index that lags by up to so many steps finds. */
  indexed(lag: number): number[] {
    return this.#history.at(-1 - Math.min(lag, this.#history.length - 1)) ?? [];
  }

  afterStep(): void {
    this.#history.push(this.idsWithKey());
    const known = [...this.customers.values()].filter(({ key, isKnown }) => key === KEY && isKnown);
    if (known.length > 1) this.violations.push('double');
    if ([...this.customers.keys()].some((id) => this.everDeleted.has(id))) {
      this.violations.push('revived');
    }
  }
}

/** A request: each `yield` is a round trip, between which others run. */
type Request = Generator<undefined, void>;

function* put(register: Register, variant: Variant, lag: () => number): Request {
  const { customers } = register;
  for (let attempt = 0; attempt < 9; attempt += 1) {
    yield;
    const owner = variant === 'the index alone' ? undefined : register.claim;
    let claimant: Customer | undefined;
    if (owner !== undefined) {
      yield;
      claimant = copyOf(customers.get(owner));
      if (claimant?.key === KEY) {
        yield;
        if (isReplaced(register, owner, claimant, variant)) return;
        continue;
      }
    }
    yield;
    const candidates = register.indexed(lag());
    yield;
    const existing = candidates.filter((id) => customers.get(id)?.key === KEY);
    if (existing.length > 1) return;
    const [found] = existing;
    if (found !== undefined && found === owner) continue;
    const seen = found === undefined ? undefined : copyOf(customers.get(found));
    yield;
    let id = found;
    if (id === undefined) {
      register.lastId += 1;
      id = register.lastId;
      yield;
    }
    const isClaimFree =
      variant === 'the index alone' ||
      variant === 'a stale claim is overwritten' ||
      register.claim === undefined ||
      register.claim === owner;
    const isUnchanged =
      variant === 'the stale owner may have changed' ||
      !claimant ||
      customers.get(owner as number)?.version === claimant.version;
    const isSame = !seen || customers.get(id)?.version === seen.version;
    if (!isClaimFree || !isUnchanged || !isSame) continue;
    register.claim = id;
    if (variant === 'claim and customer one after the other') yield;
    customers.set(id, { ...KNOWN, version: (seen?.version ?? 0) + 1 });
    return;
  }
}

function isReplaced(register: Register, id: number, seen: Customer, variant: Variant) {
  const { customers } = register;
  if (variant !== 'any version is replaced' && customers.get(id)?.version !== seen.version) {
    return false;
  }
  if (seen.wasRekeyed && variant !== 'the claim is read before its owner') {
    if (register.claim !== undefined && register.claim !== id) return false;
    register.claim = id;
  }
  customers.set(id, { ...KNOWN, version: seen.version + 1 });
  return true;
}

function* post({ customers }: Register, nextId: () => number): Request {
  yield;
  const id = nextId();
  yield;
  customers.set(id, { ...KNOWN, version: 1, isKnown: false });
}

function* remove(register: Register, random: Random): Request {
  yield;
  const id = random.pick([...register.customers.keys(), 0]);
  const hadKey = register.customers.get(id)?.key === KEY;
  yield;
  if (register.customers.delete(id)) register.everDeleted.add(id);
  yield;
  if (hadKey && register.claim === id) register.claim = undefined;
}

function* rekey({ customers }: Register, random: Random): Request {
  yield;
  const id = random.pick([...customers.keys(), 0]);
  const seen = copyOf(customers.get(id));
  yield;
  if (!seen || customers.get(id)?.version !== seen.version) return;
  const key = seen.key === KEY ? 'other' : KEY;
  customers.set(id, { key, version: seen.version + 1, isKnown: false, wasRekeyed: true });
}

const copyOf = (customer: Customer | undefined) => customer && { ...customer };

/** Runs requests interleaved at random, and returns what went wrong. */
function history(seed: number, variant: Variant): string[] {
  const random = randomOf(seed);
  const register = new Register();
  const lag = () => random.below(7);
  const nextId = () => {
    register.lastId += 1;
    return register.lastId;
  };
  const kinds = [
    () => put(register, variant, lag),
    () => put(register, variant, lag),
    () => put(register, variant, lag),
    () => remove(register, random),
    () => rekey(register, random),
    () => post(register, nextId),
  ];
  const running = Array.from({ length: 12 }, () => random.pick(kinds)());
  while (running.length > 0) {
    const index = random.below(running.length);
    const isDead = random.chance(0.02);
    if (isDead || running[index]?.next().done) running.splice(index, 1);
    register.afterStep();
  }
  return register.violations;
}

describe('PUT by customerid, as a model', () => {
  const HISTORIES = 10_000;
  const firstWrong = (variant: Variant, histories = HISTORIES) => {
    for (let seed = 0; seed < histories; seed += 1) {
      if (history(seed, variant).length > 0) return seed;
    }
    return undefined;
  };

  test('makes no two customers of one customerid, and revives none, in thousands of interleavings', () => {
    const histories = iterations({ short: HISTORIES / 5, long: HISTORIES });
    expect(firstWrong('as it is', histories)).toBeUndefined();
  });

  test.each<Variant>([
    'the index alone',
    'claim and customer one after the other',
    'a stale claim is overwritten',
    'the stale owner may have changed',
    'the claim is read before its owner',
    'any version is replaced',
  ])('makes two of one, or revives one, if %s', (variant) => {
    expect(firstWrong(variant)).toBeDefined();
  });
});
