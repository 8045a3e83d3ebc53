import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type CfnElement } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { IConstruct } from 'constructs';
import cdk from '../../cdk.json' with { type: 'json' };
import { BundledFunction } from '../../infra/bundled-function.ts';
import { CustomerRegisterStack } from '../../infra/customer-register-stack.ts';
import {
  CHANGE_RECORDER,
  DEFAULT_FUNCTION,
  DOCUMENTS_FUNCTION,
  END_FAILED_JOB,
  ENDPOINTS,
  type Endpoint,
  EXPORT_WORKER,
  IMPORT_PLANNER,
  IMPORT_WORKER,
  SNAPSHOT_BUILDER,
} from '../../infra/endpoints.ts';
import { firstSettings, resolveSettings } from '../../infra/settings.ts';
import type { StageSettings } from '../../infra/stage-settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: templates have no types
export type Json = Record<string, any>;

/** A function that only a stack with a user pool has. */
export const TOKEN_TRIGGER = 'add-token-claims';
/** Names of the functions that the API's routes call. */
export const API_FUNCTIONS = [
  ...ENDPOINTS.map((route) => route.function),
  DEFAULT_FUNCTION,
  DOCUMENTS_FUNCTION,
];
/** Names of the functions that no caller waits for. */
export const BACKGROUND_FUNCTIONS = [EXPORT_WORKER, IMPORT_PLANNER, IMPORT_WORKER, END_FAILED_JOB];
/** Names of the functions that start the export worker, in the order of {@link ENDPOINTS}. */
export const EXPORT_STARTERS = ['csv', 'jsonl', 'xlsx', 'xml'].map(
  (format) => `export-customers-${format}`,
);
/** Name of the function that asks public registers. */
export const LOOK_UP = 'search-by-org-number';
/** A stage and its settings. */
type Stage = StageSettings & { readonly stage?: string };

/** A production stage with an issuer. */
export const PRODUCTION: Stage = {
  stage: 'prod',
  env: { account: '111122223333', region: 'eu-north-1' },
  identity: {
    kind: 'issuer',
    issuer: 'https://login.example.com/',
    audience: ['https://api.example.com', 'second'],
  },
  claims: { merchant: 'https://example.com/merchant' },
  alarmTopicArn: 'arn:aws:sns:eu-north-1:111122223333:alarms',
  reserveExports: 50,
};
/** A production stage with a user pool, and with other settings that {@link PRODUCTION} lacks. */
export const PRODUCTION_WITH_USER_POOL: Stage = {
  stage: 'prod',
  env: { account: '111122223333', region: 'eu-north-1' },
  identity: { kind: 'cognito' },
  alarmEmail: 'on-call@example.com',
  registers: { countries: ['SE', 'NO', 'FI'], cacheDays: 7 },
  tracing: true,
  logLevel: 'WARN',
  reserveExports: 40,
};

export type SynthesizedStack = ReturnType<typeof synthesize>;

/** Options of {@link synthesize}. */
interface Options {
  /** @default - empty bundles, as most of a template does not depend on code */
  readonly bundles?: string;
  /** @default - every endpoint in `functions/` */
  readonly endpoints?: readonly Endpoint[];
  /**
   * Checks the template against CloudFormation's schemas and rules, as `npm run synth` does, and throws
   * if there are errors. The first check of a process takes 6 seconds of CPU time.
   *
   * @default false
   */
  readonly validate?: boolean;
  /** Whether the stack is the one with which a protected stage is created. */
  readonly first?: boolean;
}

const stacks = new Map<string, SynthesizedStack>();

/**
 * Returns the stack of a stage. The test files of a process share it: a synthesis takes a second.
 * A test that changes its stack synthesizes one of its own.
 */
export function stackOf(stage: Stage = {}): SynthesizedStack {
  const key = JSON.stringify(stage);
  const stack = stacks.get(key) ?? synthesize(stage);
  stacks.set(key, stack);
  return stack;
}

