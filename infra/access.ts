import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import {
  type IOidcProvider,
  OidcProviderNative,
  PolicyDocument,
  PolicyStatement,
  Role,
  WebIdentityPrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { pascalCase } from './pascal-case.ts';
import { secretStatement } from './permissions.ts';
import { smokeSecret } from './smoke-secret.ts';

export interface AccessStackProps extends StackProps {
  /** The repository on GitHub whose workflows get the roles, such as `owner/name`. */
  readonly repository: string;
  /** Stages that are deployed into this account and region. */
  readonly stages: readonly string[];
  /** Further region whose bootstrap the stages use: that of CloudFront. */
  readonly edgeRegion?: string | undefined;
  /** Whether the account has GitHub's OIDC provider already, of which it can have one. */
  readonly hasProvider?: boolean;
}

const HOST = 'token.actions.githubusercontent.com';
/** Roles of the CDK's bootstrap, by their names' middle part. */
const TO_DEPLOY = ['deploy-role', 'file-publishing-role', 'lookup-role'];
const TO_READ = ['lookup-role'];

/**
 * Roles of the workflows, deployed once by hand. A workflow's job exchanges GitHub's token for a
 * role; a job with an environment has that in the token's `sub`, in place of the branch. Reviewers
 * and branches of the environment decide who gets the role, so that no key is stored.
 *
 * @see https://docs.github.com/en/actions/reference/security/oidc
 */
export class AccessStack extends Stack {
  private readonly repository: string;
  private readonly regions: readonly string[];
  private readonly provider: IOidcProvider;

  constructor(scope: Construct, id: string, props: AccessStackProps) {
    const { repository, stages, edgeRegion, hasProvider = false, ...stackProps } = props;
    super(scope, id, {
      description: `Roles of the workflows of ${repository}`,
      terminationProtection: true,
      ...stackProps,
    });
    Tags.of(this).add('project', 'customer-register');
    this.repository = repository;
    this.regions = [this.region, ...(edgeRegion ? [edgeRegion] : [])];
    const arn = this.formatArn({
      service: 'iam',
      region: '',
      resource: 'oidc-provider',
      resourceName: HOST,
    });
    this.provider = hasProvider
      ? OidcProviderNative.fromOidcProviderArn(this, 'GitHub', arn)
      : new OidcProviderNative(this, 'GitHub', {
          url: `https://${HOST}`,
          clientIds: ['sts.amazonaws.com'],
        });
    for (const stage of stages) this.addRoles(stage);
  }

  private addRoles(stage: string): void {
    this.addRole(stage, 'deploy', [stage], this.assumeBootstrap(TO_DEPLOY));
    // The test suite installs no packages, but runs those of the repository: it can read a secret.
    const environments = stage === 'prod' ? [stage] : [stage, `${stage}-suite`];
    this.addRole(stage, 'smoke', environments, secretStatement(this, smokeSecret(stage)));
    if (stage === 'prod') {
      this.addRole(stage, 'plan', [`${stage}-plan`], this.assumeBootstrap(TO_READ));
    }
  }

  private addRole(
    stage: string,
    purpose: 'deploy' | 'smoke' | 'plan',
    environments: readonly string[],
    statement: PolicyStatement,
  ): void {
    const subjects = environments.map((name) => `repo:${this.repository}:environment:${name}`);
    const id = pascalCase(`${stage}-${purpose}`);
    const role = new Role(this, id, {
      roleName: `customer-register-${stage}-${purpose}`,
      description: `Of the workflow's environment ${environments.join(' or ')}`,
      assumedBy: new WebIdentityPrincipal(this.provider.oidcProviderArn, {
        StringEquals: {
          [`${HOST}:aud`]: 'sts.amazonaws.com',
          [`${HOST}:sub`]: subjects.length === 1 ? subjects[0] : subjects,
        },
      }),
      inlinePolicies: { workflow: new PolicyDocument({ statements: [statement] }) },
    });
    new CfnOutput(this, `${id}Role`, { value: role.roleArn });
  }

  private assumeBootstrap(names: readonly string[]): PolicyStatement {
    const resources = this.regions.flatMap((region) =>
      names.map((name) =>
        this.formatArn({
          service: 'iam',
          region: '',
          resource: 'role',
          resourceName: `cdk-hnb659fds-${name}-${this.account}-${region}`,
        }),
      ),
    );
    return new PolicyStatement({ actions: ['sts:AssumeRole'], resources });
  }
}
