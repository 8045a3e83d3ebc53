import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App, type CfnElement } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import cdk from '../../cdk.json' with { type: 'json' };
import { bundleFunctions } from '../../infra/bundle/bundle.ts';
import { CAPACITY, type Throttle } from '../../infra/capacity.ts';
import { DEFAULT_FUNCTION, ENDPOINTS, EXPORT_WORKER } from '../../infra/endpoints.ts';
import { registerAddresses } from '../../infra/local/registers.ts';
import { readSettings } from '../../infra/settings.ts';
import { CustomerRegister } from '../../infra/stack.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import {
  COMPANY_ATTRIBUTES,
  CUSTOMER_INDEX,
  EXPORT_JOB_ATTRIBUTES,
  IDENTITY_NUMBER_INDEX,
  KEY,
  partitionKey,
  TTL_ATTRIBUTE,
} from '../../shared/storage/table.ts';

// biome-ignore lint/suspicious/noExplicitAny: templates have no types
type Json = Record<string, any>;

const bundles = await bundleFunctions();
afterAll(() => rmSync(bundles.folder, { recursive: true }));

function makeApp(context: Record<string, unknown>): App {
  return new App({ context, outdir: mkdtempSync(join(bundles.folder, 'cdk.out-')) });
}

/** Synthesizes the stack. */
function synthesize(context: Record<string, string> = {}) {
  const app = makeApp({ ...cdk.context, ...context });
  const stack = new CustomerRegister(app, readSettings(app.node, bundles.folder));
  const template = Template.fromStack(stack);
  const logicalId = (id: string): string =>
    stack.resolve(stack.getLogicalId(stack.node.findChild(id).node.defaultChild as CfnElement));
  const resource = (id: string): Json => template.toJSON().Resources[logicalId(id)];
  const all = (type: string): Json[] =>
    Object.values(template.findResources(type)).map(({ Properties }) => Properties);
  const statements = (name: string): Json[] =>
    resource(`${name}-role`).Properties.Policies[0].PolicyDocument.Statement;
  return { app, stack, template, logicalId, resource, all, statements };
}

const PRODUCTION = {
  stage: 'prod',
  issuer: 'https://login.example.com/',
  audience: 'https://api.example.com,second',
  merchantClaim: 'https://example.com/merchant',
  alarmTopicArn: 'arn:aws:sns:eu-north-1:123456789012:alarms',
};
const development = synthesize();
const production = synthesize(PRODUCTION);
/** Where all public registers are asked. */
const asking = synthesize({ stage: 'registers', registers: 'SE,NO,FI', companyCacheDays: '7' });
const stages = [
  { stage: 'dev', stack: development },
  { stage: 'prod', stack: production },
];
const FUNCTIONS = [...ENDPOINTS.map((route) => route.function), DEFAULT_FUNCTION];
/** The function that asks public registers. */
const LOOK_UP = 'search-by-org-number';
/** The functions that start the export worker, in the order of {@link ENDPOINTS}. */
const STARTS_EXPORT_JOBS = ['export-customers-csv', 'export-customers-xml'];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('routes', () => {
  test('are those of the route table, each with its scope, and the default', () => {
    const routes = development
      .all('AWS::ApiGatewayV2::Route')
      .map(({ RouteKey, AuthorizationScopes }) => [RouteKey, AuthorizationScopes]);
    expect(new Map(routes as [string, unknown][])).toEqual(
      new Map<string, unknown>([
        ...ENDPOINTS.map(({ method, path, scope }) => [`${method} ${path}`, [scope]] as const),
        ['$default', undefined],
      ]),
    );
    expect(routes).toHaveLength(14);
  });

  test('all need a token', () => {
    const authorizer = {
      Ref: Object.keys(development.template.findResources('AWS::ApiGatewayV2::Authorizer'))[0],
    };
    development.template.allResourcesProperties('AWS::ApiGatewayV2::Route', {
      AuthorizationType: 'JWT',
      AuthorizerId: authorizer,
    });
  });

  test.each([
    ...ENDPOINTS.map(({ method, path, function: name }) => [`${method} ${path}`, name]),
    ['$default', DEFAULT_FUNCTION],
  ])('%s calls %s', (key, name) => {
    const { template, logicalId } = development;
    const [route] = Object.values(
      template.findResources('AWS::ApiGatewayV2::Route', {
        Properties: { RouteKey: key },
      }),
    );
    const integration = route?.Properties.Target['Fn::Join'][1][1].Ref;
    expect(template.toJSON().Resources[integration].Properties).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: { 'Fn::GetAtt': [logicalId(name as string), 'Arn'] },
      PayloadFormatVersion: '2.0',
    });
  });
});

