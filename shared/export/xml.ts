import { FIELDS } from '../customer/fields.ts';
import type { RawItem } from '../store/batch.ts';
import { type Format, textOf } from './format.ts';

export const XML_TYPE = 'application/xml';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  // A reader would turn a bare carriage return into a line feed (XML 1.0, section 2.11).
  '\r': '&#13;',
};
/** What XML 1.0 (section 2.2) cannot hold in any form. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const SPECIAL = /[&<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** XML 1.0 in UTF-8, as the schema in `shared/customers.xsd` describes it. */
export function xml(): Format {
  return {
    mediaType: XML_TYPE,
    contentType: 'application/xml; charset=utf-8',
    extension: 'xml',
    head: '<?xml version="1.0" encoding="UTF-8"?>\n<customers>\n',
    row: (item) => `<customer>${FIELDS.map((field) => element(item, field)).join('')}</customer>\n`,
    tail: '</customers>\n',
  };
}

function element(item: RawItem, { name, always }: (typeof FIELDS)[number]): string {
  const text = textOf(item, name);
  if (text) return `<${name}>${escapeText(text)}</${name}>`;
  return always ? `<${name}/>` : '';
}

function escapeText(text: string): string {
  if (!SPECIAL.test(text)) return text;
  // Requests with these characters are refused; only an item written past the API could hold one.
  return text
    .replace(FORBIDDEN, '\uFFFD')
    .replace(/[&<>\r]/g, (character) => ESCAPES[character] as string);
}
