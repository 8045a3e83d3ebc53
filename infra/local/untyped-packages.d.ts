/** Types of packages that have none, as far as they are used here. */

declare module 'dynalite' {
  export default function dynalite(options: {
    /** Folder of the LevelDB store; in memory if not given. */
    path?: string | undefined;
    createTableMs?: number;
    deleteTableMs?: number;
  }): import('node:http').Server;
}

declare module 'dynalite/db/index.js' {
  /** An item with typed values, as in DynamoDB's API. */
  export type StoreItem = Readonly<Record<string, unknown>>;

  export interface StoreTable {
    readonly TableName: string;
    readonly TableStatus: string;
    readonly KeySchema: readonly { readonly AttributeName: string }[];
    readonly GlobalSecondaryIndexes?: readonly object[];
  }

  /** Calls back with an error, or with a result. */
  export type Done<T = void> = (error: Error | null | undefined, result: T) => void;

  export interface Store {
    readonly db: {
      open(): Promise<void>;
      batch(writes: readonly object[]): Promise<void>;
      put(key: string, value: object): Promise<void>;
      del(key: string): Promise<void>;
      /** Deletes the entries of a range. */
      clear(range: { readonly gt: string; readonly lt: string }): Promise<void>;
      iterator<T>(range: {
        readonly gt: string;
        readonly lt: string;
        readonly limit?: number;
      }): AsyncIterable<[key: string, value: T]>;
      values(range: object): {
        nextv(size: number): Promise<StoreItem[]>;
        close(): Promise<void>;
      };
    };
    readonly tableDb: {
      put(name: string, table: StoreTable, done: Done): void;
      del(name: string, done: Done): void;
    };
    /** A table that is being created or deleted is an error, unless `checksStatus` is false. */
    getTable(name: string, checksStatus: false, done: Done<StoreTable>): void;
    getTable(name: string, done: Done<StoreTable>): void;
    getItemDb(table: string): {
      put(key: string, item: StoreItem, done: Done): void;
      del(key: string, done: Done): void;
      get(key: string, done: Done<StoreItem | undefined>): void;
      /** Calls back with the keys locked; the release is called with what runs after it. */
      lock(
        keys: readonly string[],
        locked: (release: (then: () => void) => () => void) => void,
      ): void;
    };
  }

  /** A Query or Scan whose expressions are parsed. */
  export interface PageRequest {
    readonly TableName: string;
    readonly IndexName?: string;
    readonly Limit?: number;
    readonly Select?: string;
    readonly ConsistentRead?: boolean;
    readonly ReturnConsumedCapacity?: string;
    readonly QueryFilter?: object;
    readonly ScanFilter?: object;
    readonly ConditionalOperator?: string;
    readonly AttributesToGet?: readonly string[];
    readonly _filter?: { readonly expression: object };
    readonly _projection?: { readonly paths: readonly unknown[] };
  }

  interface Entry {
    readonly index: string;
    readonly key: string;
  }

  /** Functions that dynalite's operations call through this object, so that they can be replaced. */
  const db: {
    /** Called before an item is written, or deleted if `item` is null. */
    updateIndexes(
      store: Store,
      table: StoreTable,
      existing: StoreItem | undefined,
      item: StoreItem | null,
      done: (error?: Error | null) => void,
    ): void;
    readonly getIndexActions: (
      indexes: readonly object[],
      existing: StoreItem | undefined,
      item: StoreItem | null,
      table: StoreTable,
    ) => {
      readonly puts: readonly (Entry & { readonly item: StoreItem })[];
      readonly deletes: readonly Entry[];
    };
    readonly createKey: (item: StoreItem, table: StoreTable) => string;
    /** Creates the store of a server, which looks this up. */
    create(options: object): Store;
    /** Returns an error if an item lacks a key of the table or of an index, or has another type. */
    readonly validateItem: (item: StoreItem, table: StoreTable) => Error | null | undefined;
    readonly validateKey: (key: StoreItem, table: StoreTable) => Error | null | undefined;
    /** Returns an error if the condition does not hold. */
    readonly checkConditional: (
      request: object,
      existing: StoreItem | undefined,
    ) => Error | null | undefined;
    readonly capacityUnits: (item: StoreItem | undefined, isRead: boolean) => number;
    /** Returns the size in bytes; `isCompressed` with metadata, that by which pages end. */
    readonly itemSize: (
      item: StoreItem,
      isCompressed?: boolean,
      addsMetadata?: boolean,
      sortKey?: string,
    ) => number;
    readonly matchesExprFilter: (item: StoreItem, expression: object) => boolean;
    readonly matchesFilter: (item: StoreItem, filter: object, operator?: string) => boolean;
    readonly mapPaths: (paths: readonly unknown[], item: StoreItem) => StoreItem;
    /** Calls back with the response to a Query or Scan. */
    queryTable(
      store: Store,
      table: StoreTable,
      request: PageRequest,
      range: {
        readonly gt?: string;
        readonly gte?: string;
        readonly lt?: string;
        readonly lte?: string;
        readonly reverse?: boolean;
      },
      isLocal: boolean | undefined,
      fetchesItems: boolean,
      startKeyNames: readonly string[],
      done: Done<object>,
    ): void;
  };
  export default db;
}

declare module 'dynalite/validations/index.js' {
  const validations: {
    /** Returns the known members of a request. @throws for other types. */
    readonly checkTypes: (request: object, types: object) => Record<string, unknown>;
    /** Parses the expressions into the request. @throws for what DynamoDB refuses. */
    readonly checkValidations: (
      request: object,
      types: object,
      custom: unknown,
      store: import('dynalite/db/index.js').Store,
    ) => void;
  };
  export default validations;
}

declare module 'dynalite/validations/putItem.js' {
  const validation: { readonly types: object; readonly custom: unknown };
  export default validation;
}

declare module 'dynalite/validations/deleteItem.js' {
  const validation: { readonly types: object; readonly custom: unknown };
  export default validation;
}

declare module '@20minutes/s3rver' {
  export default class S3rver {
    constructor(options: {
      directory: string;
      silent: boolean;
      vhostBuckets: boolean;
      configureBuckets: readonly { name: string }[];
    });
    /** In the order of execution; the last one has all handlers. */
    readonly middleware: import('./s3rver-middleware.ts').S3Middleware[];
    readonly store: import('./s3rver-patches.ts').S3Store;
    /** Creates the buckets of the options. */
    configureBuckets(): Promise<unknown>;
    /** Koa's request listener. */
    callback(): import('node:http').RequestListener;
  }
}

declare module '@20minutes/s3rver/lib/middleware/authentication.js' {
  /** Verifies the signature of a request that has one. */
  export default function authentication(): import('./s3rver-middleware.ts').S3Middleware;
}

declare module '@20minutes/s3rver/lib/models/error.js' {
  export default class S3Error extends Error {
    constructor(code: string, message: string, detail?: Readonly<Record<string, string>>);
  }
}
