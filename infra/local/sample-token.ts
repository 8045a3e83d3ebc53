import type { IncomingMessage, ServerResponse } from 'node:http';

/** Path at which the API reference and the page of the local stack get a token for their calls. */
export const TOKEN_PATH = '/local/token';

/**
 * Serves a new token at {@link TOKEN_PATH}, so that calls from the API reference and the page need no sign-in. Pages
 * of other origins cannot read it: the response permits neither CORS nor embedding.
 *
 * @returns whether the request was for the token, and is being handled.
 */
export function createTokenPage(token: () => Promise<string>) {
  return ({ method, url }: IncomingMessage, response: ServerResponse): boolean => {
    if (method !== 'GET' || url !== TOKEN_PATH) return false;
    token().then((text) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      });
      response.end(JSON.stringify({ token: text }));
    });
    return true;
  };
}
