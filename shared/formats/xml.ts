import { FIELDS } from '../domain/fields.ts';
import type { FileFormat } from './row-format.ts';

export const XML_TYPE = 'application/xml';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  // A reader would turn a bare carriage return into a line feed (XML 1.0, section 2.11).
  '\r': '&#13;',
};
/** What has an escape, and characters that XML 1.0 (section 2.2) cannot contain in any form. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches them
const SPECIAL = /[&<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Bytes in UTF-8 of what {@link escapeText} changes; U+FFFE and U+FFFF start with 0xEF. */
export const SPECIAL_BYTES = [...Buffer.from('&<>'), ...Array(0x20).keys(), 0xef];

/** Returns the format of an XML 1.0 file in UTF-8, described by `shared/customers.xsd`. */
export function xml(): FileFormat {
  return {
    mediaType: XML_TYPE,
    contentType: 'application/xml; charset=utf-8',
    extension: 'xml',
    head: '<?xml version="1.0" encoding="UTF-8"?>\n<customers>\n',
    rowStart: '<customer>',
    rowEnd: '</customer>\n',
    columns: FIELDS.map(({ name, always, unset }) => ({
      of: name,
      open: `<${name}>`,
      close: `</${name}>`,
      unset: always ? element(name, unset) : '',
    })),
    cell: escapeText,
    special: { anywhere: SPECIAL_BYTES, atStart: [] },
    tail: '</customers>\n',
  };
}

function element(name: string, value: string | number): string {
  return value === '' ? `<${name}/>` : `<${name}>${value}</${name}>`;
}

/** Returns the text as character data of XML; characters that it cannot have become U+FFFD. */
export function escapeText(text: string): string {
  // The API rejects what has no escape; only an item written past the API could contain it.
  return text.replace(SPECIAL, (character) => ESCAPES[character] ?? '\uFFFD');
}
