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

test('the checked-in schema is what npm run generate makes', () => {
  expect(schema).toBe(xmlSchema());
});

test('exported XML is as the schema says, whatever the data', async () => {
  const merchant = await newMerchant();
  const nasty = ' <b>&amp;]]>\r\n\t"\'😀 ';
  await create(merchant, {});
  await create(
    merchant,
    Object.fromEntries(WRITABLE_FIELDS.map(({ name }) => [name, `${nasty}${name}`])),
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

test('an export of nobody is as the schema says', async () => {
  const merchant = await newMerchant();
  const { body } = await merchant.call('GET', '/customers/export/xml');
  expect(await errorsOf(await (await fetch(body.url)).text())).toEqual([]);
});

test('the schema refuses what an export never holds', async () => {
  expect(await errorsOf('<customers><customer><name>A</name></customer></customers>')).not.toEqual(
    [],
  );
});
