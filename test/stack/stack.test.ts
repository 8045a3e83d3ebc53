import { CfnElement } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { TABLE_SCHEMA } from '../../infra/local/table-schema.ts';
import { TTL_ATTRIBUTE } from '../../shared/storage/table.ts';
import {
  type Json,
  PRODUCTION,
  PRODUCTION_WITH_USER_POOL,
  stackOf,
  synthesize,
  TOKEN_TRIGGER,
} from '../support/synthesize.ts';

const development = stackOf();
const production = stackOf(PRODUCTION);
const productionWithUserPool = stackOf(PRODUCTION_WITH_USER_POOL);
const stages = [
  { stage: 'dev', stack: development },
  { stage: 'prod', stack: production },
];

/** Types of resources whose replacement loses data, or an address or id that callers know. */
const STATEFUL =
  /^AWS::(?:ApiGatewayV2::Api|Cognito::UserPool|Cognito::UserPoolClient|Cognito::UserPoolGroup|DynamoDB::\w+|EFS::\w+|KMS::Key|RDS::\w+|S3::Bucket|SecretsManager::Secret|SQS::Queue)$/;

function idsOf({ resources }: typeof development, condition: (resource: Json) => boolean) {
  return Object.entries(resources)
    .filter(([, resource]) => condition(resource))
    .map(([id, { Type }]) => `${Type} ${id}`)
    .toSorted();
}

describe('the logical ids', () => {
  // Under another logical id, CloudFormation creates a second, empty resource, and deletes or
  // abandons the first. Do not change these after the first deployment.
  test.each([
    { stage: 'dev', stack: development },
    { stage: 'prod', stack: productionWithUserPool },
  ])('of the stateful resources stay the same in $stage', ({ stack }) => {
    expect(idsOf(stack, ({ Type }) => STATEFUL.test(Type))).toEqual([
      'AWS::ApiGatewayV2::Api ApiF70053CD',
      'AWS::Cognito::UserPool Users0A0EEA89',
      'AWS::Cognito::UserPoolClient UsersClient3B43F2CF',
      // Its replacement would lose its users, who would get the scope `customers:write`.
      'AWS::Cognito::UserPoolGroup UsersReadOnly92A916EA',
      'AWS::DynamoDB::GlobalTable Customers6955EA0A',
      'AWS::S3::Bucket Exports25637AFB',
    ]);
  });

  test('of all that production retains are known to be stateful, or are of logs and versions', () => {
    const retained = idsOf(
      productionWithUserPool,
      ({ Type, DeletionPolicy }) =>
        DeletionPolicy === 'RetainExceptOnCreate' && !STATEFUL.test(Type),
    );
    expect(new Set(retained.map((each) => each.split(' ')[0]))).toEqual(
      new Set(['AWS::Lambda::Version', 'AWS::Logs::LogGroup']),
    );
  });

  test('start with the ids of constructs in PascalCase', () => {
    const ids = development.stack.node.children
      .flatMap((each) => [each, ...each.node.children])
      // CDK chooses the ids of routes, aliases, permissions and its own functions.
      .filter((each) => !(each instanceof CfnElement) && !/^[A-Z]+-|^Alias|:/.test(each.node.id))
      .map(({ node }) => node.id);
    expect(ids).toContain('ListCustomers');
    for (const id of ids) expect(id).toMatch(/^[A-Z][A-Za-z0-9]*$/);
  });
});

describe('the table', () => {
  test('has the keys and indexes of the local table, which the storage layer reads', () => {
    expect(production.resource('Customers').Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      ...TABLE_SCHEMA,
      TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
    });
  });

  test.each(stages)(
    'is in one region, encrypted, tagged and can be restored in $stage',
    ({ stage, stack }) => {
      const { SSESpecification, Replicas } = stack.resource('Customers').Properties;
      expect(SSESpecification).toEqual({ SSEEnabled: true, SSEType: 'KMS' });
      expect(Replicas).toHaveLength(1);
      expect(Replicas[0]).toMatchObject({
        Region: stage === 'prod' ? 'eu-north-1' : { Ref: 'AWS::Region' },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        Tags: [
          { Key: 'project', Value: 'customer-register' },
          { Key: 'stage', Value: stage },
        ],
      });
    },
  );
});

