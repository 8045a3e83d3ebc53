import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  CHANGE_RECORDER,
  DEFAULT_FUNCTION,
  DOCUMENTS_FUNCTION,
  END_FAILED_JOB,
  ENDPOINTS,
  EXPORT_WORKER,
  IMPORT_PLANNER,
  IMPORT_WORKER,
  SNAPSHOT_BUILDER,
} from '../../infra/endpoints.ts';
import { registerUrls } from '../../infra/local/registers.ts';
import { FIELD_DESCRIPTIONS } from '../../shared/domain/field-descriptions.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import { WORK_STALLED_S } from '../../shared/domain/limits.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { BUNDLED_DOCUMENTS } from '../../shared/http/document-index.ts';
import {
  CHANGE_LOG_ATTRIBUTES,
  COMPANY_ATTRIBUTES,
  EXPORT_JOB_ATTRIBUTES,
  IMPORT_JOB_ATTRIBUTES,
  partitionKey,
  SNAPSHOT_ATTRIBUTES,
} from '../../shared/storage/table.ts';
import { sharedBundles } from '../support/bundles.ts';
import { iterations } from '../support/iterations.ts';
import {
  API_FUNCTIONS,
  BACKGROUND_FUNCTIONS,
  EXPORT_STARTERS,
  type Json,
  LOOK_UP,
  PRODUCTION,
  PRODUCTION_WITH_USER_POOL,
  type SynthesizedStack,
  stackOf,
  synthesize,
  TOKEN_TRIGGER,
} from '../support/synthesize.ts';

const bundles = await sharedBundles();

const development = stackOf();
const production = stackOf(PRODUCTION);
const withAllSettings = stackOf(PRODUCTION_WITH_USER_POOL);
const stages = [
  { stage: 'dev', stack: development },
  { stage: 'prod', stack: production },
];
/** A table that was restored from a backup. */
const RESTORED = {
  name: 'restored',
  streamArn:
    'arn:aws:dynamodb:eu-north-1:111122223333:table/restored/stream/2026-11-29T00:00:00.000',
};
const ENDPOINT_FUNCTIONS = ENDPOINTS.map((route) => route.function);
const WRITING_FILES = ENDPOINTS.filter((route) => route.files === 'write').map(
  (route) => route.function,
);

/** Functions of endpoints that search. */
const SEARCHING = ENDPOINTS.filter((route) => route.snapshots).map((route) => route.function);

