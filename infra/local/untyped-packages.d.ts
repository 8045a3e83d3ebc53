/** Packages that have no types, as far as they are used here. */

declare module 'dynalite' {
  export default function dynalite(options: {
    /** Folder of the LevelDB store; in memory where it is not given. */
    path?: string | undefined;
    createTableMs?: number;
  }): import('node:http').Server;
}

declare module '@20minutes/s3rver' {
  export default class S3rver {
    constructor(options: {
      address: string;
      port: number;
      directory: string;
      silent: boolean;
      vhostBuckets: boolean;
      configureBuckets: readonly { name: string }[];
    });
    /** In the order in which it runs; the last one holds all handlers. */
    readonly middleware: import('./s3-additions.ts').S3Middleware[];
    readonly httpServer: import('node:http').Server;
    run(): Promise<import('node:net').AddressInfo>;
  }
}

declare module '@20minutes/s3rver/lib/middleware/authentication.js' {
  /** Verifies the signature of a request that has one. */
  export default function authentication(): import('./s3-additions.ts').S3Middleware;
}

declare module '@20minutes/s3rver/lib/models/error.js' {
  export default class S3Error extends Error {
    constructor(code: string, message: string, detail?: Readonly<Record<string, string>>);
  }
}

declare module 'swagger-ui-dist/absolute-path.js' {
  /** Folder of the package. */
  export default function getAbsoluteFSPath(): string;
}
