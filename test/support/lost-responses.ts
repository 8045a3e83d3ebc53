import type { ApiResponse } from './api.ts';

/** The shortest time-out of the SDK: a function does not count a response as lost sooner. */
const SHORTEST_TIMEOUT_MS = 1_000;
const MAX_TRIES = 10;

/**
 * Sends a request of many at once again if it is 503 since the machine stood still, as callers do: a
 * response of the table was lost, others have written since, and so the outcome of the write is not known.
 * A 503 for which no response can have been lost is returned.
 */
export async function untilKnown(send: () => Promise<ApiResponse>): Promise<ApiResponse> {
  for (let tries = 1; ; tries += 1) {
    const started = performance.now();
    const response = await send();
    const isLost = response.status === 503 && performance.now() - started >= SHORTEST_TIMEOUT_MS;
    if (!isLost || tries === MAX_TRIES) return response;
  }
}