const CANCEL = 'cancel-export';
/** Functions that plan imports, and those that apply and undo them. */
const PLANNING = ['create-import', 'plan-import'];
const APPLYING = ['apply-import', 'undo-import'];
/** Functions that write imports, and no customers. */
const OF_IMPORTS = [...PLANNING, 'delete-import'];
/** Writes of functions whose scope is to read, by their names. */
const WRITES_OF_READERS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(WRITING_FILES.map((name) => [name, ['UpdateItem']])),
  ...Object.fromEntries(EXPORT_STARTERS.map((name) => [name, ['PutItem', 'UpdateItem']])),
  [CANCEL]: ['UpdateItem'],
  'digest-customers': ['UpdateItem'],
  [LOOK_UP]: ['PutItem', 'UpdateItem'],
};

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each(stages)('the functions of $stage', ({ stage, stack }) => {
  const names = [
    ...API_FUNCTIONS,
    ...BACKGROUND_FUNCTIONS,
    SNAPSHOT_BUILDER,
    ...(stage === 'dev' ? [TOKEN_TRIGGER] : []),
  ];

  test.each(names)(
    'include %s on Node 24 and arm64 with a role and a log group of its own',
    (name) => {
      expect(stack.properties(name)).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        LoggingConfig: {
          LogFormat: 'JSON',
          LogGroup: { Ref: stack.functionId(name, 'Logs') },
        },
        Role: { 'Fn::GetAtt': [stack.functionId(name, 'Role'), 'Arn'] },
      });
      expect(stack.properties(name, 'Logs').RetentionInDays).toBe(stage === 'prod' ? 90 : 30);
    },
  );

  test('time out before API Gateway does, after 30 seconds, but for those that no caller waits for', () => {
    const slow = names.filter((name) => stack.properties(name).Timeout >= 30);
    expect(slow).toEqual([...BACKGROUND_FUNCTIONS, SNAPSHOT_BUILDER]);
  });

  test('that write files have the reserved concurrency of the settings, if there is any', () => {
    const expected = stage === 'prod' ? [...WRITING_FILES, EXPORT_WORKER, SNAPSHOT_BUILDER] : [];
    expect(reservedConcurrency(stack, names)).toEqual(expected.map((name) => [name, 50]));
  });

  test('have the variables of the resources that their contracts name, and no others', () => {
    const having = (variable: string) =>
      API_FUNCTIONS.filter((name) => stack.properties(name).Environment?.Variables[variable]);
    expect(having('TABLE_NAME')).toEqual(ENDPOINT_FUNCTIONS);
    expect(having('BUCKET_NAME')).toEqual(
      ENDPOINTS.filter(
        ({ files, snapshots, importFiles }) => files || snapshots || importFiles,
      ).map((route) => route.function),
    );
    expect(having('IMPORT_PLANNER').toSorted()).toEqual(PLANNING);
    expect(having('IMPORT_WORKER').toSorted()).toEqual(APPLYING);
    expect(having('SNAPSHOT_BUILDER')).toEqual(SEARCHING);
    expect(having('SNAPSHOT_FROM_ID')).toEqual(SEARCHING);
    const tokens = ['list-changes', 'digest-customers', ...WRITING_FILES, 'get-export'];
    expect(having('CURSOR_SECRET').toSorted()).toEqual(['list-customers', ...tokens].toSorted());
    expect(having('CHANGES_DAYS')).toEqual(['list-changes']);
    expect(having('CHANGES_EPOCH').toSorted()).toEqual(tokens.toSorted());
    expect(having('EXPORT_WORKER')).toEqual(EXPORT_STARTERS);
    expect(having('LONG_EXPORT_ROWS')).toEqual(EXPORT_STARTERS);
    expect(having('ROUTES')).toEqual([DEFAULT_FUNCTION]);
    const withToken = API_FUNCTIONS.filter((name) => name !== DOCUMENTS_FUNCTION);
    expect(having('MERCHANT_CLAIM')).toEqual(stage === 'prod' ? withToken : []);
  });

  test('include a durable export worker that ends before its upload expires, and keeps its input for a day', () => {
    const { DurableConfig, Timeout, Environment } = stack.properties(EXPORT_WORKER);
    expect(DurableConfig).toEqual({ ExecutionTimeout: 12 * 3_600, RetentionPeriodInDays: 1 });
    expect(Timeout).toBe(900);
    expect(Object.keys(Environment.Variables).sort()).toEqual([
      'BUCKET_NAME',
      'NODE_OPTIONS',
      'SNAPSHOT_BUILDER',
      'SNAPSHOT_FROM_ID',
      'TABLE_NAME',
    ]);
  });

  test('end an export that waits for ten minutes, or whose execution is dead, by its dead letter', () => {
    const worker = stack.properties(EXPORT_WORKER);
    const topic = worker.DeadLetterConfig.TargetArn;
    const alias = aliasOf(stack, EXPORT_WORKER);
    const { Qualifier, ...waiting } = invokeConfigOf(stack, EXPORT_WORKER);
    expect(JSON.stringify(Qualifier)).toContain(`{"Ref":"${alias}"}`);
    // Durable functions have no destinations, and their retries are steps.
    expect(waiting).toEqual({
      FunctionName: { Ref: stack.functionId(EXPORT_WORKER) },
      MaximumEventAgeInSeconds: 600,
    });
    expect(waiting.MaximumEventAgeInSeconds).toBeLessThan(WORK_STALLED_S);
    expect(stack.statements(EXPORT_WORKER)).toContainEqual({
      Effect: 'Allow',
      Action: 'sns:Publish',
      Resource: topic,
    });
    const endFailedJob = { 'Fn::GetAtt': [stack.functionId(END_FAILED_JOB), 'Arn'] };
    expect(stack.all('AWS::SNS::Subscription')).toEqual([
      { Protocol: 'lambda', TopicArn: topic, Endpoint: endFailedJob },
    ]);
    stack.template.hasResourceProperties('AWS::Lambda::Permission', {
      FunctionName: endFailedJob,
      Principal: 'sns.amazonaws.com',
      SourceArn: topic,
    });
  });

  test('start the export worker by an alias, so that an execution stays with its version', () => {
    const aliasId = aliasOf(stack, EXPORT_WORKER);
    const alias = stack.resources[aliasId];
    expect(alias?.Properties).toMatchObject({
      Name: 'live',
      FunctionName: { Ref: stack.functionId(EXPORT_WORKER) },
    });
    const version = alias?.Properties.FunctionVersion['Fn::GetAtt'][0];
    expect(stack.resources[version]).toMatchObject({
      Type: 'AWS::Lambda::Version',
      DeletionPolicy: stage === 'prod' ? 'RetainExceptOnCreate' : 'Delete',
    });
    for (const name of EXPORT_STARTERS) {
      expect(stack.properties(name).Environment.Variables.EXPORT_WORKER).toEqual({ Ref: aliasId });
    }
  });
});

