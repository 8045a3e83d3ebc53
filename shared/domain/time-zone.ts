/** A day, by its midnight in UTC, or an instant; both in milliseconds since 1970. */
export type DayOrInstant = { readonly text: string } & (
  | { readonly day: number }
  | { readonly instant: number }
);

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
/** More than any offset from UTC, and more than the hour by which clocks are moved besides. */
const MAX_OFFSET_MS = 16 * HOUR_MS;
/** Days that are looked up in a time zone; no customer was created before or after. */
const FIRST_DAY = 0;
const LAST_DAY = Date.UTC(9999, 11, 30);

/** Returns whether a text names a time zone of the IANA database, such as `Europe/Stockholm`. */
export function isTimeZone(name: string): boolean {
  // Offsets are refused: not every version of Node takes them.
  if (!/^[a-z]/i.test(name)) return false;
  try {
    return !!new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
}

/** Returns the first millisecond of a day in a time zone, or the instant itself. */
export function firstMillisecond(at: DayOrInstant, timeZone: string): number {
  return 'instant' in at ? at.instant : startOfDay(at.day, timeZone);
}

/** Returns the last millisecond of a day in a time zone, or the instant itself. */
export function lastMillisecond(at: DayOrInstant, timeZone: string): number {
  return 'instant' in at ? at.instant : startOfDay(at.day + DAY_MS, timeZone) - 1;
}

/**
 * Returns when a day starts, by a binary search: not all days have a midnight, and not all have 24
 * hours.
 */
function startOfDay(day: number, timeZone: string): number {
  if (timeZone === 'UTC' || day < FIRST_DAY || day > LAST_DAY) return day;
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  let low = day - MAX_OFFSET_MS;
  let high = day + MAX_OFFSET_MS;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (Date.parse(format.format(middle)) >= day) high = middle;
    else low = middle + 1;
  }
  return high;
}
