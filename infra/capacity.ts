/** A token bucket, as API Gateway has it. */
export interface Throttle {
  /** Requests a second. */
  readonly rateLimit: number;
  /** Requests that may come at once, after a while with few. */
  readonly burstLimit: number;
}

/** How much is taken on at a time; what comes beyond is turned away at once. */
export interface Capacity {
  /** Of all routes and merchants together; others get 429. */
  readonly api: Throttle;
  /** Of each route that makes export files. */
  readonly exportRoute: Throttle;
  /** Executions at once of each function that makes export files. */
  readonly exportConcurrency: number;
  /** Executions at once of all functions, those included. */
  readonly concurrency: number;
}

/**
 * What an account with Lambda's usual quota of 1,000 executions stands, also at the worst: calls
 * take 5 to 30 ms, but some 1.75 s where DynamoDB throttles a merchant's partition and the SDK
 * tries four times. 400 such calls a second are 700 executions, and the five functions that make
 * files leave 750. So one merchant's flood can use up the throttle, and nothing else of others.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
export const CAPACITY: Capacity = {
  api: { rateLimit: 400, burstLimit: 750 },
  exportRoute: { rateLimit: 20, burstLimit: 100 },
  exportConcurrency: 50,
  concurrency: 1_000,
};
