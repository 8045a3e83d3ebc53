/** A request and its response, as the client observed them. */
export interface Operation<I, O> {
  readonly input: I;
  /** Undefined if there was no response that states the outcome. */
  readonly output: O | undefined;
  /** Time of the request, on a strictly increasing clock. */
  readonly invoked: number;
  /** Time of the response. */
  readonly returned: number;
}

/** A sequential specification. */
export interface Model<S, I, O> {
  readonly initial: S;
  /**
   * Returns the state after an operation.
   *
   * @param output the response; undefined if unknown.
   * @returns undefined if the response is impossible in this state.
   */
  next(state: S, input: I, output: O | undefined): S | undefined;
  /** Returns a text that is equal for equal states only. */
  key(state: S): string;
}

/** Why a history is not linearizable: the longest prefix explained, and what cannot follow it. */
export interface Violation<S, I, O> {
  readonly explained: readonly Operation<I, O>[];
  readonly state: S;
  readonly stuck: readonly Operation<I, O>[];
}

/** A call or a return, in a linked list of the operations that are not yet explained. */
interface Entry<I, O> {
  readonly operation: Operation<I, O>;
  /** Its bit in the set of operations. */
  readonly bit: bigint;
  /** The return of a call that has a response. */
  end?: Entry<I, O>;
  readonly isCall: boolean;
  before: Entry<I, O> | undefined;
  after: Entry<I, O> | undefined;
}

/** Limit of the search; a history of some hundred operations rarely comes near it. */
const MAX_STATES = 1_000_000;

/** Thrown if it takes too long to decide whether a history is linearizable. */
export class Undecided extends Error {}

/**
 * Checks that a concurrent history is linearizable: each operation takes effect at one moment between
 * its call and its return, and the model gives the same responses in this order (Wing and Gong 1993,
 * with the cache of Lowe 2017). An operation without a response takes effect at any time after its
 * call, or never.
 *
 * @returns undefined if the history is linearizable, otherwise the longest explanation.
 * @throws Undecided if the check takes too long.
 */
export function violation<S, I, O>(
  model: Model<S, I, O>,
  history: readonly Operation<I, O>[],
): Violation<S, I, O> | undefined {
  const first = listOf(history);
  const visited = new Set<string>();
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
    // One operation must take effect before this return, and none of the remaining ones can.
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
    if (visited.size > MAX_STATES) throw new Undecided('The history takes too long to check.');
    const key = `${operations.toString(36)} ${model.key(after)}`;
    const size = visited.size;
    return visited.add(key).size > size;
  }
}

/** Returns calls and returns in order of time, behind a head that is neither. */
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

/** Removes an operation from the list, and returns whether it has a response. */
function take<I, O>(call: Entry<I, O>): boolean {
  unlink(call);
  if (call.end) unlink(call.end);
  return call.end !== undefined;
}

/** Restores the operation that was removed last. */
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
