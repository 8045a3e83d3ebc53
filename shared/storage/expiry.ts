import { TTL_ATTRIBUTE } from './table.ts';

/** What an item needs to be forgotten after so many seconds. */
export function expiringIn(seconds: number): { [TTL_ATTRIBUTE]: number } {
  return { [TTL_ATTRIBUTE]: now() + seconds };
}

/** Whether an item counts as gone: DynamoDB deletes it late. */
export function isExpired(item: Readonly<Record<string, unknown>>): boolean {
  return (item[TTL_ATTRIBUTE] as number) <= now();
}

/** The second (Unix time) that it is. */
export function now(): number {
  return Math.floor(Date.now() / 1_000);
}
