import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  type DocumentIndex,
  INDEX_FILE,
  PAGE_PATH,
  REFERENCE_PATH,
} from '../../shared/http/document-index.ts';
import { scalarScript } from './scalar.ts';

const SHARED = join(import.meta.dirname, '../../shared');
const PAGE_SOURCE = join(import.meta.dirname, 'page');
const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** A document that the site has. */
interface Page {
  readonly path: string;
  readonly type: string;
  readonly content: string;
  readonly isImmutable?: boolean;
  /** Whether it belongs to the page by which persons import and export. */
  readonly isPage?: boolean;
}

export interface SiteOptions {
  /** Path at which pages get a token for their calls; only the local stack has one. */
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
  for (const page of await pages(options)) {
    const { path, type, content, isImmutable = false, isPage = false } = page;
    const file = path.replaceAll('/', '-').slice(1);
    index[path] = { file, type, hash: hashOf(content), isImmutable, isPage };
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
    ...(await importPage(options)),
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

/** Returns the page by which persons import and export, in three files. */
async function importPage({ tokenPath }: SiteOptions): Promise<Page[]> {
  const script = await pageScript();
  const style = await readFile(join(PAGE_SOURCE, 'page.css'), 'utf8');
  const scriptPath = `${PAGE_PATH}/page-${hashOf(script)}.js`;
  const stylePath = `${PAGE_PATH}/page-${hashOf(style)}.css`;
  const html = (await readFile(join(PAGE_SOURCE, 'page.html'), 'utf8'))
    .replace('{script}', scriptPath)
    .replace('{style}', stylePath)
    .replace('{tokenPath}', tokenPath ?? '');
  return [
    { path: PAGE_PATH, type: HTML, content: html, isPage: true },
    { path: scriptPath, type: SCRIPT, content: script, isImmutable: true, isPage: true },
    { path: stylePath, type: STYLE, content: style, isImmutable: true, isPage: true },
  ];
}

/** Returns the page's modules, and those of the domain that they import, as one script. */
async function pageScript(): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [join(PAGE_SOURCE, 'main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

/** Three customers' cards. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f6feb"/>' +
  '<circle cx="16" cy="12" r="5" fill="#fff"/><path d="M6 27a10 8 0 0 1 20 0z" fill="#fff"/></svg>';

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}
