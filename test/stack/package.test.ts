import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageStages } from '../../infra/deploy/package-stages.ts';
import { resolveSettings } from '../../infra/settings.ts';
import { emptyBundles, PRODUCTION } from '../support/synthesize.ts';

describe('The deployable', () => {
  // Outside of the repository, so that no module of it is found.
  const folder = mkdtempSync(join(tmpdir(), 'deployable-'));
  const { stage: _, ...prod } = PRODUCTION;
  const stages = { dev: {}, prod };
  const node = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const templateOf = (name: string, stage: string) =>
    JSON.parse(readFileSync(join(folder, name, `CustomerRegister-${stage}.template.json`), 'utf8'));

  beforeAll(async () => {
    const settings = Object.keys(stages).map((stage) => resolveSettings(stage, stages));
    await packageStages(folder, settings, emptyBundles(), '4711');
  });

  test('has an assembly of each stage, and of production one for its creation', () => {
    expect(readdirSync(folder).toSorted()).toEqual(
      ['cdk', 'deploy.mjs', 'dev', 'plan.mjs', 'prod', 'prod-first', 'smoke.mjs'].toSorted(),
    );
    const reserved = (name: string) =>
      JSON.stringify(templateOf(name, 'prod')).includes('"ReservedConcurrentExecutions"');
    expect([reserved('prod'), reserved('prod-first')]).toEqual([true, false]);
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
