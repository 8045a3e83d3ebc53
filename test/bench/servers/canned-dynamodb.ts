import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { createCannedTable, UnsupportedRequestError } from './canned-table.ts';
import { serve } from './serve.ts';

// A DynamoDB server with canned responses, which runs in its own process.

const execute = createCannedTable();

await serve(
  createServer(async (request, response) => {
    const body = await buffer(request);
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
