import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { openApiDocument } from '../../infra/documents/openapi.ts';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import type { ParameterDescription } from '../../shared/http/contract.ts';
import type { Parameters } from '../../shared/http/validation.ts';

const FUNCTIONS = join(import.meta.dirname, '../../functions');
/** Functions of no endpoint. */
const WITHOUT_CONTRACT = [
  'add-token-claims',
  'answer-documents',
  'answer-unknown-route',
  'end-failed-job',
  'record-changes',
  'build-snapshot',
  'run-export',
  'run-import',
  'run-import-plan',
];

test('every folder of functions has a handler, and all but a few a contract', () => {
  const folders = readdirSync(FUNCTIONS, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const has = (file: string) =>
    folders.map(({ name }) => name).filter((name) => existsSync(join(FUNCTIONS, name, file)));
  expect(has('handler.ts')).toEqual(folders.map(({ name }) => name));
  expect(has('contract.ts')).toEqual(ENDPOINTS.map((endpoint) => endpoint.function).toSorted());
  expect(folders.map(({ name }) => name)).toEqual(
    [...has('contract.ts'), ...WITHOUT_CONTRACT].toSorted(),
  );
});

test('no two endpoints have one method and path', () => {
  const routes = ENDPOINTS.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(routes).size).toBe(routes.length);
});

describe.each(ENDPOINTS)('$function', (endpoint) => {
  test('names its path parameters as its path does', () => {
    const inPath = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(Object.keys(endpoint.request.path ?? {})).toEqual(inPath);
  });

  const { path, query, headers } = endpoint.request;
  const parameters: Parameters = { ...path, ...query, ...headers };

  test('describes each parameter, and no other, with an example that is valid', () => {
    const described: Readonly<Record<string, ParameterDescription>> = endpoint.parameters;
    expect(Object.keys(described).toSorted()).toEqual(Object.keys(parameters).toSorted());
    for (const [name, [description, example]] of Object.entries(described)) {
      expect(description, name).not.toBe('');
      const texts = [example].flat().map(String);
      const sent = parameters[name]?.style === 'single' ? texts[0] : texts;
      const { issues } = v.safeParse(parameters[name]?.schema() ?? v.never(), sent);
      expect(issues, name).toBeUndefined();
    }
  });

  test('has a body exactly if it describes one', () => {
    expect(!!endpoint.request.body).toBe(!!endpoint.requestBody);
  });

  test('writes only with the scope that says so', () => {
    const writes = endpoint.table?.actions?.some((action) => /Put|Update|Delete/.test(action));
    // Whoever may read customers has no business with what is about to be written.
    const isOfImport = endpoint.path.startsWith('/customers/imports');
    expect(endpoint.scope).toBe(writes || isOfImport ? 'customers:write' : 'customers:read');
  });
});

test('the document names each schema that it refers to', () => {
  const document = openApiDocument();
  const { schemas } = document.components as { schemas: object };
  const references = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)];
  expect(Object.keys(schemas)).toEqual(
    expect.arrayContaining([...new Set(references.map(([, name]) => name))]),
  );
});
