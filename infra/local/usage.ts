/** Something that whoever runs a command can put right: told without a stack trace. */
export class UsageError extends Error {}

/**
 * Runs a command; where it is not used rightly, says so and ends with 1.
 *
 * @param help how to use it.
 */
export async function orExplain(help: string, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const isMisspelt = code?.startsWith('ERR_PARSE_ARGS');
    if (!isMisspelt && !(error instanceof UsageError)) throw error;
    console.error(isMisspelt ? `${message}\n\n${help}` : message);
    process.exit(1);
  }
}
