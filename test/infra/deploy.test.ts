import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readinessFaults } from '../../infra/deploy/readiness.ts';
import { resolveSettings } from '../../infra/settings.ts';
import { createFakeAws, type FakeAccount } from '../support/fake-aws.ts';

const DEPLOY = join(import.meta.dirname, '../../infra/deploy');
const ARN = 'arn:aws:cloudwatch:eu-north-1:111122223333:alarm:';
const RUNNING = {
  status: 'UPDATE_COMPLETE',
  outputs: { Build: '41', RollbackAlarms: `${ARN}one,${ARN}two` },
};

/** Runs a script of the deployment where the fake commands are on the path. */
function run(script: string, account: FakeAccount, options: readonly string[] = []) {
  const fake = createFakeAws(account);
  fake.addAssembly('dev', 'dev', 'aws://unknown-account/unknown-region');
  fake.addAssembly('prod', 'prod');
  fake.addAssembly('prod-first', 'prod');
  const command = [join(DEPLOY, `${script}.ts`), '--folder', fake.deployable, ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    env: fake.environment,
    encoding: 'utf8',
  });
  const deployed = fake
    .calls()
    .filter(([name, verb]) => name === 'cdk' && verb === 'deploy')
    .map((call) => ({
      assembly: call[call.indexOf('--app') + 1]?.split('/').at(-1),
      watching: call.slice(call.indexOf('events') + 1),
    }));
  return { ...fake, status, output: stdout + stderr, deployed };
}

const prod = ['--stage', 'prod'];
const WATCHING = [
  '--rollback-trigger-alarm-arns',
  `${ARN}one`,
  '--rollback-trigger-alarm-arns',
  `${ARN}two`,
  '--monitoring-time-minutes',
  '10',
];

describe('A deployment', () => {
  test.each([
    ['there is no stack', null],
    ['its creation failed', { status: 'ROLLBACK_COMPLETE' }],
    ['its failed creation could not be rolled back', { status: 'ROLLBACK_FAILED' }],
    ['its creation has not begun', { status: 'REVIEW_IN_PROGRESS' }],
  ])('of production creates the stack without protection and alarms first if %s', (_, stack) => {
    const { status, deployed } = run('deploy', { stack }, prod);
    expect(status).toBe(0);
    expect(deployed).toEqual([
      { assembly: 'prod-first', watching: [] },
      { assembly: 'prod', watching: [] },
    ]);
  });

  test('of production updates a stack that is there, watched by its own alarms', () => {
    const { status, deployed, read } = run('deploy', { stack: RUNNING }, prod);
    expect(status).toBe(0);
    expect(deployed).toEqual([{ assembly: 'prod', watching: WATCHING }]);
    expect(read('github-output')).toBe('previous=41\napi=https://api.example.com\n');
  });

  test('that mends the cause of an alarm is not rolled back by it', () => {
    const { deployed } = run('deploy', { stack: RUNNING }, [...prod, '--no-watch']);
    expect(deployed).toEqual([
      { assembly: 'prod', watching: ['--rollback-trigger-alarm-arns', 'none'] },
    ]);
  });

  test('of a stage whose stack has no such alarms is not watched', () => {
    const { status, deployed } = run('deploy', { stack: { status: 'CREATE_COMPLETE' } });
    expect(status).toBe(0);
    expect(deployed).toEqual([{ assembly: 'dev', watching: [] }]);
  });

  test('that fails to create production can be repeated, and stops before the protected stack', () => {
    const { status, output, deployed } = run(
      'deploy',
      { stack: null, failing: 'prod-first' },
      prod,
    );
    expect(status).toBe(1);
    expect(output).toContain('prod-first failed; its output has why.');
    expect(deployed).toEqual([{ assembly: 'prod-first', watching: [] }]);
  });

  test('that fails to protect a stack just created updates it the next time', () => {
    const failed = run('deploy', { stack: null, failing: 'prod' }, prod);
    expect(failed.status).toBe(1);
    const next = run('deploy', { stack: { status: 'UPDATE_ROLLBACK_COMPLETE' } }, prod);
    expect(next.deployed).toEqual([{ assembly: 'prod', watching: [] }]);
  });

  test.each([
    ['UPDATE_IN_PROGRESS', 'wait until the other deployment has ended'],
    ['ROLLBACK_IN_PROGRESS', 'wait until the other deployment has ended'],
    ['UPDATE_ROLLBACK_FAILED', 'continue-update-rollback --stack-name CustomerRegister-prod'],
    ['DELETE_FAILED', 'and delete it'],
  ])('of a stack that is %s is refused with what to do', (state, message) => {
    const { status, output, deployed } = run('deploy', { stack: { status: state } }, prod);
    expect(status).toBe(1);
    expect(output).toContain(message);
    expect(deployed).toEqual([]);
  });

  test('takes a stack for absent only if CloudFormation says so', () => {
    const replies = { 'cloudformation describe-stacks': 'Rate exceeded' };
    const { status, output, deployed } = run('deploy', { stack: null, replies }, prod);
    expect(status).toBe(1);
    expect(output).toContain('aws cloudformation describe-stacks failed: Rate exceeded');
    expect(deployed).toEqual([]);
  });

  test("reads the stack with the bootstrap's role, in the account and region of the stage", () => {
    for (const stage of ['dev', 'prod']) {
      const { calls } = run('deploy', { stack: RUNNING }, ['--stage', stage]);
      const role = 'arn:aws:iam::111122223333:role/lookup-eu-north-1';
      expect(calls().find(([, , verb]) => verb === 'assume-role')).toContain(role);
      for (const call of calls().filter(([, , verb]) => verb === 'describe-stacks')) {
        expect(call.at(-1)).toBe('OF-THE-ROLE');
      }
    }
  });

  test('of a stage that is not packaged names it', () => {
    const { status, output } = run('deploy', { stack: null }, ['--stage', 'test']);
    expect(status).toBe(1);
    expect(output).toContain('Stage test is not in ');
  });

  test('into an account without bootstrap names the command that checks it', () => {
    const replies = { 'sts assume-role': 'An error occurred (AccessDenied)' };
    const { status, output, deployed } = run('deploy', { stack: null, replies }, prod);
    expect([status, deployed]).toEqual([1, []]);
    expect(output).toContain('(AccessDenied)');
    expect(output).toContain('npm run preflight -- --stage prod');
  });

  test('without the AWS CLI says so', () => {
    const fake = createFakeAws({ stack: null });
    fake.addAssembly('dev', 'dev');
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(DEPLOY, 'deploy.ts'), '--folder', fake.deployable],
      { env: { ...fake.environment, PATH: '/nowhere' }, encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('is the AWS CLI installed?');
  });
});