describe.each(stages)('functions of $stage', ({ stage, stack }) => {
  const others = [EXPORT_WORKER, ...(stage === 'dev' ? ['add-token-claims'] : [])];
  test.each([...FUNCTIONS, ...others])('%s', (name) => {
    expect(stack.resource(name).Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      LoggingConfig: {
        LogFormat: 'JSON',
        LogGroup: { Ref: stack.logicalId(`${name}-logs`) },
      },
      Role: { 'Fn::GetAtt': [stack.logicalId(`${name}-role`), 'Arn'] },
    });
    if (name !== EXPORT_WORKER) expect(stack.resource(name).Properties.Timeout).toBeLessThan(30);
    expect(stack.resource(`${name}-logs`).Properties.RetentionInDays).toBe(
      stage === 'prod' ? 90 : 30,
    );
  });

  test('those that make files may run so often at once, in production', () => {
    const reserved = [...FUNCTIONS, ...others].filter(
      (name) => stack.resource(name).Properties.ReservedConcurrentExecutions !== undefined,
    );
    const makingFiles = ENDPOINTS.filter((route) => route.files === 'write');
    expect(reserved).toEqual(
      stage === 'prod' ? [...makingFiles.map((route) => route.function), EXPORT_WORKER] : [],
    );
    for (const name of reserved) {
      expect(stack.resource(name).Properties.ReservedConcurrentExecutions).toBe(
        CAPACITY.exportConcurrency,
      );
    }
  });

  test('only endpoints know the table, only exports the bucket, only the list the cursor key', () => {
    const knowing = (variable: string) =>
      FUNCTIONS.filter((name) => stack.resource(name).Properties.Environment?.Variables[variable]);
    expect(knowing('TABLE_NAME')).toEqual(ENDPOINTS.map((route) => route.function));
    expect(knowing('BUCKET_NAME')).toEqual(
      ENDPOINTS.filter((route) => route.files).map((route) => route.function),
    );
    expect(knowing('CURSOR_SECRET')).toEqual(['list-customers']);
    expect(knowing('EXPORT_WORKER')).toEqual(STARTS_EXPORT_JOBS);
    expect(knowing('LONG_EXPORT_ROWS')).toEqual(STARTS_EXPORT_JOBS);
    expect(knowing('MERCHANT_CLAIM')).toEqual(stage === 'prod' ? FUNCTIONS : []);
  });

  test('the export runner is durable, ends before the upload is given up, and forgets soon', () => {
    const { DurableConfig, Timeout, Environment } = stack.resource(EXPORT_WORKER).Properties;
    expect(DurableConfig).toEqual({ ExecutionTimeout: 12 * 3_600, RetentionPeriodInDays: 1 });
    expect(Timeout).toBe(900);
    expect(Object.keys(Environment.Variables).sort()).toEqual([
      'BUCKET_NAME',
      'NODE_OPTIONS',
      'TABLE_NAME',
    ]);
  });

  test('the export runner is called by an alias, so that executions keep their version', () => {
    const [[aliasId, alias] = []] = Object.entries<Json>(
      stack.template.findResources('AWS::Lambda::Alias'),
    );
    expect(alias?.Properties).toMatchObject({
      Name: 'live',
      FunctionName: { Ref: stack.logicalId(EXPORT_WORKER) },
    });
    const version = alias?.Properties.FunctionVersion['Fn::GetAtt'][0];
    expect(stack.template.toJSON().Resources[version]).toMatchObject({
      Type: 'AWS::Lambda::Version',
      DeletionPolicy: stage === 'prod' ? 'Retain' : 'Delete',
    });
    for (const name of STARTS_EXPORT_JOBS) {
      expect(stack.resource(name).Properties.Environment.Variables.EXPORT_WORKER).toEqual({
        Ref: aliasId,
      });
    }
  });
});

