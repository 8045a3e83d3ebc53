import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { DurableOptions } from '../../infra/local/durable.ts';
import { type LambdaApi, startLambdaApi } from '../../infra/local/lambda-api.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { type FaultProxy, type Passing, useFaultProxy, useProxyOf } from './fault-proxy.ts';

/** Lambda's API as the functions of exports call it, and the proxies behind which they work. */
interface ExportWorker {
  readonly dynamodb: FaultProxy;
  readonly s3: FaultProxy;
  readonly lambda: FaultProxy;
  /** Address of the running API, past its proxy. */
  endpoint(): string;
  /** Folder with the durable executions. */
  folder(): string;
  /** Ends the API and the functions that it runs, as a crash does. */
  stop(): Promise<void>;
  /** Starts a new API at the address of the one that was stopped, with its executions. */
  restart(options?: { readonly executionTimeoutMs?: number }): Promise<void>;
}

/**
 * Starts Lambda's API, and proxies of all that exports call, for the tests of a file.
 *
 * @param rows maximum of an export that completes in its request.
 * @param functions modules of the durable functions by name; by default the export worker.
 * @param watch called with each request to DynamoDB or S3.
 */
export function useExportWorker(
  rows: number,
  {
    watch,
    ...functions
  }: Pick<DurableOptions, 'functions'> & {
    readonly watch?: Readonly<Record<'dynamodb' | 's3', (passing: Passing) => void>>;
  } = {},
): ExportWorker {
  let folder: string;
  let api: LambdaApi;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'durable-'));
    api = await startLambdaApi({ folder, ...functions });
    // The handlers read this variable on their first call.
    process.env[ENVIRONMENT.longExportRows] = String(rows);
  });
  afterAll(async () => {
    await api.close();
    rmSync(folder, { recursive: true });
  });
  return {
    dynamodb: useProxyOf('dynamodb', watch?.dynamodb),
    s3: useProxyOf('s3', watch?.s3),
    lambda: useFaultProxy(
      () => api.endpoint,
      (endpoint) => {
        process.env.AWS_ENDPOINT_URL_LAMBDA = endpoint;
      },
    ),
    endpoint: () => api.endpoint,
    folder: () => folder,
    stop: () => api.close(),
    restart: async (options = {}) => {
      const { port, pathname } = new URL(api.endpoint);
      const address = { port: Number(port), secret: pathname.slice(1) };
      api = await startLambdaApi({ folder, ...functions, ...address, ...options });
      api.resume();
    },
  };
}
