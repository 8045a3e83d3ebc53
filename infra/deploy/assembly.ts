import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../command.ts';
import { AwsError, assumeRole, aws, type Environment, resolveTarget } from './aws.ts';

/** The stack of a cloud assembly, and how to read its deployment. */
export interface Assembly {
  readonly folder: string;
  readonly stackName: string;
  /** Region of the deployment, and credentials of the bootstrap's role that reads it. */
  readonly environment: Environment;
}

interface Artifact {
  readonly type: string;
  readonly environment: string;
  readonly displayName: string;
  readonly properties: { readonly lookupRole: { readonly arn: string } };
}

/**
 * Reads a cloud assembly, which `npm run package` has written.
 *
 * @throws UsageError if it is not there; AwsError if the bootstrap's role cannot be assumed.
 */
export function openAssembly(folder: string, stage: string): Assembly {
  const path = join(folder, stage);
  if (!existsSync(join(path, 'manifest.json'))) {
    throw new UsageError(
      `Stage ${stage} is not in ${folder}: npm run package writes the stages of infra/stages.ts.`,
    );
  }
  const { artifacts } = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
  const stack = Object.values<Artifact>(artifacts).find(
    ({ type, displayName }) =>
      type === 'aws:cloudformation:stack' && displayName === `CustomerRegister-${stage}`,
  ) as Artifact;
  const [account, region] = stack.environment.replace('aws://', '').split('/');
  const target = resolveTarget({
    ...(account && account !== 'unknown-account' && { account }),
    ...(region && region !== 'unknown-region' && { region }),
  });
  const { partition: Partition, account: AccountId, region: Region } = target;
  const values: Record<string, string> = { Partition, AccountId, Region };
  const role = stack.properties.lookupRole.arn.replaceAll(
    /\$\{AWS::(\w+)\}/g,
    (_, name: string) => values[name] ?? '',
  );
  const environment = { ...process.env, AWS_REGION: target.region };
  return {
    folder: path,
    stackName: stack.displayName,
    environment: readingEnvironment(role, environment, stage),
  };
}

/** @throws UsageError if the role cannot be assumed, with the command that finds out why. */
function readingEnvironment(role: string, environment: Environment, stage: string): Environment {
  try {
    return assumeRole(role, environment);
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(
      `${message}\nIf the account is new, this says what it lacks: npm run preflight -- --stage ${stage}`,
    );
  }
}

/** A deployed stack. */
export interface DeployedStack {
  /** CloudFormation's name of its status. */
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

interface DescribedStacks {
  readonly Stacks: readonly {
    readonly StackStatus: string;
    readonly Outputs?: readonly { readonly OutputKey: string; readonly OutputValue: string }[];
  }[];
}

/**
 * Returns the stack as it is deployed, or undefined if there is none.
 *
 * @throws AwsError if that is not known.
 */
export function describeStack({ stackName, environment }: Assembly): DeployedStack | undefined {
  const call = ['cloudformation', 'describe-stacks', '--stack-name', stackName];
  try {
    const [stack] = aws<DescribedStacks>(call, environment).Stacks;
    if (!stack) return undefined;
    const outputs = (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [
      OutputKey,
      OutputValue,
    ]);
    return { status: stack.StackStatus, outputs: Object.fromEntries(outputs) };
  } catch (error) {
    if (error instanceof AwsError && /does not exist/.test(error.output)) return undefined;
    throw error;
  }
}
