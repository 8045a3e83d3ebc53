import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { english } from '../../infra/documents/page/english.ts';
import { swedish } from '../../infra/documents/page/swedish.ts';
import { faultText } from '../../shared/domain/fault-texts.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import { MAX_IMPORT_BYTES } from '../../shared/domain/limits.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Files whose codes reach the page: of rows, files and imports. */
const SOURCES = [
  'shared/domain/field-text.ts',
  'shared/formats/reading/*.ts',
  'shared/imports/*.ts',
  'shared/storage/import-jobs.ts',
];
/** Texts that are the same in both languages. */
const SAME = /^(?:CSV|XML|JSON Lines|Excel|Import|Export|Fax|Status|Id|GLN|id)$/;

/** Returns all texts by their path; functions with numbers and texts for their arguments. */
function textsOf(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') {
    const results = [1, 2].map((count) =>
      value(...Array.from({ length: 3 }, (_, index) => (path === '.date' ? ISO : count + index))),
    );
    return results.map((text, index) => [`${path}(${index})`, String(text)]);
  }
  return Object.entries(value as object).flatMap(([name, part]) =>
    textsOf(part, `${path}.${name}`),
  );
}
const ISO = '2026-01-31T10:00:00Z';

/** Returns the texts in sources that stand after one of these patterns. */
function codesAfter(pattern: string): string[] {
  const sources = globSync(SOURCES, { cwd: ROOT }).map((file) =>
    readFileSync(join(ROOT, file), 'utf8'),
  );
  const found = sources.flatMap((source) => [
    ...source.matchAll(new RegExp(`(?:${pattern})\\s*'([a-z]\\w+)'`, 'g')),
  ]);
  return [...new Set(found.map(([, code = '']) => code))].toSorted();
}

test('every text of the page is in both languages', () => {
  const paths = (texts: unknown) => textsOf(texts).map(([path]) => path);
  expect(paths(swedish)).toEqual(paths(english));
  for (const [path, text] of [...textsOf(english), ...textsOf(swedish)]) {
    const isOptional = /\.choices\.\w+\.1$/.test(path);
    expect(isOptional || text.trim() !== '', path).toBe(true);
    expect(text, path).not.toMatch(/undefined|NaN|\[object/);
  }
});

test('no text is left in the other language', () => {
  const inEnglish = new Map(textsOf(english));
  const left = textsOf(swedish).filter(
    ([path, text]) => /\p{L}{2}/u.test(text) && inEnglish.get(path) === text && !SAME.test(text),
  );
  expect(left.filter(([path]) => !/^\.(?:fields|bytes|import\.facts)/.test(path))).toEqual([]);
});

test('every field has a name in both languages, and two have different ones', () => {
  for (const { fields } of [english, swedish]) {
    expect(Object.keys(fields).toSorted()).toEqual(FIELDS.map(({ name }) => name).toSorted());
    expect(new Set(Object.values(fields)).size).toBe(FIELDS.length);
  }
});

test('the size that the page names is the limit of the API', () => {
  expect(MAX_IMPORT_BYTES).toBe(256 * 1024 * 1024);
  for (const { form } of [english, swedish]) {
    expect(form.accepted).toContain('256 MB');
    expect(form.fileErrors.tooLarge).toContain('256 MB');
  }
});

test('every code that the API gives to a file or an import has a text, so that a person reads no English', () => {
  const codes = codesAfter('\\bcode:|UnreadableFileError\\(');
  expect(codes).toEqual(
    expect.arrayContaining(['noHeader', 'wrongFormat', 'interrupted', 'doubleEncoded', 'noFile']),
  );
  const known = new Set([...Object.keys(english.reasons), ...Object.keys(english.warnings)]);
  const ofRows = codesAfter('\\bcode:').filter(
    (code) => faultText({ code, detail: '' }, 'sv') !== '',
  );
  expect(codes.filter((code) => !known.has(code) && !ofRows.includes(code))).toEqual([]);
});
