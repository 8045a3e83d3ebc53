import { EDGE_REGION, type Settings } from '../settings.ts';
import { smokeSecret } from '../smoke-secret.ts';
import { AwsError, aws, type Environment, type Target } from './aws.ts';

/** Version of the bootstrap stack that the CDK's assemblies and its role to read need. */
const BOOTSTRAP_VERSION = 8;

/**
 * Returns what an account lacks for the first deployment of a stage, and how to get it.
 *
 * @throws AwsError if the credentials may not look.
 */
export function readinessFaults(
  settings: Settings,
  target: Target,
  environment: Environment,
): string[] {
  return [
    quotaFault(settings, environment),
    bootstrapFault(target, environment),
    ...(settings.edge && target.region !== EDGE_REGION
      ? [bootstrapFault({ ...target, region: EDGE_REGION }, environment)]
      : []),
    ...secretsOf(settings).map((name) => secretFault(name, environment)),
  ].filter((fault) => fault !== undefined);
}

function quotaFault(
  { concurrencyQuota, reserveExports }: Settings,
  environment: Environment,
): string | undefined {
  const { AccountLimit } = aws<{ AccountLimit: { ConcurrentExecutions: number } }>(
    ['lambda', 'get-account-settings'],
    environment,
  );
  const quota = AccountLimit.ConcurrentExecutions;
  if (quota >= concurrencyQuota) return undefined;
  return `quota: Lambda runs ${quota} executions at once, and concurrencyQuota is ${concurrencyQuota}. Ask for more in Service Quotas (L-B99A9384), or set concurrencyQuota to ${quota}${reserveExports > 0 ? ', for which reserveExports may be too large' : ''}.`;
}

function bootstrapFault({ account, region }: Target, environment: Environment): string | undefined {
  const inRegion = { ...environment, AWS_REGION: region };
  const command = `npx cdk bootstrap aws://${account}/${region}`;
  const call = ['ssm', 'get-parameter', '--name', '/cdk-bootstrap/hnb659fds/version'];
  try {
    const { Parameter } = aws<{ Parameter: { Value: string } }>(call, inRegion);
    if (Number(Parameter.Value) >= BOOTSTRAP_VERSION) return undefined;
    return `bootstrap: version ${Parameter.Value} is older than ${BOOTSTRAP_VERSION}. Run ${command}`;
  } catch (error) {
    if (!isMissing(error, 'ParameterNotFound')) throw error;
    return `bootstrap: the account is not prepared for the CDK. Run ${command}`;
  }
}

/** Returns the names of the secrets that a deployment reads. */
function secretsOf({ stage, production, identity, registers }: Settings): string[] {
  return [
    ...(registers.countries.includes('SE') ? [registers.bolagsverketSecret] : []),
    // Users of a user pool can be created after the stack that has it.
    ...(production && identity.kind === 'issuer' ? [smokeSecret(stage)] : []),
  ];
}

function secretFault(name: string, environment: Environment): string | undefined {
  try {
    aws(['secretsmanager', 'describe-secret', '--secret-id', name], environment);
    return undefined;
  } catch (error) {
    if (!isMissing(error, 'ResourceNotFoundException')) throw error;
    return `secret: ${name} is missing. Create it, see infra/README.md`;
  }
}

function isMissing(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.output.includes(code);
}
