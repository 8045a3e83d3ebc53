import { openAsBlob } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { DurableExecutionInvocationOutput } from '@aws/durable-execution-sdk-js';
import { IMPORT_PLANNER, IMPORT_WORKER } from '../../infra/endpoints.ts';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { ensureTable } from '../../infra/local/ensure-table.ts';
import { startLambdaApi } from '../../infra/local/lambda-api.ts';
import { startS3 } from '../../infra/local/s3.ts';
import { FILE_NODE_OPTIONS } from '../../infra/node-options.ts';
import type { ImportFormat, ImportOptions } from '../../shared/domain/import.ts';
import type { importStatus } from '../../shared/imports/import-status.ts';
import type { Bundles } from './bundles.ts';
import type { Response } from './child/caller.ts';
import { type CountingProxy, type PartitionLimits, startCountingProxy } from './counting-proxy.ts';
import { BUCKET, environmentOf, TABLE } from './environment.ts';
import { type Call, eventOf } from './events.ts';
import { type ContenderProcess, startContender, startServer } from './processes.ts';

/** What a durable function needed for its work, without the waits between its runs. */
export interface Work {
  /** Seconds of the function, which Lambda bills. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Peak resident memory of its process, in bytes. */
  readonly maxRss: number;
  /** The import as it then is. */
  readonly status: Status;
}

/** An import as the API responds with it. */
export type Status = ReturnType<typeof importStatus>;

/** A file to import. */
export interface SentFile {
  readonly path: string;
  readonly format: ImportFormat;
}

/** The functions of imports, each in a process of its own, and the servers that they call. */
export interface ImportStack {
  /** Counts what the functions take of the table. */
  readonly table: CountingProxy;
  /** URL of the DynamoDB server, past the counting. */
  readonly dynamodb: string;
  /** Environment variables of the functions. */
  readonly environment: Readonly<Record<string, string>>;
  /** Loads a function, in a process of its own that ends with the stack. */
  load(name: string): Promise<ContenderProcess>;
  /** Calls a function of the API. @throws Error unless it succeeds. */
  respond(name: string, call: ImportCall): Promise<Response>;
  /** Returns the event of a call. */
  eventOf(name: string, call: ImportCall): ReturnType<typeof eventOf>;
  /** Sends a file, and plans it in the background by a new process. */
  plan(merchant: string, file: SentFile, options: Partial<ImportOptions>): Promise<Work>;
  /** Applies or undoes an import in the background by a new process. */
  run(merchant: string, task: 'apply' | 'undo', planned: Status): Promise<Work>;
  stop(): Promise<void>;
}

/** An execution of a durable function, and what its runs have taken so far. */
interface Execution {
  readonly worker: ContenderProcess;
  readonly ended: PromiseWithResolvers<void>;
  readonly taken: { seconds: number; cpuSeconds: number; maxRss: number };
}

/** A call of a function of the API. */
type ImportCall = Call & { readonly headers?: Readonly<Record<string, string>> };

interface ImportStackOptions {
  /** Whether customers are canned ones, for merchants of very many; they cannot be written then. */
  readonly isCanned?: boolean;
  /** What a partition gives; unlimited if not given. */
  readonly limits?: PartitionLimits;
}

/** The durable functions, with their options of Node as in the deployed stack. */
const WORKERS: Readonly<Record<string, Record<string, string>>> = {
  [IMPORT_PLANNER]: { NODE_OPTIONS: FILE_NODE_OPTIONS },
  [IMPORT_WORKER]: {},
};

