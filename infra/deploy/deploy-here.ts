import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleFunctions } from '../bundle/bundle.ts';
import { runCommand } from '../command.ts';
import { resolveSettings } from '../settings.ts';
import { DEFAULTS, STAGES } from '../stages.ts';
import { resolveTarget } from './aws.ts';
import { packageStages } from './package-stages.ts';

const HELP = `Packages a stage and deploys it with the credentials of the environment.

  npm run deploy -- [options]

  --stage <name>     the stage (default: dev)
  --no-watch         alarms do not roll the deployment back: for the fix of an alarm that is on`;

/** Folder of the package. */
const FOLDER = join(import.meta.dirname, '../../out');

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'dev' },
      watch: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  if (values.help) return console.log(HELP);
  const settings = resolveSettings(values.stage, STAGES, DEFAULTS);
  // Packaging takes half a minute, after which credentials that are missing would be said.
  resolveTarget(settings.env);
  await packageStages(FOLDER, [settings], (await bundleFunctions()).folder);
  const options = ['--stage', values.stage, ...(values.watch ? [] : ['--no-watch'])];
  const { status } = spawnSync(process.execPath, [join(FOLDER, 'deploy.mjs'), ...options], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
});
