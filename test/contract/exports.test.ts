import { parse as parseCsv } from 'csv-parse/sync';
import { beforeAll, describe, expect, test } from 'vitest';
import { FIELDS } from '../../shared/domain/fields.ts';
import {
  type Client,
  create,
  eventually,
  isLocal,
  merchantsAvailable,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { EXAMPLE_CUSTOMER } from '../support/example-customer.ts';
import { keysInBucket } from '../support/export-bucket.ts';
import { EXPORT_TYPES, readJsonLines, sheetIn } from '../support/export-files.ts';
import { expectProblem } from '../support/problem.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

const CSV = '/customers/export/csv';
const XML = '/customers/export/xml';
const XLSX = '/customers/export/xlsx';
const JSON_LINES = '/customers/export/jsonl';
const XLSX_TYPE = EXPORT_TYPES.xlsx as string;
const NAMES = FIELDS.map(({ name }) => name);

type Created = Awaited<ReturnType<typeof create>>;

/** Exports, and downloads the file: of a workbook its sheet. */
async function exported(merchant: Client, path: string, ids?: readonly unknown[]) {
  const { status, body } = await merchant.call(ids ? 'POST' : 'GET', path, ids && { body: ids });
  expect(status, JSON.stringify(body)).toBe(200);
  return download(body.url);
}

async function download(url: string): Promise<string> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  // Not response.text(), which would drop a byte order mark.
  const file = Buffer.from(await response.arrayBuffer());
  return response.headers.get('content-type') === XLSX_TYPE ? sheetIn(file) : file.toString();
}

const rowsOf = (csv: string): Record<string, string>[] => parseCsv(csv, { columns: true });

