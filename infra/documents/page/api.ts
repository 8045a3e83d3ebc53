import type { FormatName } from '../../../shared/domain/export.ts';
import type {
  ImportOptions,
  Outcome,
  PlannedRow,
  Result,
  UndoResult,
} from '../../../shared/domain/import.ts';
import type { FileFacts, ImportJob } from '../../../shared/domain/import-job.ts';
import type { Session } from './session.ts';

/** An import, as the API responds with it. */
export interface ImportStatus
  extends Pick<
      ImportJob,
      | 'state'
      | 'options'
      | 'filename'
      | 'bytes'
      | 'rowsDone'
      | 'results'
      | 'undone'
      | 'started'
      | 'updated'
      | 'expires'
      | 'reason'
    >,
    Partial<FileFacts> {
  readonly importId: string;
  /** Tag of the plan, for `If-Match`. */
  readonly plan?: string;
  readonly rows?: number;
  readonly counts?: Readonly<Record<Outcome, number>>;
  /** How the file is sent; while it is awaited. */
  readonly upload?: Upload;
}

interface Upload {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is to be sent, and how it is read. */
export interface NewImport extends ImportOptions {
  readonly filename: string;
  readonly bytes: number;
  readonly sha256?: string | undefined;
}

/** A row of a plan, and what was done. */
export type ListedRow = PlannedRow & { readonly result?: Result; readonly undone?: UndoResult };

export interface RowPage {
  readonly rows: readonly ListedRow[];
  /** Row after which the next page begins. */
  readonly next?: number;
}

/** A file that is ready, or will be. */
export interface ExportStatus {
  readonly exportId?: string;
  readonly state?: 'running' | 'ready' | 'failed' | 'canceled';
  readonly url?: string;
  readonly filename?: string;
  readonly count?: number;
  readonly bytes?: number;
  readonly rowsDone?: number;
  readonly rowsExpected?: number;
}

/** Who a row is about. */
export interface Customer {
  readonly mexcParamvaluesetsid: number;
  readonly name: string;
  readonly customerid: string;
}

/** The API refuses a call (RFC 9457). */
export class ApiError extends Error {
  readonly status: number;
  /** The last segment of its type. */
  readonly type: string | undefined;
  /** Why a file cannot be read. */
  readonly code: string | undefined;

  constructor(status: number, detail: string, type?: string, code?: string) {
    super(detail);
    this.status = status;
    this.type = type?.split('/').at(-1);
    this.code = code;
  }
}

/** There was no response. */
export class NoContactError extends Error {}

/** The response to a call, and how long to wait before the next one, in milliseconds. */
export interface Polled<Body> {
  readonly body: Body;
  readonly waitMs: number;
}

interface Options {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How long to wait if the API does not say so. */
const WAIT_MS = 2_000;
const IMPORTS = '/customers/imports';

/** The calls of the page, with the token of the session. */
export class Api {
  readonly #session: Session;
  readonly #onUnauthorized: () => void;

  /** @param onUnauthorized is called once the session has no valid token. */
  constructor(session: Session, onUnauthorized: () => void) {
    this.#session = session;
    this.#onUnauthorized = onUnauthorized;
  }

  createImport(options: NewImport): Promise<ImportStatus> {
    return this.#json('POST', IMPORTS, { body: options });
  }

  planImport(id: string): Promise<Polled<ImportStatus>> {
    return this.#polled('POST', `${IMPORTS}/${id}/plan`);
  }

  getImport(id: string): Promise<Polled<ImportStatus>> {
    return this.#polled('GET', `${IMPORTS}/${id}`);
  }

  listImports(): Promise<readonly ImportStatus[]> {
    return this.#json('GET', IMPORTS);
  }

  /** Returns rows with an outcome or a result; fewer than the limit at the end alone. */
  async listRows(
    id: string,
    filter: { readonly outcome: Outcome } | { readonly result: Result },
    after: number,
    limit: number,
  ): Promise<RowPage> {
    const rows: ListedRow[] = [];
    let next: number | undefined = after;
    // A page of the API can have fewer, or none, although others follow.
    while (next !== undefined && rows.length < limit) {
      const query: URLSearchParams = new URLSearchParams({
        ...filter,
        after: String(next),
        limit: String(limit - rows.length),
      });
      const page: RowPage = await this.#json('GET', `${IMPORTS}/${id}/rows?${query}`);
      rows.push(...page.rows);
      next = page.next;
    }
    return { rows, ...(next !== undefined && { next }) };
  }

