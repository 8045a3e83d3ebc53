/** How often to check whether npm is still running. */
const PARENT_CHECK_MS = 500;

/**
 * Calls `end` once, as soon as the user ends the command: on SIGINT or SIGTERM, or when the npm
 * process that runs it has ended.
 */
export function onTermination(end: () => Promise<void>): void {
  let isEnding = false;
  const endOnce = () => {
    if (isEnding) return;
    isEnding = true;
    void end();
  };
  // npm passes signals on, so that one may arrive twice.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endOnce);
  if (!process.env.npm_lifecycle_event) return;
  const npm = process.ppid;
  // A signal to npm alone ends npm or its shell, and does not reach this process.
  setInterval(() => {
    if (process.ppid !== npm) endOnce();
  }, PARENT_CHECK_MS).unref();
}
