import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import {
  CHANGES_DAYS,
  COMPANY_CACHE_DAYS,
  LONG_EXPORT_ROWS,
  SNAPSHOT_FROM_ID,
} from '../../shared/domain/limits.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { RECORDED_PREFIXES } from '../../shared/storage/table.ts';
import type { Capacity } from '../capacity.ts';
import {
  CHANGE_RECORDER,
  DEFAULT_FUNCTION,
  DOCUMENTS_FUNCTION,
  ENDPOINTS,
  EXPORT_WORKER,
  IMPORT_PLANNER,
  IMPORT_WORKER,
  PAGE_ROUTES,
  ROUTES,
  routesVariable,
  SNAPSHOT_BUILDER,
} from '../endpoints.ts';
import { createAuthorizer } from './authorizer.ts';
import { readDataFile, writeDataFile } from './data-folder.ts';
import { startDatabase } from './dynamodb.ts';
import { ensureTable } from './ensure-table.ts';
import { EventSource } from './event-source.ts';
import { createGateway } from './gateway.ts';
import {
  AUDIENCE,
  createKey,
  loadOrCreateKey,
  signToken,
  startIssuer,
  type TokenOptions,
} from './issuer.ts';
import { createLambda } from './lambda.ts';
import { startLambdaApi } from './lambda-api.ts';
import { registerUrls, startRegisters } from './registers.ts';
import type { GatewayRoute } from './router.ts';
import { BUCKET, type FileStore, S3_CREDENTIALS, startFileStore } from './s3.ts';
import { createTokenPage, TOKEN_PATH } from './sample-token.ts';
import { startScheduler } from './scheduler.ts';
import { type LocalServer, start } from './server.ts';
import { type Admit, createThrottle } from './throttle.ts';

/** The servers of the stack. */
export type ServerName = 'api' | 'issuer' | 'dynamodb' | 's3';

export interface LocalStackOptions {
  /** Ports of the servers; 0, the default, is any free port. */
  readonly ports?: Partial<Record<ServerName, number>>;
  /** Folder of table, files and key; in memory and a temporary folder if not given. */
  readonly dataFolder?: string | undefined;
  /** Private key of the tokens, if there is no data folder; a new one if not given. */
  readonly key?: JWK | undefined;
  /** URL of a DynamoDB server to use instead of dynalite, such as Amazon's DynamoDB Local. */
  readonly dynamodbEndpoint?: string | undefined;
  /**
   * URL of an S3 server that has the bucket, to use instead of a new one. Its owner lets the page send
   * files to it.
   */
  readonly s3Endpoint?: string | undefined;
  /** Name of the table, for a shared server. */
  readonly table?: string;
  /** Content of the token for calls from the API reference and the page; without it, they have none. */
  readonly sampleToken?: TokenOptions;
  /** Rate and concurrency limits; unlimited if not given. */
  readonly capacity?: Capacity;
  /** Whether the change logs are written. @default true */
  readonly recordChanges?: boolean;
  /** Origins whose pages may call the API; none if not given. */
  readonly browserOrigins?: readonly string[];
}

/** The running stack. */
export interface LocalStack {
  /** URL of the API, without a trailing slash. */
  readonly url: string;
  /** URL of the token issuer, and `iss` of its tokens. */
  readonly issuer: string;
  readonly dynamodbEndpoint: string;
  /** Whether the DynamoDB server is the stack's own. */
  readonly ownsDatabase: boolean;
  readonly s3Endpoint: string;
  /** URL of the company registers. */
  readonly registersEndpoint: string;
  readonly bucket: string;
  readonly table: string;
  /** Signs a token that the API accepts. */
  token(options: TokenOptions): Promise<string>;
  /** Delays the end of the servers until this work, which needs them, has ended. */
  whileOpen<T>(work: Promise<T>): Promise<T>;
  /** Stops the servers after the requests in progress have completed. */
  close(): Promise<void>;
}

const REGION = 'eu-north-1';

/**
 * Starts the API on this machine: the routes and handlers of AWS, behind a gateway with API
 * Gateway's rules, with local servers for DynamoDB, S3 and tokens.
 *
 * The handlers get the servers' URLs from environment variables, which the SDK reads once:
 * a process can start one stack only.
 *
 * @throws an error with the code EADDRINUSE and the port, if that is in use; DataInUseError if
 * another process uses the data folder; OldTableError if an older version created its table.
 */