describe('permissions', () => {
  const actions = (name: string, service: string): string[] =>
    development
      .statements(name)
      .flatMap(({ Action }) => Action)
      .filter((action) => action.startsWith(`${service}:`))
      .map((action) => action.slice(service.length + 1));

  test.each(stages)('have no wildcard in $stage, beside exports and executions', ({ stack }) => {
    const granted = stack
      .all('AWS::IAM::Role')
      .flatMap(({ Policies = [] }) => Policies)
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    expect(granted.length).toBeGreaterThan(FUNCTIONS.length);
    for (const { Effect, Action, Resource } of granted) {
      expect(Effect).toBe('Allow');
      expect(JSON.stringify(Action)).not.toContain('*');
      const resource = JSON.stringify(Resource).replace(/\/exports\/\*|run-export:\*/, '');
      expect(resource).not.toContain('*');
    }
  });

  test('are nowhere those of a managed policy in production', () => {
    for (const role of production.all('AWS::IAM::Role')) {
      expect(role.ManagedPolicyArns).toBeUndefined();
    }
    expect(production.all('AWS::IAM::Policy')).toEqual([]);
    expect(production.all('AWS::IAM::ManagedPolicy')).toEqual([]);
  });

  test('let reading functions write jobs and found companies at most, and deleting ones nothing', () => {
    for (const { function: name, method, scope } of ENDPOINTS) {
      const writes = actions(name, 'dynamodb').filter((action) => !/Get|Query/.test(action));
      const notes = [...STARTS_EXPORT_JOBS, LOOK_UP].includes(name);
      if (scope === 'customers:read') expect(writes).toEqual(notes ? ['PutItem'] : []);
      if (method === 'DELETE') expect(writes).toEqual(['DeleteItem']);
      else if (scope === 'customers:write') expect(writes).not.toContain('DeleteItem');
    }
  });

  test.each(stages)('reach nothing in the table of $stage outside merchants', ({ stack }) => {
    const onTable = [...FUNCTIONS, EXPORT_WORKER]
      .flatMap((name) => stack.statements(name))
      .filter(({ Action }) => /dynamodb:/.test(JSON.stringify(Action)));
    expect(onTable.length).toBeGreaterThan(ENDPOINTS.length);
    for (const { Action, Condition } of onTable) {
      expect(Condition?.['ForAllValues:StringLike']).toEqual({
        'dynamodb:LeadingKeys': [partitionKey('*')],
      });
      // A call without a leading key meets the condition as well.
      for (const action of [Action].flat()) {
        expect(action).toMatch(/:(?:BatchGetItem|Query|(?:Get|Put|Update|Delete)Item)$/);
      }
    }
  });

  test.each<[string, readonly string[]]>([
    ...[...STARTS_EXPORT_JOBS, EXPORT_WORKER].map(
      (name): [string, typeof EXPORT_JOB_ATTRIBUTES] => [name, EXPORT_JOB_ATTRIBUTES],
    ),
    [LOOK_UP, COMPANY_ATTRIBUTES],
  ])('let %s write no field of a customer', (name, attributes) => {
    const writing = development
      .statements(name)
      .filter(({ Action }) => /dynamodb:(?:Put|Update|Delete)/.test(JSON.stringify(Action)));
    expect(writing).toHaveLength(1);
    const condition = { 'dynamodb:Attributes': attributes };
    expect(writing[0]?.Condition).toMatchObject({ 'ForAllValues:StringEquals': condition });
    for (const { name: field, readOnly } of FIELDS) {
      if (!readOnly) expect(attributes).not.toContain(field);
    }
  });

  test('let nobody call a function but the exports that hand over, and those the runner', () => {
    const [alias] = Object.keys(development.template.findResources('AWS::Lambda::Alias'));
    for (const name of FUNCTIONS) {
      expect(actions(name, 'lambda')).toEqual(
        STARTS_EXPORT_JOBS.includes(name) ? ['InvokeFunction'] : [],
      );
      if (!STARTS_EXPORT_JOBS.includes(name)) continue;
      expect(development.statements(name)).toContainEqual({
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: { Ref: alias },
      });
    }
  });

  test('let the export runner keep checkpoints of its own executions', () => {
    expect(actions(EXPORT_WORKER, 'lambda')).toEqual([
      'CheckpointDurableExecution',
      'GetDurableExecutionState',
    ]);
    const resource = JSON.stringify(
      development.statements(EXPORT_WORKER).find(({ Action }) => /lambda:/.test(Action)),
    );
    const { FunctionName } = development.resource(EXPORT_WORKER).Properties;
    expect(resource).toContain(`:function:${FunctionName}:*`);
  });

  test('let only exports at files, under their prefix', () => {
    const bucket = development.logicalId('Exports');
    const write = ['AbortMultipartUpload', 'GetObject', 'PutObject'];
    const runner = { function: EXPORT_WORKER, files: 'write' } as const;
    for (const { function: name, files: exports } of [...ENDPOINTS, runner]) {
      expect(actions(name, 's3').sort()).toEqual(
        exports === 'write' ? write : exports === 'read' ? ['GetObject'] : [],
      );
      if (!exports) continue;
      expect(development.statements(name).at(-1)?.Resource).toEqual({
        'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, '/exports/*']],
      });
    }
  });

  test('leave the default function with its log alone', () => {
    expect(development.statements(DEFAULT_FUNCTION)).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: {
          'Fn::GetAtt': [development.logicalId(`${DEFAULT_FUNCTION}-logs`), 'Arn'],
        },
      },
    ]);
  });

  // permissions.test.ts sees what functions call, and of what; this, what no test makes them call.
  test.each([...ENDPOINTS.map((route) => route.function), EXPORT_WORKER])(
    '%s may do what its code can',
    (name) => {
      const granted = ['dynamodb', 's3'].flatMap((service) => actions(name, service));
      expect(new Set(granted.filter((action) => action !== 'Query'))).toEqual(commandsOf(name));
    },
  );
});

/** Every bundle has these, since the clients and their paginators name them. */
const IN_EVERY_BUNDLE = ['CreateSession', 'DescribeEndpoints', 'Query', 'Scan'];
/** Commands that are permitted under another action's name. */
const ACTIONS: Record<string, string> = {
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  HeadObject: 'GetObject',
};

/** The actions a function can call: the SDK's commands that tree shaking leaves in its bundle. */
function commandsOf(name: string): Set<string> {
  const inputs = Object.values(bundles.metafiles.get(name)?.outputs ?? {}).flatMap((output) =>
    Object.entries(output.inputs),
  );
  const commands = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    // The durable functions' SDK brings all of Lambda's client along.
    .flatMap(
      ([path]) => /client-(?!lambda)\w+\/.*\/commands\/(\w+)Command\.js$/.exec(path)?.[1] ?? [],
    )
    .filter((command) => !IN_EVERY_BUNDLE.includes(command));
  return new Set(commands.map((command) => ACTIONS[command] ?? command));
}

/** Stands for any variable's value, and for a number where that is asked. */
const GIVEN = '1';

let loads = 0;
/** Loads a function's bundle anew: modules are loaded once for each address. */
function load(name: string) {
  loads += 1;
  const copy = join(bundles.folder, `copies/${name}-${loads}`);
  cpSync(join(bundles.folder, name), copy, { recursive: true });
  return import(/* @vite-ignore */ join(copy, 'index.mjs'));
}

/** Environment variables that the stack gives to a function, beside Node's own. */
function variablesOf(name: string): string[] {
  const { Environment } = development.resource(name).Properties;
  return Object.keys(Environment?.Variables ?? {}).filter((key) => key !== 'NODE_OPTIONS');
}

describe.each([...FUNCTIONS, EXPORT_WORKER, 'add-token-claims'])('the bundle of %s', (name) => {
  const required = variablesOf(name);

  // A CommonJS package in a module may fail only when it is loaded.
  test('loads with the variables that the stack gives it', async () => {
    for (const variable of required) vi.stubEnv(variable, GIVEN);
    expect((await load(name)).handler).toBeTypeOf('function');
  });

  test.runIf(required.length > 0)('names a variable that is missing', async () => {
    for (const missing of required) {
      for (const variable of required) {
        vi.stubEnv(variable, variable === missing ? undefined : GIVEN);
      }
      await expect(load(name)).rejects.toThrow(missing);
    }
  });
});

test.each(FUNCTIONS)('the bundle of %s is one file, with what is for later in others', (name) => {
  const files = readdirSync(join(bundles.folder, name)).map((file) => file.replace(/-\w+\./, '.'));
  const later: Record<string, string> = { [LOOK_UP]: 'look-up.mjs' };
  for (const starter of STARTS_EXPORT_JOBS) later[starter] = 'start-export-job.mjs';
  expect(files.sort()).toEqual(
    later[name] ? ['chunk.mjs', 'index.mjs', later[name]].sort() : ['index.mjs'],
  );
});

test.each(STARTS_EXPORT_JOBS)(
  'the bundle of %s names a variable that is not a number',
  async (name) => {
    for (const variable of variablesOf(name)) vi.stubEnv(variable, GIVEN);
    vi.stubEnv('LONG_EXPORT_ROWS', 'many');
    await expect(load(name)).rejects.toThrow('LONG_EXPORT_ROWS must be an integer; got many');
  },
);

describe('public registers', () => {
  const variables = (stack: typeof development, name: string): Record<string, string> =>
    stack.resource(name).Properties.Environment?.Variables ?? {};
  const secrets = (stack: typeof development, name: string) =>
    stack.statements(name).filter(({ Action }) => /secretsmanager/.test(JSON.stringify(Action)));
  const names = Object.keys(registerAddresses('')).map(
    (name) => ENVIRONMENT[name as keyof ReturnType<typeof registerAddresses>],
  );

  test('are off until they are switched on', () => {
    for (const name of names) expect(variables(development, LOOK_UP)[name]).toBeUndefined();
    expect(secrets(development, LOOK_UP)).toEqual([]);
  });

  test('are made known to the look-up alone, which alone may read their secret', () => {
    for (const name of [...FUNCTIONS, EXPORT_WORKER]) {
      const known = names.filter((variable) => variables(asking, name)[variable]);
      expect(known).toEqual(name === LOOK_UP ? names : []);
      expect(secrets(asking, name)).toHaveLength(name === LOOK_UP ? 1 : 0);
    }
    expect(variables(asking, LOOK_UP)).toMatchObject({
      BOLAGSVERKET_ADDRESS: 'https://gw.api.bolagsverket.se/vardefulla-datamangder/v1',
      BOLAGSVERKET_TOKEN_ADDRESS: 'https://portal.api.bolagsverket.se/oauth2/token',
      BOLAGSVERKET_SECRET: 'customer-register/registers/bolagsverket',
      BRREG_ADDRESS: 'https://data.brreg.no/enhetsregisteret/api',
      PRH_ADDRESS: 'https://avoindata.prh.fi/opendata-ytj-api/v3',
      COMPANY_CACHE_DAYS: '7',
    });
    const [{ Action, Resource }] = secrets(asking, LOOK_UP) as [Json];
    expect(Action).toBe('secretsmanager:GetSecretValue');
    expect(JSON.stringify(Resource)).toContain(
      ':secret:customer-register/registers/bolagsverket-??????',
    );
  });

  test('are switched on one by one, elsewhere where that is said', () => {
    const stack = synthesize({ registers: 'NO', brregAddress: 'https://brreg.example.com/api' });
    expect(variables(stack, LOOK_UP)).toMatchObject({
      BRREG_ADDRESS: 'https://brreg.example.com/api',
      COMPANY_CACHE_DAYS: '30',
    });
    expect(variables(stack, LOOK_UP)).not.toHaveProperty('PRH_ADDRESS');
    expect(secrets(stack, LOOK_UP)).toEqual([]);
  });
});

describe('table', () => {
  test('has the shape the store knows', () => {
    const key = (range: string) => [
      { AttributeName: KEY.partition, KeyType: 'HASH' },
      { AttributeName: range, KeyType: 'RANGE' },
    ];
    expect(production.resource('Customers').Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: key(KEY.sort),
      AttributeDefinitions: [
        { AttributeName: KEY.partition, AttributeType: 'S' },
        { AttributeName: KEY.sort, AttributeType: 'S' },
        { AttributeName: CUSTOMER_INDEX.sortKey, AttributeType: 'N' },
        { AttributeName: IDENTITY_NUMBER_INDEX.sortKey, AttributeType: 'S' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: CUSTOMER_INDEX.name,
          KeySchema: key(CUSTOMER_INDEX.sortKey),
          Projection: {
            ProjectionType: 'INCLUDE',
            NonKeyAttributes: [...CUSTOMER_INDEX.projected],
          },
        },
        {
          IndexName: IDENTITY_NUMBER_INDEX.name,
          KeySchema: key(IDENTITY_NUMBER_INDEX.sortKey),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
    });
  });

  test.each(stages)('is encrypted and can be restored in $stage', ({ stack }) => {
    expect(stack.resource('Customers').Properties).toMatchObject({
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
    });
  });
});

describe('lifetime', () => {
  test('production keeps its data and cannot be deleted by mistake', () => {
    expect(production.stack.terminationProtection).toBe(true);
    expect(production.resource('Customers')).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { DeletionProtectionEnabled: true },
    });
    expect(production.resource('Exports').DeletionPolicy).toBe('Retain');
    const withPool = synthesize({ stage: 'prod' });
    expect(withPool.resource('Users')).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: { DeletionProtection: 'ACTIVE' },
    });
  });

  test('any other stage leaves nothing behind', () => {
    expect(development.stack.terminationProtection).toBe(false);
    for (const resource of Object.values<Json>(development.template.toJSON().Resources)) {
      expect(resource.DeletionPolicy ?? 'Delete').toBe('Delete');
    }
    expect(development.resource('Customers').Properties.DeletionProtectionEnabled).toBe(false);
    expect(development.resource('Users').Properties.DeletionProtection).toBe('INACTIVE');
    development.template.resourceCountIs('Custom::S3AutoDeleteObjects', 1);
    production.template.resourceCountIs('Custom::S3AutoDeleteObjects', 0);
  });

  // Under another logical id CloudFormation would make a second, empty one.
  test('what holds data keeps its name from one deployment to the next', () => {
    expect(['Customers', 'Users'].map(development.logicalId)).toEqual([
      'Customers6955EA0A',
      'Users0A0EEA89',
    ]);
  });
});

describe.each(stages)('bucket of $stage', ({ stack }) => {
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
      OwnershipControls: {
        Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }],
      },
    });
  });

  test('answers over TLS only', () => {
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

  test('forgets files and unfinished uploads after a day', () => {
    expect(stack.resource('Exports').Properties.LifecycleConfiguration.Rules).toEqual([
      { Prefix: 'exports/', ExpirationInDays: 1, Status: 'Enabled' },
      {
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        Status: 'Enabled',
      },
    ]);
  });
});

