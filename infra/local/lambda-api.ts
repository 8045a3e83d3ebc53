import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { WireOperation as Operation } from '@aws/durable-execution-sdk-js';
import {
  AlreadyStartedError,
  DurableFunctions,
  type DurableOptions,
  ExecutionNameError,
  UnknownFunctionError,
} from './durable.ts';
import { CheckpointError } from './durable-execution.ts';
import { createServer } from './http.ts';
import type { Invoke } from './lambda.ts';
import { type LocalServer, start } from './server.ts';

/** A response of the server. */
interface LambdaResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface LambdaApiOptions extends DurableOptions {
  /** 0, the default, for any free port. */
  readonly port?: number;
  /** First segment of every path; a new one if not given. */
  readonly secret?: string;
  /** Calls a function that is not durable. */
  readonly invoke?: Invoke;
  /** Names of the functions that are not durable. */
  readonly invoked?: readonly string[];
}

/** The running server. Its URL has the secret as its path. */
export interface LambdaApi extends LocalServer {
  /** Continues the executions that ran when the last server of the folder ended. */
  resume(): void;
}

/** The functions that the server starts. */
interface Functions {
  readonly durable: DurableFunctions;
  /** Starts a function that is not durable; returns false if there is none of this name. */
  readonly startPlain: (name: string, payload: string) => boolean;
}

type Handle = (
  functions: Functions,
  request: IncomingMessage,
  name: string,
  query: URLSearchParams,
) => Promise<LambdaResponse>;

/** Operations of Lambda's API that start functions, or that durable functions call. */
const OPERATIONS: readonly (readonly [method: string, path: RegExp, handle: Handle])[] = [
  ['POST', /^\/2015-03-31\/functions\/([^/]+)\/invocations$/, invoke],
  ['POST', /^\/2025-12-01\/durable-executions\/([^/]+)\/checkpoint$/, checkpoint],
  ['GET', /^\/2025-12-01\/durable-executions\/([^/]+)\/state$/, getState],
  ['GET', /^\/2025-12-01\/durable-executions\/([^/]+)$/, getExecution],
  ['POST', /^\/2025-12-01\/durable-executions\/([^/]+)\/stop$/, stopExecution],
];

const FORBIDDEN =
  'The path must begin with the secret of this start, which AWS_ENDPOINT_URL_LAMBDA has.\n';

/**
 * Starts a server for the part of Lambda's API that the SDK calls: it invokes durable functions
 * asynchronously, stores their checkpoints, and starts other functions.
 *
 * Whoever may call it can run code as this user. It requires a secret, which the SDK of the handlers
 * has in the URL, so that other users and programs of this machine cannot call it.
 */
