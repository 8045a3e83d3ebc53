/** Returns the name of the secret with the logins of a stage's two reserved merchants. */
export function smokeSecret(stage: string): string {
  return `customer-register/${stage}/smoke`;
}
