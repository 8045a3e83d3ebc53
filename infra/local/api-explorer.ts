import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import swaggerUiFolder from 'swagger-ui-dist/absolute-path.js';

const OPENAPI_FILE = join(import.meta.dirname, '../../shared/openapi.json');

/** Files of the page, by the path at which they are served. */
const FILES: Readonly<Record<string, { path: string; type: string }>> = {
  '/openapi.json': { path: OPENAPI_FILE, type: 'application/json' },
  '/explore/ui.js': swaggerUi('swagger-ui-bundle.js', 'text/javascript'),
  '/explore/ui.css': swaggerUi('swagger-ui.css', 'text/css'),
  '/explore/icon.png': swaggerUi('favicon-32x32.png', 'image/png'),
};

/**
 * Serves Swagger UI at `/`, from local files. The page contains a token, so that no sign-in is
 * needed.
 *
 * @param token creates the token, each time the page is opened.
 * @returns whether the request was for the page or one of its files, and is being handled.
 */
export function createApiExplorer(token: () => Promise<string>) {
  return ({ method, url = '' }: IncomingMessage, response: ServerResponse): boolean => {
    const file = Object.hasOwn(FILES, url) ? FILES[url] : undefined;
    if (method !== 'GET' || (!file && url !== '/')) return false;
    const nonce = randomBytes(16).toString('base64');
    const send = (status: number, type: string, body: string | Buffer) => {
      response.writeHead(status, {
        'content-type': `${type}; charset=utf-8`,
        ...securityHeaders(nonce),
        // The page contains a token.
        ...(!file && { 'cache-control': 'no-store' }),
      });
      response.end(body);
    };
    (file ? readFile(file.path) : token().then((text) => page(text, nonce))).then(
      (body) => send(200, file?.type ?? 'text/html', body),
      () => send(404, 'text/plain', `${url} does not exist; npm run generate writes it.\n`),
    );
    return true;
  };
}

function swaggerUi(file: string, type: string) {
  return { path: join(swaggerUiFolder(), file), type };
}

/**
 * Returns headers that keep other pages from framing or embedding this one, and the page from loading
 * or calling other servers.
 *
 * @param nonce permits the page's inline script.
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP
 */
function securityHeaders(nonce: string) {
  const policy = {
    'default-src': "'none'",
    'script-src': `'self' 'nonce-${nonce}'`,
    // Swagger UI has inline styles, and its icons are data URLs.
    'style-src': "'self' 'unsafe-inline'",
    'img-src': "'self' data:",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  };
  return {
    'content-security-policy': Object.entries(policy)
      .map(([directive, sources]) => `${directive} ${sources}`)
      .join('; '),
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

function page(token: string, nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Merchant customers</title>
<link rel="stylesheet" href="/explore/ui.css">
<link rel="icon" href="/explore/icon.png">
</head>
<body>
<div id="ui"></div>
<script src="/explore/ui.js"></script>
<script type="module" nonce="${nonce}">
const description = await fetch('/openapi.json');
if (description.ok) {
  const spec = { ...(await description.json()), servers: [{ url: location.origin }] };
  const ui = SwaggerUIBundle({
    spec,
    dom_id: '#ui',
    deepLinking: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    onComplete: () => {
      for (const scheme of Object.keys(spec.components?.securitySchemes ?? {})) {
        ui.preauthorizeApiKey(scheme, ${JSON.stringify(token)});
      }
    },
  });
} else {
  document.getElementById('ui').textContent = await description.text();
}
</script>
</body>
</html>
`;
}
