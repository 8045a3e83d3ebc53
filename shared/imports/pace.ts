import { setTimeout } from 'node:timers/promises';

/** Bytes of a write unit. */
const UNIT_BYTES = 1_024;

/** Waits until so many units may be consumed. */
export type Pace = (units: number) => Promise<void>;

/** Returns a function by which all who call it together consume no more units a second than this. */
export function paceOf(unitsPerSecond: number): Pace {
  let nextMs = 0;
  return async (units) => {
    const waitMs = nextMs - performance.now();
    nextMs = performance.now() + Math.max(waitMs, 0) + (units / unitsPerSecond) * 1_000;
    if (waitMs > 0) await setTimeout(waitMs);
  };
}

/** Returns the write units of an item, at most. */
export function writeUnits(item: unknown): number {
  // An item has fewer bytes than its JSON.
  return Math.ceil(Buffer.byteLength(JSON.stringify(item)) / UNIT_BYTES);
}