describe('The plan of a deployment', () => {
  test('is the difference of the templates, in the summary of the step', () => {
    const { status, calls, read } = run('plan', { stack: RUNNING, diff: '[~] ```A```' });
    expect(status).toBe(0);
    const [call] = calls().filter(([name]) => name === 'cdk');
    expect(call).toEqual(expect.arrayContaining(['diff', '--method', 'template']));
    expect(read('summary')).toBe('## Changes of prod\n\n````\n[~] ```A```\n\n````\n');
  });
});

describe('The check before a deployment', () => {
  const READY = {
    'lambda get-account-settings': { AccountLimit: { ConcurrentExecutions: 1_000 } },
    'ssm get-parameter': { Parameter: { Value: '30' } },
  };
  const preflight = (replies: FakeAccount['replies'] = {}) => {
    const fake = createFakeAws({ stack: null, replies: { ...READY, ...replies } });
    const command = [join(DEPLOY, 'preflight.ts'), '--stage', 'dev'];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      env: fake.environment,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };

  test('says that an account with quota and bootstrap is ready', () => {
    expect(preflight()).toEqual({
      status: 0,
      output: 'dev can be deployed (account 111122223333, eu-north-1).\n',
    });
  });

  test('lists all that is missing, and how to get it', () => {
    const { status, output } = preflight({
      'lambda get-account-settings': { AccountLimit: { ConcurrentExecutions: 10 } },
      'ssm get-parameter': 'An error occurred (ParameterNotFound)',
    });
    expect(status).toBe(1);
    expect(output).toContain('quota: Lambda runs 10 executions at once');
    expect(output).toContain('Run npx cdk bootstrap aws://111122223333/eu-north-1');
  });

  test('looks for the secrets that production reads, and for the bootstrap of its edge', () => {
    const settings = resolveSettings('prod', {
      prod: {
        env: { account: '111122223333', region: 'eu-north-1' },
        identity: { kind: 'issuer', issuer: 'https://login.example.com/', audience: ['a'] },
        alarmEmail: 'on-call@example.com',
        registers: { countries: ['SE'] },
        domain: { name: 'origin.example.com', hostedZone: { id: 'Z1', name: 'example.com' } },
        edge: { name: 'api.example.com', hostedZone: { id: 'Z1', name: 'example.com' } },
      },
    });
    const missing = 'An error occurred (ResourceNotFoundException)';
    const replies = {
      ...READY,
      'ssm get-parameter': { Parameter: { Value: '6' } },
      'secretsmanager describe-secret': missing,
    };
    const { environment } = createFakeAws({ stack: null, replies });
    const target = { account: '111122223333', region: 'eu-north-1', partition: 'aws' };
    const tooOld = (region: string) =>
      `bootstrap: version 6 is older than 8. Run npx cdk bootstrap aws://111122223333/${region}`;
    expect(readinessFaults(settings, target, environment)).toEqual([
      tooOld('eu-north-1'),
      tooOld('us-east-1'),
      'secret: customer-register/prod/bolagsverket is missing. Create it, see infra/README.md',
      'secret: customer-register/prod/smoke is missing. Create it, see infra/README.md',
    ]);
  });

  test('refuses a bootstrap that is too old, and fails if it cannot look', () => {
    expect(preflight({ 'ssm get-parameter': { Parameter: { Value: '6' } } }).output).toContain(
      'bootstrap: version 6 is older than 8',
    );
    const denied = preflight({ 'ssm get-parameter': 'An error occurred (AccessDenied)' });
    expect(denied).toMatchObject({ status: 1, output: expect.stringContaining('AccessDenied') });
  });
});