/** Starts the servers; the functions are loaded when they are needed. */
export async function startImports(
  bundles: Bundles,
  { isCanned = false, limits }: ImportStackOptions = {},
): Promise<ImportStack> {
  const dynalite = await startDynamoDb({ port: 0 });
  const s3 = await startS3({ port: 0, bucket: BUCKET });
  Object.assign(process.env, environmentOf({ dynamodb: dynalite.endpoint }));
  await ensureTable(dynalite.endpoint, TABLE);
  const canned = isCanned ? await startServer('canned-dynamodb', [dynalite.endpoint]) : undefined;
  const table = await startCountingProxy(canned?.endpoint ?? dynalite.endpoint, { limits });
  const modules = Object.fromEntries(
    await Promise.all(
      Object.keys(WORKERS).map(async (name) => [name, pathToFileURL(await bundles.ours(name))]),
    ),
  );
  const lambda = await startLambdaApi({ functions: modules, call: (_, event) => runWorker(event) });
  const environment = {
    ...environmentOf({ dynamodb: table.endpoint, s3: s3.endpoint }),
    AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
  };
  const processes = new Map<string, Promise<ContenderProcess>>();
  /** The execution of a durable function that is expected. */
  let execution: Execution | undefined;

  async function runWorker(event: object): Promise<unknown> {
    if (!execution) throw new Error('No durable function is expected to run.');
    const { worker, ended, taken } = execution;
    try {
      const { ms, cpuMs, maxRss, response } = await worker.call({ event });
      taken.seconds += ms / 1_000;
      taken.cpuSeconds += cpuMs / 1_000;
      taken.maxRss = maxRss;
      const { Status } = response as unknown as DurableExecutionInvocationOutput;
      if (Status !== 'PENDING') ended.resolve();
      return response;
    } catch (error) {
      ended.reject(error);
      throw error;
    }
  }

  async function start(name: string, more: Record<string, string> = {}) {
    return startContender({
      caller: bundles.caller,
      module: await bundles.ours(name),
      environment: { ...environment, ...more },
    });
  }

  function load(name: string): Promise<ContenderProcess> {
    const process = processes.get(name) ?? start(name);
    processes.set(name, process);
    return process;
  }

  function eventWith(name: string, { headers, ...call }: ImportCall) {
    const event = eventOf(name, call);
    return { ...event, headers: { ...event.headers, ...headers } };
  }

  async function respond(name: string, call: ImportCall): Promise<Response> {
    const { response } = await (await load(name)).call({ event: eventWith(name, call) });
    if (response.statusCode >= 300) throw new Error(`${name} returned ${response.body}`);
    return response;
  }

  /** Waits until an execution of a durable function has ended, which `begin` starts. */
  async function work(name: string, call: Call, begin: () => Promise<unknown>): Promise<Work> {
    const worker = await start(name, WORKERS[name]);
    const taken = { seconds: 0, cpuSeconds: 0, maxRss: 0 };
    execution = { worker, ended: Promise.withResolvers<void>(), taken };
    try {
      await begin();
      await execution.ended.promise;
    } finally {
      execution = undefined;
      await worker.stop();
    }
    const status: Status = JSON.parse((await respond('get-import', call)).body);
    if (status.reason) throw new Error(`The import has ${JSON.stringify(status.reason)}`);
    return { ...taken, status };
  }

  return {
    table,
    dynamodb: dynalite.endpoint,
    environment,
    load,
    respond,
    eventOf: eventWith,
    plan: async (merchant, { path, format }, options) => {
      const file = await openAsBlob(path);
      const body = { format, bytes: file.size, ...options };
      const created = JSON.parse((await respond('create-import', { merchant, body })).body);
      const { method, url, headers } = created.upload;
      const sent = await fetch(url, { method, headers, body: file });
      if (!sent.ok) throw new Error(`S3 returned ${sent.status} ${await sent.text()}`);
      const call = { merchant, pathParameters: { importId: created.importId } };
      return work(IMPORT_PLANNER, call, () => respond('plan-import', call));
    },
    run: (merchant, task, { importId, plan }) => {
      const call = { merchant, pathParameters: { importId } };
      const headers = { 'if-match': `"${plan}"`, prefer: 'respond-async' };
      const begin = () => respond(`${task}-import`, { ...call, headers });
      return work(IMPORT_WORKER, call, begin);
    },
    stop: async () => {
      await Promise.all([...processes.values()].map(async (process) => (await process).stop()));
      await Promise.all([lambda.close(), table.close(), s3.close()]);
      canned?.stop();
      await dynalite.close();
    },
  };
}
