import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  type DocumentIndex,
  INDEX_FILE,
  REFERENCE_PATH,
} from '../../shared/http/document-index.ts';
import { scalarScript } from './scalar.ts';

const SHARED = join(import.meta.dirname, '../../shared');
const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

/** A document that the site has. */
interface Page {
  readonly path: string;
  readonly type: string;
  readonly content: string;
  readonly isImmutable?: boolean;
}

interface SiteOptions {
  /** Path at which the page gets a token for its calls; only the local stack has one. */
  readonly tokenPath?: string;
}

/**
 * Writes the documents that are served without a token, each also compressed, and their index.
 *
 * @param folder is created if it does not exist.
 */
export async function writeSite(folder: string, options: SiteOptions = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  const index: Record<string, DocumentIndex[string]> = {};
  for (const { path, type, content, isImmutable = false } of await pages(options)) {
    const file = path.replaceAll('/', '-').slice(1);
    index[path] = { file, type, hash: hashOf(content), isImmutable };
    await writeFile(join(folder, file), content);
    await writeFile(join(folder, `${file}.gz`), await promisify(gzip)(content, { level: 9 }));
  }
  await writeFile(join(folder, INDEX_FILE), JSON.stringify(index));
}

async function pages(options: SiteOptions): Promise<Page[]> {
  const start = await readFile(join(import.meta.dirname, 'reference.js'), 'utf8');
  const script = `${await scalarScript()}\n${start}`;
  const scriptPath = `${REFERENCE_PATH}/reference-${hashOf(script)}.js`;
  return [
    { path: REFERENCE_PATH, type: HTML, content: referencePage(scriptPath, options) },
    { path: scriptPath, type: SCRIPT, content: script, isImmutable: true },
    {
      path: '/openapi.json',
      type: 'application/json',
      content: await readFile(join(SHARED, 'openapi.json'), 'utf8'),
    },
    {
      path: '/customers.xsd',
      type: 'application/xml',
      content: await readFile(join(SHARED, 'customers.xsd'), 'utf8'),
    },
    { path: '/favicon.ico', type: 'image/svg+xml', content: ICON },
  ];
}

function referencePage(scriptPath: string, { tokenPath }: SiteOptions): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Merchant customers API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${tokenPath ? `<meta name="token-path" content="${tokenPath}">\n` : ''}<link rel="icon" type="image/svg+xml" href="/favicon.ico">
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript. The API is described in <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="${scriptPath}"></script>
</body>
</html>
`;
}

/** Three customers' cards. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f6feb"/>' +
  '<circle cx="16" cy="12" r="5" fill="#fff"/><path d="M6 27a10 8 0 0 1 20 0z" fill="#fff"/></svg>';

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}
