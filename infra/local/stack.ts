import { join } from 'node:path';
import { COMPANY_CACHE_DAYS, LONG_EXPORT_ROWS } from '../../shared/domain/limits.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import type { Capacity } from '../capacity.ts';
import { DEFAULT_FUNCTION, ENDPOINTS, EXPORT_WORKER, routesVariable } from '../endpoints.ts';
import { createAuthorizer } from './authorizer.ts';
import { ensureTable, startDynamoDb } from './dynamodb.ts';
import { explorePages } from './explore.ts';
import { createGateway } from './gateway.ts';
import { AUDIENCE, keptKey, makeKey, signToken, startIssuer, type TokenOptions } from './issuer.ts';
import { createLambda } from './lambda.ts';
import { startLambdaApi } from './lambda-api.ts';
import { registerAddresses, startRegisters } from './registers.ts';
import type { GatewayRoute } from './routing.ts';
import { S3_CREDENTIALS, startS3 } from './s3.ts';
import { type LocalServer, start } from './server.ts';
import { type Admit, createThrottle } from './throttle.ts';

/** The servers of the stack. */
export type ServerName = 'api' | 'issuer' | 'dynamodb' | 's3';

export interface LocalStackOptions {
  /** Where the servers listen; 0, or none given, is any free port. */
  readonly ports?: Partial<Record<ServerName, number>>;
  /** Where table, files and key are kept; in memory and a temporary folder where not given. */
  readonly dataFolder?: string | undefined;
  /** Address of a DynamoDB server to use in place of dynalite, such as Amazon's DynamoDB Local. */
  readonly dynamodbEndpoint?: string | undefined;
  /** Address of an S3 server to use in place of a new one; it has the bucket already. */
  readonly s3Endpoint?: string | undefined;
  /** Name of the table, for a server that others use too. */
  readonly table?: string;
  /** Merchant as whom the page at `/` explores the API; without one there is no page. */
  readonly explorer?: TokenOptions;
  /** How much it takes on at a time; as much as comes, where not given. */
  readonly capacity?: Capacity;
}

/** The running stack. */
export interface LocalStack {
  /** Address of the API, without a slash at its end. */
  readonly url: string;
  /** Address of the token issuer, which is also the tokens' `iss`. */
  readonly issuer: string;
  readonly dynamodbEndpoint: string;
  readonly s3Endpoint: string;
  /** Address of the company registers. */
  readonly registersEndpoint: string;
  readonly bucket: string;
  readonly table: string;
  /** Signs a token that the API takes. */
  token(options: TokenOptions): Promise<string>;
  /** Ends it, once what it has begun is done. */
  close(): Promise<void>;
}

const BUCKET = 'customer-exports';
const REGION = 'eu-north-1';

/**
 * Starts the whole product on this machine: the same routes and handlers as on AWS, behind a
 * gateway with API Gateway's rules, with servers of its own for DynamoDB, S3 and tokens.
 *
 * The handlers learn of the servers by environment variables, which the SDK reads once: a
 * process can have one stack in its life.
 *
 * @throws an error with code EADDRINUSE, and the port, where that is taken; DataInUseError where
 * another process uses the data folder.
 */
