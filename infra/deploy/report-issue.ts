import { runCommand } from '../command.ts';
import { github } from './github.ts';

const HELP = 'Opens an issue about the jobs in RESULTS that failed, or comments on the open one.';
const TITLE = 'The daily audit has findings';

interface Issue {
  readonly number: number;
  readonly title: string;
}

await runCommand(HELP, async () => {
  const { RESULTS = '{}', GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = process.env;
  const results: Record<string, { readonly result: string }> = JSON.parse(RESULTS);
  const failed = Object.keys(results).filter((job) => results[job]?.result === 'failure');
  const run = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  const body = `Failed: ${failed.join(', ')}. The log of [the run](${run}) has the findings.`;
  // The creator is the workflow itself: nobody else's issue of this title is commented on.
  const open = await github<Issue[]>('/issues?state=open&creator=github-actions[bot]&per_page=100');
  const known = open.find(({ title }) => title === TITLE);
  if (known) await github(`/issues/${known.number}/comments`, { body });
  else await github('/issues', { title: TITLE, body });
});
