/**
 * What a function is told by its environment. Every variable has its name here and nowhere else;
 * the stack and the local start set them, and a missing one fails the function's start with its
 * name. Besides these the SDK itself reads AWS_REGION and, on the local stack, AWS_ENDPOINT_URL_*.
 */
export const ENVIRONMENT = {
  /** DynamoDB table that holds the customers. */
  tableName: 'TABLE_NAME',
  /** S3 bucket for export files; only functions of exports have it. */
  bucketName: 'BUCKET_NAME',
  /** Durable function that goes on with exports too long for the API: an ARN with its alias. */
  exportRunner: 'EXPORT_RUNNER',
  /** Most rows, by estimate, of an export that is made while its caller waits. */
  longExportRows: 'LONG_EXPORT_ROWS',
  /** Address of Bolagsverket's API; without one it is not asked. So with the next two. */
  bolagsverket: 'BOLAGSVERKET_ADDRESS',
  brreg: 'BRREG_ADDRESS',
  prh: 'PRH_ADDRESS',
  /** Where Bolagsverket gives access tokens. */
  bolagsverketTokens: 'BOLAGSVERKET_TOKEN_ADDRESS',
  /** Secret in Secrets Manager with the client's id and secret for that. */
  bolagsverketSecret: 'BOLAGSVERKET_SECRET',
  /** Days for which a company is remembered that a register has told of. */
  companyCacheDays: 'COMPANY_CACHE_DAYS',
  /** Key of the cursors' message authentication code. */
  cursorSecret: 'CURSOR_SECRET',
  /** Flat token claim that names the merchant. */
  merchantClaim: 'MERCHANT_CLAIM',
  /** Optional flat token claim for a new customer's `mm3servicesid`. */
  serviceClaim: 'SERVICE_CLAIM',
  /** Optional flat token claim for a new customer's `mexcModulesid`. */
  moduleClaim: 'MODULE_CLAIM',
} as const;

/** First part of every export's object key in the bucket; the merchant follows. */
export const EXPORTS_PREFIX = 'exports/';

/** Claim names used where the environment does not choose others. */
export const DEFAULT_CLAIMS = {
  merchant: 'merchant_id',
  service: 'mm3servicesid',
  module: 'mexcModulesid',
} as const;

/**
 * Reads a variable that must be there. Modules call this as they load, so that a deployment that
 * lacks one fails at its first start, and not in the middle of a request.
 *
 * @throws Error that names the variable.
 */
export function required(name: keyof typeof ENVIRONMENT): string {
  const value = process.env[ENVIRONMENT[name]];
  if (!value) throw new Error(`Environment variable ${ENVIRONMENT[name]} is not set`);
  return value;
}

/**
 * Reads a variable that must be a whole number, as {@link required} does.
 *
 * @throws Error that names the variable.
 */
export function requiredNumber(name: keyof typeof ENVIRONMENT): number {
  const value = required(name);
  if (!/^\d{1,15}$/.test(value)) {
    throw new Error(`Environment variable ${ENVIRONMENT[name]} is no whole number: ${value}`);
  }
  return Number(value);
}

/** Names of the token claims that say whose customers these are. */
export function claimNames() {
  return {
    merchant: process.env[ENVIRONMENT.merchantClaim] || DEFAULT_CLAIMS.merchant,
    service: process.env[ENVIRONMENT.serviceClaim] || DEFAULT_CLAIMS.service,
    module: process.env[ENVIRONMENT.moduleClaim] || DEFAULT_CLAIMS.module,
  };
}
