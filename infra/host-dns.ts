import { CfnOutput } from 'aws-cdk-lib';
import {
  Certificate,
  CertificateValidation,
  type ICertificate,
} from 'aws-cdk-lib/aws-certificatemanager';
import type { IAliasRecordTarget } from 'aws-cdk-lib/aws-route53';
import {
  HostedZone,
  type IHostedZone,
  RecordSet,
  RecordTarget,
  type RecordType,
} from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { NamedHost } from './stage-settings.ts';

/**
 * Certificate and DNS records of a host name. With a hosted zone, both are created; without one, the
 * certificate is given and the record is written by hand.
 */
export class HostDns extends Construct {
  readonly certificate: ICertificate;
  private readonly host: NamedHost;
  private readonly zone: IHostedZone | undefined;

  constructor(scope: Construct, id: string, host: NamedHost) {
    super(scope, id);
    const { name, certificateArn, hostedZone } = host;
    this.host = host;
    this.zone =
      hostedZone &&
      HostedZone.fromHostedZoneAttributes(this, 'Zone', {
        hostedZoneId: hostedZone.id,
        zoneName: hostedZone.name,
      });
    this.certificate = certificateArn
      ? Certificate.fromCertificateArn(this, 'Certificate', certificateArn)
      : new Certificate(this, 'Certificate', {
          domainName: name,
          validation: CertificateValidation.fromDns(this.zone),
        });
  }

  /**
   * Points the name at a target, for these types of addresses.
   *
   * @param address what a record by hand points at.
   */
  pointAt(target: IAliasRecordTarget, address: string, types: readonly RecordType[]): void {
    if (!this.zone) {
      new CfnOutput(this, 'Target', {
        value: address,
        description: `${this.host.name} is to be a CNAME or alias of this name`,
      });
      return;
    }
    for (const recordType of types) {
      new RecordSet(this, `Record${recordType}`, {
        zone: this.zone,
        recordType,
        recordName: `${this.host.name}.`,
        target: RecordTarget.fromAlias(target),
      });
    }
  }
}
