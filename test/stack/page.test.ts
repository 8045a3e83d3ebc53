import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { addCustomerRegister } from '../../infra/add-customer-register.ts';
import { CAPACITY } from '../../infra/capacity.ts';
import { DEFAULT_FUNCTION, DOCUMENTS_FUNCTION } from '../../infra/endpoints.ts';
import { resolveSettings } from '../../infra/settings.ts';
import {
  createApp,
  emptyBundles,
  type Json,
  type SynthesizedStack,
  stackOf,
  synthesize,
} from '../support/synthesize.ts';

const PATHS = ['GET /app', 'HEAD /app', 'GET /app/{file}', 'HEAD /app/{file}'];
const PORTAL = 'https://portal.example.com';

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
    const withPortal = synthesize({ page: true, browserOrigins: [PORTAL] });
    expect(corsRules(withPortal)[0].AllowedOrigins[0]).toBe(PORTAL);
    expect(corsRules(withPortal)[0].AllowedOrigins).toHaveLength(2);
    const withDomain = synthesize({
      page: true,
      env: { account: '111122223333', region: 'eu-north-1' },
      domain: {
        name: 'api.example.com',
        certificateArn: 'arn:aws:acm:eu-north-1:111122223333:certificate/0',
      },
    });
    expect(corsRules(withDomain)[0].AllowedOrigins).toEqual(['https://api.example.com']);
  });

  test("has no finding of cdk-nag's rules", () => {
    const { app } = withPage;
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  test('is cached by CloudFront as the documents are', () => {
    const hostedZone = { id: 'Z0123456789', name: 'example.com' };
    const app = createApp();
    addCustomerRegister(app, {
      bundles: emptyBundles(),
      settings: resolveSettings('dev', {
        dev: {
          page: true,
          env: { account: '111122223333', region: 'eu-north-1' },
          domain: { name: 'origin.example.com', hostedZone },
          edge: { name: 'api.example.com', hostedZone },
        },
      }),
    });
    const [, edge] = app.node.children as [Stack, Stack];
    const [distribution] = Object.values(
      Template.fromStack(edge).findResources('AWS::CloudFront::Distribution'),
    );
    const paths = distribution?.Properties.DistributionConfig.CacheBehaviors.map(
      ({ PathPattern }: Json) => PathPattern,
    );
    expect(paths).toEqual(expect.arrayContaining(['/app', '/app/*']));
  });
});
