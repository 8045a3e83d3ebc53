import type { Throttle } from '../capacity.ts';

/** Returns whether one more request is within the limit, and counts it. */
export type Admit = () => boolean;

/**
 * Creates a token bucket, which is full at first.
 *
 * @param now a clock in milliseconds.
 */
export function createThrottle(
  { rateLimit, burstLimit }: Throttle,
  now = () => performance.now(),
): Admit {
  let tokens = burstLimit;
  let refilledAt = now();
  return () => {
    const time = now();
    tokens = Math.min(burstLimit, tokens + ((time - refilledAt) / 1_000) * rateLimit);
    refilledAt = time;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
