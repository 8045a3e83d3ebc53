import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { AccessStack } from '../../infra/access.ts';
import { createApp, type Json } from '../support/synthesize.ts';

const app = createApp();
const stack = new AccessStack(app, 'Access', {
  env: { account: '111122223333', region: 'eu-north-1' },
  repository: 'owner/name',
  stages: ['dev', 'prod'],
});
const template = Template.fromStack(stack);
const roles = new Map<string, Json>(
  Object.values(template.findResources('AWS::IAM::Role')).map(({ Properties }) => [
    Properties.RoleName,
    Properties,
  ]),
);
const bootstrapRole = (name: string) =>
  `arn:aws:iam::111122223333:role/cdk-hnb659fds-${name}-111122223333-eu-north-1`;

describe('The roles of the workflows', () => {
  test.each([
    ['customer-register-dev-deploy', 'repo:owner/name:environment:dev'],
    [
      'customer-register-dev-smoke',
      ['repo:owner/name:environment:dev', 'repo:owner/name:environment:dev-suite'],
    ],
    ['customer-register-prod-deploy', 'repo:owner/name:environment:prod'],
    ['customer-register-prod-smoke', 'repo:owner/name:environment:prod'],
    ['customer-register-prod-plan', 'repo:owner/name:environment:prod-plan'],
  ])('let %s be assumed in its environment of the repository alone', (name, subject) => {
    expect(roles.get(name)?.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRoleWithWebIdentity',
        Principal: { Federated: expect.anything() },
        Condition: {
          StringEquals: {
            'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
            'token.actions.githubusercontent.com:sub': subject,
          },
        },
      },
    ]);
  });

  test('are these and no others', () => {
    expect(roles.size).toBe(5);
  });

  test.each([
    ['dev-deploy', ['deploy-role', 'file-publishing-role', 'lookup-role']],
    ['prod-deploy', ['deploy-role', 'file-publishing-role', 'lookup-role']],
    ['prod-plan', ['lookup-role']],
  ])("may do nothing in %s but assume the bootstrap's roles %j", (name, names) => {
    const [policy, ...others] = roles.get(`customer-register-${name}`)?.Policies ?? [];
    const [statement, ...more] = policy.PolicyDocument.Statement;
    expect([...others, ...more]).toEqual([]);
    expect(statement).toMatchObject({ Effect: 'Allow', Action: 'sts:AssumeRole' });
    expect([statement.Resource].flat()).toEqual(names.map(bootstrapRole));
  });

  test('may read the secret of their stage for the smoke test', () => {
    for (const stage of ['dev', 'prod']) {
      const [policy] = roles.get(`customer-register-${stage}-smoke`)?.Policies ?? [];
      const [statement, ...more] = policy.PolicyDocument.Statement;
      expect(more).toEqual([]);
      expect(statement.Action).toBe('secretsmanager:GetSecretValue');
      expect(JSON.stringify(statement.Resource)).toContain(
        `:secretsmanager:eu-north-1:111122223333:secret:customer-register/${stage}/smoke-??????`,
      );
    }
  });

  test("trust GitHub's provider, which the stack creates unless the account has it", () => {
    template.hasResourceProperties('AWS::IAM::OIDCProvider', {
      Url: 'https://token.actions.githubusercontent.com',
      ClientIdList: ['sts.amazonaws.com'],
    });
    const other = new AccessStack(createApp(), 'Other', {
      repository: 'owner/name',
      stages: ['dev'],
      hasProvider: true,
    });
    const withProvider = Template.fromStack(other);
    withProvider.resourceCountIs('AWS::IAM::OIDCProvider', 0);
    withProvider.resourceCountIs('AWS::IAM::Role', 2);
  });

  test('also deploy to the region of CloudFront if a stage has an edge', () => {
    const other = new AccessStack(createApp(), 'Other', {
      env: { account: '111122223333', region: 'eu-north-1' },
      repository: 'owner/name',
      stages: ['prod'],
      edgeRegion: 'us-east-1',
    });
    const text = JSON.stringify(Template.fromStack(other).toJSON());
    expect(text).toContain('role/cdk-hnb659fds-deploy-role-111122223333-us-east-1');
    expect(JSON.stringify(template.toJSON())).not.toContain('us-east-1');
  });

  test("have no finding of cdk-nag's rules", () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });
});