export async function startLocalStack({
  ports = {},
  dataFolder,
  key: givenKey,
  dynamodbEndpoint,
  s3Endpoint,
  table = 'customers',
  sampleToken,
  capacity,
  recordChanges = true,
  browserOrigins,
}: LocalStackOptions = {}): Promise<LocalStack> {
  const servers: LocalServer[] = [];
  const pendingCalls = new Set<Promise<unknown>>();
  const track = async (starting: Promise<LocalServer>) => {
    const server = await starting;
    servers.push(server);
    return server.endpoint;
  };
  const whileOpen = async <T>(work: Promise<T>): Promise<T> => {
    pendingCalls.add(work);
    try {
      return await work;
    } finally {
      pendingCalls.delete(work);
    }
  };
  const close = async () => {
    for (const server of servers.splice(0).reverse()) {
      await server.close();
      // The API closes first: its running functions need the other servers.
      await Promise.allSettled(pendingCalls);
    }
  };
  try {
    const key = dataFolder ? await loadOrCreateKey(dataFolder) : (givenKey ?? (await createKey()));
    const database = dynamodbEndpoint ?? (await track(startDatabase(ports.dynamodb, dataFolder)));
    const fileStore = s3Endpoint
      ? undefined
      : await startFileStore(ports.s3, dataFolder, browserOrigins);
    if (fileStore) servers.push(fileStore);
    const files = s3Endpoint ?? (fileStore as FileStore).endpoint;
    const issuer = await track(startIssuer(ports.issuer ?? 0, key));
    const lambda = createLambda(async (name) => {
      if (name === DOCUMENTS_FUNCTION) await provideDocuments(sampleToken && TOKEN_PATH);
      return (await import(`../../functions/${name}/handler.ts`)).handler;
    }, capacity && concurrencyLimits(capacity));
    const lambdaApi = await startLambdaApi({
      folder: dataFolder && join(dataFolder, 'durable'),
      invoke: (name, event) => whileOpen(lambda(name, event)),
      invoked: [SNAPSHOT_BUILDER],
    });
    servers.push(lambdaApi);
    const lambdaEndpoint = lambdaApi.endpoint;
    const registersEndpoint = await track(startRegisters(0));
    const schedulerEndpoint = await track(
      startScheduler({ dynamodbEndpoint: database, s3Endpoint: files, dataFolder }),
    );
    setEnvironment({
      table,
      dynamodbEndpoint: database,
      s3Endpoint: files,
      lambdaEndpoint,
      schedulerEndpoint,
      registersEndpoint,
    });
    await ensureTable(database, table);
    lambdaApi.resume();
    const token = (options: TokenOptions) => signToken(key, issuer, options);
    if (recordChanges) {
      // The stack closes it after the API and before the database.
      const source = new EventSource({
        endpoint: database,
        table,
        invoke: lambda,
        functionName: CHANGE_RECORDER,
        sortKeyPrefixes: RECORDED_PREFIXES,
        checkpoint: streamPosition(dataFolder),
      });
      servers.push({ endpoint: database, close: () => source.close() });
    }
    const gateway = createGateway({
      routes: [...ROUTES, ...PAGE_ROUTES],
      defaultFunction: DEFAULT_FUNCTION,
      authorize: createAuthorizer(issuer, AUDIENCE),
      invoke: (name, event) => whileOpen(lambda(name, event)),
      throttles: capacity && createThrottles(capacity),
      browserOrigins,
      pages: sampleToken && createTokenPage(() => token(sampleToken)),
    });
    // As for API Gateway without CORS, `Origin` makes no difference: a page has no token.
    const url = await track(start(gateway, ports.api ?? 0, { allowOrigin: true }));
    fileStore?.allowPage(url);
    return {
      url,
      issuer,
      dynamodbEndpoint: database,
      ownsDatabase: dynamodbEndpoint === undefined,
      s3Endpoint: files,
      registersEndpoint,
      bucket: BUCKET,
      table,
      token,
      whileOpen,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns where the event source keeps its position in the stream. */
function streamPosition(dataFolder: string | undefined) {
  let position: string | undefined;
  return dataFolder
    ? {
        load: () => readDataFile(dataFolder, 'stream-position'),
        save: async (text: string) => {
          await writeDataFile(dataFolder, 'stream-position', text);
        },
      }
    : {
        load: async () => position,
        save: async (text: string) => {
          position = text;
        },
      };
}

function concurrencyLimits({ concurrency, exportConcurrency }: Capacity) {
  const writesFiles = (name: string) =>
    ENDPOINTS.some((endpoint) => endpoint.function === name && endpoint.files === 'write');
  const reserved = (name: string) => (writesFiles(name) ? exportConcurrency : concurrency);
  return { concurrency, reserved };
}

function createThrottles({ api, exportRoute, documentRoute }: Capacity) {
  const writingFiles = ENDPOINTS.filter(({ files }) => files === 'write').map(
    (endpoint) => endpoint.function,
  );
  const limitOf = (route: GatewayRoute) => {
    if (route.isPublic) return documentRoute;
    return writingFiles.includes(route.function) ? exportRoute : undefined;
  };
  const throttles = new Map<GatewayRoute | undefined, Admit>(
    [...ROUTES, ...PAGE_ROUTES].flatMap((route) => {
      const limit = limitOf(route);
      return limit ? [[route, createThrottle(limit)]] : [];
    }),
  );
  return [createThrottle(api), (route?: GatewayRoute) => throttles.get(route)?.() ?? true];
}

/** Folder with the documents of this process, once one was requested; deleted when it exits. */
let documents: Promise<void> | undefined;

/** Writes the documents to a temporary folder, on the first call, and sets the function's variable. */
function provideDocuments(tokenPath: string | undefined): Promise<void> {
  documents ??= (async () => {
    const { writeSite } = await import('../documents/site.ts');
    const folder = mkdtempSync(join(tmpdir(), 'documents-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    await writeSite(folder, tokenPath ? { tokenPath } : {});
    process.env[ENVIRONMENT.documentsFolder] = folder;
  })().catch((error) => {
    // The next request tries again, such as after `npm run generate`.
    documents = undefined;
    throw error;
  });
  return documents;
}

/** Sets the environment variables of the handlers and of the SDK. */
function setEnvironment(stack: {
  table: string;
  dynamodbEndpoint: string;
  s3Endpoint: string;
  lambdaEndpoint: string;
  schedulerEndpoint: string;
  registersEndpoint: string;
}) {
  const aliasOf = (name: string) => `arn:aws:lambda:${REGION}:000000000000:function:${name}:live`;
  const registers = registerUrls(stack.registersEndpoint);
  Object.assign(process.env, {
    [ENVIRONMENT.tableName]: stack.table,
    [ENVIRONMENT.bucketName]: BUCKET,
    [ENVIRONMENT.exportWorker]: aliasOf(EXPORT_WORKER),
    [ENVIRONMENT.importPlanner]: aliasOf(IMPORT_PLANNER),
    [ENVIRONMENT.importWorker]: aliasOf(IMPORT_WORKER),
    [ENVIRONMENT.snapshotBuilder]: `arn:aws:lambda:${REGION}:000000000000:function:${SNAPSHOT_BUILDER}`,
    [ENVIRONMENT.scheduleGroup]: 'snapshots',
    [ENVIRONMENT.scheduleRole]: 'arn:aws:iam::000000000000:role/schedules',
    [ENVIRONMENT.snapshotFromId]: process.env[ENVIRONMENT.snapshotFromId] ?? SNAPSHOT_FROM_ID,
    [ENVIRONMENT.routes]: routesVariable(undefined, true),
    [ENVIRONMENT.filesOrigin]: stack.s3Endpoint,
    [ENVIRONMENT.longExportRows]: process.env[ENVIRONMENT.longExportRows] ?? LONG_EXPORT_ROWS,
    [ENVIRONMENT.changesDays]: process.env[ENVIRONMENT.changesDays] ?? CHANGES_DAYS,
    [ENVIRONMENT.changesEpoch]: process.env[ENVIRONMENT.changesEpoch] ?? 0,
    [ENVIRONMENT.cursorSecret]: 'of the local stack only',
    [ENVIRONMENT.bolagsverket]: registers.bolagsverket,
    [ENVIRONMENT.bolagsverketTokens]: registers.bolagsverketTokens,
    [ENVIRONMENT.bolagsverketSecret]: 'bolagsverket',
    [ENVIRONMENT.brreg]: registers.brreg,
    [ENVIRONMENT.prh]: registers.prh,
    [ENVIRONMENT.companyCacheDays]: COMPANY_CACHE_DAYS,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: stack.registersEndpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: stack.dynamodbEndpoint,
    AWS_ENDPOINT_URL_S3: stack.s3Endpoint,
    AWS_ENDPOINT_URL_LAMBDA: stack.lambdaEndpoint,
    AWS_ENDPOINT_URL_SCHEDULER: stack.schedulerEndpoint,
  });
  // A developer's own settings could direct the SDK to real AWS.
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']) {
    delete process.env[name];
  }
}
