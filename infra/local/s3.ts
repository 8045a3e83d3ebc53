import { join } from 'node:path';
import { HOST, type LocalServer } from './server.ts';
import { startInThread } from './thread.ts';

export interface S3Options {
  /** 0 for any free port. */
  readonly port: number;
  readonly bucket: string;
  /** Folder of the objects; a temporary one if not given. */
  readonly path?: string | undefined;
  /** Origins whose pages may read and write objects (CORS); none if not given. */
  readonly browserOrigins?: readonly string[] | undefined;
}

/** Bucket of a stack. */
export const BUCKET = 'customer-exports';

/** The only credentials that s3rver accepts. */
export const S3_CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

/** The S3 server of a stack. */
export interface FileStore extends LocalServer {
  /** Lets the page of an API on this machine send files (CORS). */
  allowPage(apiUrl: string): void;
}

/** Message to the thread: origins whose pages may also read and write objects. */
export type AllowOrigins = { readonly allowOrigins: readonly string[] };

/** Starts s3rver, an S3 server with one bucket. */
export async function startS3(options: S3Options): Promise<FileStore> {
  const { send, ...server } = await startInThread(
    new URL('./s3-thread.ts', import.meta.url),
    options,
  );
  return {
    ...server,
    allowPage: (apiUrl) => {
      const message: AllowOrigins = {
        // A browser knows the same server by both names.
        allowOrigins: [apiUrl, apiUrl.replace(HOST, 'localhost')],
      };
      send(message);
    },
  };
}

/**
 * Starts the S3 server of a stack, with its bucket.
 *
 * @param dataFolder folder of the stack's data; a temporary one if not given.
 */
export function startFileStore(
  port = 0,
  dataFolder?: string,
  browserOrigins?: readonly string[],
): Promise<FileStore> {
  return startS3({
    port,
    bucket: BUCKET,
    path: dataFolder && join(dataFolder, 's3'),
    browserOrigins,
  });
}
