import { UnreadableFileError } from '../../domain/errors.ts';
import type { FileRow } from '../../domain/import.ts';
import { checkCell, checkedRows } from './checked-rows.ts';
import { bytesOf, type FileSource, piecesOf } from './file-source.ts';
import { GrowingColumns } from './growing-columns.ts';
import type { CellFault } from './row-of-cells.ts';
import type { FileWarning, RowsOfFile } from './rows-of-file.ts';
import { readXml, type XmlReader } from './xml-events.ts';

/** `customers`, `customer` and a field. */
const DEPTH = 3;
const HEAD_BYTES = 200;
/** Namespaces, and what a schema is named by: libraries write them on the first element. */
const NOT_CONTENT = /^(?:xmlns(?::|$)|xsi:)/;

/** Reads the customers of an XML file as exports write it, see `shared/customers.xsd`. */
export async function xmlRows(source: FileSource): Promise<RowsOfFile> {
  const reader = new CustomersReader();
  const encoding = encodingOf(await bytesOf(source, 0, Math.min(HEAD_BYTES, source.bytes)));
  const batches = readXml(piecesOf(source), reader, {
    maxDepth: DEPTH,
    encoding,
    where: () => reader.where,
  });
  const { columns, unknown } = reader.columns;
  const warnings: FileWarning[] = [];
  return {
    columns,
    encoding,
    unknownColumns: unknown,
    sheetsNotRead: [],
    warnings,
    rows: checkedRows(batches, warnings),
  };
}

/** Returns the label of the encoding: by the byte order mark, or by the declaration. */
function encodingOf(head: Buffer): string {
  if (head.length >= 2) {
    const mark = head.readUInt16BE(0);
    if (mark === 0xfeff) return 'utf-16be';
    if (mark === 0xfffe) return 'utf-16le';
  }
  const [, declared = 'utf-8'] =
    /^\s*(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding=["']([\w.:-]+)["']/.exec(
      head.toString('latin1'),
    ) ?? [];
  const label = declared.toLowerCase();
  if (label === 'utf-8' || label === 'us-ascii') return 'utf-8';
  if (label === 'iso-8859-1' || label === 'windows-1252') return 'windows-1252';
  throw new UnreadableFileError(
    'unsupported',
    `The file is in the encoding ${declared}; save it as UTF-8`,
  );
}

/** Reads `<customers><customer><name>…</name>…</customer>…</customers>`. */
class CustomersReader implements XmlReader<FileRow> {
  readonly columns = new GrowingColumns();
  readonly #where = () => this.where;
  #depth = 0;
  #number = 0;
  #rows: FileRow[] = [];
  #cells: (string | undefined)[] = [];
  #damage = new Map<number, CellFault>();
  #column = 0;
  #text = '';

  get where(): string {
    return this.#number === 0 ? 'the beginning' : `customer ${this.#number}`;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#depth += 1;
    for (const attribute in attributes) {
      if (NOT_CONTENT.test(attribute)) continue;
      throw this.#unexpected(`the attribute \`${attribute}\` of \`${name}\``);
    }
    if (this.#depth === 3) {
      this.#column = this.columns.indexOf(name, this.#where);
      this.#text = '';
      return;
    }
    const expected = this.#depth === 1 ? 'customers' : 'customer';
    if (name !== expected) throw this.#unexpected(`\`${name}\` in place of \`${expected}\``);
    if (this.#depth === 2) {
      this.#number += 1;
      this.#cells = new Array(this.columns.columns.length);
      this.#damage = new Map();
    }
  }

  text(text: string): void {
    if (this.#depth === 3) this.#text += text;
    else if (text.trim() !== '') throw this.#unexpected('text between elements');
  }

  close(): void {
    this.#depth -= 1;
    if (this.#depth === 2) {
      checkCell(this.#text, this.#where);
      if (this.#cells[this.#column] !== undefined) this.#damage.set(this.#column, ELEMENT_TWICE);
      this.#cells[this.#column] = this.#text;
    } else if (this.#depth === 1) {
      this.#rows.push(this.columns.row(this.#number, this.#cells, this.#damage));
    }
  }

  take(): readonly FileRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #unexpected(what: string): UnreadableFileError {
    const detail = `The file has ${what}; it must be as the export writes it: an element customers, in it an element customer for each, in that an element for each field`;
    return new UnreadableFileError('wrongFormat', detail, this.where);
  }
}

const ELEMENT_TWICE: CellFault = { code: 'elementTwice', detail: 'must not be there twice' };
