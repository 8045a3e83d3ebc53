import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { CAPACITY } from '../../infra/capacity.ts';
import { EdgeStack } from '../../infra/edge-stack.ts';
import { DEFAULT_FUNCTION, DOCUMENTS_FUNCTION } from '../../infra/endpoints.ts';
import { EDGE_REGION, resolveSettings } from '../../infra/settings.ts';
import {
  createApp,
  type Json,
  type SynthesizedStack,
  stackOf,
  synthesize,
} from '../support/synthesize.ts';

const PATHS = ['GET /app', 'HEAD /app', 'GET /app/{file}', 'HEAD /app/{file}'];
const PORTAL = 'https://portal.example.com';
const ENV = { account: '111122223333', region: 'eu-north-1' };

const plain = stackOf();
const withPage = synthesize({ page: true });

/** Returns the routes of a stack's page. */
function pageRoutes(stack: SynthesizedStack): Json[] {
  return stack.all('AWS::ApiGatewayV2::Route').filter(({ RouteKey }) => RouteKey.includes(' /app'));
}

const variables = ({ properties }: SynthesizedStack, name: string): Json =>
  properties(name).Environment?.Variables ?? {};
const corsRules = (stack: SynthesizedStack) =>
  stack.resource('Exports').Properties.CorsConfiguration?.CorsRules;

describe('the page for persons', () => {
  test('is off by default', () => {
    expect(pageRoutes(plain)).toEqual([]);
    expect(variables(plain, DOCUMENTS_FUNCTION)).not.toHaveProperty('FILES_ORIGIN');
    expect(variables(plain, DEFAULT_FUNCTION).ROUTES).not.toMatch(/ \/app(?:,|\/|$)/);
    expect(corsRules(plain)).toBeUndefined();
  });

  test('has routes without a token, throttled as those of documents, if the stage says so', () => {
    expect(pageRoutes(withPage).map(({ RouteKey }) => RouteKey)).toEqual(PATHS);
    for (const { AuthorizationType } of pageRoutes(withPage))
      expect(AuthorizationType).toBe('NONE');
    const { RouteSettings } = withPage.resource('Api/Stage').Properties;
    const { rateLimit, burstLimit } = CAPACITY.documentRoute;
    for (const path of PATHS) {
      expect(RouteSettings[path]).toEqual({
        ThrottlingRateLimit: rateLimit,
        ThrottlingBurstLimit: burstLimit,
      });
    }
    expect(variables(withPage, DEFAULT_FUNCTION).ROUTES).toContain('GET /app,HEAD /app');
  });

  test('may send files to the bucket and to no other origin', () => {
    const bucket = withPage.logicalId('Exports');
    expect(variables(withPage, DOCUMENTS_FUNCTION).FILES_ORIGIN).toEqual({
      'Fn::Join': ['', ['https://', { 'Fn::GetAtt': [bucket, 'RegionalDomainName'] }]],
    });
  });

  test('is the one page of which the bucket takes files, besides those of the allowed origins', () => {
    const own = { 'Fn::GetAtt': [withPage.logicalId('Api'), 'ApiEndpoint'] };
    const methods = ['GET', 'HEAD', 'PUT'];
    expect(corsRules(withPage)).toMatchObject([{ AllowedOrigins: [own], AllowedMethods: methods }]);
    const elsewhere = synthesize({
      page: true,
      browserOrigins: [PORTAL],
      env: ENV,
      domain: {
        name: 'api.example.com',
        certificateArn: 'arn:aws:acm:eu-north-1:111122223333:certificate/0',
      },
    });
    const origins = corsRules(elsewhere)[0].AllowedOrigins;
    expect(origins).toEqual([PORTAL, 'https://api.example.com']);
  });

  test("has no finding of cdk-nag's rules", () => {
    const { app } = withPage;
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  test('is cached by CloudFront as the documents are', () => {
    const hostedZone = { id: 'Z0123456789', name: 'example.com' };
    const origin = { name: 'origin.example.com', hostedZone };
    const edge = { name: 'api.example.com', hostedZone, requestsPerMinute: 600 };
    const settings = resolveSettings('dev', {
      dev: { page: true, env: ENV, domain: origin, edge },
    });
    const env = { ...ENV, region: EDGE_REGION };
    const stack = new EdgeStack(createApp(), 'Edge', { env, settings, edge, origin });
    const [distribution] = Object.values(
      Template.fromStack(stack).findResources('AWS::CloudFront::Distribution'),
    );
    const paths = distribution?.Properties.DistributionConfig.CacheBehaviors.map(
      ({ PathPattern }: Json) => PathPattern,
    );
    expect(paths).toEqual(expect.arrayContaining(['/app', '/app/*']));
  });
});