  applyImport(
    id: string,
    plan: string,
    leaveOut: readonly Outcome[],
  ): Promise<Polled<ImportStatus>> {
    return this.#polled('POST', `${IMPORTS}/${id}/apply`, {
      headers: { 'if-match': `"${plan}"` },
      body: { leaveOut },
    });
  }

  undoImport(id: string, plan: string): Promise<Polled<ImportStatus>> {
    return this.#polled('POST', `${IMPORTS}/${id}/undo`, { headers: { 'if-match': `"${plan}"` } });
  }

  /** Stops an import that is being applied or undone; deletes any other. */
  deleteImport(id: string): Promise<ImportStatus> {
    return this.#json('DELETE', `${IMPORTS}/${id}`);
  }

  /** Returns a file of the rows that are left out, with what is wrong in a language. */
  rejectedRows(
    id: string,
    format: 'xlsx' | 'csv',
    language: string,
  ): Promise<{ readonly url: string; readonly filename: string; readonly count: number }> {
    return this.#json('GET', `${IMPORTS}/${id}/rejected?format=${format}`, {
      headers: { 'accept-language': language },
    });
  }

  exportCustomers(
    format: FormatName,
    options: Readonly<Record<string, string>>,
  ): Promise<Polled<ExportStatus>> {
    return this.#polled('GET', `/customers/export/${format}?${new URLSearchParams(options)}`);
  }

  getExport(id: string): Promise<Polled<ExportStatus>> {
    return this.#polled('GET', `/customers/exports/${id}`);
  }

  async cancelExport(id: string): Promise<void> {
    await this.#call('DELETE', `/customers/exports/${id}`);
  }

  /** Returns customers by id; those that no longer exist are left out. */
  async customersById(ids: readonly number[]): Promise<ReadonlyMap<number, Customer>> {
    const found = await Promise.all(
      [...new Set(ids)].map((id) =>
        this.#json<Customer>(
          'GET',
          `/customers/${id}?fields=mexcParamvaluesetsid,name,customerid`,
        ).catch((error) => {
          if (error instanceof ApiError && error.status === 404) return undefined;
          throw error;
        }),
      ),
    );
    return new Map(
      found.flatMap((customer) => (customer ? [[customer.mexcParamvaluesetsid, customer]] : [])),
    );
  }

  async #json<Body>(method: string, path: string, options?: Options): Promise<Body> {
    return (await this.#call(method, path, options)).json();
  }

  async #polled<Body>(method: string, path: string, options?: Options): Promise<Polled<Body>> {
    const response = await this.#call(method, path, options);
    const seconds = Number(response.headers.get('retry-after'));
    return {
      body: await response.json(),
      waitMs: seconds > 0 ? seconds * 1_000 : WAIT_MS,
    };
  }

  /** @throws ApiError, NoContactError */
  async #call(method: string, path: string, options: Options = {}): Promise<Response> {
    const token = await this.#token();
    let response = await this.#send(method, path, token, options);
    if (response.status === 401) {
      const next = this.#session.refuse(token);
      if (next === 'again') response = await this.#send(method, path, await this.#token(), options);
      else if (next === 'ask') this.#onUnauthorized();
    }
    if (response.ok) return response;
    // API Gateway's own errors have `message` alone.
    const problem = await response.json().catch(() => ({}));
    const { detail = problem.message ?? '', type, code } = problem;
    throw new ApiError(response.status, detail, type, code);
  }

  /** @throws NoContactError */
  async #token(): Promise<string> {
    try {
      return await this.#session.token();
    } catch {
      throw new NoContactError();
    }
  }

  async #send(
    method: string,
    path: string,
    token: string,
    { body, headers }: Options,
  ): Promise<Response> {
    try {
      return await fetch(path, {
        method,
        cache: 'no-store',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch {
      throw new NoContactError();
    }
  }
}

/**
 * Sends the file of an import to the file store. `fetch` could not tell the progress.
 *
 * @param onProgress gets the part that is sent, from 0 to 1.
 * @throws NoContactError if it does not arrive.
 */
export function sendFile(
  { method, url, headers }: Upload,
  file: Blob,
  onProgress: (part: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // An abort that was before is no event any more.
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 1);
    request.onload = () => (request.status < 300 ? resolve() : reject(new NoContactError()));
    request.onerror = () => reject(new NoContactError());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

/** Returns the SHA-256 of a file in base64; undefined where the browser computes none. */
export async function digestOf(file: Blob): Promise<string | undefined> {
  // Browsers have it for pages by https and of this machine.
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return btoa(String.fromCharCode(...digest));
}
