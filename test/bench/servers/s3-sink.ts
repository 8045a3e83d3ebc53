import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { serve } from './serve.ts';

// An S3 server that discards uploads, which runs in its own process. `PUT /-/keep` makes it store
// the next upload, and `GET /-/last` returns that.

let isStoring = false;
let last: Buffer = Buffer.alloc(0);
let uploads = 0;
/** Parts of the uploads in progress, if they are stored. */
const parts = new Map<string, Map<number, Buffer>>();

await serve(
  createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://sink');
    const uploadId = searchParams.get('uploadId');
    const call = `${request.method} ${pathname}`;
    if (call === 'PUT /-/keep') {
      isStoring = true;
      respond(response);
    } else if (call === 'GET /-/last') {
      response.end(last);
      last = Buffer.alloc(0);
      isStoring = false;
    } else if (request.method === 'PUT') {
      const bytes = await bodyOf(request);
      if (!uploadId) last = bytes;
      else parts.get(uploadId)?.set(Number(searchParams.get('partNumber')), bytes);
      respond(response, '', { etag: '"00000000000000000000000000000000"' });
    } else if (request.method === 'POST' && searchParams.has('uploads')) {
      uploads += 1;
      const id = `upload-${uploads}`;
      parts.set(id, new Map());
      respond(
        response,
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    } else if (request.method === 'POST' && uploadId && parts.has(uploadId)) {
      await bodyOf(request);
      const uploadedParts = [...(parts.get(uploadId) ?? [])].sort(([a], [b]) => a - b);
      last = Buffer.concat(uploadedParts.map(([, bytes]) => bytes));
      parts.delete(uploadId);
      respond(
        response,
        '<CompleteMultipartUploadResult><ETag>"0"</ETag></CompleteMultipartUploadResult>',
      );
    } else if (request.method === 'DELETE' && uploadId) {
      parts.delete(uploadId);
      respond(response, '', {}, 204);
    } else {
      const message = `The S3 sink does not support ${request.method} ${request.url}`;
      console.error(message);
      respond(
        response,
        `<Error><Code>NotImplemented</Code><Message>${message}</Message></Error>`,
        {},
        501,
      );
    }
  }),
);

function respond(response: ServerResponse, body = '', headers = {}, status = 200): void {
  response.writeHead(status, { ...(body && { 'content-type': 'application/xml' }), ...headers });
  response.end(body);
}

/** Returns the body if uploads are stored; else reads and discards it. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (isStoring) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding']?.includes('aws-chunked') ? unchunk(body) : body;
}

/** Returns the content of an aws-chunked body, without chunk headers and trailing checksum. */
function unchunk(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let position = 0; position < body.length; ) {
    const end = body.indexOf('\r\n', position);
    const size = Number.parseInt(body.toString('latin1', position, end), 16);
    if (!size) break;
    chunks.push(body.subarray(end + 2, end + 2 + size));
    position = end + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}
