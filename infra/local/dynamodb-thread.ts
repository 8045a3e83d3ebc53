import { parentPort, workerData } from 'node:worker_threads';
import './memory-level.ts';
import dynalite from 'dynalite';
import { saveCompiled } from './compile-cache.ts';
import {
  cacheConditions,
  cacheTables,
  captureStore,
  closeIterators,
  completeTableChanges,
  skipSecondWrites,
  useNativeChecksums,
  writeItemsAtomically,
} from './dynalite-patches.ts';
import { readPagesByBatches } from './dynalite-queries.ts';
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
readPagesByBatches();
cacheConditions();
const store = captureStore();

const { port, path } = workerData as DynamoDbOptions;
// By default dynalite takes half a second to create or delete a table.
const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0 });
// If another process has locked the files, this ends the thread.
await store().db.open();
await completeTableChanges(store());
await streams.open(store());
skipSecondWrites(store());
cacheTables(store());
serveTransactions(server, store(), streams);
serveNewItems(server, store(), streams);
serveStreams(server, streams);
const { endpoint, close } = await start(server, port);

parentPort?.postMessage(Number(new URL(endpoint).port));
saveCompiled();
parentPort?.once('message', async () => {
  await close();
  process.exit();
});
