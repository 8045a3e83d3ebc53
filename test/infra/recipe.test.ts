import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { isLocal } from '../support/api.ts';
import { synthesize } from '../support/synthesize.ts';

const ROOT = join(import.meta.dirname, '../..');
const RECIPES = readFileSync(join(ROOT, 'shared/recipes.md'), 'utf8');
/** What a copy of the repository needs for the recipe: files that are copied. */
const SOURCES = [
  'infra',
  'shared/openapi.json',
  'shared/customers.xsd',
  'test/contract',
  'test/support',
  'test/vitest.config.ts',
  '.biome.json',
  'package.json',
  'tsconfig.json',
];
/** Folders with links to what they have: Node has compiled those files, and not copies of them. */
const LINKED = ['functions', 'shared'];
const NAME = 'get-customer-contact';
const PATH = '/customers/{mexcParamvaluesetsid}/contact';

/** Returns the code blocks of a recipe by the path in their first line. */
function filesOf(recipe: string): Map<string, string> {
  const [, section = ''] = RECIPES.split(`## ${recipe}\n`);
  const [own = ''] = section.split(/^## /m);
  const blocks = own.replaceAll(/^ {3}/gm, '').matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, path = '', code = '']) => [path, code]));
}

describe.runIf(isLocal)('the recipe "Add an endpoint"', () => {
  const files = filesOf('Add an endpoint');
  let folder: string;

  /**
   * Runs a command in the copy, without the variables of the present test run.
   *
   * @throws Error with its output, if it fails.
   */
  async function run(command: string, ...args: string[]): Promise<string> {
    const own = Object.entries(process.env).filter(([name]) => !/^VITEST/.test(name));
    // The type check, which is a Go program, ends before it pays to collect its garbage.
    const options = { cwd: folder, env: { ...Object.fromEntries(own), GOGC: 'off' } };
    try {
      return (await promisify(execFile)(command, args, options)).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
    }
  }
  const bin = (name: string) => join(ROOT, 'node_modules/.bin', name);

  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'recipe-')));
    for (const path of SOURCES) {
      cpSync(join(ROOT, path), join(folder, path), {
        recursive: true,
        filter: (source) => !/[\\/](?:node_modules|\.local)$/.test(source),
      });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const path of LINKED) {
      mkdirSync(join(folder, path), { recursive: true });
      for (const name of readdirSync(join(ROOT, path))) {
        const link = join(folder, path, name);
        if (!existsSync(link)) symlinkSync(join(ROOT, path, name), link);
      }
    }
    for (const [path, code] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), code);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('consists of contract, handler and test', () => {
    expect([...files.keys()]).toEqual([
      `functions/${NAME}/contract.ts`,
      `functions/${NAME}/handler.ts`,
      'test/contract/contact.test.ts',
    ]);
  });

  test('passes the linter and the type check', async () => {
    writeFileSync(
      join(folder, 'tsconfig.recipe.json'),
      JSON.stringify({ extends: './tsconfig.json', include: ['**/*.d.ts', ...files.keys()] }),
    );
    await run(bin('tsc'), '--singleThreaded', '--project', 'tsconfig.recipe.json');
    await run(bin('biome'), 'check', '--vcs-enabled=false', ...files.keys());
  });

  test('adds an operation to the OpenAPI document, and changes no other', async () => {
    const document = () => JSON.parse(readFileSync(join(folder, 'shared/openapi.json'), 'utf8'));
    const { paths: before } = document();
    await run('npm', 'run', 'generate');
    const { paths, components } = document();
    const { [PATH]: added, ...others } = paths;
    expect(added.get.operationId).toBe('getCustomerContact');
    expect(components.schemas.Contact.required).toEqual(['name', 'email', 'mobile']);
    expect(others).toEqual(before);
  });

  test('adds a route, a function with its permissions, and alarms to the stack', async () => {
    const script = `import { ENDPOINTS } from './infra/endpoints.ts';
      console.log(JSON.stringify(ENDPOINTS));`;
    const endpoints = JSON.parse(
      await run(process.execPath, '--input-type=module', '--eval', script),
    );
    expect(endpoints).toHaveLength(ENDPOINTS.length + 1);
    const stack = synthesize({}, { endpoints });
    stack.template.hasResourceProperties('AWS::ApiGatewayV2::Route', {
      RouteKey: `GET ${PATH}`,
      AuthorizationScopes: ['customers:read'],
    });
    expect(stack.statements(NAME)).toMatchObject([
      { Action: ['logs:CreateLogStream', 'logs:PutLogEvents'] },
      { Action: 'dynamodb:GetItem' },
    ]);
    const alarms = stack
      .all('AWS::CloudWatch::Alarm')
      .filter(({ Dimensions }) => Dimensions?.[0].Value.Ref === stack.functionId(NAME));
    expect(alarms.map(({ MetricName }) => MetricName).toSorted()).toEqual(['Duration', 'Errors']);
  });

  test('makes an endpoint that responds over HTTP as its test says', async () => {
    const config = ['--config', 'test/vitest.config.ts', '--project', 'contract'];
    const out = await run(bin('vitest'), 'run', ...config, 'contact.test.ts');
    expect(stripVTControlCharacters(out)).toMatch(/Tests +2 passed \(2\)/);
  });
});
