import { spawnSync } from 'node:child_process';
import { UsageError } from '../command.ts';

/** Environment of a call, by which it has credentials and a region. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A failed call of the AWS CLI. */
export class AwsError extends UsageError {
  /** What the CLI printed. */
  readonly output: string;

  constructor(call: readonly string[], output: string) {
    super(`aws ${call.slice(0, 2).join(' ')} failed: ${output.trim()}`);
    this.output = output;
  }
}

/**
 * Calls the AWS CLI, which is on the runners of GitHub Actions, and parses what it prints.
 *
 * @throws AwsError if the call fails.
 */
export function aws<T>(call: readonly string[], environment: Environment = process.env): T {
  const { status, stdout, stderr, error } = spawnSync('aws', [...call, '--output', 'json'], {
    env: { ...environment, AWS_PAGER: '' },
    encoding: 'utf8',
  });
  if (error) throw new AwsError(call, `${error.message}; is the AWS CLI installed?`);
  if (status !== 0) throw new AwsError(call, stderr || stdout);
  return stdout.trim() === '' ? ({} as T) : JSON.parse(stdout);
}

interface Session {
  readonly Credentials: {
    readonly AccessKeyId: string;
    readonly SecretAccessKey: string;
    readonly SessionToken: string;
  };
}

/**
 * Returns an environment with the credentials of a role.
 *
 * @throws AwsError if the role is not there, or must not be assumed.
 */
export function assumeRole(arn: string, environment: Environment): Environment {
  const { Credentials } = aws<Session>(
    ['sts', 'assume-role', '--role-arn', arn, '--role-session-name', 'customer-register'],
    environment,
  );
  return {
    ...environment,
    AWS_PROFILE: undefined,
    AWS_ACCESS_KEY_ID: Credentials.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials.SessionToken,
  };
}

/** Where credentials and environment lead to. */
export interface Target {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
}

/**
 * Returns the account and the region to deploy to: those given, or those of the credentials.
 *
 * @throws UsageError without credentials or without a region.
 */
export function resolveTarget(env?: { account?: string; region?: string }): Target {
  const { Account, Arn } = aws<{ Account: string; Arn: string }>(['sts', 'get-caller-identity']);
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const region = env?.region ?? AWS_REGION ?? AWS_DEFAULT_REGION;
  if (!region) {
    throw new UsageError('The region is not known: set AWS_REGION, or env in infra/stages.ts.');
  }
  return { account: env?.account ?? Account, region, partition: Arn.split(':')[1] ?? 'aws' };
}