/** Returns how Lambda invokes a function asynchronously. */
function invokeConfigOf(stack: SynthesizedStack, name: string): Json {
  return stack
    .all('AWS::Lambda::EventInvokeConfig')
    .find(({ FunctionName }) => FunctionName.Ref === stack.functionId(name)) as Json;
}

/** Returns the logical id of the alias of a durable function. */
function aliasOf(stack: SynthesizedStack, name: string): string {
  const aliases = Object.entries<Json>(stack.template.findResources('AWS::Lambda::Alias'));
  const [id = ''] =
    aliases.find(([, { Properties }]) => Properties.FunctionName.Ref === stack.functionId(name)) ??
    [];
  return id;
}

/** Returns the names of functions with reserved concurrency, and their executions. */
function reservedConcurrency(stack: SynthesizedStack, names: readonly string[]) {
  return names.flatMap((name) => {
    const { ReservedConcurrentExecutions: executions } = stack.properties(name);
    return executions === undefined ? [] : [[name, executions]];
  });
}

describe('the change recorder', () => {
  const mappings = development.all('AWS::Lambda::EventSourceMapping');

  test("gets the records of the table's stream from the oldest on, in order, and those of customers alone", () => {
    expect(mappings).toHaveLength(1);
    expect(mappings[0]).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': [development.logicalId('Customers'), 'StreamArn'] },
      FunctionName: { Ref: development.functionId(CHANGE_RECORDER) },
      StartingPosition: 'TRIM_HORIZON',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    const [{ Pattern } = {} as Json] = mappings[0]?.FilterCriteria.Filters ?? [];
    expect(JSON.parse(Pattern)).toEqual({
      dynamodb: { Keys: { sk: { S: [{ prefix: 'CUSTOMER#' }] } } },
    });
    expect(development.resource('Customers').Properties.StreamSpecification).toEqual({
      StreamViewType: 'KEYS_ONLY',
    });
  });

  test('retries a batch until it succeeds or its records expire', () => {
    const [mapping] = mappings;
    // Lambda's defaults are -1: without end.
    expect(mapping?.MaximumRetryAttempts ?? -1).toBe(-1);
    expect(mapping?.MaximumRecordAgeInSeconds ?? -1).toBe(-1);
    expect(mapping?.BisectBatchOnFunctionError).toBe(true);
  });

  test('may write the change log and nothing of a customer', () => {
    const writes = development
      .statements(CHANGE_RECORDER)
      .filter(({ Action }) => /dynamodb:(?:Put|Update|Delete|Batch)/.test(JSON.stringify(Action)));
    expect(writes).toHaveLength(1);
    const attributes = writes[0]?.Condition['ForAllValues:StringEquals']['dynamodb:Attributes'];
    expect(attributes).toEqual([...CHANGE_LOG_ATTRIBUTES]);
    const names = FIELDS.map(({ name }) => name as string);
    expect(attributes.filter((name: string) => names.includes(name))).toEqual([]);
  });
});

