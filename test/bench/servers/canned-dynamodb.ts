import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { createCannedTable, UnknownRequestError } from './canned-table.ts';
import { serve } from './serve.ts';

// A DynamoDB server with canned answers, for a process of its own.

const answerOf = createCannedTable();

await serve(
  createServer(async (request, response) => {
    const body = await buffer(request);
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    let status = 200;
    let answer: Buffer;
    try {
      // The answer's bytes are used again, and the socket may hold them for longer.
      answer = Buffer.from(answerOf(operation, JSON.parse(body.toString())));
    } catch (error) {
      if (!(error instanceof UnknownRequestError)) throw error;
      // A handler may hide the message from its caller.
      console.error(error.message);
      status = 400;
      const type = 'com.amazon.coral.validate#ValidationException';
      answer = Buffer.from(JSON.stringify({ __type: type, message: error.message }));
    }
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': answer.length,
      'x-amz-crc32': crc32(answer),
      'x-amzn-requestid': randomUUID(),
    });
    response.end(answer);
  }),
);
