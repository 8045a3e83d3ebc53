import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';
import { z } from 'zod';

// An endpoint the usual way: middy, Powertools, zod and the document client.
// Outside Lambda the tracer records nothing, which favours this alternative.

const logger = new Logger({ serviceName: 'customers' });
const metrics = new Metrics({ namespace: 'customers', serviceName: 'customers' });
export const tracer = new Tracer({ serviceName: 'customers' });

export const TABLE_NAME = process.env.TABLE_NAME as string;

export const documents = DynamoDBDocumentClient.from(
  tracer.captureAWSv3Client(new DynamoDBClient({})),
  { marshallOptions: { removeUndefinedValues: true } },
);

/** An error response. */
export class HttpError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Creates a handler that responds with the result of `respond`, as JSON. */
export function usualEndpoint(respond: (event: ApiEvent, merchant: string) => Promise<unknown>) {
  return middy(async (event: ApiEvent) => {
    const merchant = String(event.requestContext.authorizer.jwt.claims.merchant_id);
    const body = await respond(event, merchant);
    metrics.addMetric('responses', MetricUnit.Count, 1);
    return response(200, body);
  })
    .use(injectLambdaContext(logger))
    .use(logMetrics(metrics, { captureColdStartMetric: true }))
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .onError((request) => {
      const { error } = request;
      logger.error('The request failed', error as Error);
      const status =
        error instanceof HttpError ? error.statusCode : error instanceof z.ZodError ? 400 : 500;
      request.response = response(status, { message: error?.message });
    });
}

function response(statusCode: number, body: unknown) {
  return {
    statusCode,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}
