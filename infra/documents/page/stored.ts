/** Returns what the browser has stored; undefined if it stores nothing for this page. */
export function stored(store: 'localStorage' | 'sessionStorage', name: string): string | undefined {
  try {
    return globalThis[store].getItem(name) ?? undefined;
  } catch {
    // A browser that blocks cookies throws at the property itself.
    return undefined;
  }
}

/** Has the browser store a text, or forget it; without effect if it stores nothing. */
export function store(
  where: 'localStorage' | 'sessionStorage',
  name: string,
  value: string | undefined,
): void {
  try {
    if (value === undefined) globalThis[where].removeItem(name);
    else globalThis[where].setItem(name, value);
  } catch {
    // As above.
  }
}
