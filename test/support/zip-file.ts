import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a ZIP archive, with what is to be wrong with it. */
export interface ZipEntry {
  readonly content: string | Buffer;
  /** @default true */
  readonly deflate?: boolean;
  readonly flags?: number;
  readonly method?: number;
  /** What the directory says, in place of the truth. */
  readonly says?: { readonly size?: number; readonly crc?: number; readonly offset?: number };
}

/** Builds a ZIP archive, with sizes in the headers of its entries. */
export function zipFile(
  entries: Readonly<Record<string, string | Buffer | ZipEntry>>,
  comment = '',
): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, given] of Object.entries(entries)) {
    const entry = typeof given === 'string' || Buffer.isBuffer(given) ? { content: given } : given;
    const { content, deflate = true, flags = 0, says = {} } = entry;
    const plain = Buffer.from(content);
    const packed = deflate ? deflateRawSync(plain) : plain;
    const method = entry.method ?? (deflate ? 8 : 0);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(says.crc ?? crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(says.size ?? plain.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    parts.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(says.offset ?? offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, rest, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Object.keys(entries).length, 4);
  end.writeUInt16LE(Object.keys(entries).length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end, Buffer.from(comment)]);
}