describe.each([
  ['CSV', CSV, 'text/csv', 'text/csv; charset=utf-8; header=present', 'csv'],
  ['XML', XML, 'application/xml', 'application/xml; charset=utf-8', 'xml'],
  ['XLSX', XLSX, XLSX_TYPE, XLSX_TYPE, 'xlsx'],
  ['JSON Lines', JSON_LINES, 'application/jsonl', 'application/jsonl', 'jsonl'],
])('%s exports', (format, path, mediaType, contentType, extension) => {
  let merchant: Client;
  let ids: number[];
  beforeAll(async () => {
    merchant = await newMerchant();
    ids = [];
    for (const name of ['A', 'B', 'C']) {
      ids.push((await create(merchant, { name })).mexcParamvaluesetsid);
    }
  });

  test.each(['GET', 'POST'])(
    `%s of the ${format} export returns the file's metadata and a URL that expires in 15 minutes`,
    async (method) => {
      const before = Date.now();
      const answer = await merchant.call(method, path, method === 'POST' ? { body: ids } : {});
      const { status, headers, body } = answer;
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/json');
      expect(Object.keys(body)).toEqual([
        'url',
        'expires',
        'filename',
        'contentType',
        'count',
        'bytes',
        'changesFrom',
      ]);
      expect(body).toMatchObject({ contentType, count: 3 });
      expect(body.filename).toMatch(new RegExp(`^customers-\\d{4}-\\d\\d-\\d\\d\\.${extension}$`));
      expect(Date.parse(body.expires) - before).toBeGreaterThan(14 * 60_000);
      expect(Date.parse(body.expires) - Date.now()).toBeLessThanOrEqual(15 * 60_000);

      const file = await fetch(body.url);
      expect(file.status).toBe(200);
      expect(file.headers.get('content-type')).toBe(contentType);
      expect(file.headers.get('content-disposition')).toBe(
        `attachment; filename="${body.filename}"`,
      );
      expect((await file.arrayBuffer()).byteLength).toBe(body.bytes);
    },
  );

  test.each(['GET', 'POST'])(
    `%s of the ${format} export redirects (303) to the file if Accept prefers its type`,
    async (method) => {
      const answer = await merchant.call(method, path, {
        headers: { accept: `${mediaType}, application/json;q=0.9` },
        ...(method === 'POST' && { body: ids }),
      });
      expect(answer).toMatchObject({ status: 303, body: '' });
      expect(await download(answer.headers.get('location') as string)).toBe(
        await exported(merchant, path, method === 'POST' ? ids : undefined),
      );
    },
  );

  test.each(['*/*', 'application/*', `application/json, ${mediaType};q=0.9`, ''])(
    `The ${format} export returns JSON if Accept is %j`,
    async (accept) => {
      expect(await merchant.call('GET', path, { headers: { accept } })).toMatchObject({
        status: 200,
        body: { count: 3 },
      });
    },
  );

  test.runIf(extension === 'xml')(
    'The XML export redirects (303) to the file if Accept has text/xml',
    async () => {
      const answer = await merchant.call('GET', path, { headers: { accept: 'text/xml' } });
      expect(answer).toMatchObject({ status: 303, body: '' });
      expect(await download(answer.headers.get('location') as string)).toMatch(/^<\?xml /);
    },
  );

  test.runIf(extension === 'jsonl')(
    'The JSON Lines export redirects (303) to the file if Accept has application/x-ndjson',
    async () => {
      const accept = 'application/x-ndjson';
      const answer = await merchant.call('GET', path, { headers: { accept } });
      expect(answer).toMatchObject({ status: 303, body: '' });
    },
  );

  test(`The ${format} export redirects (303) to the file if Accept has the type with its parameters`, async () => {
    const answer = await merchant.call('GET', path, { headers: { accept: contentType } });
    expect(answer).toMatchObject({ status: 303 });
  });

  test(`The ${format} export returns 406 if Accept allows neither the file nor JSON`, async () => {
    const answer = await merchant.call('GET', path, { headers: { accept: 'image/png' } });
    expectProblem(answer, 406, [{ header: 'Accept' }]);
  });

  test(`The ${format} export by ids has the customers in ascending order, each once, without absent ones`, async () => {
    const [a, b, c] = ids as [number, number, number];
    const requested = [c, String(a), a, `0${c}`, 999_999_999];
    const file = await exported(merchant, path, requested);
    expect(file).toBe(await exported(merchant, path, [a, c]));
    expect(file).not.toBe(await exported(merchant, path, [a, b, c]));
  });

  test.runIf(merchantsAvailable > 1)(
    `The ${format} export by ids has a customer immediately after its creation`,
    async () => {
      const other = await newMerchant(1);
      for (const name of ['D', 'E', 'F']) {
        const { mexcParamvaluesetsid: id } = await create(other, { name });
        expect(await exported(other, path, [id])).toContain(name);
      }
    },
  );

  test.runIf(merchantsAvailable > 1)(
    `The ${format} export by ids returns 404 and writes no file if no customer exists`,
    async () => {
      const name = crypto.randomUUID();
      const other = await newMerchant(1, { merchant: name });
      expectProblem(await other.call('POST', path, { body: [1, 2] }), 404);
      if (isLocal) expect(await keysInBucket(name)).toEqual([]);
    },
  );

  test.each([
    ['no ids', []],
    ['a string that is no id', [1, 'x']],
    ['more than 10,000 ids', Array.from({ length: 10_001 }, (_, index) => index + 1)],
  ])(`The ${format} export of %s returns 400`, async (_, body) => {
    const { status } = await merchant.call('POST', path, { body });
    expect(status).toBe(400);
  });

  test(`The ${format} export accepts the filters of the list`, async () => {
    await eventually(async () => {
      const query = 'filter=search,!searchInInvoiceForm&search=B&searchInInvoiceForm=C';
      expect(await exported(merchant, `${path}?${query}`)).toBe(
        await exported(merchant, path, ids.slice(1, 2)),
      );
    });
    const answer = await merchant.call('GET', `${path}?filter=rangeByDate&from=2024-02-30&to=x`);
    expectProblem(answer, 400, [{ parameter: 'from' }, { parameter: 'to' }]);
  });

  test.each(['limit=1', 'filetr=search', 'delimter=comma'])(
    `The ${format} export returns 400 for the parameter %s`,
    async (query) => {
      const answer = await merchant.call('GET', `${path}?${query}`);
      expectProblem(answer, 400, [{ parameter: query.split('=')[0] as string }]);
    },
  );
});

