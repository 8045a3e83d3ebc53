import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';
import type { DynamoDbOptions } from './dynamodb.ts';
import { closeIterators, writeItemsWhole } from './dynamodb-additions.ts';
import { HOST } from './server.ts';

// dynalite throws where a client goes away before it is answered, and would end with it.
process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ECONNRESET') throw error;
});

writeItemsWhole();
closeIterators();

const { port, path } = workerData as DynamoDbOptions;
// Without this, tables are half a second in the making.
const server = dynalite({ path, createTableMs: 0 });
server.listen(port, HOST);
await once(server, 'listening');
const listeningPort = (server.address() as AddressInfo).port;

// dynalite opens its files late. The first operation ends this thread where another has them.
await fetch(`http://${HOST}:${listeningPort}`, {
  method: 'POST',
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.ListTables',
    'x-amz-date': '20000101T000000Z',
    authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=unchecked',
  },
  body: '{}',
});

parentPort?.postMessage(listeningPort);
parentPort?.once('message', () => {
  server.close(() => process.exit());
  server.closeAllConnections();
});
