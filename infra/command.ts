/** An error that the user of a command can correct. It is printed without a stack trace. */
export class UsageError extends Error {}

/**
 * Runs a command. On a wrong option or a UsageError, prints the error and exits with 1.
 *
 * @param help usage of the command, printed after a wrong option.
 */
export async function runCommand(help: string, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const isWrongOption = code?.startsWith('ERR_PARSE_ARGS');
    if (!isWrongOption && !(error instanceof UsageError)) throw error;
    console.error(isWrongOption ? `${message}\n\n${help}` : message);
    process.exit(1);
  }
}
