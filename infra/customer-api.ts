import { Duration, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { DEFAULT_CLAIMS } from '../shared/environment.ts';
import { ApiDomain } from './api-domain.ts';
import type { BundledFunction } from './bundled-function.ts';
import { CAPACITY, type Throttle } from './capacity.ts';
import { CORS } from './cors.ts';
import type { EndpointFunction } from './endpoint-function.ts';
import { DOCUMENT_ROUTES, PAGE_ROUTES, type Route, refusingRoutes, routesOf } from './endpoints.ts';
import { logRetention, removalPolicy } from './retention.ts';
import type { Identity, Settings } from './settings.ts';

export interface CustomerApiProps {
  readonly settings: Settings;
  readonly identity: Identity;
  readonly endpoints: readonly EndpointFunction[];
  /** Function of the `$default` route: requests that match no endpoint. */
  readonly unknownRoute: BundledFunction;
  /** Function of the API reference, the page and the documents that describe the API. */
  readonly documents: BundledFunction;
}

/**
 * HTTP API with the routes of each endpoint, those of the documents, and a `$default` route. A JWT
 * authorizer guards all but the documents; each endpoint's route also requires its scope.
 */
export class CustomerApi extends HttpApi {
  /** Log of all requests, a line of JSON each. */
  readonly accessLogs: LogGroup;
  /** Whether the access log has the merchant of a request. */
  readonly logsMerchant: boolean;

  constructor(scope: Construct, id: string, props: CustomerApiProps) {
    const { settings, identity, endpoints, unknownRoute, documents } = props;
    const unknownRouteIntegration = integrationOf(unknownRoute);
    const { browserOrigins, domain } = settings;
    super(scope, id, {
      apiName: `customer-register-${settings.stage}`,
      createDefaultStage: false,
      ...(domain && { disableExecuteApiEndpoint: true }),
      ...(browserOrigins.length > 0 && {
        corsPreflight: {
          allowOrigins: [...browserOrigins],
          allowMethods: CORS.methods.map((method) => CorsHttpMethod[method]),
          allowHeaders: [...CORS.requestHeaders],
          exposeHeaders: [...CORS.responseHeaders],
          maxAge: Duration.seconds(CORS.maxAgeS),
        },
      }),
      defaultAuthorizer: new HttpJwtAuthorizer('Token', identity.issuer, {
        jwtAudience: [...identity.audience],
      }),
      defaultIntegration: unknownRouteIntegration,
    });
    // The ids that `addRoutes` gives are of method and path. With ids of the endpoints' names, a
    // renamed endpoint would be a second route of the same key, which API Gateway refuses.
    const routes = endpoints.flatMap((each) => {
      // One for all routes of a function: each would be a resource.
      const integration = integrationOf(each);
      return routesOf(each.endpoint).flatMap(({ method, path }) =>
        this.addRoutes({
          path,
          methods: [HttpMethod[method]],
          integration,
          authorizationScopes: [each.endpoint.scope],
        }),
      );
    });
    for (const { method, path } of refusingRoutes(endpoints.map(({ endpoint }) => endpoint))) {
      const integration = unknownRouteIntegration;
      this.addRoutes({ path, methods: [HttpMethod[method]], integration });
    }
    // These routes respond with what is the same for each caller, and use no data.
    const documentIntegration = integrationOf(documents);
    const publicRoutes = [...DOCUMENT_ROUTES, ...(settings.page ? PAGE_ROUTES : [])];
    const documentRoutes = publicRoutes.flatMap(({ method, path }) =>
      this.addRoutes({
        path,
        methods: [HttpMethod[method]],
        integration: documentIntegration,
        authorizer: new HttpNoneAuthorizer(),
      }),
    );
    for (const route of documentRoutes) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'The API reference, the documents that describe the API, and the page without data are public; their function has no permissions for data.',
      });
    }
    if (browserOrigins.length > 0) this.addOptionsRoute(unknownRouteIntegration);
    const fields = accessLogFields(settings);
    this.logsMerchant = 'merchant' in fields;
    this.accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: logRetention(settings),
      removalPolicy: removalPolicy(settings),
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this,
      stageName: '$default',
      autoDeploy: true,
      throttle: CAPACITY.api,
      ...(domain && { domainMapping: { domainName: new ApiDomain(this, 'Domain', domain) } }),
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLogs),
        format: AccessLogFormat.custom(JSON.stringify(fields)),
      },
    });
    // A stage with settings of a route that does not exist yet fails to deploy.
    stage.node.addDependency(...routes, ...documentRoutes);
    const exportRoutes = endpoints
      .filter(({ endpoint }) => endpoint.files === 'write')
      .flatMap(({ endpoint }) => routesOf(endpoint));
    (stage.node.defaultChild as CfnStage).routeSettings = {
      ...routeSettings(exportRoutes, CAPACITY.exportRoute),
      ...routeSettings(publicRoutes, CAPACITY.documentRoute),
    };
  }

  /**
   * API Gateway answers preflights itself, which have no token. Without this route they match
   * `$default`, whose authorizer rejects them.
   *
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
   */
  private addOptionsRoute(integration: HttpLambdaIntegration): void {
    const routes = this.addRoutes({
      path: '/{proxy+}',
      methods: [HttpMethod.OPTIONS],
      integration,
      authorizer: new HttpNoneAuthorizer(),
    });
    for (const route of routes) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason: 'A preflight has no token. The function of this route has no permissions for data.',
      });
    }
  }
}

/** Returns route settings in CloudFormation's own names, which the construct passes on as they are. */
function routeSettings(routes: readonly Route[], { rateLimit, burstLimit }: Throttle) {
  return Object.fromEntries(
    routes.map(({ method, path }) => [
      `${method} ${path}`,
      { ThrottlingRateLimit: rateLimit, ThrottlingBurstLimit: burstLimit },
    ]),
  );
}

function integrationOf({ node, function: handler }: BundledFunction): HttpLambdaIntegration {
  return new HttpLambdaIntegration(node.id, handler);
}

/**
 * Returns the fields of a request's log line. The route stands for the path, which may contain a
 * personal identity number; the query and the caller's IP address are not logged.
 */
function accessLogFields({ claims: { merchant = DEFAULT_CLAIMS.merchant } }: Settings) {
  return {
    requestId: '$context.requestId',
    time: '$context.requestTime',
    routeKey: '$context.routeKey',
    method: '$context.httpMethod',
    status: '$context.status',
    // API Gateway cannot log a claim whose name is a URL.
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
