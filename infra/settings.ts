import type { Node } from 'constructs';
import * as v from 'valibot';
import { suggestion } from '../shared/http/validation.ts';
import { UsageError } from './command.ts';
import { ENDPOINTS } from './endpoints.ts';
import { type ParsedSettings, SETTING_NAMES, STAGE_SCHEMA } from './stage-settings.ts';
import { DEFAULTS, STAGES } from './stages.ts';

/** The region of what CloudFront uses: its web ACLs and certificates. */
export const EDGE_REGION = 'us-east-1';
/** Minimum concurrent executions that Lambda keeps unreserved in an account. */
const MIN_UNRESERVED = 100;
/** Number of functions that write files: those of endpoints, the export worker, the builder of snapshots. */
const FILE_WRITERS = ENDPOINTS.filter(({ files }) => files === 'write').length + 2;

/** The accepted tokens: those of the issuer with one of these audiences. */
export interface Identity {
  readonly issuer: string;
  readonly audience: readonly string[];
}

/** Settings of a deployment, with defaults in place of those that are not set. */
export interface Settings extends Readonly<Omit<ParsedSettings, 'identity' | 'registers'>> {
  /** Name of the deployment; part of the stack's name. */
  readonly stage: string;
  /** Whether the data is retained if the stack is deleted: in the stage `prod`. */
  readonly production: boolean;
  /** Whether the stack, the table and the user pool are protected from deletion. */
  readonly protected: boolean;
  readonly identity: NonNullable<ParsedSettings['identity']>;
  readonly registers: RegisterSettings;
}

/** The public company registers that a deployment queries. */
export type RegisterSettings = Readonly<
  Omit<ParsedSettings['registers'], 'bolagsverketSecret'> & { bolagsverketSecret: string }
>;

const STAGE_NAME = /^[a-z][a-z0-9-]{0,19}$/;
/** Context that the CDK itself has. */
const CDK_CONTEXT = /^(?:@aws-cdk|aws:|cdk-|cli-telemetry$)/;

/**
 * Returns the settings of the stage in the context (`cdk deploy -c stage=prod`, by default `dev`).
 *
 * @throws UsageError that lists all faults of the context and of the settings of all stages.
 */
export function readSettings(node: Node): Settings {
  const stage: unknown = node.tryGetContext('stage') ?? 'dev';
  const unknown = Object.keys(node.getAllContext())
    .filter((name) => name !== 'stage' && !CDK_CONTEXT.test(name))
    .map((name) => `-c ${name}: ${contextFault(name)}`);
  return resolveSettings(stage, STAGES, DEFAULTS, unknown);
}

/**
 * Returns the settings of a stage among those given, with defaults.
 *
 * @param defaults settings of a stage that is not among them.
 * @throws UsageError that lists all faults: those given, and those of all stages.
 */
export function resolveSettings(
  stage: unknown,
  stages: Readonly<Record<string, unknown>>,
  defaults: unknown = {},
  moreFaults: readonly string[] = [],
): Settings {
  const faults = [...moreFaults];
  const names = new Set([...Object.keys(stages), String(stage)]);
  for (const name of names) faults.push(...stageNameFaults(name));
  const parsed = new Map(
    [...names].map((name) => {
      const isNamed = Object.hasOwn(stages, name);
      const result = v.safeParse(STAGE_SCHEMA, isNamed ? stages[name] : defaults);
      const path = isNamed ? name : `DEFAULTS (stage ${name})`;
      faults.push(
        ...(result.issues ?? []).map((issue) => `${pathOf(path, issue)}: ${faultOf(issue)}`),
        ...ruleFaults(name, path, result.output as ParsedSettings),
      );
      return [name, result] as const;
    }),
  );
  const settings = parsed.get(String(stage));
  if (faults.length > 0 || !settings?.success) {
    throw new UsageError(
      `The settings in infra/stages.ts are not valid:\n  ${faults.join('\n  ')}`,
    );
  }
  const { identity = { kind: 'cognito' }, registers, ...others } = settings.output;
  return {
    ...others,
    stage: String(stage),
    production: stage === 'prod',
    protected: stage === 'prod',
    identity,
    registers: {
      ...registers,
      bolagsverketSecret: registers.bolagsverketSecret ?? `customer-register/${stage}/bolagsverket`,
    },
  };
}

