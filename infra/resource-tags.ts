/** Returns the tags of a stage's resources. */
export function resourceTags({ stage }: { readonly stage: string }): Record<string, string> {
  return { project: 'customer-register', stage };
}
