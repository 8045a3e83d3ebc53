import type { LocalServer } from './server.ts';
import { startInThread } from './thread.ts';

export interface S3Options {
  /** 0 for any free one. */
  readonly port: number;
  readonly bucket: string;
  /** Folder in which the objects are kept; a temporary one where it is not given. */
  readonly path?: string | undefined;
}

/** The only key that s3rver knows. */
export const S3_CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

/** Starts s3rver, an S3 server, with one empty or known bucket. */
export function startS3(options: S3Options): Promise<LocalServer> {
  return startInThread(new URL('./s3-thread.ts', import.meta.url), options);
}
