import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Store, StoreItem, StoreTable } from 'dynalite/db/index.js';
import { writesOf } from './dynalite-patches.ts';
import type { DynamoDbStreams } from './dynamodb-streams.ts';
import { NEW_ITEMS_HEADER } from './write-items.ts';

interface BatchWriteItem {
  readonly RequestItems: Readonly<
    Record<string, readonly { readonly PutRequest: { readonly Item: StoreItem } }[]>
  >;
}

/**
 * Adds a fast BatchWriteItem to a server, by one LevelDB batch, for requests with
 * {@link NEW_ITEMS_HEADER}. dynalite looks for each item before it writes it, by batches of its own.
 */
export function serveNewItems(server: Server, store: Store, streams: DynamoDbStreams): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers[NEW_ITEMS_HEADER] === undefined) {
      for (const listener of listeners) listener.call(server, request, response);
      return;
    }
    json(request)
      .then((input) => putNewItems(store, streams, input as BatchWriteItem))
      .then(
        () => send(response, 200, { UnprocessedItems: {} }),
        ({ message }: Error) => send(response, 400, { __type: 'ValidationException', message }),
      );
  });
}

async function putNewItems(
  store: Store,
  streams: DynamoDbStreams,
  { RequestItems }: BatchWriteItem,
): Promise<void> {
  for (const [name, puts] of Object.entries(RequestItems)) {
    const table = await new Promise<StoreTable>((resolve, reject) => {
      store.getTable(name, (error, found) => (error ? reject(error) : resolve(found)));
    });
    const items = puts.map(({ PutRequest }) => PutRequest.Item);
    await streams.write(
      items.flatMap((item) => writesOf(table, undefined, item)),
      items.map((item) => ({ table, existing: undefined, item })),
    );
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(body));
}
