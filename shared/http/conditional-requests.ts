/** Returns the entity tag of a version (RFC 9110, section 8.8.3): strong, of one representation. */
export function entityTag(version: number | string): string {
  return `"${version}"`;
}

/**
 * Returns whether a version meets `If-Match` (RFC 9110, section 13.1.1): `*`, or a list that
 * contains its tag. Weak tags never match.
 */
export function meetsIfMatch(ifMatch: string, version: number | string): boolean {
  return includesTag(ifMatch, version, (tag) => tag);
}

/** Returns whether `If-None-Match` (section 13.1.2) contains a version's tag, weak or strong. */
export function isInIfNoneMatch(ifNoneMatch: string, version: number | string): boolean {
  return includesTag(ifNoneMatch, version, (tag) => tag.replace(/^W\//, ''));
}

function includesTag(
  header: string,
  version: number | string,
  form: (tag: string) => string,
): boolean {
  const tags = header.split(',').map((tag) => tag.trim());
  return tags.includes('*') || tags.map(form).includes(entityTag(version));
}
