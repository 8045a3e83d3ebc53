import { runCommand, UsageError } from '../command.ts';
import { github } from './github.ts';

const HELP =
  'Checks that a run, whose id is in RUN, is a build that may be deployed to prod again.';
const WORKFLOW = '.github/workflows/deploy.yml';

interface Run {
  readonly path: string;
  readonly head_branch: string;
  readonly conclusion: string | null;
  readonly head_repository: { readonly full_name: string } | null;
}

interface Artifacts {
  readonly artifacts: readonly { readonly name: string; readonly expired: boolean }[];
}

await runCommand(HELP, async () => {
  const { RUN: id = '', GITHUB_REPOSITORY: repository } = process.env;
  if (!/^\d{1,20}$/.test(id)) throw new UsageError(`run: must be the id of a run; got \`${id}\``);
  const run = await github<Run>(`/actions/runs/${id}`);
  const { artifacts } = await github<Artifacts>(`/actions/runs/${id}/artifacts?name=deployable`);
  const faults = [
    ...(run.path === WORKFLOW ? [] : [`is of ${run.path}, not of ${WORKFLOW}`]),
    ...(run.head_branch === 'main' ? [] : [`is of ${run.head_branch}, not of main`]),
    ...(run.head_repository?.full_name === repository ? [] : ['is of another repository']),
    ...(run.conclusion === 'success' ? [] : [`has ended with ${run.conclusion}, not with success`]),
    ...(artifacts.some(({ name, expired }) => name === 'deployable' && !expired)
      ? []
      : ['has no deployable: those of the last 90 days are kept']),
  ];
  if (faults.length > 0) throw new UsageError(`Run ${id}:\n  ${faults.join('\n  ')}`);
  console.log(`Run ${id} has passed on main; its build is deployed.`);
});
