/** Prices of what a deployment uses, in US dollars, on demand and without free tiers. */
export interface Prices {
  /** DynamoDB, for a read or write request unit. */
  readonly readUnit: number;
  readonly writeUnit: number;
  /** DynamoDB, for a GB of table and indexes in a month, and for its point-in-time recovery. */
  readonly storedGb: number;
  readonly backupGb: number;
  /** Lambda on arm64. */
  readonly lambdaGbSecond: number;
  readonly lambdaCall: number;
  readonly durableOperation: number;
  readonly gatewayCall: number;
  /** S3, for a request that writes or lists, and for one that reads. */
  readonly s3Put: number;
  readonly s3Get: number;
  /** CloudWatch Logs, for a GB that is written. */
  readonly logGb: number;
  /** For a GB that leaves AWS. */
  readonly transferGb: number;
}

const US_EAST_1: Prices = {
  readUnit: 0.125e-6,
  writeUnit: 0.625e-6,
  storedGb: 0.25,
  backupGb: 0.2,
  lambdaGbSecond: 13.3334e-6,
  lambdaCall: 0.2e-6,
  durableOperation: 8e-6,
  gatewayCall: 1e-6,
  s3Put: 5e-6,
  s3Get: 0.4e-6,
  logGb: 0.5,
  transferGb: 0.09,
};

/**
 * Prices by region: those of us-east-1 as published in 2025, and of eu-west-1 as in AWS's price lists
 * of September 2026. Those of eu-north-1 could not be looked up: they are assumed to be between.
 * Durable operations ($8 per million in us-east-1, September 2026) are assumed to cost the same
 * elsewhere. Correct them here from the price lists:
 * `https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonDynamoDB/current/eu-north-1/index.json`
 *
 * @see https://aws.amazon.com/dynamodb/pricing/on-demand/
 * @see https://aws.amazon.com/lambda/pricing/
 * @see https://aws.amazon.com/api-gateway/pricing/
 * @see https://aws.amazon.com/s3/pricing/
 * @see https://aws.amazon.com/cloudwatch/pricing/
 */
export const PRICES = {
  'us-east-1': US_EAST_1,
  'eu-west-1': {
    ...US_EAST_1,
    readUnit: 0.1415e-6,
    writeUnit: 0.705e-6,
    storedGb: 0.283,
    backupGb: 0.22,
    gatewayCall: 1.11e-6,
    logGb: 0.57,
  },
  'eu-north-1': {
    ...US_EAST_1,
    readUnit: 0.135e-6,
    writeUnit: 0.675e-6,
    storedGb: 0.27,
    backupGb: 0.216,
    gatewayCall: 1.05e-6,
    logGb: 0.54,
  },
} satisfies Record<string, Prices>;

export type Region = keyof typeof PRICES;
export const REGIONS = Object.keys(PRICES) as Region[];