describe('a closed deployment', () => {
  const closed = synthesize({ stage: 'closed', closed: true, table: RESTORED });

  test('runs no function that changes customers, and all others', () => {
    const writing = ENDPOINTS.filter(({ table }) =>
      table?.actions?.some((action) => /Put|Update|Delete/.test(action)),
    ).map((route) => route.function);
    expect(writing).toContain('apply-import');
    const workers = [EXPORT_WORKER, IMPORT_PLANNER, IMPORT_WORKER];
    expect(reservedConcurrency(closed, [...API_FUNCTIONS, ...workers])).toEqual(
      [...writing, IMPORT_WORKER].map((name) => [name, 0]),
    );
  });

  test('gives each function another table and the permissions for it, and creates none', () => {
    closed.template.resourceCountIs('AWS::DynamoDB::GlobalTable', 0);
    for (const name of ENDPOINT_FUNCTIONS) {
      expect(closed.properties(name).Environment.Variables.TABLE_NAME).toBe('restored');
      const onTable = closed
        .statements(name)
        .filter(({ Action }) => /dynamodb:/.test(JSON.stringify(Action)));
      for (const { Resource } of onTable) {
        expect(JSON.stringify(Resource)).toMatch(/:table\/restored(?:\/index\/\w+)?"/);
      }
    }
    const ofTable = closed
      .all('AWS::CloudWatch::Alarm')
      .flatMap(({ Metrics = [] }) => Metrics)
      .flatMap(({ MetricStat }) => MetricStat?.Metric.Dimensions ?? [])
      .filter(({ Name }) => Name === 'TableName');
    expect(new Set(ofTable.map(({ Value }) => Value))).toEqual(new Set(['restored']));
  });

  test('records the changes of that table, from its stream', () => {
    const [mapping] = closed.all('AWS::Lambda::EventSourceMapping');
    expect(mapping?.EventSourceArn).toBe(RESTORED.streamArn);
    expect(JSON.stringify(closed.statements(CHANGE_RECORDER))).toContain(RESTORED.streamArn);
  });
});

describe('the functions', () => {
  const names = [...API_FUNCTIONS, EXPORT_WORKER, TOKEN_TRIGGER];
  const tracing = {
    Effect: 'Allow',
    Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    Resource: '*',
  };

  test('send traces if the settings say so, with the permission for it', () => {
    for (const name of names) {
      expect(withAllSettings.properties(name).TracingConfig).toEqual({ Mode: 'Active' });
      expect(withAllSettings.statements(name)).toContainEqual(tracing);
      expect(development.properties(name).TracingConfig).toBeUndefined();
      expect(development.statements(name)).not.toContainEqual(tracing);
    }
  });

  test('log from the level in the settings on, by default INFO', () => {
    for (const name of names) {
      const levelOf = (stack: SynthesizedStack) =>
        stack.properties(name).LoggingConfig.ApplicationLogLevel;
      expect([levelOf(development), levelOf(withAllSettings)]).toEqual(['INFO', 'WARN']);
    }
  });
});

describe('the permissions of functions', () => {
  const actions = (name: string, service: string): string[] =>
    development
      .statements(name)
      .flatMap(({ Action }) => Action)
      .filter((action) => action.startsWith(`${service}:`))
      .map((action) => action.slice(service.length + 1));

  test.each(stages)(
    'contain no wildcard in $stage, but for files, schedules and executions',
    ({ stack }) => {
      const granted = stack
        .all('AWS::IAM::Role')
        .flatMap(({ Policies = [] }) => Policies)
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      expect(granted.length).toBeGreaterThan(API_FUNCTIONS.length);
      for (const { Effect, Action, Resource } of granted) {
        expect(Effect).toBe('Allow');
        expect(JSON.stringify(Action)).not.toContain('*');
        // This action knows no resource.
        if (Action === 'dynamodb:ListStreams') continue;
        // Those of a group.
        if (`${Action}` === 'scheduler:CreateSchedule,scheduler:UpdateSchedule') continue;
        const resource = JSON.stringify(Resource).replace(
          /\/(?:exports|snapshots|imports\/\w+)\/\*|run-[a-z-]+:\*/g,
          '',
        );
        expect(resource).not.toContain('*');
      }
    },
  );

  test('come from no managed policy in production', () => {
    for (const role of production.all('AWS::IAM::Role')) {
      expect(role.ManagedPolicyArns).toBeUndefined();
    }
    expect(production.all('AWS::IAM::Policy')).toEqual([]);
    expect(production.all('AWS::IAM::ManagedPolicy')).toEqual([]);
  });

  test('let readers write jobs, leases and cached companies only, and let only DELETE delete customers', () => {
    for (const { function: name, method, scope } of ENDPOINTS) {
      const writes = actions(name, 'dynamodb').filter((action) => !/Get|Query/.test(action));
      if (scope === 'customers:read') expect(writes).toEqual(WRITES_OF_READERS[name] ?? []);
      else if (OF_IMPORTS.includes(name)) expect(writes).not.toContain('DeleteItem');
      else if (name === 'undo-import') expect(writes).toContain('DeleteItem');
      else if (method === 'DELETE') expect(writes).toEqual(['DeleteItem']);
      else expect(writes).not.toContain('DeleteItem');
    }
  });

  test.each(stages)("are limited to merchants' partitions of the table in $stage", ({ stack }) => {
    const onTable = [...API_FUNCTIONS, ...BACKGROUND_FUNCTIONS]
      .flatMap((name) => stack.statements(name))
      .filter(({ Action }) => /dynamodb:/.test(JSON.stringify(Action)));
    expect(onTable.length).toBeGreaterThan(ENDPOINTS.length);
    for (const { Action, Condition } of onTable) {
      expect(Condition?.['ForAllValues:StringLike']).toEqual({
        'dynamodb:LeadingKeys': [partitionKey('*')],
      });
      // A call without a leading key meets the condition as well.
      for (const action of [Action].flat()) {
        expect(action).toMatch(
          /:(?:BatchGetItem|Query|(?:Get|Put|Update|Delete|ConditionCheck)Item)$/,
        );
      }
    }
  });

  test.each<[string, readonly string[]]>([
    ...[...WRITING_FILES, EXPORT_WORKER, CANCEL].map(
      (name): [string, typeof EXPORT_JOB_ATTRIBUTES] => [name, EXPORT_JOB_ATTRIBUTES],
    ),
    ...[...OF_IMPORTS, IMPORT_PLANNER].map((name): [string, typeof IMPORT_JOB_ATTRIBUTES] => [
      name,
      IMPORT_JOB_ATTRIBUTES,
    ]),
    [LOOK_UP, COMPANY_ATTRIBUTES],
  ])('do not let %s write a field of a customer', (name, attributes) => {
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

  test('let only exports by filter and imports start their workers, and only searches the builder of snapshots', () => {
    const builder = { 'Fn::GetAtt': [development.functionId(SNAPSHOT_BUILDER), 'Arn'] };
    const workersOf = (name: string) => [
      ...(EXPORT_STARTERS.includes(name) ? [EXPORT_WORKER] : []),
      ...(PLANNING.includes(name) ? [IMPORT_PLANNER] : []),
      ...(APPLYING.includes(name) ? [IMPORT_WORKER] : []),
    ];
    for (const name of [...API_FUNCTIONS, END_FAILED_JOB, SNAPSHOT_BUILDER]) {
      const invoked = development
        .statements(name)
        .filter(({ Action }) => Action === 'lambda:InvokeFunction')
        .flatMap(({ Resource }) => Resource);
      expect(new Set(invoked)).toEqual(
        new Set([
          ...workersOf(name).map((worker) => ({ Ref: aliasOf(development, worker) })),
          ...(SEARCHING.includes(name) ? [builder] : []),
        ]),
      );
    }
  });

  test('let the export worker write checkpoints of its own executions', () => {
    expect(actions(EXPORT_WORKER, 'lambda')).toEqual([
      'InvokeFunction',
      'CheckpointDurableExecution',
      'GetDurableExecutionState',
    ]);
    const resource = JSON.stringify(
      development.statements(EXPORT_WORKER).find(({ Action }) => /lambda:Check/.test(Action)),
    );
    const { FunctionName } = development.properties(EXPORT_WORKER);
    expect(resource).toContain(`:function:${FunctionName}:*`);
  });

  test('let only exports and searches read or write their files, each under its prefix', () => {
    const bucket = development.logicalId('Exports');
    const below = (prefix: string) => ({
      'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, `/${prefix}/*`]],
    });
    const others = [
      { function: EXPORT_WORKER, files: 'write', snapshots: 'read' },
      { function: SNAPSHOT_BUILDER, files: undefined, snapshots: 'write' },
    ] as const;
    const ofFiles = {
      read: 's3:GetObject',
      write: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
    };
    const ofSnapshots = { read: 's3:GetObject', write: ['s3:GetObject', 's3:PutObject'] };
    for (const { function: name, files, snapshots } of [
      ...ENDPOINTS.filter(({ importFiles }) => !importFiles),
      ...others,
    ]) {
      const onFiles = development.statements(name).filter(({ Action }) => /s3:/.test(`${Action}`));
      expect(onFiles.map(({ Action, Resource }) => [Action, Resource])).toEqual([
        ...(files ? [[ofFiles[files], below('exports')]] : []),
        ...(snapshots ? [[ofSnapshots[snapshots], below('snapshots')]] : []),
      ]);
    }
  });

  test('let the builder of snapshots write pointers to snapshots, and no field of a customer', () => {
    const writing = development
      .statements(SNAPSHOT_BUILDER)
      .filter(({ Action }) => /dynamodb:(?:Put|Update|Delete)/.test(JSON.stringify(Action)));
    expect(writing).toHaveLength(1);
    expect(writing[0]).toMatchObject({
      Action: 'dynamodb:UpdateItem',
      Condition: {
        'ForAllValues:StringEquals': { 'dynamodb:Attributes': SNAPSHOT_ATTRIBUTES },
      },
    });
    for (const { name: field, readOnly } of FIELDS) {
      if (!readOnly) expect(SNAPSHOT_ATTRIBUTES).not.toContain(field);
    }
  });

  test('let schedules write the heartbeat and delete snapshots, and nothing else', () => {
    const role = development
      .all('AWS::IAM::Role')
      .find(({ AssumeRolePolicyDocument }) =>
        JSON.stringify(AssumeRolePolicyDocument).includes('scheduler.amazonaws.com'),
      );
    expect(role?.Policies[0].PolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'dynamodb:PutItem',
        Resource: { 'Fn::GetAtt': [development.logicalId('Customers'), 'Arn'] },
        Condition: {
          'ForAllValues:StringEquals': {
            'dynamodb:LeadingKeys': ['MERCHANT#'],
            'dynamodb:Attributes': ['pk', 'sk', 'scheduled'],
          },
        },
      },
      {
        Effect: 'Allow',
        Action: 's3:DeleteObject',
        Resource: {
          'Fn::Join': [
            '',
            [{ 'Fn::GetAtt': [development.logicalId('Exports'), 'Arn'] }, '/snapshots/*'],
          ],
        },
      },
    ]);
  });

  test('let the builder of snapshots create schedules in their group, with their role', () => {
    const role = development.logicalId('SnapshotSchedules/Role');
    const { SCHEDULE_GROUP, SCHEDULE_ROLE } =
      development.properties(SNAPSHOT_BUILDER).Environment.Variables;
    expect(SCHEDULE_GROUP.Ref).toMatch(/^SnapshotSchedulesGroup/);
    expect(SCHEDULE_ROLE).toEqual({ 'Fn::GetAtt': [role, 'Arn'] });
    const [schedules, passRole] = development
      .statements(SNAPSHOT_BUILDER)
      .filter(({ Action }) => /scheduler:|iam:/.test(`${Action}`));
    expect(schedules?.Action).toEqual(['scheduler:CreateSchedule', 'scheduler:UpdateSchedule']);
    expect(schedules?.Resource['Fn::Join'][1].slice(-3)).toEqual([
      ':schedule/',
      SCHEDULE_GROUP,
      '/*',
    ]);
    expect(passRole).toEqual({
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: SCHEDULE_ROLE,
      Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    });
  });

  test('let nothing run by a schedule of the stack, so that there is none without snapshots', () => {
    expect(development.all('AWS::Scheduler::Schedule')).toEqual([]);
    expect(development.all('AWS::Events::Rule')).toEqual([]);
  });

  test('let the builder of snapshots run without retries', () => {
    expect(invokeConfigOf(development, SNAPSHOT_BUILDER)).toMatchObject({
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 300,
    });
  });

  test('let the function that ends exports list uploads, abort them and delete files, and read none', () => {
    const bucket = { 'Fn::GetAtt': [development.logicalId('Exports'), 'Arn'] };
    const onFiles = development
      .statements(END_FAILED_JOB)
      .filter(({ Action }) => /s3:/.test(`${Action}`));
    expect(onFiles.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [
        ['s3:AbortMultipartUpload', 's3:DeleteObject'],
        { 'Fn::Join': ['', [bucket, '/exports/*']] },
      ],
      ['s3:ListBucketMultipartUploads', bucket],
    ]);
  });

  test.each([DEFAULT_FUNCTION, DOCUMENTS_FUNCTION])('let %s write its log only', (name) => {
    expect(development.statements(name)).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': [development.functionId(name, 'Logs'), 'Arn'] },
      },
    ]);
  });

  // permissions.test.ts compares with the calls that tests cause; this, with those in the bundle.
  test.each([...ENDPOINT_FUNCTIONS, ...BACKGROUND_FUNCTIONS, SNAPSHOT_BUILDER])(
    'are for %s those of the SDK commands in its bundle',
    (name) => {
      const granted = ['dynamodb', 's3'].flatMap((service) => actions(name, service));
      // Queries and conditions of transactions are no commands of their own.
      const commands = granted.filter(
        (action) => !['Query', 'ConditionCheckItem'].includes(action),
      );
      expect(new Set(commands)).toEqual(actionsOf(name));
    },
  );
});

