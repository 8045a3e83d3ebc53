import { type ZipEntry, zipFile } from './zip-file.ts';

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006/relationships';

interface WorkbookOptions {
  /** Content of `<sst>`. */
  readonly texts?: string;
  /** Content of `<styleSheet>`. */
  readonly styles?: string;
  readonly is1904?: boolean;
  /** Names of hidden sheets. */
  readonly hidden?: readonly string[];
  /** Whether parts are packed. @default true */
  readonly deflate?: boolean;
  /** Parts in place of these, or besides. */
  readonly parts?: Readonly<Record<string, string | Buffer | ZipEntry>>;
}

/** Builds an XLSX file as Excel would: by name of a sheet, the content of its `<sheetData>`. */
export function workbookFile(
  sheets: Readonly<Record<string, string>>,
  { texts, styles, is1904, hidden = [], deflate = true, parts = {} }: WorkbookOptions = {},
): Buffer {
  const names = Object.keys(sheets);
  const related = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${RELATIONSHIPS}/${type}" Target="${target}"/>`;
  const relationships = (content: string) =>
    `<Relationships xmlns="${PACKAGE}">${content}</Relationships>`;
  const list = names.map((name, index) => {
    const state = hidden.includes(name) ? ' state="hidden"' : '';
    return `<sheet name="${name}" sheetId="${index + 1}"${state} r:id="rId${index + 1}"/>`;
  });
  const all: Record<string, string | Buffer | ZipEntry> = {
    '_rels/.rels': relationships(related('rId1', 'officeDocument', 'xl/workbook.xml')),
    'xl/workbook.xml': `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<workbook xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}">${is1904 ? '<workbookPr date1904="1"/>' : ''}<sheets>${list.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships(
      [
        ...names.map((_, index) =>
          related(`rId${index + 1}`, 'worksheet', `worksheets/sheet${index + 1}.xml`),
        ),
        related('rId98', 'styles', 'styles.xml'),
        related('rId99', 'sharedStrings', '/xl/sharedStrings.xml'),
      ].join(''),
    ),
    'xl/styles.xml': `<styleSheet xmlns="${MAIN}">${styles ?? ''}</styleSheet>`,
    'xl/sharedStrings.xml': `<sst xmlns="${MAIN}">${texts ?? ''}</sst>`,
  };
  for (const [index, name] of names.entries()) {
    all[`xl/worksheets/sheet${index + 1}.xml`] =
      `<worksheet xmlns="${MAIN}"><sheetData>${sheets[name]}</sheetData></worksheet>`;
  }
  const entries = Object.entries({ ...all, ...parts }).map(([name, part]) => [
    name,
    typeof part === 'string' ? { content: part, deflate } : part,
  ]);
  return zipFile(Object.fromEntries(entries));
}

/** Returns a row of text cells, at their places. */
export function textRow(number: number, ...cells: readonly string[]): string {
  const all = cells.map(
    (cell, index) =>
      `<c r="${String.fromCharCode(65 + index)}${number}" t="inlineStr"><is><t>${cell}</t></is></c>`,
  );
  return `<row r="${number}">${all.join('')}</row>`;
}
