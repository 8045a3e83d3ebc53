import type { IncomingMessage, RequestListener, Server } from 'node:http';

export interface GuardOptions {
  /**
   * Whether requests with an `Origin` header pass, or those with one of these origins. Browsers send it with requests of a page's
   * scripts and forms, except for GET and HEAD to the page's own origin, or without CORS.
   */
  readonly allowOrigin?: boolean | readonly string[];
}

/** A Host header with the name or address of the loopback interface. */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/**
 * Makes a server reject, with 403 and before it reads the body, what a web page in a browser on this
 * machine could send to it:
 *
 * - a `Host` other than this machine. A page whose name resolves to 127.0.0.1 (DNS rebinding) has the
 *   server's origin for the browser, and could read its responses.
 * - an `Origin`, unless that is allowed.
 *
 * Call it when the server has its request listeners.
 */
export function guardRequests(server: Server, { allowOrigin = false }: GuardOptions = {}): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const reason = reasonToReject(request, allowOrigin);
    if (reason === undefined) {
      for (const listener of listeners) listener.call(server, request, response);
      return;
    }
    const body = Buffer.from(`${reason}\n`);
    response.writeHead(403, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': body.length,
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    response.end(body);
  });
}

function reasonToReject(
  { headers: { host = '', origin } }: IncomingMessage,
  allowOrigin: boolean | readonly string[],
): string | undefined {
  if (!LOOPBACK.test(host)) {
    return `The Host header must be localhost, 127.0.0.1 or [::1], with or without a port; got \`${host}\`.`;
  }
  const isAllowed = (value: string) =>
    typeof allowOrigin === 'boolean' ? allowOrigin : allowOrigin.includes(value);
  if (origin !== undefined && !isAllowed(origin)) {
    return `This server takes no requests from web pages: the Origin header must be absent; got \`${origin}\`.`;
  }
  return undefined;
}
