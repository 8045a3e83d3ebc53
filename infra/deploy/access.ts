import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import cdk from '../../cdk.json' with { type: 'json' };
import { AccessStack } from '../access.ts';
import { runCommand, UsageError } from '../command.ts';
import { EDGE_REGION } from '../settings.ts';
import { STAGES } from '../stages.ts';
import { runCdk } from './cdk.ts';

const HELP = `Creates the roles that the workflows of a repository assume, with the credentials of the environment.

  npm run access -- --repository <owner/name> [options]

  --stage <name>       a stage of this account, repeatable (default: dev and prod)
  --has-provider       the account has GitHub's OIDC provider already`;

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      repository: { type: 'string' },
      stage: { type: 'string', multiple: true, default: ['dev', 'prod'] },
      'has-provider': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const { repository = '', stage: stages } = values;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw new UsageError(`--repository must be owner/name; got \`${repository}\`.`);
  }
  const unknown = stages.filter((stage) => !/^[a-z][a-z0-9-]{0,19}$/.test(stage));
  if (unknown.length > 0) throw new UsageError(`--stage: ${unknown} is not the name of a stage.`);
  const outdir = mkdtempSync(join(tmpdir(), 'access-'));
  const app = new App({ context: cdk.context, outdir });
  new AccessStack(app, 'CustomerRegisterAccess', {
    repository,
    stages,
    edgeRegion: stages.some((stage) => STAGES[stage]?.edge) ? EDGE_REGION : undefined,
    hasProvider: values['has-provider'],
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  process.exitCode = runCdk('.', ['deploy', '--app', outdir]).status;
});
