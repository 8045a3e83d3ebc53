/** A file that the function `answer-documents` serves without a token. */
interface ServedDocument {
  /** Name of the file in the folder of documents; with `.gz` at its end, the compressed one. */
  readonly file: string;
  /** `Content-Type` of the response. */
  readonly type: string;
  /** Hash of the content, for its entity tag. */
  readonly hash: string;
  /** Whether the path contains the hash, so that browsers need not ask again. */
  readonly isImmutable: boolean;
  /** Whether it belongs to the page, which calls the API and the file store, and has no inline styles. */
  readonly isPage: boolean;
}

/** The served documents by path. */
export type DocumentIndex = Readonly<Record<string, ServedDocument>>;

/** File with the {@link DocumentIndex}, in the folder of documents. */
export const INDEX_FILE = 'index.json';

/** Folder of the documents in the bundle of the function that serves them. */
export const BUNDLED_DOCUMENTS = 'documents';

/** Path of the API reference, to which `/` redirects. */
export const REFERENCE_PATH = '/docs';

/** Path of the page by which a person imports and exports customers. */
export const PAGE_PATH = '/app';
