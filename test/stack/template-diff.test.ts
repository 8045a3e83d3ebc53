import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../infra/deploy/template-diff.ts');

/** Synthesizes a stack of tables with these properties, by their logical ids. */
function assembly(folder: string, resources: Readonly<Record<string, object>>): string {
  const outdir = join(folder, 'assembly');
  // Validating by CloudFormation's schemas takes 6 seconds of CPU time.
  const app = new App({ outdir, builtinCloudFormationValidation: false });
  const stack = new Stack(app, 'CustomerRegister-dev');
  for (const [id, properties] of Object.entries(resources)) {
    new CfnResource(stack, id, { type: 'AWS::DynamoDB::Table', properties });
  }
  app.synth();
  return outdir;
}

/** Compares two templates. In place of a synthesis, `npx` copies them. */
function compare(base: Parameters<typeof assembly>[1], head: typeof base) {
  const folder = mkdtempSync(join(tmpdir(), 'diff-'));
  const [baseFolder, headFolder, bin] = ['base', 'head', 'bin'].map((name) => join(folder, name));
  for (const each of [baseFolder, headFolder, bin]) mkdirSync(each as string);
  assembly(baseFolder as string, base);
  assembly(headFolder as string, head);
  writeFileSync(
    join(bin as string, 'npx'),
    `#!/bin/sh\nfor last; do :; done\nif [ -d assembly ]; then cp -r assembly "$last"; else cp -r "${headFolder}/assembly" "$last"; fi\n`,
  );
  chmodSync(join(bin as string, 'npx'), 0o755);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [SCRIPT, '--base', baseFolder as string],
    {
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, PULL_REQUEST: '' },
      encoding: 'utf8',
    },
  );
  return { status, output: stdout + stderr };
}

const TABLE = {
  BillingMode: 'PAY_PER_REQUEST',
  TableName: 'customers',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
};
const OTHER_TABLE = { ...TABLE, TableName: 'others' };

describe('The check of a pull request', () => {
  test('shows what changes in the template', () => {
    const { status, output } = compare({ A: TABLE }, { A: TABLE, B: OTHER_TABLE });
    expect(output).toContain('[+] AWS::DynamoDB::Table B');
    expect(status).toBe(0);
  });

  test('fails if a resource would be replaced or deleted, and says what allows it', () => {
    const renamed = compare({ A: TABLE }, { A: { ...TABLE, TableName: 'renamed' } });
    const deleted = compare({ A: TABLE, B: OTHER_TABLE }, { A: TABLE });
    for (const { status, output } of [renamed, deleted]) {
      expect(status).toBe(1);
      expect(output).toContain('A resource of dev would be deleted or replaced.');
      expect(output).toContain('the label allows-replacement');
    }
  });
});
