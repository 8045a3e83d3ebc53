/**
 * Names of the functions' environment variables. The stack and the local start set them. The SDK
 * itself also reads AWS_REGION and, on the local stack, AWS_ENDPOINT_URL_*.
 */
export const ENVIRONMENT = {
  /** DynamoDB table that holds the customers. */
  tableName: 'TABLE_NAME',
  /** S3 bucket for files of exports and imports; only functions that use files have it. */
  bucketName: 'BUCKET_NAME',
  /** ARN, with its alias, of the durable function that continues long exports. */
  exportWorker: 'EXPORT_WORKER',
  /** The same of the durable function that plans imports. */
  importPlanner: 'IMPORT_PLANNER',
  /** The same of the durable function that applies and undoes imports. */
  importWorker: 'IMPORT_WORKER',
  /** Maximum estimated rows of an export that completes while its caller waits. */
  longExportRows: 'LONG_EXPORT_ROWS',
  /** ARN of the function that builds snapshots of the customer index. */
  snapshotBuilder: 'SNAPSHOT_BUILDER',
  /** Group of the schedules that write heartbeats and delete snapshots. */
  scheduleGroup: 'SCHEDULE_GROUP',
  /** ARN of the role of these schedules. */
  scheduleRole: 'SCHEDULE_ROLE',
  /** Highest id from which on a merchant has a snapshot; without it, none is used. */
  snapshotFromId: 'SNAPSHOT_FROM_ID',
  /** Method and path of each route, separated by commas; for the `$default` route. */
  routes: 'ROUTES',
  /** Folder of the documents that are served without a token; set by the local stack alone. */
  documentsFolder: 'DOCUMENTS_FOLDER',
  /** Origin of the bucket, to which the page sends files; only a stack with the page has it. */
  filesOrigin: 'FILES_ORIGIN',
  /** Address of Bolagsverket's API; if it is missing, the register is not enabled. */
  bolagsverket: 'BOLAGSVERKET_ADDRESS',
  /** The same of Brønnøysundregistrene's API. */
  brreg: 'BRREG_ADDRESS',
  /** The same of PRH's API. */
  prh: 'PRH_ADDRESS',
  /** Address at which Bolagsverket issues access tokens. */
  bolagsverketTokens: 'BOLAGSVERKET_TOKEN_ADDRESS',
  /** Secret in Secrets Manager with the client's id and secret for that. */
  bolagsverketSecret: 'BOLAGSVERKET_SECRET',
  /** Days for which a company of a public register is cached. */
  companyCacheDays: 'COMPANY_CACHE_DAYS',
  /** Days for which changes can be read. */
  changesDays: 'CHANGES_DAYS',
  /** Generation of the change logs; another one makes every token for changes expire. */
  changesEpoch: 'CHANGES_EPOCH',
  /** Key of the cursors' message authentication code. */
  cursorSecret: 'CURSOR_SECRET',
  /** Host name that callers use, if another one than the request's reaches API Gateway. */
  publicHost: 'PUBLIC_HOST',
  /** Flat token claim that names the merchant. */
  merchantClaim: 'MERCHANT_CLAIM',
  /** Optional flat token claim with a new customer's `mm3servicesid`. */
  serviceClaim: 'SERVICE_CLAIM',
  /** Optional flat token claim with a new customer's `mexcModulesid`. */
  moduleClaim: 'MODULE_CLAIM',
} as const;

/** Prefix of every export's object key: `exports/<merchant>/`. */
export const EXPORTS_PREFIX = 'exports/';

/**
 * Prefixes of the object keys of imports, which `<merchant>/<import>/` follows: the file as it was sent,
 * its plan, and what undoing needs.
 */
export const IMPORT_PREFIXES = {
  upload: 'imports/upload/',
  plan: 'imports/plan/',
  undo: 'imports/undo/',
} as const;

/** Prefix of every snapshot's object key: `snapshots/<merchant>/`. */
export const SNAPSHOTS_PREFIX = 'snapshots/';

/** Claim names that apply unless the environment sets others. */
export const DEFAULT_CLAIMS = {
  merchant: 'merchant_id',
  service: 'mm3servicesid',
  module: 'mexcModulesid',
} as const;

/** Cognito's custom attribute that names a user's merchant, without Cognito's prefix `custom:`. */
export const MERCHANT_ATTRIBUTE = 'merchant_id';

/** Cognito group whose users get the scope `customers:read` and no other. */
export const READ_ONLY_GROUP = 'ReadOnly';

/**
 * Returns a required variable. Modules call this as they load, so that a deployment without it fails
 * at its first start, and not during a request.
 *
 * @throws Error that names the variable.
 */
export function required(name: keyof typeof ENVIRONMENT): string {
  const value = process.env[ENVIRONMENT[name]];
  if (!value) throw new Error(`Environment variable ${ENVIRONMENT[name]} is not set`);
  return value;
}

/**
 * Returns a required variable that is an integer, as {@link required} does.
 *
 * @throws Error that names the variable.
 */
export function requiredNumber(name: keyof typeof ENVIRONMENT): number {
  const value = required(name);
  if (!/^\d{1,15}$/.test(value)) {
    throw new Error(`Environment variable ${ENVIRONMENT[name]} must be an integer; got ${value}`);
  }
  return Number(value);
}

/** Returns the names of the token claims that identify merchant, service and module. */
export function claimNames() {
  return {
    merchant: process.env[ENVIRONMENT.merchantClaim] || DEFAULT_CLAIMS.merchant,
    service: process.env[ENVIRONMENT.serviceClaim] || DEFAULT_CLAIMS.service,
    module: process.env[ENVIRONMENT.moduleClaim] || DEFAULT_CLAIMS.module,
  };
}
