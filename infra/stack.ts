import { type App, CfnOutput, Duration, Stack, Tags } from 'aws-cdk-lib';
import { ENVIRONMENT } from '../shared/environment.ts';
import { addAlarms } from './alarms.ts';
import { addApi } from './api.ts';
import { DEFAULT_FUNCTION, ENDPOINTS, routesVariable } from './endpoints.ts';
import { claimVariables, endpointVariables } from './environment.ts';
import { addExportRunner } from './export-runner.ts';
import { addFunction } from './functions.ts';
import { addUserPool } from './identity.ts';
import { statementsOf } from './permissions.ts';
import { registerStatements, registerVariables } from './registers.ts';
import type { Settings } from './settings.ts';
import { addBucket, addTable } from './storage.ts';

/** API Gateway waits 30 seconds; a function ends before, so that its log tells of the time-out. */
const TIMEOUT = Duration.seconds(29);
/** Memory buys processor time: a function with more of it starts and answers sooner. */
const MEMORY_MB = 1_024;
/** One whole processor, which is what limits an export. */
const EXPORT_MEMORY_MB = 1_769;

/** The customer register: table, bucket, functions, API, who may call it, and its alarms. */
export class CustomerRegister extends Stack {
  constructor(app: App, settings: Settings) {
    super(app, `CustomerRegister-${settings.stage}`, {
      description: `Customer register of merchants, stage ${settings.stage}`,
      terminationProtection: settings.production,
    });
    Tags.of(this).add('project', 'customer-register');
    Tags.of(this).add('stage', settings.stage);

    const storage = {
      table: addTable(this, settings),
      bucket: addBucket(this, settings),
    };
    const runner = addExportRunner(this, settings, storage, EXPORT_MEMORY_MB);
    const { functionArn: runnerArn } = runner.alias;
    const claims = claimVariables(settings);
    const identity = settings.identity ?? addUserPool(this, settings, claims);
    const endpoints = ENDPOINTS.map((route) => ({
      route,
      handler: addFunction(this, route.function, settings, {
        description: `${route.method} ${route.path}`,
        memorySize: route.files === 'write' ? EXPORT_MEMORY_MB : MEMORY_MB,
        timeout: TIMEOUT,
        makesFiles: route.files === 'write',
        environment: {
          ...claims,
          ...endpointVariables(route, storage, runnerArn),
          ...(route.table?.companies && registerVariables(settings.registers)),
        },
        statements: [
          ...statementsOf(route, storage, runnerArn),
          ...(route.table?.companies ? registerStatements(this, settings.registers) : []),
        ],
      }),
    }));
    const fallback = addFunction(this, DEFAULT_FUNCTION, settings, {
      description: 'Whatever no route answers',
      memorySize: MEMORY_MB,
      timeout: TIMEOUT,
      environment: { ...claims, [ENVIRONMENT.routes]: routesVariable() },
      statements: [],
    });
    const api = addApi(this, settings, identity, { endpoints, fallback });
    const handlers = (makeFiles: boolean) =>
      endpoints
        .filter(({ route }) => (route.files === 'write') === makeFiles)
        .map(({ handler }) => handler);
    addAlarms(this, settings, {
      api,
      table: storage.table,
      endpoints: [...handlers(false), fallback],
      exporters: handlers(true),
      exportRunner: runner.handler,
    });
    new CfnOutput(this, 'ApiAddress', { value: api.apiEndpoint });
    new CfnOutput(this, 'Issuer', { value: identity.issuer });
  }
}
