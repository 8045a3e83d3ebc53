/** Throttle of API Gateway: a token bucket. */
export interface Throttle {
  /** Requests a second. */
  readonly rateLimit: number;
  /** Size of the bucket: concurrent requests after a time with few. */
  readonly burstLimit: number;
}

/** Limits of a deployment. Requests beyond them are rejected immediately. */
export interface Capacity {
  /** For all routes and merchants together; requests beyond get 429. */
  readonly api: Throttle;
  /** For each route that writes export files. */
  readonly exportRoute: Throttle;
  /** For each route of a document, which needs no token. */
  readonly documentRoute: Throttle;
  /** Concurrent executions of each function that writes export files, if they are reserved. */
  readonly exportConcurrency: number;
  /** Concurrent executions of all functions of the account, those included. */
  readonly concurrency: number;
}

/** Hours after which a long export is ended; less than the day after which its upload is aborted. */
export const LONG_EXPORT_TIMEOUT_HOURS = 12;

/**
 * Limits for an account with Lambda's default quota of 1,000 concurrent executions. Calls take 5 to
 * 30 ms, but some 1.75 s if DynamoDB throttles a merchant's partition and the SDK tries four times.
 * 400 such calls a second take 700 executions, and the ten functions that write files leave 750 if
 * the stage reserves 25 for each of them (`reserveExports`).
 * So a flood of one merchant uses up the throttle before the concurrency of these functions.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
export const CAPACITY: Capacity = {
  api: { rateLimit: 400, burstLimit: 750 },
  exportRoute: { rateLimit: 20, burstLimit: 100 },
  documentRoute: { rateLimit: 5, burstLimit: 50 },
  exportConcurrency: 25,
  concurrency: 1_000,
};
