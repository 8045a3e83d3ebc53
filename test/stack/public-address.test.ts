import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { addCustomerRegister } from '../../infra/add-customer-register.ts';
import { CORS } from '../../infra/cors.ts';
import { DEFAULT_FUNCTION, DOCUMENT_ROUTES, ENDPOINTS } from '../../infra/endpoints.ts';
import { resolveSettings } from '../../infra/settings.ts';
import { createApp, emptyBundles, stackOf, synthesize } from '../support/synthesize.ts';

const ORIGIN = 'https://portal.example.com';
const hostedZone = { id: 'Z0123456789', name: 'example.com' };
const env = { account: '111122223333', region: 'eu-north-1' };
const CERTIFICATE = 'certificate/00000000-0000-0000-0000-000000000000';

const plain = stackOf();
const withOrigins = synthesize({ browserOrigins: [ORIGIN] });
const withDomain = synthesize({
  env,
  domain: {
    name: 'api.example.com',
    certificateArn: `arn:aws:acm:eu-north-1:111122223333:${CERTIFICATE}`,
  },
});

describe('CORS', () => {
  test('is off by default', () => {
    const { Properties } = plain.resource('Api');
    expect(Properties.CorsConfiguration).toBeUndefined();
    expect(plain.resource('Exports').Properties.CorsConfiguration).toBeUndefined();
    const keys = plain.all('AWS::ApiGatewayV2::Route').map(({ RouteKey }) => RouteKey);
    expect(keys.filter((key) => key.startsWith('OPTIONS'))).toEqual([]);
  });

  test('lets pages of the origins send and read the headers of the contracts', () => {
    expect(withOrigins.resource('Api').Properties.CorsConfiguration).toEqual({
      AllowOrigins: [ORIGIN],
      AllowMethods: ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'],
      AllowHeaders: CORS.requestHeaders,
      ExposeHeaders: CORS.responseHeaders,
      MaxAge: 7_200,
    });
    expect(CORS.requestHeaders).toEqual(
      expect.arrayContaining(['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match']),
    );
    expect(CORS.responseHeaders).toEqual(
      expect.arrayContaining(['ETag', 'Link', 'Location', 'Register-Source', 'Retry-After']),
    );
  });

  test('answers preflights without a token, and nothing else', () => {
    const routes = withOrigins.all('AWS::ApiGatewayV2::Route');
    const documents = DOCUMENT_ROUTES.map(({ method, path }) => `${method} ${path}`);
    const open = routes
      .filter(({ AuthorizationType }) => AuthorizationType !== 'JWT')
      .map(({ RouteKey }) => RouteKey);
    expect(open.toSorted()).toEqual(['OPTIONS /{proxy+}', ...documents].toSorted());
    expect(routes.find(({ RouteKey }) => RouteKey === '$default')?.AuthorizationType).toBe('JWT');
    const options = routes.find(({ RouteKey }) => RouteKey === 'OPTIONS /{proxy+}');
    const integration = options?.Target['Fn::Join'][1][1].Ref;
    expect(withOrigins.resources[integration]?.Properties.IntegrationUri).toEqual({
      'Fn::GetAtt': [withOrigins.functionId(DEFAULT_FUNCTION), 'Arn'],
    });
  });

  test('lets pages of the origins fetch export files, and send files to import', () => {
    const { CorsRules } = withOrigins.resource('Exports').Properties.CorsConfiguration;
    expect(CorsRules).toMatchObject([
      { AllowedOrigins: [ORIGIN], AllowedMethods: ['GET', 'HEAD', 'PUT'] },
    ]);
  });

  test("has no finding of cdk-nag's rules", () => {
    const { app } = withOrigins;
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});

describe('A domain of its own', () => {
  test('is the one address of the API, by TLS 1.2 or later', () => {
    expect(withDomain.resource('Api').Properties.DisableExecuteApiEndpoint).toBe(true);
    withDomain.template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: 'api.example.com',
      DomainNameConfigurations: [
        {
          CertificateArn: `arn:aws:acm:eu-north-1:111122223333:${CERTIFICATE}`,
          EndpointType: 'REGIONAL',
          SecurityPolicy: 'TLS_1_2',
        },
      ],
    });
    withDomain.template.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', {
      Stage: '$default',
    });
    withDomain.template.hasOutput('ApiAddress', { Value: 'https://api.example.com' });
    expect(plain.resource('Api').Properties.DisableExecuteApiEndpoint).toBeUndefined();
  });

  test('names what the DNS record points at, if there is no hosted zone', () => {
    withDomain.template.resourceCountIs('AWS::Route53::RecordSet', 0);
    const outputs = Object.values(withDomain.template.findOutputs('*'));
    expect(outputs.map(({ Description }) => Description)).toContain(
      'api.example.com is to be a CNAME or alias of this name',
    );
  });
});