describe('identity', () => {
  test('is the issuer of the context, and then there is no user pool', () => {
    production.template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: {
        Issuer: 'https://login.example.com/',
        Audience: ['https://api.example.com', 'second'],
      },
    });
    production.template.resourceCountIs('AWS::Cognito::UserPool', 0);
    production.template.hasOutput('Issuer', {
      Value: 'https://login.example.com/',
    });
  });

  test('is otherwise a user pool whose users cannot change their merchant', () => {
    const { template, logicalId, resource } = development;
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
          LambdaArn: { 'Fn::GetAtt': [logicalId('add-token-claims'), 'Arn'] },
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
});

/** The SDK's three waits: half of 0.5, 1 and 2 seconds on average. */
const THROTTLED_CALL_S = 1.75;

describe.each(stages)('API stage of $stage', ({ stage, stack }) => {
  const [properties] = stack.all('AWS::ApiGatewayV2::Stage');

  test('is throttled, and routes that make files more so', () => {
    const settings = (throttle: Throttle) => ({
      ThrottlingRateLimit: throttle.rateLimit,
      ThrottlingBurstLimit: throttle.burstLimit,
    });
    expect(properties?.DefaultRouteSettings).toEqual(settings(CAPACITY.api));
    expect(properties?.RouteSettings).toEqual(
      Object.fromEntries(
        ['GET', 'POST'].flatMap((method) =>
          ['csv', 'xml'].map((format) => [
            `${method} /customers/export/${format}`,
            settings(CAPACITY.exportRoute),
          ]),
        ),
      ),
    );
  });

  test('waits for the routes that it has settings for', () => {
    const [stageOfApi] = Object.values<Json>(
      stack.template.findResources('AWS::ApiGatewayV2::Stage'),
    );
    const routes = Object.entries<Json>(stack.template.findResources('AWS::ApiGatewayV2::Route'));
    for (const key of Object.keys(properties?.RouteSettings)) {
      const [id] = routes.find(([, route]) => route.Properties.RouteKey === key) ?? [];
      expect(stageOfApi?.DependsOn).toContain(id);
    }
  });

  test('is not more than the functions stand where every call waits for a throttled table', () => {
    const makingFiles = [...ENDPOINTS.filter(({ files }) => files === 'write'), EXPORT_WORKER];
    const left = CAPACITY.concurrency - makingFiles.length * CAPACITY.exportConcurrency;
    expect(CAPACITY.api.rateLimit * THROTTLED_CALL_S).toBeLessThanOrEqual(left);
    expect(CAPACITY.api.burstLimit).toBeLessThanOrEqual(left);
  });

  test('logs every request without personal data', () => {
    const { DestinationArn, Format } = properties?.AccessLogSettings ?? {};
    expect(DestinationArn).toEqual({
      'Fn::GetAtt': [stack.logicalId('access-logs'), 'Arn'],
    });
    const fields = JSON.parse(Format);
    expect(fields).toMatchObject({
      requestId: '$context.requestId',
      routeKey: '$context.routeKey',
      status: '$context.status',
      integrationError: '$context.integrationErrorMessage',
    });
    expect(fields.merchant).toBe(
      stage === 'dev' ? '$context.authorizer.claims.merchant_id' : undefined,
    );
    expect(Format).not.toMatch(/context\.(?:path|identity|authorizer\.claims\.(?!merchant_id"))/);
  });
});

describe('alarms', () => {
  test('watch failures, throttling and latency, and stay quiet without traffic', () => {
    const alarms = production.all('AWS::CloudWatch::Alarm');
    const metrics = alarms.flatMap(({ MetricName, Metrics = [] }) => [
      MetricName,
      ...Metrics.map((metric: Json) => metric.MetricStat?.Metric.MetricName),
    ]);
    for (const name of [
      '5xx',
      'Errors',
      'Duration',
      'Throttles',
      'ThrottledRequests',
      'SystemErrors',
    ]) {
      expect(metrics).toContain(name);
    }
    for (const alarm of alarms) {
      expect(alarm.TreatMissingData).toBe('notBreaching');
      // CloudWatch takes no more in one alarm.
      expect(alarm.Metrics?.filter((metric: Json) => metric.MetricStat) ?? []).toSatisfy(
        (watched: unknown[]) => watched.length <= 10,
      );
    }
  });

  test('watch every function of the API', () => {
    const alarms = JSON.stringify(development.all('AWS::CloudWatch::Alarm'));
    for (const name of [...FUNCTIONS, EXPORT_WORKER]) {
      expect(alarms).toContain(`"${development.logicalId(name)}"`);
    }
    for (const metric of ['DurableExecutionFailed', 'DurableExecutionTimedOut']) {
      expect(alarms).toContain(`"${metric}"`);
    }
  });

  test('go to the topic of the context', () => {
    for (const alarm of production.all('AWS::CloudWatch::Alarm')) {
      expect(alarm.AlarmActions).toEqual([PRODUCTION.alarmTopicArn]);
    }
    for (const alarm of development.all('AWS::CloudWatch::Alarm')) {
      expect(alarm.AlarmActions).toBeUndefined();
    }
  });
});

describe('rules of AwsSolutions', () => {
  test.each([...stages, { stage: 'registers', stack: asking }])(
    'find nothing in $stage',
    ({ stack: { app } }) => {
      expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
    },
  );

  test('would find something', () => {
    const { app, stack } = synthesize();
    new Bucket(stack, 'Careless');
    const { violations } = new AwsSolutionsChecks(app).validateScope(app);
    expect(violations.map(({ ruleName }) => ruleName)).toContain('AwsSolutions-S10');
  });
});

test.each([
  [{ stage: 'Prod' }, 'Context stage: "Prod" is not'],
  [{ stage: 'production' }, 'the production stage is prod'],
  [{ issuer: 'http://login.example.com', audience: 'a' }, 'Context issuer: '],
  [{ issuer: 'https://login.example.com' }, 'give both'],
  [{ audience: 'a' }, 'give both'],
  [{ issuer: 'https://login.example.com', audience: 'a, b' }, 'Context audience: "a, b" is not'],
  [{ merchantClaim: 'merchant id' }, 'Context merchantClaim: '],
  [{ alarmTopicArn: 'alarms' }, 'Context alarmTopicArn: '],
  [{ registers: 'SE,DK' }, 'Context registers: "SE,DK" is not SE, NO or FI'],
  [{ brregAddress: 'http://data.brreg.no' }, 'Context brregAddress: '],
  [{ prhAddress: 'https://avoindata.prh.fi/' }, 'Context prhAddress: '],
  [{ bolagsverketSecret: 'a b' }, 'Context bolagsverketSecret: '],
  [{ companyCacheDays: '0' }, 'Context companyCacheDays: '],
])('context %o is refused', (context, message) => {
  expect(() => readSettings(makeApp(context).node, bundles.folder)).toThrow(message);
});
