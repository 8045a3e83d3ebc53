import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { resolveSettings } from '../settings.ts';
import { DEFAULTS, STAGES } from '../stages.ts';
import { resolveTarget } from './aws.ts';
import { readinessFaults } from './readiness.ts';

const HELP = `Checks that a stage can be deployed into the account of the credentials.

  npm run preflight -- [--stage <name>]`;

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'dev' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const settings = resolveSettings(values.stage, STAGES, DEFAULTS);
  const own = resolveTarget();
  const target = resolveTarget(settings.env);
  if (own.account !== target.account) {
    throw new UsageError(
      `The credentials are of account ${own.account}, and ${values.stage} is of ${target.account}.`,
    );
  }
  const environment = { ...process.env, AWS_REGION: target.region };
  const faults = readinessFaults(settings, target, environment);
  const place = `account ${target.account}, ${target.region}`;
  if (faults.length > 0) {
    throw new UsageError(`${values.stage} is not ready (${place}):\n  ${faults.join('\n  ')}`);
  }
  console.log(`${values.stage} can be deployed (${place}).`);
});
