import { existsSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';

// Loads the handler of its first argument. With an event (JSON) as the second it calls the handler
// once; otherwise it calls it for each message of its parent.

/** Event to call the handler with, and the number of calls. */
export interface Task {
  readonly event: object;
  /** Sequential calls; 1 if not given. */
  readonly times?: number;
}

/** Measurements of a cold start. */
export interface ColdStart {
  /** Milliseconds from the import to the first response, and its two parts. */
  readonly totalMs: number;
  readonly importMs: number;
  readonly firstCallMs: number;
  /** CPU time of all threads, which depends less on other processes, in milliseconds. */
  readonly cpuMs: number;
  /** Peak resident memory of the process, in bytes. */
  readonly maxRss: number;
  readonly response: Response;
}

/** Measurements of a task. */
export interface Called {
  /** Milliseconds of all calls together. */
  readonly ms: number;
  /** CPU time of all threads for them, in milliseconds. */
  readonly cpuMs: number;
  /** Of the last call. */
  readonly response: Response;
  /** Peak resident memory of the process so far, in bytes. */
  readonly maxRss: number;
}

/** A handler's response in payload format 2.0. */
export interface Response {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

type Handler = (event: object, context: Context) => Promise<Response>;

const [, , module = '', firstEvent] = process.argv;
const url = pathToFileURL(module).href;
const send = (message: object) => process.send?.(message);
process.once('disconnect', () => process.exit());

try {
  if (firstEvent === undefined) await callOnDemand();
  else send(await startCold(JSON.parse(firstEvent)));
} catch (error) {
  send({ error: (error as Error).stack });
}

async function startCold(event: object): Promise<ColdStart> {
  const context = makeContext();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { handler } = (await import(url)) as { handler: Handler };
  const imported = performance.now();
  const response = await handler(event, context);
  const end = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  return {
    totalMs: end - start,
    importMs: imported - start,
    firstCallMs: end - imported,
    cpuMs: (user + system) / 1_000,
    maxRss: maxRss(),
    response,
  };
}

async function callOnDemand(): Promise<void> {
  const { handler } = (await import(url)) as { handler: Handler };
  process.on('message', async ({ event, times = 1 }: Task) => {
    try {
      send(await call(handler, event, times));
    } catch (error) {
      send({ error: (error as Error).stack });
    }
  });
  send({ ready: true });
}

async function call(handler: Handler, event: object, times: number): Promise<Called> {
  const context = makeContext();
  // Lambda parses a new event for each call, and handlers may replace parts of it.
  const events = Array.from({ length: times }, () => structuredClone(event));
  let response: Response | undefined;
  const cpu = process.cpuUsage();
  const before = performance.now();
  for (const each of events) response = await handler(each, context);
  const ms = performance.now() - before;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1_000, response: response as Response, maxRss: maxRss() };
}

function maxRss(): number {
  // getrusage may report the parent's peak: until exec, a child is a copy of its parent.
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}

function makeContext(): Context {
  return {
    awsRequestId: '00000000-0000-4000-8000-000000000000',
    functionName: 'bench',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:local:000000000000:function:bench',
    memoryLimitInMB: '1024',
    logGroupName: '/aws/lambda/bench',
    logStreamName: 'bench',
    callbackWaitsForEmptyEventLoop: true,
    // An export of any size completes in one call.
    getRemainingTimeInMillis: () => 3_600_000,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
