import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { xmlSchema } from '../../infra/documents/xml-schema.ts';
import { WRITABLE_FIELDS } from '../../shared/domain/fields.ts';
import { create, newMerchant, useApi } from '../support/api.ts';

useApi();

const schema = readFileSync(join(import.meta.dirname, '../../shared/customers.xsd'), 'utf8');

async function errorsOf(xml: string) {
  const { errors } = await validateXML({ xml, schema });
  return errors.map(({ message }) => message);
}

test('The checked-in XML schema is the output of npm run generate', () => {
  expect(schema).toBe(xmlSchema());
});

test('Exported XML is valid by the schema for empty, hostile and longest texts', async () => {
  const merchant = await newMerchant();
  const hostile = ' <b>&amp;]]>\r\n\t"\'😀 ';
  await create(merchant, {});
  await create(
    merchant,
    Object.fromEntries(WRITABLE_FIELDS.map(({ name }) => [name, `${hostile}${name}`])),
  );
  await create(
    merchant,
    Object.fromEntries(
      WRITABLE_FIELDS.map(({ name, maxLength }) => [name, '😀'.repeat(maxLength)]),
    ),
  );
  const { body } = await merchant.call('GET', '/customers/export/xml');
  const xml = await (await fetch(body.url)).text();
  expect(xml.match(/<customer>/g)).toHaveLength(3);
  expect(await errorsOf(xml)).toEqual([]);
});

test('An XML export without customers is valid by the schema', async () => {
  const merchant = await newMerchant();
  const { body } = await merchant.call('GET', '/customers/export/xml');
  expect(await errorsOf(await (await fetch(body.url)).text())).toEqual([]);
});

test('The XML schema rejects a customer without its other elements', async () => {
  expect(await errorsOf('<customers><customer><name>A</name></customer></customers>')).not.toEqual(
    [],
  );
});
