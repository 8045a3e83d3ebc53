import { expect, vi } from 'vitest';
import type { ApiResponse, Client } from './api.ts';
import { recordSentTexts } from './logs.ts';

type Options = Readonly<Record<string, unknown>>;

/** Creates an import by its options, and sends its file to the presigned URL. */
export async function sendFile(
  client: Client,
  text: string | Uint8Array,
  options: Options = {},
): Promise<ApiResponse> {
  const file = Buffer.from(text as string);
  const body = { format: 'csv', match: ['customerid'], bytes: file.length, ...options };
  const created = await client.call('POST', '/customers/imports', { body });
  expect(created.status).toBe(201);
  expect(await put(created.body.upload, file)).toBe(200);
  return created;
}

/** Sends a file by the request that an import has in `upload`; returns the status. */
export async function put(
  { method, url, headers }: { method: string; url: string; headers: Record<string, string> },
  file: Uint8Array<ArrayBuffer>,
): Promise<number> {
  recordSentTexts('', Buffer.from(file).toString());
  const { status } = await fetch(url, { method, headers, body: file });
  return status;
}

/** Sends a file as the body of a request, which plans it. */
export function importFile(
  client: Client,
  text: string | Uint8Array<ArrayBuffer>,
  query = 'match=customerid',
  headers: Record<string, string> = {},
): Promise<ApiResponse> {
  return client.call('POST', `/customers/imports?${query}`, {
    body: text,
    headers: { 'content-type': 'text/csv', ...headers },
  });
}

/** Path of an import, or of a call for it. */
export function pathOf({ body }: ApiResponse, call = ''): string {
  return `/customers/imports/${body.importId}${call && `/${call}`}`;
}

/** Applies the plan of an import, as it was returned. */
export function apply(client: Client, planned: ApiResponse, body: unknown = {}, headers = {}) {
  return client.call('POST', pathOf(planned, 'apply'), {
    body,
    headers: { 'if-match': planned.headers.get('etag') ?? '', ...headers },
  });
}

/** Undoes an import, by the plan as it was returned. */
export function undo(client: Client, planned: ApiResponse, headers = {}) {
  return client.call('POST', pathOf(planned, 'undo'), {
    headers: { 'if-match': planned.headers.get('etag') ?? '', ...headers },
  });
}

/** Returns the rows of an import. */
export async function rowsOf(client: Client, planned: ApiResponse, query = 'limit=1000') {
  const { status, body } = await client.call('GET', `${pathOf(planned, 'rows')}?${query}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.rows;
}

/** Waits until an import is in one of some states, and returns it. */
export async function reaching(
  client: Client,
  planned: ApiResponse,
  ...states: string[]
): Promise<ApiResponse> {
  return vi.waitFor(
    async () => {
      const response = await client.call('GET', pathOf(planned));
      expect(states).toContain(response.body.state);
      return response;
    },
    // Imports in the background keep a pace: most polls find no change.
    { timeout: 60_000, interval: 500 },
  );
}

/** Returns rows as the text of a CSV file. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join(',')}\n`).join('');
}

/** Returns a valid body of a call of imports; undefined of another call. */
export function bodyOfImport(path: string): object | undefined {
  if (!path.startsWith('/customers/imports')) return undefined;
  return path === '/customers/imports' ? { format: 'csv', bytes: 1, match: ['customerid'] } : {};
}
