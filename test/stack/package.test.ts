import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CfnResource, CloudFormationValidatePlugin, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { addCustomerRegister } from '../../infra/add-customer-register.ts';
import { packageStages } from '../../infra/deploy/package-stages.ts';
import { resolveSettings } from '../../infra/settings.ts';
import {
  createApp,
  emptyBundles,
  PRODUCTION,
  PRODUCTION_WITH_USER_POOL,
  synthesize,
} from '../support/synthesize.ts';

describe('The deployable', () => {
  // Outside of the repository, so that no module of it is found.
  const folder = mkdtempSync(join(tmpdir(), 'deployable-'));
  const { stage: _, ...prod } = PRODUCTION;
  const stages = { dev: {}, prod };
  const node = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const templateOf = (name: string, stage: string) =>
    JSON.parse(readFileSync(join(folder, name, `CustomerRegister-${stage}.template.json`), 'utf8'));

  /** What the rules of each kind found, of each assembly. */
  let reports: unknown[][];

  beforeAll(async () => {
    const checks = [
      vi.spyOn(CloudFormationValidatePlugin.prototype, 'validate'),
      vi.spyOn(AwsSolutionsChecks.prototype, 'validate'),
    ];
    const settings = Object.keys(stages).map((stage) => resolveSettings(stage, stages));
    await packageStages(folder, settings, emptyBundles(), '4711');
    reports = checks.map(({ mock }) => mock.results.map(({ value }) => value));
    vi.restoreAllMocks();
  });

  test('has an assembly of each stage, and of production one for its creation', () => {
    expect(readdirSync(folder).toSorted()).toEqual(
      ['cdk', 'deploy.mjs', 'dev', 'plan.mjs', 'prod', 'prod-first', 'smoke.mjs'].toSorted(),
    );
    const reserved = (name: string) =>
      JSON.stringify(templateOf(name, 'prod')).includes('"ReservedConcurrentExecutions"');
    expect([reserved('prod'), reserved('prod-first')]).toEqual([true, false]);
  });

  test("has templates that were checked, without findings of CloudFormation's schemas and rules, or of cdk-nag", () => {
    const none = { success: true, violations: [] };
    for (const each of reports) expect(each).toMatchObject([none, none, none]);
  });

  test('names its build in an output of each stack, by which a rollback finds it', () => {
    for (const [name, stage] of [
      ['dev', 'dev'],
      ['prod', 'prod'],
      ['prod-first', 'prod'],
    ] as const) {
      expect(templateOf(name, stage).Outputs.Build.Value).toBe('4711');
    }
  });

  test("has the CDK's CLI and scripts that run without another module", () => {
    expect(existsSync(join(folder, 'node_modules'))).toBe(false);
    expect(node('cdk/bin/cdk', 'ls', '--app', 'prod-first')).toContain('CustomerRegister-prod');
    for (const script of ['deploy.mjs', 'plan.mjs', 'smoke.mjs']) {
      expect(node(script, '--help')).toContain('--stage <name>');
    }
  });
});

describe('Production with a user pool, registers and traces', () => {
  test("has a template without findings of CloudFormation's schemas and rules, or of cdk-nag", () => {
    const { app } = synthesize(PRODUCTION_WITH_USER_POOL, { validate: true });
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});

describe('A synthesis', () => {
  test("fails if a template has an error by CloudFormation's schemas", () => {
    const app = createApp({}, true);
    new CfnResource(new Stack(app, 'Wrong'), 'Bucket', {
      type: 'AWS::S3::Bucket',
      properties: { BucketNam: 'a' },
    });
    expect(() => app.synth()).toThrow(/validation/i);
  });

  test('fails if cdk-nag finds a bucket without a TLS policy in the stack', () => {
    const app = createApp();
    const settings = resolveSettings('dev', {});
    addCustomerRegister(app, { settings, bundles: emptyBundles() });
    new Bucket(app.node.findChild('CustomerRegister-dev') as Stack, 'Careless');
    expect(() => app.synth()).toThrow(/AwsSolutions-S10/);
  });
});
