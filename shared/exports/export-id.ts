import { randomUUID } from 'node:crypto';

/**
 * Returns the id of a new export: a UUID of version 7 (RFC 9562, section 5.7), so that ids sort by
 * the time in milliseconds at which they were created. 74 of its bits are random.
 */
export function newExportId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
