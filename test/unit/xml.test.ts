import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { FIELDS } from '../../shared/domain/fields.ts';
import { plainRow } from '../../shared/formats/row-format.ts';
import { xml } from '../../shared/formats/xml.ts';

const XML = xml();
/** Production [2] `Char` of XML 1.0, section 2.2. */
const CHAR = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]$/u;
/** The characters of the basic multilingual plane; all others are allowed. */
const BMP = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit)).filter((text) =>
  text.isWellFormed(),
);

describe('Files', () => {
  test('An XML file without customers is well-formed', () => {
    expect(XML.head + XML.tail).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<customers>\n</customers>\n',
    );
  });

  test('A customer has an empty element for each documented field that is not set', () => {
    const documented = FIELDS.filter(({ always }) => always);
    const elements = documented.map(unsetElement).join('');
    expect(plainRow(XML, [])).toBe(`<customer>${elements}</customer>\n`);
  });

  test('A field that is returned only if set has an element only if set', () => {
    const texts = FIELDS.map(({ always }) => (always ? '' : 'x'));
    for (const { name, always, unset } of FIELDS) {
      const element = always ? unsetElement({ name, unset }) : `<${name}>x</${name}>`;
      expect(plainRow(XML, texts)).toContain(element);
    }
  });
});

/** The element of a field that is not set. */
function unsetElement({ name, unset }: { name: string; unset: string | number }): string {
  return unset === '' ? `<${name}/>` : `<${name}>${unset}</${name}>`;
}

describe('Escapes', () => {
  // XML 1.0, section 2.4 for the markup, section 2.11 for the carriage return.
  test.each([
    ['&', '&amp;'],
    ['<', '&lt;'],
    ['>', '&gt;'],
    [']]>', ']]&gt;'],
    ['&amp;', '&amp;amp;'],
    ['</name><admin>', '&lt;/name&gt;&lt;admin&gt;'],
    ['<!ENTITY x SYSTEM "file:///etc/passwd">', '&lt;!ENTITY x SYSTEM "file:///etc/passwd"&gt;'],
    ['a\r\nb', 'a&#13;\nb'],
  ])('The text %j is written as %j', (text, expected) => {
    expect(XML.cell(text)).toBe(expected);
  });

  test.each(['a', ' a ', '\t\n', '"', "'", 'Åsa', '\u0085', '\u007f', '\ufffd', '\ue000', '😀'])(
    'The text %j is written as it is',
    (text) => {
      expect(XML.cell(text)).toBe(text);
    },
  );
});

describe('Characters', () => {
  test('Each character that XML 1.0 excludes is replaced by U+FFFD, and no other', () => {
    const isReplaced = (text: string) => XML.cell(text) === '\ufffd' && text !== '\ufffd';
    const wrong = BMP.filter((text) => isReplaced(text) === CHAR.test(text));
    expect(wrong).toEqual([]);
  });

  test('A character without special bytes is written as it is, so that its bytes may be copied', () => {
    const isCopied = (text: string) =>
      !Buffer.from(text).some((byte) => XML.special.anywhere.includes(byte));
    expect(BMP.filter((text) => XML.cell(text) !== text).filter(isCopied)).toEqual([]);
  });

  test('Any row of allowed characters is read back by an XML parser', () => {
    const parser = new XMLParser({
      parseTagValue: false,
      trimValues: false,
      htmlEntities: true,
      processEntities: true,
    });
    const hard = fc.string({ unit: fc.constantFrom(...'&<>\r\n\t "\'];#x&a😀å'), maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(hard, { minLength: FIELDS.length, maxLength: FIELDS.length }),
        (texts) => {
          const { customer } = parser.parse(plainRow(XML, texts));
          const expected = texts.map((text, index) => text || String(FIELDS[index]?.unset));
          expect(FIELDS.map(({ name }) => customer[name] ?? '')).toEqual(expected);
        },
      ),
      { numRuns: 4 },
    );
  });
});
