import { describe, expect, test } from 'vitest';
import { readAll } from '../support/reading.ts';

const xml = (file: Buffer | string) => readAll(file, { format: 'xml' });
const jsonl = (file: Buffer | string) => readAll(file, { format: 'jsonl' });
const customer = (content: string) => `<customers><customer>${content}</customer></customers>`;

describe('An XML file', () => {
  test('has a row for each customer; absent elements are absent, empty ones empty', async () => {
    const text =
      '<?xml version="1.0" encoding="UTF-8"?>\n<customers>\n<customer><mexcParamvaluesetsid>7</mexcParamvaluesetsid><name>Å &amp; <![CDATA[<b>]]></name><fax/></customer>\n<!-- x --><customer><notes> a&#13;\n</notes><version>3</version><foo>x</foo></customer>\n</customers>\n';
    const { rows, unknownColumns, columns } = await xml(text);
    expect(columns.map(({ heading }) => heading)).toEqual([
      'mexcParamvaluesetsid',
      'name',
      'fax',
      'notes',
      'version',
      'foo',
    ]);
    expect(rows).toEqual([
      {
        row: 1,
        id: 7,
        fields: { name: 'Å & <b>', fax: '' },
        faults: [],
        cells: ['7', 'Å & <b>', ''],
      },
      {
        row: 2,
        id: undefined,
        fields: { notes: ' a\r\n' },
        faults: [],
        cells: ['', '', '', ' a\r\n', '3', 'x'],
      },
    ]);
    expect(unknownColumns).toEqual(['foo']);
  });

  test.each([
    [
      'ISO-8859-1, as its declaration says',
      '<?xml version="1.0" encoding="ISO-8859-1"?>',
      'latin1',
    ],
    ['UTF-16 with a byte order mark', '\ufeff<?xml version="1.0" encoding="UTF-16"?>', 'utf16le'],
    ['UTF-8 with a byte order mark', '\ufeff', 'utf8'],
  ] as const)('is read in %s', async (_, start, encoding) => {
    const text = start + customer('<name>Åsa</name>');
    expect((await xml(Buffer.from(text, encoding))).rows).toMatchObject([
      { fields: { name: 'Åsa' } },
    ]);
  });

  test('may name namespaces and its schema, as libraries do', async () => {
    const { rows } = await xml(
      '<c:customers xmlns:c="urn:c" xmlns="" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="customers.xsd"><c:customer><c:name>a</c:name><fax xsi:nil="true"/></c:customer></c:customers>',
    );
    expect(rows).toMatchObject([{ fields: { name: 'a', fax: '' }, faults: [] }]);
  });

  test('that names a field twice has an invalid row', async () => {
    const { rows } = await xml(customer('<name>a</name><name>b</name>'));
    expect(rows).toMatchObject([{ fields: {}, faults: [{ field: 'name', code: 'elementTwice' }] }]);
  });

  test.each([
    ['a document type', `<!DOCTYPE customers>${customer('')}`, 'doctype'],
    [
      'entities of its own',
      `<!DOCTYPE customers [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>${customer('<name>&b;</name>')}`,
      'doctype',
    ],
    ['an unknown entity', customer('<name>&nbsp;</name>'), 'damaged'],
    ['attributes', customer('<name lang="sv">a</name>'), 'wrongFormat'],
    ['other elements', '<list><customer/></list>', 'wrongFormat'],
    ['text between elements', customer('x'), 'wrongFormat'],
    ['deeper elements', customer('<name><b>a</b></name>'), 'unsupported'],
    ['an element that does not end', '<customers><customer>', 'truncated'],
    ['an element that ends as another', '<customers><customer></customers>', 'damaged'],
    ['nothing', '', 'damaged'],
    [
      'an encoding that is not known',
      '<?xml version="1.0" encoding="ebcdic"?><customers/>',
      'unsupported',
    ],
    ['bytes that are not UTF-8', Buffer.from(customer('<name>Å</name>'), 'latin1'), 'notUtf8'],
  ])('with %s is refused', async (_, text, code) => {
    await expect(xml(text)).rejects.toMatchObject({ code });
  });
});

describe('A file of JSON Lines', () => {
  test('has a row for each line; absent members are absent', async () => {
    const text =
      '\ufeff{"mexcParamvaluesetsid":7,"date":"2026-11-29","name":"Åsa\\r\\n","mexcModulesid":0,"version":3}\r\n\n{"name":"","__proto__":"x","mexcParamvaluesetsid":"8"}';
    const { rows, unknownColumns } = await jsonl(text);
    expect(rows).toMatchObject([
      { row: 1, id: 7, fields: { name: 'Åsa\r\n' }, faults: [] },
      { row: 3, id: 8, fields: { name: '' }, faults: [] },
    ]);
    expect(unknownColumns).toEqual(['__proto__']);
    expect(rows[1]?.cells).toEqual(['8', '', '', '', '', 'x']);
  });

  test('reports values that are no texts, and lines that are no objects', async () => {
    const { rows } = await jsonl(
      '{"name":"a"}\n{"name":1,"fax":null,"notes":["a"],"foo":{}}\n["a"]\n{"name":"x\n',
    );
    expect(
      rows.map(({ row, faults }) => [row, faults.map(({ code, detail }) => `${code}: ${detail}`)]),
    ).toEqual([
      [1, []],
      [
        2,
        [
          'notText: must be a string, not number',
          'notText: must be a string, not null',
          'notText: must be a string, not array',
        ],
      ],
      [3, ['notObject: must be a JSON object']],
      [4, ['notObject: must be a JSON object']],
    ]);
  });

  test.each([
    ['is an array', '[{"name":"a"}]'],
    ['is an object over several lines', '{\n  "name": "a"\n}'],
    ['is CSV', 'Namn;Ort\n'],
  ])('that %s is refused, with an example', async (_, text) => {
    await expect(jsonl(text)).rejects.toMatchObject({ code: 'wrongFormat', where: 'line 1' });
  });

  test('that is not UTF-8 is refused, with the line', async () => {
    const bytes = Buffer.from('{"name":"a"}\n{"name":"Å"}\n', 'latin1');
    await expect(jsonl(bytes)).rejects.toMatchObject({ code: 'notUtf8', where: 'line 2' });
  });

  test('that has a member twice has an invalid row, which names it', async () => {
    const { rows } = await jsonl(
      '{"name":"a","fax":"1","name":"b"}\n{"name":"\\"name\\":","fax":"2","foo":1,"foo":2}\n{"n\\u0061me":"a", "name" : "a"}\n{"fax":{"fax":1,"fax":2}}',
    );
    expect(rows.map(({ fields, faults }) => [fields, faults])).toMatchObject([
      [{ fax: '1' }, [{ column: 'name', field: 'name', code: 'memberTwice' }]],
      // Others are not read in any case.
      [{ name: '"name":', fax: '2' }, []],
      [{}, [{ column: 'name', code: 'memberTwice' }]],
      [{}, [{ column: 'fax', code: 'notText' }]],
    ]);
  });

  test('that has a member twice behind a deep value of another has an invalid row, too', async () => {
    const deep = `${'['.repeat(500)}{"name":1}${']'.repeat(500)}`;
    const { rows } = await jsonl(`{"name":"a","other":${deep},"name":"b"}\n`);
    expect(rows).toMatchObject([
      { fields: {}, faults: [{ column: 'name', field: 'name', code: 'memberTwice' }] },
    ]);
  });
});