describe.each(stages)('the bucket of $stage', ({ stack }) => {
  test('is private, encrypted and owned by the account', () => {
    expect(stack.resource('Exports').Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  test('rejects requests without TLS', () => {
    stack.template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test('deletes files and incomplete uploads after a day, and what undoes imports after eight', () => {
    expect(stack.resource('Exports').Properties.LifecycleConfiguration.Rules).toEqual([
      { Prefix: 'exports/', ExpirationInDays: 1, Status: 'Enabled' },
      { Prefix: 'snapshots/', ExpirationInDays: 1, Status: 'Enabled' },
      { Prefix: 'imports/upload/', ExpirationInDays: 1, Status: 'Enabled' },
      { Prefix: 'imports/plan/', ExpirationInDays: 1, Status: 'Enabled' },
      { Prefix: 'imports/undo/', ExpirationInDays: 8, Status: 'Enabled' },
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' },
    ]);
  });
});

describe('the stack', () => {
  test('of production retains its data and is protected from deletion', () => {
    expect(production.stack.terminationProtection).toBe(true);
    const { DeletionPolicy, UpdateReplacePolicy, Properties } = production.resource('Customers');
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Retain']);
    expect(Properties.Replicas[0].DeletionProtectionEnabled).toBe(true);
    expect(production.resource('Exports').DeletionPolicy).toBe('RetainExceptOnCreate');
    expect(productionWithUserPool.resource('Users')).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { DeletionProtection: 'ACTIVE' },
    });
  });

  test('of production is in the account and the region of its settings', () => {
    const { account, region } = production.stack;
    expect([account, region]).toEqual(['111122223333', 'eu-north-1']);
  });

  test('of any other stage is deleted with all its resources', () => {
    expect(development.stack.terminationProtection).toBe(false);
    for (const resource of Object.values(development.resources)) {
      expect(resource.DeletionPolicy ?? 'Delete').toBe('Delete');
    }
    const { Replicas } = development.resource('Customers').Properties;
    expect(Replicas[0].DeletionProtectionEnabled).toBe(false);
    expect(development.resource('Users').Properties.DeletionProtection).toBe('INACTIVE');
    development.template.resourceCountIs('Custom::S3AutoDeleteObjects', 1);
    production.template.resourceCountIs('Custom::S3AutoDeleteObjects', 0);
  });

  test('accepts the tokens of the issuer in its settings, and then has no user pool', () => {
    production.template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: {
        Issuer: 'https://login.example.com/',
        Audience: ['https://api.example.com', 'second'],
      },
    });
    production.template.resourceCountIs('AWS::Cognito::UserPool', 0);
    production.template.hasOutput('Issuer', { Value: 'https://login.example.com/' });
  });

  test('has a user pool without an issuer in its settings, whose users cannot change their merchant', () => {
    const { template, logicalId, functionId, resource } = development;
    const [client] = Object.keys(template.findResources('AWS::Cognito::UserPoolClient'));
    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      JwtConfiguration: {
        Issuer: { 'Fn::GetAtt': [logicalId('Users'), 'ProviderURL'] },
        Audience: [{ Ref: client }],
      },
    });
    expect(resource('Users').Properties).toMatchObject({
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      UserPoolTier: 'ESSENTIALS',
      Schema: [{ Name: 'email' }, { Name: 'merchant_id', Mutable: false }],
      LambdaConfig: {
        PreTokenGenerationConfig: {
          LambdaArn: { 'Fn::GetAtt': [functionId(TOKEN_TRIGGER), 'Arn'] },
          LambdaVersion: 'V2_0',
        },
      },
    });
    template.hasResourceProperties('AWS::Cognito::UserPoolClient', {
      AllowedOAuthFlowsUserPoolClient: false,
      PreventUserExistenceErrors: 'ENABLED',
      WriteAttributes: ['email'],
    });
    for (const name of ['ApiAddress', 'Issuer', 'UserPoolId', 'ClientId']) {
      template.hasOutput(name, {});
    }
  });

  test('has a group of users without the scope to write, which production retains', () => {
    const group = { GroupName: 'ReadOnly', UserPoolId: { Ref: development.logicalId('Users') } };
    development.template.hasResourceProperties('AWS::Cognito::UserPoolGroup', group);
    productionWithUserPool.template.hasResource('AWS::Cognito::UserPoolGroup', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: { GroupName: 'ReadOnly' },
    });
    production.template.resourceCountIs('AWS::Cognito::UserPoolGroup', 0);
  });
});

describe('the stack with which production is created', () => {
  const first = synthesize(PRODUCTION_WITH_USER_POOL, { first: true });

  test('keeps nothing from being deleted if its creation fails', () => {
    expect(first.stack.terminationProtection).toBe(false);
    expect(first.resource('Customers').Properties.Replicas[0].DeletionProtectionEnabled).toBe(
      false,
    );
    expect(first.resource('Users').Properties.DeletionProtection).toBe('INACTIVE');
    for (const { DeletionPolicy } of Object.values(first.resources)) {
      expect(['Delete', 'RetainExceptOnCreate', undefined]).toContain(DeletionPolicy);
    }
  });

  test('needs no quota of concurrent executions', () => {
    const functions = first.all('AWS::Lambda::Function');
    expect(functions.filter((each) => 'ReservedConcurrentExecutions' in each)).toEqual([]);
    const reserved = productionWithUserPool
      .all('AWS::Lambda::Function')
      .filter((each) => each.ReservedConcurrentExecutions === 40);
    expect(reserved).toHaveLength(10);
  });

  test('has the resources of production, under the same logical ids', () => {
    expect(idsOf(first, () => true)).toEqual(idsOf(productionWithUserPool, () => true));
  });
});

test('the outputs of production name up to five alarms that roll a deployment back', () => {
  const { Value } = productionWithUserPool.template.findOutputs('RollbackAlarms')
    .RollbackAlarms as Json;
  const arns: Json[] = Value['Fn::Join'][1].filter((part: unknown) => part !== ',');
  expect(arns).toEqual(
    ['ApiErrors', 'LongExportFailures', 'TokenTriggerErrors'].map((id) => ({
      'Fn::GetAtt': [productionWithUserPool.logicalId(`Alarms/${id}`), 'Arn'],
    })),
  );
  expect(development.template.findOutputs('RollbackAlarms')).toEqual({});
});
