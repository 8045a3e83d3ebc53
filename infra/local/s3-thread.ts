import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { saveCompiled } from './compile-cache.ts';
import { createServer } from './http.ts';
import type { AllowOrigins, S3Options } from './s3.ts';
import { start } from './server.ts';

const { port, bucket, path, browserOrigins = [] } = workerData as S3Options;
/** The guard reads it at each request. */
const allowedOrigins = [...browserOrigins];
let directory = path;
let listener: Promise<RequestListener> | undefined;

// Loads s3rver, which costs 250 ms of CPU time, on the first request: only exports use it.
const { endpoint, close } = await start(
  createServer(async (request, response) => {
    if (allowsOrigin(request, response)) return;
    listener ??= loadS3rver();
    (await listener)(request, response);
  }),
  port,
  { allowOrigin: allowedOrigins },
);

parentPort?.postMessage(Number(new URL(endpoint).port));
saveCompiled();
parentPort?.on('message', async (message: 'end' | AllowOrigins) => {
  if (message !== 'end') {
    allowedOrigins.push(...message.allowOrigins);
    return;
  }
  await close();
  if (!path && directory) await rm(directory, { recursive: true });
  process.exit();
});

/**
 * Lets a page of an allowed origin send a file, or read the response, as the deployed bucket's CORS does. The guard
 * has rejected other origins.
 *
 * @returns whether the request was a preflight, which then has its response.
 */
function allowsOrigin(
  { method, headers: { origin } }: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (origin === undefined) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'Content-Disposition, Content-Length, ETag');
  response.setHeader('vary', 'Origin');
  if (method !== 'OPTIONS') return false;
  response.writeHead(200, {
    'access-control-allow-methods': 'GET, HEAD, PUT',
    'access-control-allow-headers': '*',
  });
  response.end();
  return true;
}

/** Loads s3rver and creates the bucket, if it does not exist. */
async function loadS3rver(): Promise<RequestListener> {
  const { default: S3rver } = await import('@20minutes/s3rver');
  const { confineToBucket, rememberBucket, useSynchronousFiles } = await import(
    './s3rver-patches.ts'
  );
  const { bucketPaths, multipartUploads, signedOnly } = await import('./s3rver-middleware.ts');
  directory ??= await mkdtemp(join(tmpdir(), 'local-s3-'));
  const s3rver = new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: bucket }],
  });
  s3rver.middleware.splice(-1, 0, signedOnly, bucketPaths, multipartUploads(directory, bucket));
  useSynchronousFiles(s3rver.store);
  confineToBucket(s3rver.store, bucket);
  await s3rver.configureBuckets();
  rememberBucket(s3rver.store);
  saveCompiled();
  return s3rver.callback();
}