/**
 * Returns the settings with which a protected stack is created. If its creation fails,
 * CloudFormation deletes what it has created, which protection would prevent, and a new account
 * may not have the quota to reserve executions.
 *
 * @see shared/decisions/2026-11-29-first-deployment.md
 */
export function firstSettings(settings: Settings): Settings {
  return { ...settings, protected: false, reserveExports: 0 };
}

function stageNameFaults(name: string): string[] {
  if (!STAGE_NAME.test(name)) {
    return [`stage ${name}: must be at most 20 of a-z, 0-9 and -, a letter first`];
  }
  if (name === 'prod' || !name.startsWith('prod')) return [];
  return [
    `stage ${name}: would not be kept as production is; the production stage is named \`prod\``,
  ];
}

/** Returns the faults of settings that may be valid each. */
function ruleFaults(stage: string, path: string, settings: ParsedSettings | undefined): string[] {
  const { env, identity, alarmEmail, alarmTopicArn, ...numbers } = settings ?? ({} as never);
  const { concurrencyQuota: quota, reserveExports: reserved } = numbers;
  const faults: string[] = [];
  if (stage === 'prod') {
    if (!env) faults.push('env: is required for prod: the account and region to deploy to');
    if (!identity) faults.push('identity: is required for prod: an issuer, or cognito');
    if (!alarmEmail && !alarmTopicArn) {
      faults.push('alarmEmail or alarmTopicArn: one is required for prod: who hears of alarms');
    }
  }
  if (reserved > 0 && quota - FILE_WRITERS * reserved < MIN_UNRESERVED) {
    faults.push(
      `reserveExports: ${FILE_WRITERS} functions with ${reserved} executions each leave ${quota - FILE_WRITERS * reserved} of concurrencyQuota, ${quota}; Lambda keeps ${MIN_UNRESERVED} unreserved, so that at most ${Math.max(0, Math.floor((quota - MIN_UNRESERVED) / FILE_WRITERS))} can be reserved for each`,
    );
  }
  faults.push(...hostFaults(settings));
  return faults.map((fault) => `${path}.${fault}`);
}

function hostFaults({ env, domain, edge }: Partial<ParsedSettings> = {}): string[] {
  const faults: string[] = [];
  for (const [setting, host] of Object.entries({ domain, edge })) {
    if (!host || host.certificateArn || host.hostedZone) continue;
    faults.push(`${setting}: needs certificateArn, or hostedZone to create a certificate in`);
  }
  const regionOf = (arn = '') => arn.split(':')[3];
  if (domain?.certificateArn && env && regionOf(domain.certificateArn) !== env.region) {
    faults.push(`domain.certificateArn: must be of ${env.region}, as the API is`);
  }
  if (!edge) return faults;
  if (edge.certificateArn && regionOf(edge.certificateArn) !== EDGE_REGION) {
    faults.push(`edge.certificateArn: must be of ${EDGE_REGION}, as CloudFront requires`);
  }
  if (!env) faults.push('env: is required for edge, whose stack is in another region');
  if (!domain) faults.push('domain: is required for edge: where CloudFront reaches the API');
  if (domain && domain.name === edge.name) {
    faults.push('edge.name: must be another than domain.name, which CloudFront calls');
  }
  return faults;
}

function contextFault(name: string): string {
  const similar = suggestion(name, ['stage', ...SETTING_NAMES, 'issuer', 'audience']);
  return `is not read; \`stage\` is the only context, and settings are in infra/stages.ts${similar ? `; ${similar}` : ''}`;
}

function pathOf(stage: string, { path }: v.BaseIssue<unknown>): string {
  return [stage, ...(path ?? []).map(({ key }) => String(key))].join('.');
}

function faultOf({ message, input, expected }: v.BaseIssue<unknown>): string {
  const got = expected === 'never' || input === undefined ? '' : `; got ${JSON.stringify(input)}`;
  return `${message}${got}`;
}
