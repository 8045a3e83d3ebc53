import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

/** A request in bytes; each character of a text is one byte. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as they are sent. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer | undefined;
  /** Sent in place of all other members if it is no HTTP. */
  readonly bytes?: Buffer | undefined;
}

/** A response; its status is 0 if the server closed the connection without one. */
export interface RawResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed if it is JSON, otherwise text. */
  readonly body: unknown;
  /** Length of the body as it was sent. */
  readonly bytes: number;
  /** Violations of HTTP. */
  readonly flaws: readonly string[];
}

const TIMEOUT_MS = 40_000;
const HEAD_END = Buffer.from('\r\n\r\n');

/** Sends a request that `fetch` and `http.request` would reject, on a new connection. */
export async function exchange(url: string, request: RawRequest): Promise<RawResponse> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  // A server that rejects a request before its end resets the connection.
  socket.on('error', () => {});
  const closed = new Promise<false>((resolve) => socket.once('close', () => resolve(false)));
  socket.write(request.bytes ?? toBytes(request, host));
  if (request.bytes) socket.end();
  const given = new AbortController();
  const late = setTimeout(TIMEOUT_MS, true, { signal: given.signal });
  const isLate = await Promise.race([closed, late]);
  given.abort();
  socket.destroy();
  if (isLate) return { ...NONE, flaws: [`no answer in ${TIMEOUT_MS} ms`] };
  return parse(Buffer.concat(chunks), request.method === 'HEAD');
}

const NONE: RawResponse = { status: 0, headers: new Headers(), body: '', bytes: 0, flaws: [] };

/** Returns the headers of the request and those that HTTP requires. */
export function allHeaders({ headers, body }: RawRequest, host: string) {
  const has = (name: string) => headers.some(([key]) => key.toLowerCase() === name);
  return [
    ...(has('host') ? [] : [['Host', host] as const]),
    ...headers,
    ...(body && !has('transfer-encoding') ? [['Content-Length', `${body.length}`] as const] : []),
    ...(has('connection') ? [] : [['Connection', 'close'] as const]),
  ];
}

function toBytes(request: RawRequest, host: string): Buffer {
  const { method, target, body } = request;
  const lines = allHeaders(request, host).map(([name, value]) => `${name}: ${value}`);
  const head = [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

function parse(bytes: Buffer, isHead: boolean): RawResponse {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return NONE;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0);
  const rest = bytes.subarray(end + HEAD_END.length);
  if (status >= 100 && status < 200) return parse(rest, isHead);
  const headers = new Headers();
  const flaws: string[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:\s]+): ?(.*)$/.exec(line) ?? [];
    if (name) headers.append(name, value);
    else flaws.push(`the line ${JSON.stringify(line)} is no header`);
  }
  const length = isHead || status === 304 ? 0 : Number(headers.get('content-length') ?? 0);
  if (rest.length !== length) flaws.push(`the body has ${rest.length} bytes, not ${length}`);
  return { status, headers, flaws, bytes: rest.length, body: read(rest, headers, flaws) };
}

function read(bytes: Buffer, headers: Headers, flaws: string[]): unknown {
  try {
    const isPacked = headers.get('content-encoding') === 'gzip' && bytes.length > 0;
    const content = isPacked ? gunzipSync(bytes) : bytes;
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    return text && /json/.test(headers.get('content-type') ?? '') ? JSON.parse(text) : text;
  } catch (error) {
    flaws.push(`the body cannot be read: ${(error as Error).message}`);
    return bytes.toString('latin1');
  }
}