export async function startLocalStack({
  ports = {},
  dataFolder,
  dynamodbEndpoint,
  s3Endpoint,
  table = 'customers',
  explorer,
  capacity,
}: LocalStackOptions = {}): Promise<LocalStack> {
  const running: LocalServer[] = [];
  const callsUnderWay = new Set<Promise<unknown>>();
  const run = async (starting: Promise<LocalServer>) => {
    const server = await starting;
    running.push(server);
    return server.endpoint;
  };
  const close = async () => {
    for (const server of running.splice(0).reverse()) {
      await server.close();
      // The API ends first. What its functions still do needs the other servers.
      await Promise.allSettled(callsUnderWay);
    }
  };
  try {
    const key = await (dataFolder ? keptKey(dataFolder) : makeKey());
    const database = dynamodbEndpoint ?? (await run(startDatabase(ports.dynamodb, dataFolder)));
    const files = s3Endpoint ?? (await run(startFileStore(ports.s3, dataFolder)));
    const issuer = await run(startIssuer(ports.issuer ?? 0, key));
    const lambdaApi = await startLambdaApi({
      folder: dataFolder && join(dataFolder, 'durable'),
    });
    running.push(lambdaApi);
    const lambdaEndpoint = lambdaApi.endpoint;
    const registersEndpoint = await run(startRegisters(0));
    setEnvironment({
      table,
      dynamodbEndpoint: database,
      s3Endpoint: files,
      lambdaEndpoint,
      registersEndpoint,
    });
    await ensureTable(database, table);
    lambdaApi.resume();
    const token = (options: TokenOptions) => signToken(key, issuer, options);
    const lambda = createLambda(
      async (name) => (await import(`../../functions/${name}/handler.ts`)).handler,
      capacity && concurrencyOf(capacity),
    );
    const gateway = createGateway({
      routes: ENDPOINTS,
      defaultFunction: DEFAULT_FUNCTION,
      authorize: createAuthorizer(issuer, AUDIENCE),
      invoke: async (name, event) => {
        const call = lambda(name, event);
        callsUnderWay.add(call);
        try {
          return await call;
        } finally {
          callsUnderWay.delete(call);
        }
      },
      throttles: capacity && throttlesOf(capacity),
      pages: explorer && explorePages(() => token(explorer)),
    });
    return {
      url: await run(start(gateway, ports.api ?? 0)),
      issuer,
      dynamodbEndpoint: database,
      s3Endpoint: files,
      registersEndpoint,
      bucket: BUCKET,
      table,
      token,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Starts the DynamoDB server of a stack.
 *
 * @throws what startLocalStack throws.
 */
export function startDatabase(port = 0, dataFolder?: string): Promise<LocalServer> {
  return startDynamoDb({ port, path: dataFolder && join(dataFolder, 'dynamodb') });
}

/** Starts the S3 server of a stack, with its bucket. */
export function startFileStore(port = 0, dataFolder?: string): Promise<LocalServer> {
  return startS3({ port, bucket: BUCKET, path: dataFolder && join(dataFolder, 's3') });
}

function concurrencyOf({ concurrency, exportConcurrency }: Capacity) {
  const makesFiles = (name: string) =>
    ENDPOINTS.some((endpoint) => endpoint.function === name && endpoint.files === 'write');
  const reserved = (name: string) => (makesFiles(name) ? exportConcurrency : concurrency);
  return { concurrency, reserved };
}

function throttlesOf({ api, exportRoute }: Capacity) {
  const ofExports = new Map<string, Admit>(
    ENDPOINTS.filter((endpoint) => endpoint.files === 'write').map((endpoint) => [
      endpoint.function,
      createThrottle(exportRoute),
    ]),
  );
  const ofRoute = (route?: GatewayRoute) => ofExports.get(route?.function ?? '')?.() ?? true;
  return [createThrottle(api), ofRoute];
}

/** Tells the handlers, and the SDK in them, where they run. */
function setEnvironment(stack: {
  table: string;
  dynamodbEndpoint: string;
  s3Endpoint: string;
  lambdaEndpoint: string;
  registersEndpoint: string;
}) {
  const registers = registerAddresses(stack.registersEndpoint);
  Object.assign(process.env, {
    [ENVIRONMENT.tableName]: stack.table,
    [ENVIRONMENT.bucketName]: BUCKET,
    [ENVIRONMENT.exportWorker]: `arn:aws:lambda:${REGION}:000000000000:function:${EXPORT_WORKER}:live`,
    [ENVIRONMENT.routes]: routesVariable(),
    [ENVIRONMENT.longExportRows]: process.env[ENVIRONMENT.longExportRows] ?? LONG_EXPORT_ROWS,
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
  });
  // A developer's own settings would lead the SDK elsewhere, up to real AWS.
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']) {
    delete process.env[name];
  }
}
