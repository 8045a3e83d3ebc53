/** A body that is a file, as it was sent. */
export class FileBody {
  /** Media type, without parameters. */
  readonly type: string;
  readonly bytes: Buffer;

  constructor(type: string, bytes: Buffer) {
    this.type = type;
    this.bytes = bytes;
  }
}
