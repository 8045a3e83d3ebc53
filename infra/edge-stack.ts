import { CfnOutput, Duration, Stack, type StackProps, Tags, Validations } from 'aws-cdk-lib';
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { RecordType } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { DOCUMENT_ROUTES, PAGE_ROUTES } from './endpoints.ts';
import { HostDns } from './host-dns.ts';
import { resourceTags } from './resource-tags.ts';
import type { Settings } from './settings.ts';
import type { EdgeSettings, NamedHost } from './stage-settings.ts';

export interface EdgeStackProps extends StackProps {
  readonly settings: Settings;
  readonly edge: EdgeSettings;
  /** The API's own domain, at which the distribution reaches it. */
  readonly origin: NamedHost;
}

/** Window of the rate rule, in seconds. */
const WINDOW_S = 60;

/**
 * CloudFront with AWS WAF in front of the API, which HTTP APIs do not support themselves. It limits
 * the requests of each address, and caches documents but no data.
 *
 * The stack refers to the API by the name of its domain alone: its region may be another one.
 *
 * @see shared/decisions/2026-11-29-edge.md
 */
export class EdgeStack extends Stack {
  constructor(scope: Construct, id: string, props: EdgeStackProps) {
    const { settings, edge, origin, ...stackProps } = props;
    super(scope, id, {
      description: `CloudFront and WAF of the customer register, stage ${settings.stage}`,
      terminationProtection: settings.protected,
      ...stackProps,
    });
    for (const [name, value] of Object.entries(resourceTags(settings))) {
      Tags.of(this).add(name, value);
    }

    const dns = new HostDns(this, 'Dns', edge);
    const behavior: BehaviorOptions = {
      origin: new HttpOrigin(origin.name, {
        protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
        // More than API Gateway waits for a function.
        readTimeout: Duration.seconds(35),
      }),
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      // API Gateway finds the API by its host name.
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      // The functions compress.
      compress: false,
    };
    const documents: BehaviorOptions = {
      ...behavior,
      allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
    };
    const routes = [...DOCUMENT_ROUTES, ...(settings.page ? PAGE_ROUTES : [])];
    const paths = new Set(routes.map(({ path }) => path.replaceAll(/\{\w+\}/g, '*')));
    const distribution = new Distribution(this, 'Distribution', {
      comment: `Customer register, stage ${settings.stage}`,
      domainNames: [edge.name],
      certificate: dns.certificate,
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: HttpVersion.HTTP2_AND_3,
      defaultBehavior: behavior,
      additionalBehaviors: Object.fromEntries([...paths].map((path) => [path, documents])),
      webAclId: this.createWebAcl(settings.stage, edge).attrArn,
    });
    dns.pointAt(new CloudFrontTarget(distribution), distribution.distributionDomainName, [
      RecordType.A,
      RecordType.AAAA,
    ]);
    new CfnOutput(this, 'EdgeAddress', { value: `https://${edge.name}` });
    Validations.of(distribution).acknowledge(
      { id: 'AwsSolutions-CFR1', reason: 'Merchants may call from any country.' },
      {
        id: 'AwsSolutions-CFR3',
        reason:
          "The API's access log has each request that WAF lets through; a log here would keep callers' IP addresses.",
      },
    );
  }

  private createWebAcl(stage: string, { requestsPerMinute }: EdgeSettings): CfnWebACL {
    const visibility = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      metricName: `customer-register-${stage}-${metricName}`,
      // Samples would show callers' addresses and tokens.
      sampledRequestsEnabled: false,
    });
    return new CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('all'),
      rules: [
        {
          name: 'RatePerAddress',
          priority: 0,
          action: {
            block: { customResponse: { responseCode: 429 } },
          },
          statement: {
            rateBasedStatement: {
              aggregateKeyType: 'IP',
              limit: requestsPerMinute,
              evaluationWindowSec: WINDOW_S,
            },
          },
          visibilityConfig: visibility('rate-per-address'),
        },
      ],
    });
  }
}
