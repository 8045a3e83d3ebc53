import { posix } from 'node:path';
import { UnreadableFileError } from '../../domain/errors.ts';
import { MAX_IMPORT_CELL_LENGTH, MAX_IMPORT_SHARED_BYTES } from '../../domain/limits.ts';
import { checkCell } from './checked-rows.ts';
import { builtInFormat, type NumberFormat, parseFormat } from './number-format.ts';
import { SharedTexts } from './shared-texts.ts';
import { readXml, type XmlReader } from './xml-events.ts';
import type { ZipArchive } from './zip-archive.ts';

/** Elements inside one another in parts of a workbook; there are fewer than ten in practice. */
export const WORKBOOK_DEPTH = 32;
/** Maximum bytes of the parts that are read before the sheets, apart from shared texts. */
const MAX_PART_BYTES = 16 * 1024 * 1024;

/** A sheet of a workbook. */
export interface Sheet {
  readonly name: string;
  /** Name of its part in the archive. */
  readonly part: string;
  readonly isHidden: boolean;
}

/** What cells of all sheets refer to. */
export interface Workbook {
  readonly sheets: readonly Sheet[];
  /** Whether days are counted from 1904, as Excel for the Mac did. */
  readonly is1904: boolean;
  /** Formats by the style of a cell. */
  readonly formats: readonly NumberFormat[];
  readonly texts: SharedTexts;
}

interface Relationship {
  readonly id: string;
  /** Last segment of its URI, which is the same in strict and transitional files. */
  readonly type: string;
  /** Name of a part. */
  readonly target: string;
}

/**
 * Reads the parts of an XLSX file (ECMA-376, part 1) other than its sheets.
 *
 * @throws {UnreadableFileError}
 */
export async function readWorkbook(archive: ZipArchive): Promise<Workbook> {
  const root = await relationshipsOf(archive, '');
  const main = root.find(({ type }) => type === 'officeDocument')?.target;
  if (main === undefined || main.endsWith('.bin')) throw notWorkbook();
  const related = await relationshipsOf(archive, main);
  const partOf = (type: string) => related.find((each) => each.type === type)?.target;
  const workbook = await readPart(archive, main, new WorkbookReader());
  const sheets = workbook.flatMap(({ name, id, isHidden }): readonly Sheet[] => {
    const target = related.find((each) => each.id === id && each.type === 'worksheet')?.target;
    return target === undefined ? [] : [{ name, part: target, isHidden }];
  });
  if (sheets.length === 0) throw notWorkbook();
  const styles = partOf('styles');
  const texts = partOf('sharedStrings');
  return {
    sheets,
    is1904: workbook.some(({ is1904 }) => is1904),
    formats: styles === undefined ? [] : await readPart(archive, styles, new StylesReader()),
    texts: await readTexts(archive, texts),
  };
}

function notWorkbook(): UnreadableFileError {
  const detail = 'The file is not an XLSX workbook; save it as .xlsx';
  return new UnreadableFileError('wrongFormat', detail);
}

async function relationshipsOf(
  archive: ZipArchive,
  part: string,
): Promise<readonly Relationship[]> {
  const { dir, base } = posix.parse(part);
  const name = posix.join(dir, '_rels', `${base}.rels`);
  if (!archive.has(name)) return [];
  return readPart(archive, name, new RelationshipsReader(dir));
}

/** Reads a part that is small. */
async function readPart<T>(
  archive: ZipArchive,
  part: string,
  reader: XmlReader<T>,
  maxBytes = MAX_PART_BYTES,
): Promise<readonly T[]> {
  async function* pieces() {
    let bytes = 0;
    for await (const piece of archive.read(part)) {
      bytes += piece.length;
      if (bytes > maxBytes) {
        throw new UnreadableFileError(
          'bomb',
          `A part of the file has more than ${maxBytes} bytes unpacked`,
          part,
        );
      }
      yield piece;
    }
  }
  const all: T[] = [];
  const options = { maxDepth: WORKBOOK_DEPTH, where: () => part };
  for await (const batch of readXml(pieces(), reader, options)) all.push(...batch);
  return all;
}

async function readTexts(archive: ZipArchive, part: string | undefined): Promise<SharedTexts> {
  const reader = new SharedTextsReader(part ?? '');
  if (part !== undefined) await readPart(archive, part, reader, MAX_IMPORT_SHARED_BYTES);
  return reader.texts;
}