describe('Files', () => {
  let merchant: Client;
  let customers: Created[];
  beforeAll(async () => {
    merchant = await newMerchant();
    customers = [
      await create(merchant, EXAMPLE_CUSTOMER),
      await create(merchant, {
        name: 'Ek & "Ask", <AB>',
        address: 'rad 1\r\nrad 2; slut',
        telephone: '+46 (0)8-465 004 02',
        rebate: '-12,5',
        notes: '=HYPERLINK("http://evil.example")',
        statuslog: ' \t@SUM(A1)',
        reference: '＝1+1',
        latitude: '-cmd',
        internalCreditLimit: '100',
      }),
    ];
  });

  test('A CSV file follows RFC 4180: a header, CRLF, quotes where they are needed', async () => {
    const file = await exported(merchant, CSV);
    const [header, seed, ...rest] = file.split('\r\n');
    expect(header).toBe(NAMES.join(','));
    expect(seed).toBe(`${Object.values(customers[0] as Created).join(',')},,,,`);
    const cell = (name: string, quoted: string) => {
      expect(rest.join('\r\n'), name).toContain(`,${quoted},`);
    };
    cell('name', '"Ek & ""Ask"", <AB>"');
    cell('address', '"rad 1\r\nrad 2; slut"');
    cell('telephone', '+46 (0)8-465 004 02');
    cell('internalCreditLimit', '100');
    expect(file.endsWith('\r\n')).toBe(true);
    expect(file.startsWith('\ufeff')).toBe(false);
  });

  test('A CSV file has no formulas, and keeps telephone numbers and negative numbers', async () => {
    const [, row] = rowsOf(await exported(merchant, CSV));
    expect(row).toMatchObject({
      notes: '\'=HYPERLINK("http://evil.example")',
      statuslog: "' \t@SUM(A1)",
      reference: "'＝1+1",
      latitude: "'-cmd",
      telephone: '+46 (0)8-465 004 02',
      rebate: '-12,5',
    });
  });

  test('A CSV file with formulas=keep has each text as it was sent', async () => {
    const ids = customers.map((customer) => customer.mexcParamvaluesetsid);
    for (const file of [
      await exported(merchant, `${CSV}?formulas=keep`),
      await exported(merchant, `${CSV}?formulas=keep`, ids),
    ]) {
      const [, row] = rowsOf(file);
      expect(row).toMatchObject({
        notes: '=HYPERLINK("http://evil.example")',
        statuslog: ' \t@SUM(A1)',
        reference: '＝1+1',
        latitude: '-cmd',
      });
    }
    expect(await exported(merchant, `${CSV}?formulas=escape`)).toBe(await exported(merchant, CSV));
  });

  test('A CSV file for Excel in Swedish settings has semicolons and a byte order mark', async () => {
    const file = await exported(merchant, `${CSV}?delimiter=semicolon&bom=true`);
    expect(file.startsWith(`\ufeff${NAMES.join(';')}\r\n`)).toBe(true);
    expect(file).toContain(';"Ek & ""Ask"", <AB>";');
    expect(file).toContain(';"rad 1\r\nrad 2; slut";');
    // Quoted, since LibreOffice splits at commas, too.
    expect(file).toContain(';"-12,5";');
    const read = parseCsv(file, { columns: true, bom: true, delimiter: ';' });
    expect(read).toEqual(rowsOf(await exported(merchant, CSV)));
  });

  test('A file has 0 for service and module that no token named, as the list has', async () => {
    for (const row of rowsOf(await exported(merchant, CSV))) {
      expect(row).toMatchObject({ mexcModulesid: '0', mm3servicesid: '0' });
    }
    const file = await exported(merchant, XML);
    expect(file.match(/<mexcModulesid>0<\/mexcModulesid>/g)).toHaveLength(customers.length);
    expect(file.match(/<mm3servicesid>0<\/mm3servicesid>/g)).toHaveLength(customers.length);
  });

  test.each([
    ['delimiter=tab', 'delimiter'],
    ['delimiter=comma&delimiter=comma', 'delimiter'],
    ['bom=yes', 'bom'],
    ['formulas=run', 'formulas'],
  ])('The CSV export with %s returns 400', async (query, parameter) => {
    expectProblem(await merchant.call('GET', `${CSV}?${query}`), 400, [{ parameter }]);
    const ids = customers.map((customer) => customer.mexcParamvaluesetsid);
    const answer = await merchant.call('POST', `${CSV}?${query}`, { body: ids });
    expectProblem(answer, 400, [{ parameter }]);
  });

  test('A file of JSON Lines has each customer as the list has it', async () => {
    const list = (await merchant.call('GET', '/customers')).body;
    expect(readJsonLines(await exported(merchant, JSON_LINES))).toEqual(list);
    const ids = customers.map((customer) => customer.mexcParamvaluesetsid);
    expect(readJsonLines(await exported(merchant, JSON_LINES, ids))).toEqual(list);
  });

  test('An XLSX file has texts as they were sent, without formulas', async () => {
    const sheet = await exported(merchant, XLSX);
    for (const text of [
      '=HYPERLINK("http://evil.example")',
      ' \t@SUM(A1)',
      '+46 (0)8-465 004 02',
    ]) {
      expect(sheet).toContain(`<is><t xml:space="preserve">${text}</t></is>`);
    }
    expect(sheet).not.toMatch(/<f[ >]/);
  });

  const ids = () => customers.map((customer) => customer.mexcParamvaluesetsid);

  test('A CSV file has the chosen columns in the given order, by GET and by POST', async () => {
    const path = `${CSV}?columns=name,mexcParamvaluesetsid,rebate`;
    const [a, b] = ids();
    for (const file of [await exported(merchant, path), await exported(merchant, path, ids())]) {
      expect(file).toBe(
        `name,mexcParamvaluesetsid,rebate\r\n${EXAMPLE_CUSTOMER.name},${a},${EXAMPLE_CUSTOMER.rebate}\r\n"Ek & ""Ask"", <AB>",${b},"-12,5"\r\n`,
      );
    }
    // A list in a query is also sent as repeated parameters.
    expect(
      await exported(merchant, `${CSV}?columns=name&columns=mexcParamvaluesetsid,rebate`),
    ).toBe(await exported(merchant, path));
  });

  test('An XLSX file has the chosen columns in the given order, by GET and by POST', async () => {
    const path = `${XLSX}?columns=rebate,name&headers=sv`;
    for (const sheet of [await exported(merchant, path), await exported(merchant, path, ids())]) {
      expect([...sheet.matchAll(/<t[^>]*>([^<]*)<\/t>/g)].map(([, text]) => text)).toEqual([
        ...['Rabatt', 'Namn', EXAMPLE_CUSTOMER.rebate, EXAMPLE_CUSTOMER.name],
        ...['-12,5', 'Ek &amp; "Ask", &lt;AB&gt;'],
      ]);
    }
  });

  test('A CSV file has Swedish headings if they are asked for', async () => {
    const file = await exported(merchant, `${CSV}?headers=sv&delimiter=semicolon`);
    expect(file.split('\r\n')[0]).toMatch(/^Id;Skapad;Kundnummer;Namn;Adress;Postnummer;Ort;Län;/);
    const chosen = await exported(merchant, `${CSV}?headers=sv&columns=email,companyno`);
    expect(chosen).toMatch(/^E-post,Organisationsnummer\r\n/);
    expect(await exported(merchant, `${CSV}?headers=api`)).toBe(await exported(merchant, CSV));
  });

  test.each([
    ['columns=', 'names nothing, which is no field of a customer; known are '],
    ['columns=nmae', 'names nmae, which is no field of a customer; did you mean `name`?'],
    ['columns=name,version', 'names version, which is no field of a customer; known are '],
    ['columns=name,fax,name', 'names name twice'],
    ['columns=__proto__', 'names __proto__, which is no field of a customer; known are '],
    ['headers=en', 'must be api or sv; got `en`'],
  ])('The CSV and XLSX exports with %s return 400', async (query, detail) => {
    const parameter = query.split('=')[0] as string;
    for (const path of [CSV, XLSX]) {
      for (const [method, options] of [['GET'], ['POST', { body: ids() }]] as const) {
        const answer = await merchant.call(method, `${path}?${query}`, options);
        expectProblem(answer, 400, [{ parameter }]);
        expect(answer.body.errors[0].detail).toContain(detail);
      }
    }
  });

  test.each([XML, JSON_LINES])('%s has no choice of columns', async (path) => {
    const answer = await merchant.call('GET', `${path}?columns=name&headers=sv`);
    expectProblem(answer, 400, [{ parameter: 'columns' }, { parameter: 'headers' }]);
  });

  test('An XML file has one element per customer and field', async () => {
    const file = await exported(merchant, XML);
    const [declaration, root, seed, ...rest] = file.split('\n');
    expect(declaration).toBe('<?xml version="1.0" encoding="UTF-8"?>');
    expect(root).toBe('<customers>');
    const elements = Object.entries(customers[0] as Created).map(([name, value]) =>
      value === '' ? `<${name}/>` : `<${name}>${value}</${name}>`,
    );
    expect(seed).toBe(`<customer>${elements.join('')}</customer>`);
    expect(rest.join('\n')).toContain('<name>Ek &amp; "Ask", &lt;AB&gt;</name>');
    expect(rest.join('\n')).toContain('<address>rad 1&#13;\nrad 2; slut</address>');
    expect(rest.join('\n')).toContain('<internalCreditLimit>100</internalCreditLimit>');
    expect(file.endsWith('</customers>\n')).toBe(true);
  });

  test.runIf(merchantsAvailable > 1)(
    'A file without customers has its beginning and its end',
    async () => {
      const nobody = await newMerchant(1);
      expect(await exported(nobody, CSV)).toBe(`${NAMES.join(',')}\r\n`);
      expect(await exported(nobody, JSON_LINES)).toBe('');
      expect((await exported(nobody, XLSX)).match(/<row /g)).toHaveLength(1);
      expect(await exported(nobody, XML)).toBe(
        '<?xml version="1.0" encoding="UTF-8"?>\n<customers>\n</customers>\n',
      );
    },
  );
});

