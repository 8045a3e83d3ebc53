import { describe, expect, test } from 'vitest';
import { UsageError } from '../../infra/command.ts';
import { readSettings, resolveSettings } from '../../infra/settings.ts';
import { STAGES } from '../../infra/stages.ts';
import { createApp, PRODUCTION } from '../support/synthesize.ts';

const { stage: _, ...production } = PRODUCTION;
const STREAM =
  'arn:aws:dynamodb:eu-north-1:111122223333:table/restored/stream/2026-11-29T00:00:00.000';

const env = { account: '111122223333', region: 'eu-north-1' };
const hostedZone = { id: 'Z0123456789', name: 'example.com' };
const domain = { name: 'origin.example.com', hostedZone };
const certificate = (region: string) =>
  `arn:aws:acm:${region}:111122223333:certificate/00000000-0000-0000-0000-000000000000`;

/** Returns the faults that are listed for a stage with these settings. */
function faultsOf(settings: unknown, stage = 'dev'): string[] {
  try {
    resolveSettings(stage, { [stage]: settings });
  } catch (error) {
    return (error as Error).message.split('\n  ').slice(1);
  }
  return [];
}

describe('The settings of a stage', () => {
  test.each([
    [{ identiy: { kind: 'cognito' } }, 'dev.identiy: is not a setting; did you mean `identity`?'],
    [{ env: { account: '1', region: 'eu-north-1' } }, 'dev.env.account: must be the 12 digits'],
    [{ env: { account: 111122223333, region: 'eu-north-1' } }, 'dev.env.account: must be the 12'],
    [{ env: { account: '111122223333' } }, 'dev.env.region: is missing'],
    [{ env: { account: '111122223333', region: 'Stockholm' } }, 'dev.env.region: must be an AWS'],
    [{ identity: { kind: 'Cognito' } }, "dev.identity.kind: must have the kind 'issuer' or"],
    [
      { identity: { kind: 'issuer', issuer: 'http://login.example.com', audience: ['a'] } },
      'dev.identity.issuer: must be the https address',
    ],
    [
      { identity: { kind: 'issuer', issuer: 'https://login.example.com' } },
      'dev.identity.audience: is missing',
    ],
    [
      { identity: { kind: 'issuer', issuer: 'https://login.example.com', audience: ['a, b'] } },
      'dev.identity.audience.0: must be the tokens\' aud or client_id; got "a, b"',
    ],
    [{ identity: { kind: 'cognito', issuer: 'x' } }, 'dev.identity.issuer: is not a setting'],
    [{ alarmEmail: 'on-call' }, 'dev.alarmEmail: must be an e-mail address; got "on-call"'],
    [{ alarmTopicArn: 'alarms' }, 'dev.alarmTopicArn: must be the ARN of an SNS topic'],
    [{ concurrencyQuota: '1000' }, 'dev.concurrencyQuota: must be an integer from 1'],
    [{ reserveExports: -1 }, 'dev.reserveExports: must be an integer from 0'],
    [{ claims: { merchant: 'merchant id' } }, 'dev.claims.merchant: must be the name'],
    [{ registers: { countries: ['SE', 'DK'] } }, 'dev.registers.countries.1: must be one of SE'],
    [{ registers: { brreg: 'http://data.brreg.no' } }, 'dev.registers.brreg: must be an https'],
    [{ registers: { prh: 'https://avoindata.prh.fi/' } }, 'dev.registers.prh: must be an https'],
    [{ registers: { bolagsverketSecret: 'a b' } }, 'dev.registers.bolagsverketSecret: must be'],
    [{ registers: { cacheDays: 0 } }, 'dev.registers.cacheDays: must be an integer from 1 to 999'],
    [
      { table: { name: 'a b', streamArn: STREAM } },
      'dev.table.name: must be the name of a DynamoDB table',
    ],
    [{ table: { name: 'restored' } }, 'dev.table.streamArn: is missing'],
    [{ changesDays: 0 }, 'dev.changesDays: must be an integer from 1 to 3650'],
    [{ changesEpoch: -1 }, 'dev.changesEpoch: must be an integer from 0 to 1000000'],
    [{ closed: 'true' }, 'dev.closed: must be true or false; got "true"'],
    [{ browserOrigins: ['https://a.example.com/'] }, 'dev.browserOrigins.0: must be an origin'],
    [{ browserOrigins: ['*'] }, 'dev.browserOrigins.0: must be an origin'],
    [{ browserOrigins: ['http://a.example.com'] }, 'dev.browserOrigins.0: must be an origin'],
    [{ browserOrigins: 'https://a.example.com' }, 'dev.browserOrigins: must be a list of origins'],
    [{ domain: { name: 'API.example.com', hostedZone } }, 'dev.domain.name: must be a host name'],
    [{ domain: { name: 'api.example.com' } }, 'dev.domain: needs certificateArn, or hostedZone'],
    [
      { env, domain: { name: 'api.example.com', certificateArn: certificate('us-east-1') } },
      'dev.domain.certificateArn: must be of eu-north-1, as the API is',
    ],
    [
      { env, domain, edge: { name: 'c.example.com', certificateArn: certificate('eu-north-1') } },
      'dev.edge.certificateArn: must be of us-east-1, as CloudFront requires',
    ],
    [{ env, edge: { name: 'c.example.com', hostedZone } }, 'dev.domain: is required for edge'],
    [{ domain, edge: { name: 'c.example.com', hostedZone } }, 'dev.env: is required for edge'],
    [{ env, domain, edge: domain }, 'dev.edge.name: must be another than domain.name'],
    [
      { env, domain, edge: { name: 'c.example.com', hostedZone, requestsPerMinute: 9 } },
      'dev.edge.requestsPerMinute: must be an integer from 10',
    ],
    [{ page: 'yes' }, 'dev.page: must be true or false; got "yes"'],
    [{ tracing: 1 }, 'dev.tracing: must be true or false; got 1'],
    [{ logLevel: 'info' }, 'dev.logLevel: must be TRACE, DEBUG, INFO, WARN or ERROR; got "info"'],
    ['prod', 'dev: must be an object; got "prod"'],
  ])('%j are refused by name', (settings, fault) => {
    expect(faultsOf(settings)).toEqual([expect.stringContaining(fault)]);
  });

  test.each(['Prod', 'production', 'prod-eu', 'a'.repeat(21), ''])(
    'are refused if the stage is named `%s`',
    (stage) => {
      expect(faultsOf({}, stage)).toEqual([expect.stringContaining(`stage ${stage}: `)]);
    },
  );

  test('of production need an account, an identity and someone to notify of alarms', () => {
    expect(faultsOf({}, 'prod')).toEqual([
      expect.stringContaining('prod.env: is required for prod'),
      expect.stringContaining('prod.identity: is required for prod'),
      expect.stringContaining('prod.alarmEmail or alarmTopicArn: one is required for prod'),
    ]);
    expect(faultsOf(production, 'prod')).toEqual([]);
  });

  test('reserve no more executions than Lambda lets the account', () => {
    expect(faultsOf({ concurrencyQuota: 300, reserveExports: 50 })).toEqual([
      'dev.reserveExports: 10 functions with 50 executions each leave -200 of concurrencyQuota, 300; Lambda keeps 100 unreserved, so that at most 20 can be reserved for each',
    ]);
    expect(faultsOf({ concurrencyQuota: 300, reserveExports: 20 })).toEqual([]);
    // A new account may have no more than 10 executions, of which none can be reserved.
    expect(faultsOf({ concurrencyQuota: 10 })).toEqual([]);
  });

  test('are refused with all faults of all stages at once', () => {
    const stages = { dev: { closd: true, tracing: 1 }, prod: { alarmEmail: 'a@example.com' } };
    expect(() => resolveSettings('dev', stages)).toThrow(
      /dev\.tracing: .*dev\.closd: .*prod\.env: .*prod\.identity: /s,
    );
  });

  test('have defaults, also those of a stage that is not in the file', () => {
    const defaults = { logLevel: 'DEBUG' };
    expect(resolveSettings('mine', { dev: {} }, defaults)).toMatchObject({
      stage: 'mine',
      production: false,
      identity: { kind: 'cognito' },
      concurrencyQuota: 1_000,
      reserveExports: 0,
      registers: { countries: [], bolagsverketSecret: 'customer-register/mine/bolagsverket' },
      logLevel: 'DEBUG',
      closed: false,
    });
    expect(() => resolveSettings('prod', {}, {})).toThrow('DEFAULTS (stage prod).identity: ');
  });

  test('that are not valid are printed by commands without a stack trace', () => {
    expect(() => resolveSettings('prod', {}, {})).toThrow(UsageError);
  });
});

describe('The context of the CDK', () => {
  test('names the stage, by default dev', () => {
    expect(readSettings(createApp().node).stage).toBe('dev');
    expect(readSettings(createApp({ stage: 'mine' }).node).stage).toBe('mine');
  });

  test('is refused by name if it is anything else', () => {
    const { node } = createApp({
      stag: 'dev',
      isuer: 'https://login.example.com',
      registers: 'SE',
    });
    expect(() => readSettings(node)).toThrow(
      /-c stag: is not read; `stage` is the only context, .*; did you mean `stage`\?\n.*-c isuer: .*did you mean `issuer`\?\n.*-c registers: .*in infra\/stages\.ts/,
    );
  });

  test('may have what the CLI and cdk.json add', () => {
    const added = { 'aws:cdk:enable-path-metadata': true, 'cli-telemetry': false };
    expect(readSettings(createApp(added).node).stage).toBe('dev');
  });
});

test('The settings of this repository are valid', () => {
  for (const stage of Object.keys(STAGES)) expect(resolveSettings(stage, STAGES)).toBeDefined();
});