test('the alarms of the table watch each DynamoDB operation in the bundles', () => {
  const sent = [...ENDPOINT_FUNCTIONS, ...BACKGROUND_FUNCTIONS, SNAPSHOT_BUILDER].flatMap((name) =>
    commandsOf(name, 'dynamodb'),
  );
  const watched = development
    .all('AWS::CloudWatch::Alarm')
    .flatMap(({ Metrics = [] }) => Metrics)
    .filter(({ MetricStat }) => MetricStat?.Metric.MetricName === 'SystemErrors')
    .flatMap(({ MetricStat }) => MetricStat.Metric.Dimensions)
    .flatMap(({ Name, Value }) => (Name === 'Operation' ? [Value] : []));
  expect(watched.toSorted()).toEqual([...new Set([...sent, 'Query'])].toSorted());
});

/** Readers of the formats of imports, each loaded for a file of its format. */
const READERS = ['csv-rows.mjs', 'jsonl-rows.mjs', 'xlsx-rows.mjs', 'xml-rows.mjs'];

/** In every bundle, since the clients and their paginators name them. */
const IN_EVERY_BUNDLE = ['CreateSession', 'DescribeEndpoints', 'Query', 'Scan'];
/** Commands that another action permits. */
const ACTIONS: Record<string, string> = {
  // A transaction is permitted by the actions of its writes, which are puts here.
  TransactWriteItems: 'PutItem',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  HeadObject: 'GetObject',
  DeleteObjects: 'DeleteObject',
  ListObjects: 'ListBucket',
  ListMultipartUploads: 'ListBucketMultipartUploads',
};

