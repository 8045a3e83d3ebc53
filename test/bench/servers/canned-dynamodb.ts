import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { createCannedTable, UnsupportedRequestError } from './canned-table.ts';
import { serve } from './serve.ts';

// A DynamoDB server with canned responses, which runs in its own process. With the URL of another server
// as argument, that one has the items of imports.

const [importItems] = process.argv.slice(2);
const execute = createCannedTable();

await serve(
  createServer(async (request, response) => {
    const body = await buffer(request);
    if (importItems && body.includes('"IMPORT')) {
      await forward(importItems, request, body, response);
      return;
    }
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    let status = 200;
    let responseBody: Buffer;
    try {
      // Copied: the buffer is reused while the socket may still send it.
      responseBody = Buffer.from(execute(operation, JSON.parse(body.toString())));
    } catch (error) {
      if (!(error instanceof UnsupportedRequestError)) throw error;
      // The handler may hide the message from its caller.
      console.error(error.message);
      status = 400;
      const type = 'com.amazon.coral.validate#ValidationException';
      responseBody = Buffer.from(JSON.stringify({ __type: type, message: error.message }));
    }
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': responseBody.length,
      'x-amz-crc32': crc32(responseBody),
      'x-amzn-requestid': randomUUID(),
    });
    response.end(responseBody);
  }),
);

async function forward(
  endpoint: string,
  { headers }: IncomingMessage,
  body: Buffer<ArrayBuffer>,
  response: ServerResponse,
): Promise<void> {
  const sent = ['content-type', 'x-amz-target', 'x-amz-date', 'authorization'].map(
    (name): [string, string] => [name, String(headers[name])],
  );
  const answer = await fetch(endpoint, { method: 'POST', headers: sent, body });
  const bytes = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': bytes.length,
    'x-amz-crc32': crc32(bytes),
  });
  response.end(bytes);
}