test.runIf(isLocal)('An export of many pages has each customer once, by ascending id', async () => {
  // DynamoDB's pages hold 1 MB, and S3's parts here 8 MiB.
  const notes = '😀'.repeat(10_000);
  const { merchant, ids } = await newMerchantWith(108, () => ({ notes, statuslog: notes }));
  // Their texts have no line breaks, and a parser would take seconds for them.
  const idsIn = (csv: string) =>
    csv
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .filter((line) => line.split(`,${notes},`).length === 3)
      .map((line) => Number.parseInt(line, 10));
  expect(idsIn(await exported(merchant, CSV))).toEqual(ids);
  expect(idsIn(await exported(merchant, CSV, ids.toReversed()))).toEqual(ids);
  expect(idsIn(await exported(merchant, `${CSV}?filter=isUnknown`))).toEqual(ids);
});

test('The store refuses a presigned URL with a token, as clients that keep it across a redirect send it', async () => {
  const merchant = await newMerchant();
  const { body } = await merchant.call('GET', CSV);
  const authorization = `Bearer ${merchant.token}`;
  const kept = await fetch(body.url, { headers: { authorization } });
  expect(kept.status).toBe(400);
  expect(await kept.text()).toContain('<Code>InvalidArgument</Code>');
  expect((await fetch(body.url)).status).toBe(200);
});

test.runIf(isLocal)(
  'A presigned URL serves its own file only, and is invalid after any change',
  async () => {
    const merchant = await newMerchant();
    const other = await newMerchant();
    const [mine, theirs] = await Promise.all(
      [merchant, other].map(async (each) => (await each.call('GET', CSV)).body.url as string),
    );
    const path = (url = '') => new URL(url).pathname;
    expect((await fetch((mine ?? '').replace(path(mine), path(theirs)))).status).toBe(403);
    expect(
      (await fetch((mine ?? '').replace('X-Amz-Expires=900', 'X-Amz-Expires=901'))).status,
    ).toBe(403);
  },
);
