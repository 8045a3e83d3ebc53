import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { sampleCustomers } from '../../infra/local/sample-customers.ts';
import { FILTERS } from '../../shared/domain/customer-filter.ts';
import { create, isLocal, newMerchant, useApi } from '../support/api.ts';

useApi();

const ROOT = join(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const hasCurl = !spawnSync('curl', ['--version']).error;

/** Cells of the table under a header whose first cell is this, a row each. */
function table(firstCell: string): string[][] {
  const [, rows = ''] = README.split(new RegExp(`^\\| ${firstCell} +\\|.*\\n\\|[-| ]+\\n`, 'm'));
  const lines = rows.split('\n');
  return lines.slice(0, lines.indexOf('')).map((line) => line.split(/ *\| */).slice(1, -1));
}

const codeOf = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code);

test('the table of endpoints is that of the routes', () => {
  expect(table('call').map(([call, , scope]) => [...codeOf(call), ...codeOf(scope)])).toEqual(
    expect.arrayContaining(
      ENDPOINTS.map(({ method, path, scope }) => [`${method} ${path}`, scope]),
    ),
  );
  expect(table('call')).toHaveLength(ENDPOINTS.length);
});

test('the table of filters is that of the filters', () => {
  expect(
    table('filter').map(([name, parameters]) => [...codeOf(name), codeOf(parameters)]),
  ).toEqual(Object.entries(FILTERS).map(([name, { parameters }]) => [name, parameters]));
});

test('every file that is linked is there', () => {
  const paths = [...README.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)].map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('every npm script that is named is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const named = [...README.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

describe.runIf(isLocal && hasCurl)('the calls by curl', () => {
  const script = README.match(/```sh\n(api\(\)[\s\S]*?)```/)?.[1] ?? '';
  let folder: string;
  let answers: string[];

  beforeAll(async () => {
    const merchant = await newMerchant();
    for (const customer of sampleCustomers().slice(0, 40)) await create(merchant, customer);
    folder = mkdtempSync(join(tmpdir(), 'readme-'));
    mkdirSync(join(folder, '.local'));
    writeFileSync(
      join(folder, '.local/authorization'),
      `Authorization: Bearer ${merchant.token}\n`,
    );
    const text = script
      .replace('http://localhost:3000', merchant.url)
      .replace('curl -s', 'curl -s --fail-with-body')
      .replaceAll(/^(api '?\/.*)$/gm, '$1\nprintf "\\0"');
    // The stack runs in this process, which must not wait for curl.
    const { stdout } = await promisify(execFile)('sh', ['-ec', text], { cwd: folder });
    answers = stdout.split('\0').slice(0, -1);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('do what is said beside them', () => {
    const calls = [...script.matchAll(/^api '?(\/.*?)'? *#/gm)].map(([, call]) => call);
    const json = (call: string) => JSON.parse(answers[calls.indexOf(call)] as string);
    expect(answers).toHaveLength(calls.length);
    expect(json('/customers?limit=2')).toHaveLength(2);
    expect(json('/customers/1')).toMatchObject({ mexcParamvaluesetsid: 1 });
    expect(answers[2]).toContain('"name":"Ek AB"');
    expect(answers[3]).toContain('"email":"post@example.com"');
    expect(answers[4]).toBe('{"result":"Removed","mexcParamvaluesetsid":3}');
    expect(answers[5]).toBe('{"result":"Removed","count":2}');
    expect(json('/customers/count?filter=isCompany,!isEFaktura').count).toBeGreaterThan(0);
    const found: { name: string }[] = JSON.parse(answers[7] as string);
    expect(found.map(({ name }) => name)).toContain('Åsa Björklund');
    expect(json('/customers/searchByOrgNumber/5567037485')).toMatchObject({ company: 'Ek AB' });
    expect(json('/customers/searchByOrgNumber/999990010')).toMatchObject({ country: 'NO' });
    expect(json('/customers/export/csv')).toMatchObject({ count: 38 });
    expect(readFileSync(join(folder, 'customers.csv'), 'utf8').split('\r\n')).toHaveLength(40);
    expect(answers[12]?.match(/<customer>/g)).toHaveLength(2);
  });
});
