import { vi } from 'vitest';

/**
 * Lets what `AbortSignal.timeout` limits take as long as it takes, until `vi.restoreAllMocks()`: a busy
 * machine stands still for longer than a register or a snapshot's file has.
 */
export function withoutTimeouts(): void {
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
}