describe('An edge', () => {
  const settings = resolveSettings('prod', {
    prod: {
      env,
      identity: { kind: 'cognito' },
      alarmEmail: 'on-call@example.com',
      domain: { name: 'origin.example.com', hostedZone },
      edge: { name: 'api.example.com', hostedZone, requestsPerMinute: 600 },
    },
  });
  const app = createApp();
  addCustomerRegister(app, { settings, bundles: emptyBundles() });
  const [api, edge] = app.node.children as [Stack, Stack];
  const apiTemplate = Template.fromStack(api);
  const template = Template.fromStack(edge);
  const config = Object.values(template.findResources('AWS::CloudFront::Distribution'))[0]
    ?.Properties.DistributionConfig;

  test('is a stack in us-east-1 that refers to the API by its name alone', () => {
    expect([edge.stackName, edge.region, edge.account]).toEqual([
      'CustomerRegister-prod-edge',
      'us-east-1',
      '111122223333',
    ]);
    expect(config.Origins).toHaveLength(1);
    expect(config.Origins[0]).toMatchObject({
      DomainName: 'origin.example.com',
      CustomOriginConfig: { OriginProtocolPolicy: 'https-only' },
    });
    expect(JSON.stringify(template.toJSON())).not.toContain('Fn::ImportValue');
    expect(edge.terminationProtection).toBe(true);
  });

  test('limits the requests of each address', () => {
    template.hasResourceProperties('AWS::WAFv2::WebACL', {
      Scope: 'CLOUDFRONT',
      DefaultAction: { Allow: {} },
      Rules: [
        Match.objectLike({
          Action: { Block: { CustomResponse: { ResponseCode: 429 } } },
          Statement: {
            RateBasedStatement: { AggregateKeyType: 'IP', Limit: 600, EvaluationWindowSec: 60 },
          },
        }),
      ],
    });
    const [acl] = Object.keys(template.findResources('AWS::WAFv2::WebACL'));
    expect(config.WebACLId).toEqual({ 'Fn::GetAtt': [acl, 'Arn'] });
  });

  test('caches documents, and no response with data', () => {
    // Managed policies of CloudFront: CachingDisabled, CachingOptimized, AllViewerExceptHostHeader.
    const [disabled, optimized] = [
      '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
      '658327ea-f89d-4fab-a63d-7e88639e58f6',
    ];
    expect(config.DefaultCacheBehavior).toMatchObject({
      CachePolicyId: disabled,
      OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
      ViewerProtocolPolicy: 'https-only',
      AllowedMethods: expect.arrayContaining(['DELETE', 'PATCH', 'POST', 'OPTIONS']),
    });
    const cached = config.CacheBehaviors.map(
      ({ PathPattern }: { PathPattern: string }) => PathPattern,
    );
    expect(cached).toEqual(
      expect.arrayContaining(['/', '/docs/*', '/openapi.json', '/customers.xsd']),
    );
    for (const { CachePolicyId, PathPattern } of config.CacheBehaviors) {
      expect(CachePolicyId).toBe(optimized);
      expect('/customers/1'.startsWith(PathPattern.replace('*', ''))).toBe(PathPattern === '/');
    }
  });

  test('is the address of the API, also in links, and hides the name of the origin', () => {
    apiTemplate.hasOutput('ApiAddress', { Value: 'https://api.example.com' });
    const functions = Object.values(apiTemplate.findResources('AWS::Lambda::Function'));
    const hosts = functions.flatMap(({ Properties }) => {
      const { PUBLIC_HOST } = Properties.Environment?.Variables ?? {};
      return PUBLIC_HOST ?? [];
    });
    expect(hosts).toEqual(Array(ENDPOINTS.length).fill('api.example.com'));
    expect(JSON.stringify(plain.template.toJSON())).not.toContain('PUBLIC_HOST');
  });

  test('has certificates and records in the hosted zone, for IPv4 and IPv6', () => {
    for (const [each, name, types] of [
      [apiTemplate, 'origin.example.com', ['A']],
      [template, 'api.example.com', ['A', 'AAAA']],
    ] as const) {
      each.hasResourceProperties('AWS::CertificateManager::Certificate', {
        DomainName: name,
        ValidationMethod: 'DNS',
      });
      const records = Object.values(each.findResources('AWS::Route53::RecordSet'));
      expect(records.map(({ Properties }) => [Properties.Name, Properties.Type])).toEqual(
        types.map((type) => [`${name}.`, type]),
      );
    }
  });

  test("has no finding of cdk-nag's rules", () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});
