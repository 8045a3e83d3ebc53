import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import type { DeleteObjectCommandInput } from '@aws-sdk/client-s3';
import { readDataFile, writeDataFile } from './data-folder.ts';
import { requestDynamoDb } from './dynamodb-request.ts';
import { createServer } from './http.ts';
import { type LocalServer, start } from './server.ts';

export interface SchedulerOptions {
  /** URLs of the servers that schedules call. */
  readonly dynamodbEndpoint: string;
  readonly s3Endpoint: string;
  /** Folder in which the schedules are stored; in memory if not given. */
  readonly dataFolder?: string | undefined;
}

/** A schedule as `CreateSchedule` and `UpdateSchedule` have it, and when it is due. */
interface Schedule {
  readonly ScheduleExpression: string;
  /** In seconds since 1970. */
  readonly EndDate?: number;
  readonly Target: { readonly Arn: string; readonly Input: string };
  readonly dueMs: number;
}

/** How often it is looked for schedules that are due. */
const TICK_MS = 1_000;
const MINUTE_MS = 60_000;
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';

/**
 * Starts a server for the part of EventBridge Scheduler's API that the builder of snapshots calls, and
 * runs the schedules: those of one time, and those of each minute, which begin at once. A schedule is
 * deleted when it has ended.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
 */
export async function startScheduler(options: SchedulerOptions): Promise<LocalServer> {
  const scheduler = new Scheduler(options);
  await scheduler.load();
  const server = createServer(async (request, response) => {
    const { status, body } = await respond(scheduler, request).catch((error) => ({
      status: 400,
      body: { name: 'ValidationException', Message: (error as Error).message },
    }));
    const error = 'name' in body && { 'x-amzn-errortype': body.name };
    response.writeHead(status, { 'content-type': 'application/json', ...error });
    response.end(JSON.stringify(body));
  });
  const { endpoint, close } = await start(server, 0);
  return {
    endpoint,
    close: async () => {
      await close();
      await scheduler.close();
    },
  };
}

async function respond(scheduler: Scheduler, request: IncomingMessage) {
  const [, name] = /^\/schedules\/([\w.-]{1,64})$/.exec(request.url ?? '') ?? [];
  const isUpdate = request.method === 'PUT';
  if (!name || !(isUpdate || request.method === 'POST')) {
    return failure(404, 'UnknownOperationException', `${request.method} ${request.url}`);
  }
  const { GroupName, ...schedule } = (await json(request)) as Schedule & { GroupName: string };
  const id = `${GroupName}/${name}`;
  if (isUpdate && !scheduler.has(id)) return failure(404, 'ResourceNotFoundException', id);
  if (!isUpdate && scheduler.has(id)) return failure(409, 'ConflictException', id);
  await scheduler.put(id, schedule);
  const ScheduleArn = `arn:aws:scheduler:eu-north-1:000000000000:schedule/${id}`;
  return { status: 200, body: { ScheduleArn } };
}

function failure(status: number, name: string, Message: string) {
  return { status, body: { name, Message } };
}

class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #schedules = new Map<string, Schedule>();
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  async load(): Promise<void> {
    const { dataFolder } = this.#options;
    const stored = dataFolder && (await readDataFile(dataFolder, 'schedules.json'));
    for (const [id, schedule] of Object.entries(JSON.parse(stored || '{}'))) {
      this.#schedules.set(id, schedule as Schedule);
    }
  }

  has(id: string): boolean {
    return this.#schedules.has(id);
  }

  /** @throws Error that says what this scheduler cannot do. */
  async put(id: string, schedule: Omit<Schedule, 'dueMs'>): Promise<void> {
    const { ScheduleExpression: expression } = schedule;
    const [, time] = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression) ?? [];
    if (!time && expression !== 'rate(1 minute)') {
      throw new Error(`The local scheduler has no ${expression}.`);
    }
    const [, operation = ''] = /:aws-sdk:(.+)$/.exec(schedule.Target.Arn) ?? [];
    if (!['dynamodb:putItem', 's3:deleteObject'].includes(operation)) {
      throw new Error(`The local scheduler does not call ${schedule.Target.Arn}.`);
    }
    this.#schedules.set(id, { ...schedule, dueMs: time ? Date.parse(`${time}Z`) : Date.now() });
    await this.#store();
    this.#tick();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Runs what is due, after what runs already. */
  #tick(): void {
    this.#running = this.#running.then(async () => {
      for (const [id, schedule] of this.#schedules) await this.#runIfDue(id, schedule);
    });
  }

  async #runIfDue(id: string, schedule: Schedule): Promise<void> {
    const { EndDate = Number.POSITIVE_INFINITY, ScheduleExpression, dueMs } = schedule;
    const now = Date.now();
    const hasEnded = now >= EndDate * 1_000;
    if (now < dueMs && !hasEnded) return;
    const isOnce = ScheduleExpression.startsWith('at');
    // A heartbeat that fails is missed, as the next one shows; AWS retries other calls for a day.
    const isDone = hasEnded || (await this.#call(schedule)) || !isOnce;
    // It may have been replaced meanwhile.
    if (!isDone || this.#schedules.get(id) !== schedule) return;
    if (isOnce || hasEnded) this.#schedules.delete(id);
    else this.#schedules.set(id, { ...schedule, dueMs: now + MINUTE_MS });
    if (isOnce || hasEnded) await this.#store();
  }

  /** Calls the target, and returns whether that succeeded. */
  async #call({ Target: { Arn, Input } }: Schedule): Promise<boolean> {
    const { dynamodbEndpoint, s3Endpoint } = this.#options;
    const input = JSON.parse(Input.replaceAll(SCHEDULED_TIME, new Date().toISOString()));
    try {
      await (Arn.endsWith(':s3:deleteObject')
        ? deleteObject(s3Endpoint, input)
        : requestDynamoDb(dynamodbEndpoint, 'DynamoDB_20120810.PutItem', input));
      return true;
    } catch {
      return false;
    }
  }

  async #store(): Promise<void> {
    const { dataFolder } = this.#options;
    if (!dataFolder) return;
    const text = JSON.stringify(Object.fromEntries(this.#schedules));
    await writeDataFile(dataFolder, 'schedules.json', text);
  }
}

async function deleteObject(endpoint: string, input: DeleteObjectCommandInput): Promise<void> {
  // Loads the client of S3, which starts without such a schedule do without.
  const { DeleteObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
  try {
    await client.send(new DeleteObjectCommand(input));
  } finally {
    client.destroy();
  }
}
