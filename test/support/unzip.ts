import { crc32, inflateRawSync } from 'node:zlib';

/**
 * Returns the entries of a ZIP archive by name. Reads the central directory, and checks that names,
 * sizes and checksums in all three places are the same.
 *
 * @throws if the archive is damaged.
 */
export function unzip(archive: Buffer): Map<string, Buffer> {
  const end = archive.length - 22;
  check(archive.readUInt32LE(end) === 0x06054b50, 'has no end record');
  const start = archive.readUInt32LE(end + 16);
  check(start + archive.readUInt32LE(end + 12) === end, 'has another size of its directory');
  const entries = new Map<string, Buffer>();
  let written = 0;
  let at = start;
  while (at < end) {
    check(archive.readUInt32LE(at) === 0x02014b50, `has no entry at ${at}`);
    const [crc, packedSize, size] = [16, 20, 24].map((offset) => archive.readUInt32LE(at + offset));
    const nameEnd = at + 46 + archive.readUInt16LE(at + 28);
    const name = archive.toString('latin1', at + 46, nameEnd);
    const local = archive.readUInt32LE(at + 42);
    check(local === written, `${name} does not follow the entry before`);
    check(archive.readUInt32LE(local) === 0x04034b50, `${name} has no local header`);
    const dataStart = local + 30 + archive.readUInt16LE(local + 26);
    check(archive.toString('latin1', local + 30, dataStart) === name, `${name} has two names`);
    const descriptor = dataStart + (packedSize as number);
    const described = [4, 8, 12].map((offset) => archive.readUInt32LE(descriptor + offset));
    check(described.join() === [crc, packedSize, size].join(), `${name} has two descriptions`);
    const content = inflateRawSync(archive.subarray(dataStart, descriptor));
    check(content.length === size && crc32(content) === crc, `${name} is damaged`);
    entries.set(name, content);
    written = descriptor + 16;
    at = nameEnd + archive.readUInt16LE(at + 30);
  }
  check(written === start, 'has bytes that no entry has');
  return entries;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The ZIP archive ${what}.`);
}
