import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleFunctions } from '../bundle/bundle.ts';
import { runCommand, UsageError } from '../command.ts';
import { resolveSettings } from '../settings.ts';
import { STAGES } from '../stages.ts';
import { packageStages } from './package-stages.ts';

const HELP = `Writes out/ and deployable.tgz, from which the workflow deploys the stages of infra/stages.ts.

  npm run package -- [--suite]

  --suite            also writes suite.tgz, the tests with their packages`;

/** What the tests of the HTTP API do not need, and is large. */
const NOT_OF_SUITE = ['@biomejs', 'aws-cdk', 'aws-cdk-lib', 'cdk-nag', 'knip', 'typescript'];

/** Root of the repository. */
const ROOT = join(import.meta.dirname, '../..');

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      suite: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const stages = Object.keys(STAGES);
  const settings = stages.map((stage) => resolveSettings(stage, STAGES));
  const { folder: bundles } = await bundleFunctions();
  await packageStages(join(ROOT, 'out'), settings, bundles, process.env.GITHUB_RUN_ID);
  tar('deployable.tgz', ['-C', 'out', '.']);
  if (values.suite) {
    const excluded = NOT_OF_SUITE.map((name) => `--exclude=./node_modules/${name}`);
    const others = ['out', '.git', '*.tgz'].map((name) => `--exclude=./${name}`);
    tar('suite.tgz', [...excluded, ...others, '.']);
  }
  // The workflow's jobs of production are skipped as long as the file has no such stage.
  const file = process.env.GITHUB_OUTPUT;
  if (file) appendFileSync(file, `prod=${stages.includes('prod')}\n`);
  console.log(`deployable.tgz has the stages ${stages.join(', ')}.`);
});

/** @throws UsageError if the archive cannot be written. */
function tar(file: string, options: readonly string[]): void {
  const { status } = spawnSync('tar', ['-czf', file, ...options], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new UsageError(`tar could not write ${file}.`);
}
