import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { STAGES } from '../stages.ts';
import { assumeRole, aws, resolveTarget } from './aws.ts';

const HELP = `Looks for differences between a deployed stack and its template.

  --stage <name>     the stage (default: prod)`;

/** CloudFormation takes minutes for some hundred resources. */
const PAUSE_MS = Number(process.env.DRIFT_PAUSE_MS ?? 5_000);
const MAX_PAUSES = Number(process.env.DRIFT_MAX_PAUSES ?? 180);

interface Detection {
  readonly DetectionStatus: 'DETECTION_IN_PROGRESS' | 'DETECTION_FAILED' | 'DETECTION_COMPLETE';
  readonly DetectionStatusReason?: string;
}

interface Drifts {
  readonly StackResourceDrifts: readonly {
    readonly LogicalResourceId: string;
    readonly ResourceType: string;
    readonly StackResourceDriftStatus: string;
    readonly PropertyDifferences?: readonly { readonly PropertyPath: string }[];
  }[];
}

// Without the CDK: a job that may assume a role installs no packages.
await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'prod' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const { stage } = values;
  if (!STAGES[stage]) return console.log(`infra/stages.ts has no stage ${stage}.`);
  const { account, region, partition } = resolveTarget(STAGES[stage].env);
  const role = `arn:${partition}:iam::${account}:role/cdk-hnb659fds-lookup-role-${account}-${region}`;
  const environment = assumeRole(role, { ...process.env, AWS_REGION: region });
  const call = <T>(...options: string[]) => aws<T>(['cloudformation', ...options], environment);
  const stack = ['--stack-name', `CustomerRegister-${stage}`];
  const { StackDriftDetectionId: id } = call<{ StackDriftDetectionId: string }>(
    'detect-stack-drift',
    ...stack,
  );
  const ofDetection = ['--stack-drift-detection-id', id];
  let pauses = 0;
  let detection: Detection;
  do {
    if (pauses === MAX_PAUSES) throw new UsageError('CloudFormation has not ended the detection.');
    pauses += 1;
    await wait(PAUSE_MS);
    detection = call<Detection>('describe-stack-drift-detection-status', ...ofDetection);
  } while (detection.DetectionStatus === 'DETECTION_IN_PROGRESS');
  // If some resources cannot be compared, the others are.
  if (detection.DetectionStatus === 'DETECTION_FAILED') {
    console.log(`Not all resources were compared: ${detection.DetectionStatusReason}`);
  }
  const { StackResourceDrifts: drifts } = call<Drifts>(
    'describe-stack-resource-drifts',
    ...stack,
    '--stack-resource-drift-status-filters',
    'MODIFIED',
    'DELETED',
  );
  if (drifts.length > 0) {
    const lines = drifts.map(
      ({ LogicalResourceId, ResourceType, StackResourceDriftStatus, PropertyDifferences = [] }) =>
        `${ResourceType} ${LogicalResourceId}: ${StackResourceDriftStatus} ${PropertyDifferences.map(({ PropertyPath }) => PropertyPath).join(', ')}`.trim(),
    );
    throw new UsageError(`CustomerRegister-${stage} has drifted:\n  ${lines.join('\n  ')}`);
  }
  console.log(`CustomerRegister-${stage} is as its template says.`);
});