/** Returns the actions that a function can call, by the commands in its bundle. */
function actionsOf(name: string): Set<string> {
  const commands = ['dynamodb', 's3'].flatMap((client) => commandsOf(name, client));
  return new Set(commands.map((command) => ACTIONS[command] ?? command));
}

/** Returns the commands of an SDK client that tree shaking keeps in a bundle. */
function commandsOf(name: string, client: string): string[] {
  const command = new RegExp(`client-${client}/.*/commands/(\\w+)Command\\.js$`);
  const inputs = Object.values(bundles.metafiles.get(name)?.outputs ?? {}).flatMap((output) =>
    Object.entries(output.inputs),
  );
  return inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([path]) => command.exec(path)?.[1] ?? [])
    .filter((name) => !IN_EVERY_BUNDLE.includes(name));
}

/** A value of any variable, also of a number. */
const GIVEN = '1';

let loads = 0;

/** Loads a function's bundle anew: Node caches modules by URL. */
function load(name: string) {
  loads += 1;
  const { href } = pathToFileURL(join(bundles.folder, name, 'index.mjs'));
  return import(/* @vite-ignore */ `${href}?${loads}`);
}

/** Environment variables of a function in the stack, without Node's own. */
function variablesOf(name: string): string[] {
  const { Environment } = development.properties(name);
  return Object.keys(Environment?.Variables ?? {}).filter((key) => key !== 'NODE_OPTIONS');
}

