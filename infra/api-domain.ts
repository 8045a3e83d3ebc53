import { DomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { RecordType } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import { HostDns } from './host-dns.ts';
import type { NamedHost } from './stage-settings.ts';

/** Regional custom domain of the API. */
export function apiDomain(scope: Construct, id: string, host: NamedHost): DomainName {
  const dns = new HostDns(scope, `${id}Dns`, host);
  const domain = new DomainName(scope, id, {
    domainName: host.name,
    certificate: dns.certificate,
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  const { regionalDomainName, regionalHostedZoneId } = domain;
  dns.pointAt(
    new ApiGatewayv2DomainProperties(regionalDomainName, regionalHostedZoneId),
    regionalDomainName,
    [RecordType.A],
  );
  return domain;
}
