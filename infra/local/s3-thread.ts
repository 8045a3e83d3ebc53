import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import S3rver from '@20minutes/s3rver';
import type { S3Options } from './s3.ts';
import { bucketPaths, multipartUploads, signedOnly } from './s3-additions.ts';
import { HOST } from './server.ts';

const { port, bucket, path } = workerData as S3Options;
const directory = path ?? (await mkdtemp(join(tmpdir(), 'local-s3-')));
const s3rver = new S3rver({
  address: HOST,
  port,
  directory,
  silent: true,
  vhostBuckets: false,
  configureBuckets: [{ name: bucket }],
});
s3rver.middleware.splice(-1, 0, signedOnly, bucketPaths, multipartUploads(directory, bucket));

const address = await s3rver.run();
parentPort?.postMessage(address.port);
parentPort?.once('message', () => {
  s3rver.httpServer.close(async () => {
    if (!path) await rm(directory, { recursive: true });
    process.exit();
  });
  s3rver.httpServer.closeAllConnections();
});
