import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';

export type { APIGatewayProxyStructuredResultV2 as HttpResponse } from 'aws-lambda';

/**
 * An event of API Gateway (payload format 2.0, JWT authorizer), without the members that the
 * middlewares replace by parsed values.
 */
export type HttpEvent = Omit<ApiEvent, 'pathParameters' | 'queryStringParameters' | 'body'>;
