/** Returns random characters that hardly become smaller by compression: 14 random bits in 3 bytes. */
export function randomText(length: number): string {
  const random = crypto.getRandomValues(new Uint16Array(length));
  return String.fromCharCode(...random.map((value) => 0x4e00 + (value & 0x3fff)));
}
