import { DomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { RecordType } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import { HostDns } from './host-dns.ts';
import type { NamedHost } from './stage-settings.ts';

/** Regional custom domain of the API, with its certificate and DNS record. */
export class ApiDomain extends DomainName {
  constructor(scope: Construct, id: string, host: NamedHost) {
    const dns = new HostDns(scope, `${id}Dns`, host);
    super(scope, id, {
      domainName: host.name,
      certificate: dns.certificate,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    const target = new ApiGatewayv2DomainProperties(
      this.regionalDomainName,
      this.regionalHostedZoneId,
    );
    dns.pointAt(target, this.regionalDomainName, [RecordType.A]);
  }
}
