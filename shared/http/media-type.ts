/** Media type of a JSON merge patch (RFC 7396). */
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** A media type without its parameters, in lower case, and its charset if that is one of them. */
interface MediaType {
  readonly type: string;
  readonly charset: string | undefined;
}

/** Returns the media type in a Content-Type header; undefined without one. */
export function parseMediaType(contentType: string | undefined): MediaType | undefined {
  if (!contentType) return undefined;
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return { type, charset: charset?.slice('charset='.length).replaceAll('"', '') };
}

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
