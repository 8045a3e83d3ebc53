import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApiDocument } from './documents/openapi.ts';
import { xmlSchema } from './documents/xml-schema.ts';

/** Checked-in documents that are generated from the source, by path. */
const DOCUMENTS = {
  'shared/openapi.json': `${JSON.stringify(openApiDocument(), null, 2)}\n`,
  'shared/customers.xsd': xmlSchema(),
};

for (const [path, text] of Object.entries(DOCUMENTS)) {
  await writeFile(join(import.meta.dirname, '..', path), text);
  console.log(`Wrote ${path}`);
}
