import { appendFileSync } from 'node:fs';

/** Maximum bytes of a step's summary (GitHub), with room for the heading. */
const MAX_BYTES = 1_000_000;

/** Prints a text, and adds it to the summary of the workflow's step. */
export function writeSummary(heading: string, text: string): void {
  console.log(text);
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  // A longer fence than any in the text: a template may contain what looks like the end of one.
  const fence = '`'.repeat(
    Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)),
  );
  const shown = Buffer.from(text).subarray(0, MAX_BYTES).toString();
  appendFileSync(file, `## ${heading}\n\n${fence}\n${shown}\n${fence}\n`);
}
