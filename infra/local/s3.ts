import type { LocalServer } from './server.ts';
import { startInThread } from './thread.ts';

export interface S3Options {
  /** 0 for any free port. */
  readonly port: number;
  readonly bucket: string;
  /** Folder of the objects; a temporary one if not given. */
  readonly path?: string | undefined;
  /** Origins whose pages may read objects (CORS); none if not given. */
  readonly browserOrigins?: readonly string[] | undefined;
}

/** The only credentials that s3rver accepts. */
export const S3_CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

/** Starts s3rver, an S3 server with one bucket. */
export function startS3(options: S3Options): Promise<LocalServer> {
  return startInThread(new URL('./s3-thread.ts', import.meta.url), options);
}