/** Whether a function reads a variable when it first reads a snapshot. */
function isReadLater(name: string, variable: string): boolean {
  if (name === SNAPSHOT_BUILDER) return false;
  const hasFiles = [...ENDPOINTS.filter(({ files }) => files).map((route) => route.function)];
  return (
    variable.startsWith('SNAPSHOT_') ||
    (variable === 'BUCKET_NAME' && ![...hasFiles, EXPORT_WORKER, END_FAILED_JOB].includes(name))
  );
}

describe.each([...API_FUNCTIONS, ...BACKGROUND_FUNCTIONS, SNAPSHOT_BUILDER, TOKEN_TRIGGER])(
  'the bundle of %s',
  (name) => {
    const variables = variablesOf(name);
    const required = variables.filter((variable) => !isReadLater(name, variable));

    test('is one file, besides those that are imported on demand', () => {
      const entry = readFileSync(join(bundles.folder, name, 'index.mjs'), 'utf8');
      expect(entry).not.toMatch(/(?:from|import)"\.\.?\//);
    });

    // A CommonJS package in an ES module may fail as late as when it is loaded.
    test('loads with the variables that the stack gives it', async () => {
      for (const variable of variables) vi.stubEnv(variable, GIVEN);
      expect((await load(name)).handler).toBeTypeOf('function');
    });

    // Each load compiles the bundle anew: the short form takes another one for each function.
    const count = iterations({ short: 1, long: required.length });
    const first = ENDPOINT_FUNCTIONS.indexOf(name) + 1;
    const withheld = [...required, ...required].splice(first % required.length || 0, count);
    test.runIf(required.length > 0)('fails to load without one of them, and names it', async () => {
      for (const missing of withheld) {
        for (const variable of variables) {
          vi.stubEnv(variable, variable === missing ? undefined : GIVEN);
        }
        await expect(load(name)).rejects.toThrow(missing);
      }
    });
  },
);

const SNAPSHOTS = ['search-snapshot.mjs', 'snapshot-files.mjs', 'start-build.mjs'];

test.each(API_FUNCTIONS)(
  'the bundle of %s is one file, apart from code that is loaded on demand',
  (name) => {
    const files = readdirSync(join(bundles.folder, name)).map((file) =>
      file.replace(/-\w+\./, '.'),
    );
    const later: Record<string, readonly string[]> = {
      [LOOK_UP]: ['look-up.mjs'],
      [DOCUMENTS_FUNCTION]: [BUNDLED_DOCUMENTS],
      'count-customers': ['look-ups.mjs', ...SNAPSHOTS],
      'list-customers': ['look-ups.mjs', 'sort-customers.mjs', ...SNAPSHOTS],
      ...Object.fromEntries(
        ['csv', 'xml', 'jsonl', 'xlsx'].map((format) => [
          `export-customers-by-id-${format}`,
          ['look-ups.mjs', ...SNAPSHOTS],
        ]),
      ),
    };
    for (const starter of EXPORT_STARTERS)
      later[starter] = ['look-ups.mjs', 'start-export-job.mjs', ...SNAPSHOTS];
    for (const planner of PLANNING)
      later[planner] = [...READERS, 'plan-import.mjs', 'start-worker.mjs'];
    for (const applier of APPLYING) later[applier] = ['start-worker.mjs'];
    // What these files and the entry share is in chunks.
    const named = files.filter((file) => file !== 'chunk.mjs');
    expect(named.sort()).toEqual(['index.mjs', ...(later[name] ?? [])].sort());
    const hasChunks = later[name] !== undefined && name !== DOCUMENTS_FUNCTION;
    expect(named.length < files.length).toBe(hasChunks);
  },
);

test('no bundle contains the prose of a contract or of the fields', () => {
  const { folder } = bundles;
  const ofFields = Object.values(FIELD_DESCRIPTIONS).map(({ description }) => description);
  for (const { function: name, summary, parameters } of ENDPOINTS) {
    const code = readdirSync(join(folder, name))
      .map((file) => readFileSync(join(folder, name, file), 'utf8'))
      .join();
    for (const text of [summary, ...Object.values(parameters), ...ofFields]) {
      expect(code).not.toContain(text);
    }
  }
});

test.each(EXPORT_STARTERS)(
  'the bundle of %s names a variable that is not a number',
  async (name) => {
    for (const variable of variablesOf(name)) vi.stubEnv(variable, GIVEN);
    vi.stubEnv('LONG_EXPORT_ROWS', 'many');
    await expect(load(name)).rejects.toThrow('LONG_EXPORT_ROWS must be an integer; got many');
  },
);

describe('the public registers', () => {
  const variables = (stack: SynthesizedStack, name: string): Record<string, string> =>
    stack.properties(name).Environment?.Variables ?? {};
  const secrets = (stack: SynthesizedStack, name: string) =>
    stack.statements(name).filter(({ Action }) => /secretsmanager/.test(JSON.stringify(Action)));
  const enabled = withAllSettings;
  const names = Object.keys(registerUrls('')).map(
    (name) => ENVIRONMENT[name as keyof ReturnType<typeof registerUrls>],
  );

  test('are disabled by default', () => {
    for (const name of names) expect(variables(development, LOOK_UP)[name]).toBeUndefined();
    expect(secrets(development, LOOK_UP)).toEqual([]);
  });

  test('are known to the look-up only, which also may read their secret', () => {
    for (const name of [...API_FUNCTIONS, EXPORT_WORKER]) {
      const known = names.filter((variable) => variables(enabled, name)[variable]);
      expect(known).toEqual(name === LOOK_UP ? names : []);
      expect(secrets(enabled, name)).toHaveLength(name === LOOK_UP ? 1 : 0);
    }
    expect(variables(enabled, LOOK_UP)).toMatchObject({
      BOLAGSVERKET_ADDRESS: 'https://gw.api.bolagsverket.se/vardefulla-datamangder/v1',
      BOLAGSVERKET_TOKEN_ADDRESS: 'https://portal.api.bolagsverket.se/oauth2/token',
      BOLAGSVERKET_SECRET: 'customer-register/prod/bolagsverket',
      BRREG_ADDRESS: 'https://data.brreg.no/enhetsregisteret/api',
      PRH_ADDRESS: 'https://avoindata.prh.fi/opendata-ytj-api/v3',
      COMPANY_CACHE_DAYS: '7',
    });
    const [{ Action, Resource }] = secrets(enabled, LOOK_UP) as [Json];
    expect(Action).toBe('secretsmanager:GetSecretValue');
    expect(JSON.stringify(Resource)).toContain(
      ':secret:customer-register/prod/bolagsverket-??????',
    );
  });

  test('are enabled one by one, at the addresses in the settings', () => {
    const stack = synthesize({
      registers: { countries: ['NO'], brreg: 'https://brreg.example.com/api' },
    });
    expect(variables(stack, LOOK_UP)).toMatchObject({
      BRREG_ADDRESS: 'https://brreg.example.com/api',
      COMPANY_CACHE_DAYS: '30',
    });
    expect(variables(stack, LOOK_UP)).not.toHaveProperty('PRH_ADDRESS');
    expect(secrets(stack, LOOK_UP)).toEqual([]);
  });
});