export async function startLambdaApi({
  port = 0,
  secret = randomUUID(),
  invoke: invokePlain,
  invoked = [],
  ...options
}: LambdaApiOptions): Promise<LambdaApi> {
  const durable = new DurableFunctions(options);
  await durable.load();
  const startPlain = (name: string, payload: string) => {
    if (!invokePlain || !invoked.includes(name)) return false;
    // Lambda tells nobody, and the next call starts it again.
    invokePlain(name, JSON.parse(payload)).catch((error) => console.error(error));
    return true;
  };
  const functions = { durable, startPlain };
  const server = createServer(async (request, response) => {
    if (!request.url?.startsWith(`/${secret}/`)) {
      response.writeHead(403, { 'content-type': 'text/plain' }).end(FORBIDDEN);
      return;
    }
    request.url = request.url.slice(secret.length + 1);
    const { status, headers, body } = await handle(functions, request).catch(toErrorResponse);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  const { endpoint, close } = await start(server, port);
  return {
    endpoint: `${endpoint}/${secret}`,
    resume: () => durable.resume(),
    close: async () => {
      await durable.close();
      await close();
      // A request that came before may still be stored.
      await durable.saved();
    },
  };
}

async function handle(functions: Functions, request: IncomingMessage): Promise<LambdaResponse> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://lambda');
  for (const [method, path, handle] of OPERATIONS) {
    const [, name] = (request.method === method && path.exec(pathname)) || [];
    if (name) return handle(functions, request, decodeURIComponent(name), searchParams);
  }
  return errorResponse(
    404,
    'ResourceNotFoundException',
    `The local Lambda API does not support ${request.method} ${pathname}.`,
  );
}

/** Invoke, asynchronously, by an ARN with an alias. */
async function invoke(
  { durable, startPlain }: Functions,
  request: IncomingMessage,
  arn: string,
): Promise<LambdaResponse> {
  const functionName = arn.split(':')[6] ?? arn;
  const executionName = String(request.headers['x-amz-durable-execution-name'] ?? '');
  const payload = await text(request);
  if (startPlain(functionName, payload)) return { status: 202 };
  const executionArn = await durable.start(functionName, executionName, payload);
  return { status: 202, headers: { 'x-amz-durable-execution-arn': executionArn } };
}

async function checkpoint(
  { durable }: Functions,
  request: IncomingMessage,
  arn: string,
): Promise<LambdaResponse> {
  const { CheckpointToken, Updates = [] } = JSON.parse(await text(request));
  const { token, operations } = await durable.checkpoint(arn, CheckpointToken, Updates);
  return {
    status: 200,
    body: {
      CheckpointToken: token,
      NewExecutionState: { Operations: operations.map(toApiTimes) },
    },
  };
}

async function getState(
  { durable }: Functions,
  _request: IncomingMessage,
  arn: string,
  query: URLSearchParams,
): Promise<LambdaResponse> {
  const from = Number(query.get('Marker') ?? 0);
  const count = Number(query.get('MaxItems') ?? 1_000);
  const { operations } = durable.get(arn);
  return {
    status: 200,
    body: {
      Operations: operations.slice(from, from + count).map(toApiTimes),
      ...(operations.length > from + count && { NextMarker: String(from + count) }),
    },
  };
}

/** GetDurableExecution. No function calls it; developers and tests inspect executions with it. */
async function getExecution(
  { durable }: Functions,
  _request: IncomingMessage,
  arn: string,
): Promise<LambdaResponse> {
  const { name, payload, status, result, error } = durable.get(arn);
  return {
    status: 200,
    body: {
      DurableExecutionArn: arn,
      DurableExecutionName: name,
      InputPayload: payload,
      Status: status,
      Result: result,
      Error: error,
    },
  };
}

/** StopDurableExecution. No function calls it; an operator does. */
async function stopExecution(
  { durable }: Functions,
  _request: IncomingMessage,
  arn: string,
): Promise<LambdaResponse> {
  await durable.stop(arn);
  return { status: 200, body: { StopTimestamp: Date.now() / 1_000 } };
}

function toErrorResponse(error: unknown): LambdaResponse {
  const { message } = error as Error;
  if (error instanceof CheckpointError || error instanceof ExecutionNameError) {
    return errorResponse(400, 'InvalidParameterValueException', message);
  }
  if (error instanceof UnknownFunctionError) {
    return errorResponse(404, 'ResourceNotFoundException', message);
  }
  if (error instanceof AlreadyStartedError) {
    return errorResponse(409, 'DurableExecutionAlreadyStartedException', message);
  }
  console.error(error);
  return errorResponse(500, 'ServiceException', message);
}

function errorResponse(status: number, type: string, Message: string): LambdaResponse {
  return { status, headers: { 'x-amzn-errortype': type }, body: { Message } };
}

/** Converts times to seconds, as Lambda's API has them. */
function toApiTimes(operation: Operation) {
  const { StartTimestamp, EndTimestamp, StepDetails, WaitDetails } = operation;
  const seconds = (time: unknown) =>
    time === undefined ? undefined : Date.parse(String(time)) / 1_000;
  return {
    ...operation,
    StartTimestamp: seconds(StartTimestamp),
    EndTimestamp: seconds(EndTimestamp),
    ...(StepDetails && {
      StepDetails: {
        ...StepDetails,
        NextAttemptTimestamp: seconds(StepDetails.NextAttemptTimestamp),
      },
    }),
    ...(WaitDetails && {
      WaitDetails: { ScheduledEndTimestamp: seconds(WaitDetails.ScheduledEndTimestamp) },
    }),
  };
}