/** Collects what a part has, in order. */
abstract class ListReader<T> implements XmlReader<T> {
  #found: T[] = [];

  abstract open(name: string, attributes: Readonly<Record<string, string>>): void;

  close(_name: string): void {}

  take(): readonly T[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  protected add(found: T): void {
    this.#found.push(found);
  }
}

class RelationshipsReader extends ListReader<Relationship> {
  readonly #folder: string;

  /** @param folder in which relative targets are. */
  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    const { Id: id, Type: type, Target: target, TargetMode: mode } = attributes;
    if (name !== 'Relationship' || !id || !type || !target || mode === 'External') return;
    const path = posix.resolve('/', this.#folder, target).slice(1);
    this.add({ id, type: type.slice(type.lastIndexOf('/') + 1), target: path });
  }
}

interface NamedSheet {
  readonly name: string;
  /** Of its relationship. */
  readonly id: string;
  readonly isHidden: boolean;
  readonly is1904: boolean;
}

class WorkbookReader extends ListReader<NamedSheet> {
  #is1904 = false;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    // This one precedes the sheets.
    if (name === 'workbookPr') this.#is1904 = isTrue(attributes.date1904);
    if (name !== 'sheet') return;
    const id = Object.entries(attributes).find(([key]) => /^(?:\w+:)id$/.test(key))?.[1] ?? '';
    const isHidden = attributes.state === 'hidden' || attributes.state === 'veryHidden';
    this.add({ name: attributes.name ?? '', id, isHidden, is1904: this.#is1904 });
  }
}

/** Reads the format of each style that a cell can have: `cellXfs`. */
class StylesReader extends ListReader<NumberFormat> {
  readonly #formats = new Map<number, NumberFormat>();
  #isOfCells = false;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'numFmt') {
      this.#formats.set(Number(attributes.numFmtId), parseFormat(attributes.formatCode ?? ''));
    } else if (name === 'cellXfs') {
      this.#isOfCells = true;
    } else if (name === 'xf' && this.#isOfCells) {
      const id = Number(attributes.numFmtId ?? 0);
      this.add(this.#formats.get(id) ?? builtInFormat(id));
    }
  }

  override close(name: string): void {
    if (name === 'cellXfs') this.#isOfCells = false;
  }
}

class SharedTextsReader implements XmlReader<never> {
  readonly texts = new SharedTexts();
  readonly #text = new RichText();
  readonly #where: () => string;

  constructor(part: string) {
    this.#where = () => part;
  }

  open(name: string): void {
    if (name === 'si') this.#text.clear();
    this.#text.open(name);
  }

  text(text: string): void {
    this.#text.add(text, this.#where);
  }

  close(name: string): void {
    this.#text.close(name);
    if (name !== 'si') return;
    const text = this.#text.value;
    checkCell(text, this.#where);
    this.texts.add(text);
  }

  take(): readonly never[] {
    return [];
  }
}

/** An escaped character takes seven. */
const MAX_ESCAPED_LENGTH = 7 * MAX_IMPORT_CELL_LENGTH;

/** A text of runs with formats, without what is there to pronounce it (`rPh`). */
export class RichText {
  #value = '';
  #isText = false;
  #isPronunciation = false;

  /** With escaped characters in their place. */
  get value(): string {
    return unescapeText(this.#value);
  }

  clear(): void {
    this.#value = '';
    this.#isText = false;
    this.#isPronunciation = false;
  }

  open(name: string): void {
    if (name === 't') this.#isText = !this.#isPronunciation;
    else if (name === 'rPh') this.#isPronunciation = true;
  }

  /** @throws {UnreadableFileError} once it is longer than a cell can be. */
  add(text: string, where: () => string): void {
    if (!this.#isText) return;
    this.#value += text;
    if (this.#value.length > MAX_ESCAPED_LENGTH) checkCell(this.#value, where);
  }

  close(name: string): void {
    if (name === 't') this.#isText = false;
    else if (name === 'rPh') this.#isPronunciation = false;
  }
}

/** Returns a text with escaped characters in their place (ECMA-376, part 1, section 22.9.2.19). */
export function unescapeText(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}
