import { parentPort, workerData } from 'node:worker_threads';
import './memory-level.ts';
import dynalite from 'dynalite';
import {
  captureStore,
  closeIterators,
  useNativeChecksums,
  writeItemsAtomically,
} from './dynalite-patches.ts';
import type { DynamoDbOptions } from './dynamodb.ts';
import { serveNewItems } from './dynamodb-new-items.ts';
import { DynamoDbStreams, serveStreams } from './dynamodb-streams.ts';
import { serveTransactions } from './dynamodb-transactions.ts';
import { start } from './server.ts';

// dynalite throws if a client disconnects before the response, which would end the thread.
process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ECONNRESET') throw error;
});

const streams = new DynamoDbStreams();
writeItemsAtomically(streams);
closeIterators();
useNativeChecksums();
const store = captureStore();

const { port, path } = workerData as DynamoDbOptions;
// By default dynalite takes half a second to create a table.
const server = dynalite({ path, createTableMs: 0 });
serveTransactions(server, store(), streams);
serveNewItems(server, store(), streams);
serveStreams(server, streams);
const { endpoint, close } = await start(server, port);

// dynalite opens its files on the first operation, which ends this thread if they are locked.
await fetch(endpoint, {
  method: 'POST',
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.ListTables',
    'x-amz-date': '20000101T000000Z',
    authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=unchecked',
  },
  body: '{}',
});
await streams.open(store());

parentPort?.postMessage(Number(new URL(endpoint).port));
parentPort?.once('message', async () => {
  await close();
  process.exit();
});
