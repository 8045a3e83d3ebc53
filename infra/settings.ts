import type { Node } from 'constructs';
import { COUNTRIES, type Country } from '../shared/domain/identity-number.ts';
import { COMPANY_CACHE_DAYS } from '../shared/domain/limits.ts';
import { REGISTER_ADDRESSES, type RegisterSettings } from './registers.ts';

/** The accepted tokens: those of the issuer with one of these audiences. */
export interface Identity {
  readonly issuer: string;
  readonly audience: readonly string[];
}

/** Settings of a deployment, from CDK context (`cdk deploy -c stage=prod`). */
export interface Settings {
  /** Name of the deployment; part of the stack's name. */
  readonly stage: string;
  /** Whether the data is retained if the stack is deleted: in the stage `prod`. */
  readonly production: boolean;
  /** Without it the stack creates a Cognito user pool. */
  readonly identity?: Identity;
  /** Names of flat token claims, if not the defaults. */
  readonly claims: {
    readonly merchant?: string;
    readonly service?: string;
    readonly module?: string;
  };
  /** ARN of the SNS topic that alarms notify; without it, they are visible in CloudWatch only. */
  readonly alarmTopicArn?: string;
  readonly registers: RegisterSettings;
}

const STAGE = /^[a-z][a-z0-9-]{0,19}$/;
const AUDIENCE = /^[^\s,]+(?:,[^\s,]+)*$/;
/** Name of a claim: a word, or a URL as namespace, as identity providers use. */
const CLAIM = /^[\w:/.-]{1,128}$/;
const A_COUNTRY = `(?:${COUNTRIES.join('|')})`;
const REGISTERS = new RegExp(`^${A_COUNTRY}(?:,${A_COUNTRY})*$`);
const ADDRESS = /^https:\/\/[^\s?#]+[^\s?#/]$/;
const SECRET = /^[\w/+=.@-]{1,200}$/;
const DAYS = /^[1-9]\d{0,2}$/;
const TOPIC = /^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}$/;

/**
 * Reads the settings from the context.
 *
 * @throws Error that names a context value that is not valid, and what would be.
 */
export function readSettings(node: Node): Settings {
  const stage = text(node, 'stage', STAGE, 'at most 20 of a-z, 0-9 and -, a letter first') ?? 'dev';
  if (stage.startsWith('prod') && stage !== 'prod') {
    throw new Error(
      `Context stage: ${stage} would not be kept as production is; the production stage is prod`,
    );
  }
  const identity = readIdentity(node);
  const claim = (name: string) => text(node, name, CLAIM, 'the name of a flat token claim');
  const merchant = claim('merchantClaim');
  const service = claim('serviceClaim');
  const module = claim('moduleClaim');
  const alarmTopicArn = text(node, 'alarmTopicArn', TOPIC, 'the ARN of an SNS topic');
  return {
    stage,
    production: stage === 'prod',
    ...(identity && { identity }),
    claims: {
      ...(merchant && { merchant }),
      ...(service && { service }),
      ...(module && { module }),
    },
    ...(alarmTopicArn && { alarmTopicArn }),
    registers: readRegisters(node, stage),
  };
}

function readIdentity(node: Node): Identity | undefined {
  const issuer = text(
    node,
    'issuer',
    /^https:\/\/\S+$/,
    "the https address in the tokens' iss claim",
  );
  const audience = text(
    node,
    'audience',
    AUDIENCE,
    "the tokens' aud or client_id, or several: a,b",
  );
  if (issuer && audience) return { issuer, audience: audience.split(',') };
  if (issuer || audience) {
    throw new Error('Context issuer and audience: give both, or neither for a Cognito user pool');
  }
  return undefined;
}

function readRegisters(node: Node, stage: string): RegisterSettings {
  const address = (name: keyof typeof REGISTER_ADDRESSES) =>
    text(node, name, ADDRESS, 'an https address without a slash at its end') ??
    REGISTER_ADDRESSES[name];
  const countries = text(node, 'registers', REGISTERS, 'SE, NO or FI, or several: SE,NO');
  return {
    countries: (countries?.split(',') ?? []) as Country[],
    bolagsverket: address('bolagsverketAddress'),
    bolagsverketTokens: address('bolagsverketTokenAddress'),
    bolagsverketSecret:
      text(node, 'bolagsverketSecret', SECRET, "a secret's name") ??
      `customer-register/${stage}/bolagsverket`,
    brreg: address('brregAddress'),
    prh: address('prhAddress'),
    cacheDays: Number(
      text(node, 'companyCacheDays', DAYS, 'a number of days from 1 to 999') ?? COMPANY_CACHE_DAYS,
    ),
  };
}

function text(node: Node, name: string, pattern: RegExp, meaning: string): string | undefined {
  const value: unknown = node.tryGetContext(name);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new Error(`Context ${name}: ${JSON.stringify(value)} is not ${meaning}`);
}
