import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { ENVIRONMENT } from '../shared/environment.ts';
import { Alarms } from './alarms.ts';
import { BundledFunction } from './bundled-function.ts';
import { ChangeRecorder } from './change-recorder.ts';
import { CustomerApi } from './customer-api.ts';
import { CustomerTable } from './customer-table.ts';
import { Dashboard } from './dashboard.ts';
import { DurableWorker, WORKERS } from './durable-worker.ts';
import { EndFailedJob } from './end-failed-job.ts';
import { API_FUNCTION_OPTIONS, EndpointFunction } from './endpoint-function.ts';
import {
  DEFAULT_FUNCTION,
  DOCUMENTS_FUNCTION,
  ENDPOINTS,
  type Endpoint,
  routesVariable,
} from './endpoints.ts';
import { claimVariables } from './environment.ts';
import { ExportBucket } from './export-bucket.ts';
import { MerchantUserPool } from './merchant-user-pool.ts';
import { pascalCase } from './pascal-case.ts';
import { resourceTags } from './resource-tags.ts';
import { SavedQueries } from './saved-queries.ts';
import type { Settings } from './settings.ts';
import { SnapshotBuilder } from './snapshot-builder.ts';
import { SnapshotSchedules } from './snapshot-schedules.ts';

export interface CustomerRegisterStackProps extends StackProps {
  readonly settings: Settings;
  /** Folder with the bundles of all functions; see `bundleFunctions`. */
  readonly bundles: string;
  /** @default - every endpoint in `functions/` */
  readonly endpoints?: readonly Endpoint[];
  /** Name of the build, such as the id of a workflow run, by which a later deployment finds it. */
  readonly build?: string | undefined;
}

/** The whole service: table, bucket, functions, API, identity provider and alarms. */
export class CustomerRegisterStack extends Stack {
  constructor(scope: Construct, id: string, props: CustomerRegisterStackProps) {
    const { settings, bundles, endpoints = ENDPOINTS, build, ...stackProps } = props;
    super(scope, id, {
      description: `Customer register of merchants, stage ${settings.stage}`,
      terminationProtection: settings.protected,
      ...(settings.env && { env: settings.env }),
      ...stackProps,
    });
    for (const [name, value] of Object.entries(resourceTags(settings))) {
      Tags.of(this).add(name, value);
    }

    const table = settings.table
      ? TableV2.fromTableAttributes(this, 'Customers', {
          tableName: settings.table.name,
          tableStreamArn: settings.table.streamArn,
        })
      : new CustomerTable(this, 'Customers', { settings });
    const bucket = new ExportBucket(this, 'Exports', { settings });
    const endFailedJob = new EndFailedJob(this, 'EndFailedJob', {
      settings,
      bundles,
      resources: { table, bucket },
    });
    const snapshotBuilder = new SnapshotBuilder(this, 'SnapshotBuilder', {
      settings,
      bundles,
      resources: { table, bucket },
      schedules: new SnapshotSchedules(this, 'SnapshotSchedules', { table, bucket }),
    });
    const { deadLetters } = endFailedJob;
    const newWorker = (id: string, worker: (typeof WORKERS)[keyof typeof WORKERS]) =>
      new DurableWorker(this, id, {
        settings,
        bundles,
        worker,
        resources: { table, bucket, snapshotBuilder: snapshotBuilder.function },
        deadLetters,
      });
    const exportWorker = newWorker('ExportWorker', WORKERS.exportWorker);
    const importPlanner = newWorker('ImportPlanner', WORKERS.importPlanner);
    const importWorker = newWorker('ImportWorker', WORKERS.importWorker);
    const changeRecorder = new ChangeRecorder(this, 'ChangeRecorder', {
      settings,
      bundles,
      resources: { table, bucket },
      streamArn: table.tableStreamArn as string,
    });
    const workers = {
      exportWorker: exportWorker.alias,
      importPlanner: importPlanner.alias,
      importWorker: importWorker.alias,
    };
    const resources = { table, bucket, workers, snapshotBuilder: snapshotBuilder.function };
    const functions = endpoints.map(
      (endpoint) =>
        new EndpointFunction(this, pascalCase(endpoint.function), {
          settings,
          bundles,
          endpoint,
          resources,
        }),
    );
    const unknownRoute = new BundledFunction(this, pascalCase(DEFAULT_FUNCTION), {
      settings,
      bundles,
      name: DEFAULT_FUNCTION,
      description: 'Requests that match no endpoint',
      ...API_FUNCTION_OPTIONS,
      environment: {
        ...claimVariables(settings),
        [ENVIRONMENT.routes]: routesVariable(endpoints, settings.page),
      },
    });
    const documents = new BundledFunction(this, pascalCase(DOCUMENTS_FUNCTION), {
      settings,
      bundles,
      name: DOCUMENTS_FUNCTION,
      description: 'API reference, OpenAPI document and XML schema',
      ...API_FUNCTION_OPTIONS,
      ...(settings.page && {
        environment: { [ENVIRONMENT.filesOrigin]: `https://${bucket.bucketRegionalDomainName}` },
      }),
    });
    const identity =
      settings.identity.kind === 'issuer'
        ? settings.identity
        : new MerchantUserPool(this, 'Users', { settings, bundles });
    const userPool = identity instanceof MerchantUserPool ? identity : undefined;
    const api = new CustomerApi(this, 'Api', {
      settings,
      identity,
      endpoints: functions,
      unknownRoute,
      documents,
    });
    const address = apiAddress(settings) ?? api.apiEndpoint;
    bucket.allowOrigins([...settings.browserOrigins, ...(settings.page ? [address] : [])]);
    const apiFunctions = [...functions, unknownRoute, documents];
    const tokenTrigger = userPool?.tokenTrigger;
    const background = {
      exportWorker,
      importPlanner,
      importWorker,
      endFailedJob,
      changeRecorder,
      snapshotBuilder,
    };
    const watched = { settings, api, table, functions: apiFunctions, tokenTrigger, ...background };
    const alarms = new Alarms(this, 'Alarms', watched);
    new Dashboard(this, 'Dashboard', { ...watched, alarms });
    new SavedQueries(this, 'SavedQueries', {
      settings,
      accessLogs: api.accessLogs,
      hasMerchant: api.logsMerchant,
      functionLogs: [...apiFunctions, ...Object.values(background)].map(({ logGroup }) => logGroup),
    });

    new CfnOutput(this, 'ApiAddress', { value: address });
    new CfnOutput(this, 'Issuer', { value: identity.issuer });
    if (build) new CfnOutput(this, 'Build', { value: build });
    if (settings.production) {
      new CfnOutput(this, 'RollbackAlarms', {
        value: alarms.rollbackTriggers.map(({ alarmArn }) => alarmArn).join(','),
      });
    }
    if (!userPool) return;
    new CfnOutput(this, 'UserPoolId', { value: userPool.userPoolId });
    new CfnOutput(this, 'ClientId', { value: userPool.clientId });
  }
}

/** Returns the address that callers use, if it is not API Gateway's own. */
function apiAddress({ domain, edge }: Settings): string | undefined {
  const name = edge?.name ?? domain?.name;
  return name && `https://${name}`;
}