/** Synthesizes the stack of a stage, in the temporary folder of the test run. */
export function synthesize({ stage = 'dev', ...given }: Stage = {}, options: Options = {}) {
  const { endpoints = ENDPOINTS, bundles = emptyBundles(endpoints), first, validate } = options;
  const app = createApp({}, validate);
  const ofStage = resolveSettings(stage, { [stage]: given });
  const settings = first ? firstSettings(ofStage) : ofStage;
  const stack = new CustomerRegisterStack(app, `CustomerRegister-${stage}`, {
    settings,
    bundles,
    endpoints,
  });
  const template = Template.fromStack(stack);
  const { Resources: resources }: Json = template.toJSON();
  const functions = new Map(
    stack.node
      .findAll()
      .flatMap((each) => (each instanceof BundledFunction ? [[each.name, each] as const] : [])),
  );

  function logicalIdOf(construct: IConstruct | undefined): string {
    return stack.resolve(stack.getLogicalId(construct?.node.defaultChild as CfnElement));
  }
  /** Returns the logical id of a construct by its path in the stack, such as `Api/Stage`. */
  function logicalId(path: string): string {
    const found = path
      .split('/')
      .reduce<IConstruct>((scope, name) => scope.node.findChild(name), stack);
    return logicalIdOf(found);
  }
  /** Returns the logical id of a function, or of its role or log group. */
  function functionId(name: string, part: 'Function' | 'Role' | 'Logs' = 'Function'): string {
    return logicalIdOf(functions.get(name)?.node.findChild(part));
  }
  return {
    app,
    stack,
    template,
    resources: resources as Record<string, Json>,
    /** Names of all functions of the stack. */
    functionNames: [...functions.keys()],
    logicalId,
    functionId,
    /** Returns a resource by its construct's path in the stack. */
    resource: (path: string): Json => resources[logicalId(path)],
    /** Returns the properties of a function's Lambda function, role or log group. */
    properties: (name: string, part?: 'Function' | 'Role' | 'Logs'): Json =>
      resources[functionId(name, part)].Properties,
    /** Returns the statements of a function's policy. */
    statements: (name: string): Json[] =>
      resources[functionId(name, 'Role')].Properties.Policies[0].PolicyDocument.Statement,
    /** Returns the properties of all resources of a type. */
    all: (type: string): Json[] =>
      Object.values(template.findResources(type)).map(({ Properties }) => Properties),
  };
}

/**
 * Creates an app with the context of `cdk.json` and this.
 *
 * @param validate see {@link Options.validate}.
 */
export function createApp(context: Record<string, unknown> = {}, validate = false): App {
  return new App({
    builtinCloudFormationValidation: validate,
    // What no template has takes a fifth of the CPU time.
    treeMetadata: false,
    stackTraces: false,
    context: { ...cdk.context, ...context },
    outdir: mkdtempSync(join(tmpdir(), 'cdk.out-')),
  });
}

let ofEndpoints: string | undefined;

/** Returns a folder that has an empty bundle for each function; all stacks of a process share it. */
export function emptyBundles(endpoints: readonly Endpoint[] = ENDPOINTS): string {
  if (endpoints !== ENDPOINTS) return createEmptyBundles(endpoints);
  ofEndpoints ??= createEmptyBundles(endpoints);
  return ofEndpoints;
}

function createEmptyBundles(endpoints: readonly Endpoint[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
  const names = endpoints.map((endpoint) => endpoint.function);
  for (const name of [
    ...names,
    CHANGE_RECORDER,
    SNAPSHOT_BUILDER,
    DEFAULT_FUNCTION,
    DOCUMENTS_FUNCTION,
    EXPORT_WORKER,
    IMPORT_PLANNER,
    IMPORT_WORKER,
    END_FAILED_JOB,
    TOKEN_TRIGGER,
  ]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'index.mjs'), '');
  }
  return folder;
}
