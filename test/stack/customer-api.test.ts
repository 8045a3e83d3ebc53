import { describe, expect, test } from 'vitest';
import { CAPACITY, type Throttle } from '../../infra/capacity.ts';
import {
  DEFAULT_FUNCTION,
  DOCUMENT_ROUTES,
  ENDPOINTS,
  EXPORT_WORKER,
  ROUTES,
} from '../../infra/endpoints.ts';
import { type Json, PRODUCTION, stackOf } from '../support/synthesize.ts';

const development = stackOf();
const stages = [
  { stage: 'dev', stack: development },
  { stage: 'prod', stack: stackOf(PRODUCTION) },
];

describe('the API', () => {
  test('has a route for each contract with its scope, one for its HEAD, those of the documents, and the default route', () => {
    const routes = development
      .all('AWS::ApiGatewayV2::Route')
      .map(({ RouteKey, AuthorizationScopes }) => [RouteKey, AuthorizationScopes]);
    expect(new Map(routes as [string, unknown][])).toEqual(
      new Map<string, unknown>([
        ...ENDPOINTS.flatMap(({ method, path, scope }) =>
          [method, ...(method === 'GET' ? ['HEAD'] : [])].map(
            (each) =>
              [`${each} ${path.replace('{customerid}', '{customerid+}')}`, [scope]] as const,
          ),
        ),
        ['PATCH /customers/changes', undefined],
        ['DELETE /customers/changes', undefined],
        ['PATCH /customers/count', undefined],
        ['DELETE /customers/count', undefined],
        ['PATCH /customers/digest', undefined],
        ['DELETE /customers/digest', undefined],
        ['PATCH /customers/exports', undefined],
        ['DELETE /customers/exports', undefined],
        ['PATCH /customers/imports', undefined],
        ['DELETE /customers/imports', undefined],
        ...DOCUMENT_ROUTES.map(({ method, path }) => [`${method} ${path}`, undefined] as const),
        ['$default', undefined],
      ]),
    );
    expect(new Set(routes.map(([key]) => key)).size).toBe(routes.length);
  });

  test('requires a token on every route but those of the documents', () => {
    const authorizer = {
      Ref: Object.keys(development.template.findResources('AWS::ApiGatewayV2::Authorizer'))[0],
    };
    const isDocument = ({ RouteKey }: Json) =>
      /^(?:GET|HEAD) \/(?!customers\/|customers$)/.test(RouteKey);
    const routes = development.all('AWS::ApiGatewayV2::Route');
    expect(routes.filter(isDocument).map(({ RouteKey }) => RouteKey)).toEqual(
      DOCUMENT_ROUTES.map(({ method, path }) => `${method} ${path}`),
    );
    for (const route of routes) {
      const { AuthorizationType, AuthorizerId } = route;
      expect([route.RouteKey, AuthorizationType, AuthorizerId]).toEqual(
        isDocument(route)
          ? [route.RouteKey, 'NONE', undefined]
          : [route.RouteKey, 'JWT', authorizer],
      );
    }
  });

  test.each([
    ...ROUTES.map(({ method, path, function: name }) => [`${method} ${path}`, name] as const),
    ['HEAD /customers', 'list-customers'] as const,
    ['PATCH /customers/count', DEFAULT_FUNCTION] as const,
    ['$default', DEFAULT_FUNCTION] as const,
  ])('invokes for %s the function %s', (key, name) => {
    const { template, resources, functionId } = development;
    const [route] = Object.values(
      template.findResources('AWS::ApiGatewayV2::Route', { Properties: { RouteKey: key } }),
    );
    const integration = route?.Properties.Target['Fn::Join'][1][1].Ref;
    expect(resources[integration]?.Properties).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: { 'Fn::GetAtt': [functionId(name), 'Arn'] },
      PayloadFormatVersion: '2.0',
    });
  });
});

/** The SDK's three waits: half of 0.5, 1 and 2 seconds on average. */
const THROTTLED_CALL_S = 1.75;

describe.each(stages)('the API of $stage', ({ stage, stack }) => {
  const apiStage = stack.resource('Api/Stage');
  const { Properties: properties } = apiStage;

  test('throttles all routes, and routes that write files or need no token further', () => {
    const settings = (throttle: Throttle) => ({
      ThrottlingRateLimit: throttle.rateLimit,
      ThrottlingBurstLimit: throttle.burstLimit,
    });
    expect(properties.DefaultRouteSettings).toEqual(settings(CAPACITY.api));
    expect(properties.RouteSettings).toEqual(
      Object.fromEntries([
        ...['GET', 'HEAD', 'POST'].flatMap((method) =>
          ['csv', 'jsonl', 'xlsx', 'xml'].map((format) => [
            `${method} /customers/export/${format}`,
            settings(CAPACITY.exportRoute),
          ]),
        ),
        ...DOCUMENT_ROUTES.map(({ method, path }) => [
          `${method} ${path}`,
          settings({ rateLimit: 5, burstLimit: 50 }),
        ]),
      ]),
    );
  });

  test('is deployed after the routes that its settings name', () => {
    const routes = Object.entries(stack.resources).filter(
      ([, { Type }]) => Type === 'AWS::ApiGatewayV2::Route',
    );
    for (const key of Object.keys(properties.RouteSettings)) {
      const [id] = routes.find(([, route]) => route.Properties.RouteKey === key) ?? [];
      expect(apiStage.DependsOn).toContain(id);
    }
  });

  test('admits no more calls than the functions can run if DynamoDB throttles each', () => {
    const writingFiles = [...ENDPOINTS.filter(({ files }) => files === 'write'), EXPORT_WORKER];
    const unreserved = CAPACITY.concurrency - writingFiles.length * CAPACITY.exportConcurrency;
    expect(CAPACITY.api.rateLimit * THROTTLED_CALL_S).toBeLessThanOrEqual(unreserved);
    expect(CAPACITY.api.burstLimit).toBeLessThanOrEqual(unreserved);
  });

  test('logs every request without personal data', () => {
    const { DestinationArn, Format } = properties.AccessLogSettings;
    expect(DestinationArn).toEqual({ 'Fn::GetAtt': [stack.logicalId('Api/AccessLogs'), 'Arn'] });
    const fields = JSON.parse(Format);
    expect(fields).toMatchObject({
      requestId: '$context.requestId',
      routeKey: '$context.routeKey',
      status: '$context.status',
      integrationError: '$context.integrationErrorMessage',
    });
    expect(fields.merchant).toBe(
      stage === 'dev' ? '$context.authorizer.claims.merchant_id' : undefined,
    );
    expect(Format).not.toMatch(/context\.(?:path|identity|authorizer\.claims\.(?!merchant_id"))/);
  });
});
