/** Entity tag of a customer's version (RFC 9110, section 8.8.3): strong, for one exact form. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * Whether a version meets `If-Match` (RFC 9110, section 13.1.1): any does where it is `*`,
 * otherwise its tag is one of the list. Weak tags never match here.
 */
export function matches(ifMatch: string, version: number): boolean {
  return listed(ifMatch, version, (tag) => tag);
}

/** Whether `If-None-Match` (section 13.1.2) lists a version; weak tags are as good. */
export function matchesWeakly(ifNoneMatch: string, version: number): boolean {
  return listed(ifNoneMatch, version, (tag) => tag.replace(/^W\//, ''));
}

function listed(header: string, version: number, form: (tag: string) => string): boolean {
  const tags = header.split(',').map((tag) => tag.trim());
  return tags.includes('*') || tags.map(form).includes(entityTag(version));
}
