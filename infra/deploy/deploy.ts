import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { type Assembly, type DeployedStack, describeStack, openAssembly } from './assembly.ts';
import { runCdk } from './cdk.ts';

const HELP = `Deploys a stage from a folder that npm run package has written.

  --stage <name>     the stage (default: dev)
  --folder <path>    the folder (default: that of this script)
  --no-watch         alarms do not roll the deployment back: for the fix of an alarm that is on`;

/** How long CloudFormation watches the alarms after a deployment, in minutes. */
const WATCH_MINUTES = 10;
/** The creation has failed, or has not begun: there is nothing to keep. */
const NOT_CREATED = ['CREATE_FAILED', 'REVIEW_IN_PROGRESS', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'];

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'dev' },
      folder: { type: 'string', default: import.meta.dirname },
      watch: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  if (values.help) return console.log(HELP);
  deploy(values);
});

/**
 * Creates or updates the stack of a stage. A stack that is not there yet, or whose creation failed,
 * is created without protection first: CloudFormation then deletes all of it if that fails, and the
 * next attempt starts from nothing.
 *
 * @throws UsageError if the stack is in a state that needs someone's decision, or the CDK fails.
 */
function deploy(options: { stage: string; folder: string; watch: boolean }): void {
  const { stage, folder, watch } = options;
  const assembly = openAssembly(folder, stage);
  const before = describeStack(assembly);
  refuseUnready(assembly, before);
  const isCreated = before !== undefined && !NOT_CREATED.includes(before.status);
  setOutputs({ previous: isCreated ? before.outputs.Build : undefined });
  const first = join(folder, `${stage}-first`);
  if (!isCreated && existsSync(first)) cdkDeploy(folder, first, []);
  cdkDeploy(folder, assembly.folder, isCreated ? watchOptions(before, watch) : []);
  const { outputs } = describeStack(assembly) as DeployedStack;
  setOutputs({ api: outputs.ApiAddress });
}

/** @throws UsageError if another deployment runs, or if one has left the stack unusable. */
function refuseUnready({ stackName }: Assembly, stack: DeployedStack | undefined): void {
  if (!stack || NOT_CREATED.includes(stack.status)) return;
  const { status } = stack;
  if (status.endsWith('_IN_PROGRESS')) {
    throw new UsageError(`${stackName} is ${status}: wait until the other deployment has ended.`);
  }
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    throw new UsageError(
      `${stackName} is ${status}: see the reason in its events, fix it, and run: aws cloudformation continue-update-rollback --stack-name ${stackName}`,
    );
  }
  if (status === 'DELETE_FAILED') {
    throw new UsageError(`${stackName} is ${status}: see the reason in its events, and delete it.`);
  }
}

function cdkDeploy(folder: string, assembly: string, options: readonly string[]): void {
  const { status } = runCdk(folder, [
    'deploy',
    '--app',
    assembly,
    '--all',
    '--require-approval',
    'never',
    '--progress',
    'events',
    ...options,
  ]);
  if (status !== 0) throw new UsageError(`cdk deploy of ${assembly} failed; its output has why.`);
}

/**
 * Returns the options by which an alarm rolls the deployment back. CloudFormation remembers the
 * alarms of the deployment before: without `none`, an alarm that goes off would roll back its cure.
 * Alarms that do not exist yet fail the deployment, so that their names are those of the deployed
 * stack.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html
 */
function watchOptions({ outputs }: DeployedStack, watch: boolean): string[] {
  const arns = outputs.RollbackAlarms?.split(',') ?? [];
  if (arns.length === 0) return [];
  if (!watch) return ['--rollback-trigger-alarm-arns', 'none'];
  return [
    ...arns.flatMap((arn) => ['--rollback-trigger-alarm-arns', arn]),
    '--monitoring-time-minutes',
    String(WATCH_MINUTES),
  ];
}

/** Sets outputs of the workflow's step. */
function setOutputs(outputs: Readonly<Record<string, string | undefined>>): void {
  const file = process.env.GITHUB_OUTPUT;
  for (const [name, value] of Object.entries(outputs)) {
    if (file && value) appendFileSync(file, `${name}=${value}\n`);
  }
}
