/** A request as its caller saw it. */
export interface Operation<I, O> {
  readonly input: I;
  /** Undefined where there was no answer that tells what became of it. */
  readonly output: O | undefined;
  /** When it was sent, on a clock that never shows the same time twice. */
  readonly invoked: number;
  /** When it was answered. */
  readonly returned: number;
}

/** How something behaves that does one operation after the other. */
export interface Model<S, I, O> {
  readonly initial: S;
  /**
   * The state after an operation.
   *
   * @param output what was answered; undefined where that is not known.
   * @returns undefined where this is no answer to give in this state.
   */
  next(state: S, input: I, output: O | undefined): S | undefined;
  /** The same text for the same states only. */
  key(state: S): string;
}

/** Why a history cannot be: as far as it can be explained, and what cannot follow. */
export interface Violation<S, I, O> {
  readonly explained: readonly Operation<I, O>[];
  readonly state: S;
  readonly stuck: readonly Operation<I, O>[];
}

/** A call, or the return of one; in a list of what is still to be explained. */
interface Entry<I, O> {
  readonly operation: Operation<I, O>;
  /** Its bit in the set of operations. */
  readonly bit: bigint;
  /** Of a call that was answered. */
  end?: Entry<I, O>;
  readonly isCall: boolean;
  before: Entry<I, O> | undefined;
  after: Entry<I, O> | undefined;
}

/** What a history of some hundred operations seldom comes near, unless the search has exploded. */
const MAX_STATES = 1_000_000;

/** It would take too long to find out whether a history is linearizable. */
export class Undecided extends Error {}

/**
 * Whether what was done at the same time can be put in one order, in which each operation takes
 * effect at one moment between its invocation and its return, and the model gives these answers
 * (linearizability; Wing and Gong 1993, with the memory of Lowe 2017). What was not answered takes
 * effect at any time after its invocation, or never.
 *
 * @returns undefined where it can; else how far it can at most.
 * @throws Undecided where that takes too long to find out.
 */
export function violation<S, I, O>(
  model: Model<S, I, O>,
  history: readonly Operation<I, O>[],
): Violation<S, I, O> | undefined {
  const first = listOf(history);
  const seen = new Set<string>();
  const done: { entry: Entry<I, O>; state: S }[] = [];
  let left = history.filter(({ output }) => output !== undefined).length;
  let state = model.initial;
  let taken = 0n;
  let best: Violation<S, I, O> | undefined;
  let entry = first.after;
  while (left > 0) {
    if (entry?.isCall) {
      const { operation, bit } = entry;
      const next = model.next(state, operation.input, operation.output);
      // What was not answered and would change nothing may as well never have come.
      const isIdle = operation.output === undefined && next && isSame(state, next);
      if (next !== undefined && !isIdle && isNew(taken | bit, next)) {
        done.push({ entry, state });
        state = next;
        taken |= bit;
        if (take(entry)) left -= 1;
        entry = first.after;
      } else {
        entry = entry.after;
      }
      continue;
    }
    // Whatever comes first must come before this return, and nothing that is left can.
    if (!best || done.length > best.explained.length) {
      const explained = done.map((step) => step.entry.operation);
      best = { explained, state, stuck: callsBefore(first, entry) };
    }
    const last = done.pop();
    if (!last) return best;
    state = last.state;
    taken ^= last.entry.bit;
    if (giveBack(last.entry)) left += 1;
    entry = last.entry.after;
  }
  return undefined;

  function isSame(a: S, b: S): boolean {
    return model.key(a) === model.key(b);
  }

  function isNew(operations: bigint, after: S): boolean {
    if (seen.size > MAX_STATES) throw new Undecided('The history takes too long to check.');
    const key = `${operations.toString(36)} ${model.key(after)}`;
    const size = seen.size;
    return seen.add(key).size > size;
  }
}

/** Calls and returns in the order of time, behind an entry that is neither. */
function listOf<I, O>(history: readonly Operation<I, O>[]): Entry<I, O> {
  const entries = history.flatMap((operation, index) => {
    const bit = 1n << BigInt(index);
    const entry = { operation, bit, before: undefined, after: undefined };
    const call: Entry<I, O> = { ...entry, isCall: true };
    if (operation.output === undefined) return [{ time: operation.invoked, entry: call }];
    call.end = { ...entry, isCall: false };
    return [
      { time: operation.invoked, entry: call },
      { time: operation.returned, entry: call.end },
    ];
  });
  const inOrder = entries.sort((a, b) => a.time - b.time).map(({ entry }) => entry);
  const first = { isCall: false, bit: 0n } as Entry<I, O>;
  let previous = first;
  for (const entry of inOrder) {
    previous.after = entry;
    entry.before = previous;
    previous = entry;
  }
  return first;
}

/** Takes an operation out of the list, and says whether it was answered. */
function take<I, O>(call: Entry<I, O>): boolean {
  unlink(call);
  if (call.end) unlink(call.end);
  return call.end !== undefined;
}

/** Puts the operation back that was taken last. */
function giveBack<I, O>(call: Entry<I, O>): boolean {
  if (call.end) link(call.end);
  link(call);
  return call.end !== undefined;
}

function unlink<I, O>({ before, after }: Entry<I, O>): void {
  if (before) before.after = after;
  if (after) after.before = before;
}

function link<I, O>(entry: Entry<I, O>): void {
  if (entry.before) entry.before.after = entry;
  if (entry.after) entry.after.before = entry;
}

function callsBefore<I, O>(first: Entry<I, O>, end: Entry<I, O> | undefined): Operation<I, O>[] {
  const calls: Operation<I, O>[] = [];
  for (let entry = first.after; entry && entry !== end; entry = entry.after) {
    if (entry.isCall) calls.push(entry.operation);
  }
  if (end) calls.push(end.operation);
  return [...new Set(calls)];
}
