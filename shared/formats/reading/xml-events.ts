import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { UnreadableFileError } from '../../domain/errors.ts';
import { MAX_IMPORT_ROW_BYTES } from '../../domain/limits.ts';

/** What reads an XML document, by its events. Names have no prefix. */
export interface XmlReader<T> {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  /** Text and CDATA. */
  text?(text: string): void;
  close(name: string): void;
  /** Returns what the events since the last call amount to. */
  take(): readonly T[];
  /** Whether the rest of the document is not wanted. */
  readonly isDone?: boolean;
}

interface XmlOptions {
  /** Maximum elements inside one another. */
  readonly maxDepth: number;
  /** Label of the encoding. Default: UTF-8. */
  readonly encoding?: string;
  /** Returns where the document is being read, for errors. */
  readonly where: () => string;
}

/**
 * Streams what a reader makes of an XML document, piece by piece. A document type declaration is
 * refused: customers need none, and entities are what attacks by XML consist of.
 *
 * @throws {UnreadableFileError}
 */
export async function* readXml<T>(
  pieces: AsyncIterable<Uint8Array>,
  reader: XmlReader<T>,
  { maxDepth, encoding = 'utf-8', where }: XmlOptions,
): AsyncGenerator<readonly T[], void, undefined> {
  const parser = new SaxesParser({ xmlns: false, position: false } as const);
  let depth = 0;
  /** Bytes since the last piece in which an element began or ended. */
  let pending = 0;
  parser.on('doctype', () => {
    throw new UnreadableFileError(
      'doctype',
      'The file has a document type declaration (DOCTYPE), which is not read; remove it',
      where(),
    );
  });
  parser.on('error', (error) => {
    throw new UnreadableFileError(
      'damaged',
      `The XML is not well-formed: ${error.message}`,
      where(),
    );
  });
  parser.on('opentag', ({ name, attributes }) => {
    depth += 1;
    pending = 0;
    if (depth > maxDepth) {
      const detail = `The XML has more than ${maxDepth} elements inside one another`;
      throw new UnreadableFileError('unsupported', detail, where());
    }
    reader.open(localName(name), attributes);
  });
  parser.on('closetag', ({ name }) => {
    depth -= 1;
    pending = 0;
    reader.close(localName(name));
  });
  if (reader.text) {
    const text = reader.text.bind(reader);
    parser.on('text', text);
    parser.on('cdata', text);
  }
  const decoder = new TextDecoder(encoding, { fatal: true });
  for await (const piece of pieces) {
    pending += piece.length;
    if (pending > MAX_IMPORT_ROW_BYTES) {
      const detail = `The XML has more than ${MAX_IMPORT_ROW_BYTES} bytes without an element`;
      throw new UnreadableFileError('rowTooLong', detail, where());
    }
    parser.write(decoded(decoder, piece, where));
    const taken = reader.take();
    if (taken.length > 0) yield taken;
    if (reader.isDone) return;
  }
  parser.write(decoded(decoder, undefined, where));
  if (depth > 0) {
    throw new UnreadableFileError('truncated', 'The file ends in the midst of an element', where());
  }
  parser.close();
  const taken = reader.take();
  if (taken.length > 0) yield taken;
}

function decoded(decoder: TextDecoder, piece: Uint8Array | undefined, where: () => string): string {
  try {
    return decoder.decode(piece, { stream: piece !== undefined });
  } catch {
    const detail = `The file has bytes that are not ${decoder.encoding.toUpperCase()}, which it is by its declaration or by default`;
    throw new UnreadableFileError('notUtf8', detail, where());
  }
}

/** Returns a name without its prefix: some programs write `<x:row>`. */
function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}
