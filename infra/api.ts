import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { DEFAULT_CLAIMS } from '../shared/environment.ts';
import { CAPACITY } from './capacity.ts';
import { DEFAULT_FUNCTION, type Endpoint } from './endpoints.ts';
import { addLogGroup } from './functions.ts';
import type { Identity, Settings } from './settings.ts';

/** CloudFormation takes this as it is; the construct does not change the names. */
const EXPORT_ROUTE_SETTINGS = {
  ThrottlingRateLimit: CAPACITY.exportRoute.rateLimit,
  ThrottlingBurstLimit: CAPACITY.exportRoute.burstLimit,
};

/** The functions of the routes, and the one for anything else. */
interface Handlers {
  readonly endpoints: readonly {
    readonly route: Endpoint;
    readonly handler: IFunction;
  }[];
  readonly fallback: IFunction;
}

/**
 * The HTTP API: every route of the route table behind the JWT authorizer, each with its scope,
 * and for anything else the default function, which needs a valid token but no scope.
 */
export function addApi(
  scope: Construct,
  settings: Settings,
  { issuer, audience }: Identity,
  { endpoints, fallback }: Handlers,
): HttpApi {
  const authorizer = new HttpJwtAuthorizer('Token', issuer, {
    jwtAudience: [...audience],
  });
  const api = new HttpApi(scope, 'Api', {
    apiName: `customer-register-${settings.stage}`,
    createDefaultStage: false,
    defaultAuthorizer: authorizer,
  });
  const routes = endpoints.flatMap(({ route, handler }) =>
    api.addRoutes({
      path: route.path,
      methods: [HttpMethod[route.method]],
      integration: new HttpLambdaIntegration(route.function, handler),
      authorizationScopes: [route.scope],
    }),
  );
  new HttpRoute(scope, 'DefaultRoute', {
    httpApi: api,
    routeKey: HttpRouteKey.DEFAULT,
    integration: new HttpLambdaIntegration(DEFAULT_FUNCTION, fallback),
    authorizer,
  });
  const stage = new HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: CAPACITY.api,
    accessLogSettings: {
      destination: new LogGroupLogDestination(addLogGroup(scope, 'access-logs', settings)),
      format: AccessLogFormat.custom(JSON.stringify(accessLogFields(settings))),
    },
  });
  // Settings of a route that is not there yet fail the stage.
  stage.node.addDependency(...routes);
  (stage.node.defaultChild as CfnStage).routeSettings = Object.fromEntries(
    endpoints
      .filter(({ route }) => route.files === 'write')
      .map(({ route }) => [`${route.method} ${route.path}`, EXPORT_ROUTE_SETTINGS]),
  );
  return api;
}

/**
 * One line for each request. The route stands for the path, which may hold a personal identity
 * number, and neither query nor caller's address is kept.
 */
function accessLogFields({ claims: { merchant = DEFAULT_CLAIMS.merchant } }: Settings) {
  return {
    requestId: '$context.requestId',
    time: '$context.requestTime',
    routeKey: '$context.routeKey',
    method: '$context.httpMethod',
    status: '$context.status',
    // API Gateway has no way to write a claim whose name is an address.
    ...(/^\w+$/.test(merchant) && {
      merchant: `$context.authorizer.claims.${merchant}`,
    }),
    latencyMs: '$context.responseLatency',
    integrationLatencyMs: '$context.integrationLatency',
    integrationStatus: '$context.integration.integrationStatus',
    integrationError: '$context.integrationErrorMessage',
    error: '$context.error.responseType',
    authorizerError: '$context.authorizer.error',
    bytes: '$context.responseLength',
  };
}
