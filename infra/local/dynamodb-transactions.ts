import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import db, { type Store, type StoreItem, type StoreTable } from 'dynalite/db/index.js';
import deleteItem from 'dynalite/validations/deleteItem.js';
import validations from 'dynalite/validations/index.js';
import putItem from 'dynalite/validations/putItem.js';
import { writesOf } from './dynalite-patches.ts';
import type { DynamoDbStreams, ItemChange } from './dynamodb-streams.ts';

// dynalite lacks TransactWriteItems, and its operations are a closed list.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html

const TARGET = 'DynamoDB_20120810.TransactWriteItems';
const ERRORS = 'com.amazonaws.dynamodb.v20120810#';
const MAX_ITEMS = 100;
/** How long a client request token makes repeats idempotent, from the first response on. */
const TOKEN_LIFETIME_MS = 10 * 60 * 1_000;

interface TransactWriteItems {
  readonly TransactItems?: readonly Readonly<Record<string, ItemRequest>>[];
  readonly ClientRequestToken?: string;
  readonly ReturnConsumedCapacity?: string;
}

interface ItemRequest {
  readonly TableName: string;
  readonly Item?: StoreItem;
  readonly Key?: StoreItem;
  readonly ReturnValuesOnConditionCheckFailure?: string;
}

/** A validated write of a transaction. */
interface Action {
  readonly request: ItemRequest;
  readonly table: StoreTable;
  /** Key in dynalite's store of items. */
  readonly key: string;
  /** The new item; null deletes it; undefined does not change it. */
  readonly item: StoreItem | null | undefined;
}

/** Why an item cancels a transaction. */
interface Reason {
  readonly Code: string;
  readonly Message: string;
  readonly Item?: StoreItem;
}

interface Response {
  readonly status: number;
  readonly body: object;
}

/** An error as DynamoDB returns it; dynalite's own errors have the same members. */
class ServiceError extends Error {
  readonly statusCode = 400;
  readonly body: object;
  constructor(type: string, message: string, more: object = {}) {
    super(message);
    this.body = { __type: type, message, ...more };
  }
}
const validationError = (message: string) =>
  new ServiceError('com.amazon.coral.validate#ValidationException', message);
const serializationError = () =>
  new ServiceError('com.amazon.coral.service#SerializationException', 'The body is not valid.');

/**
 * Adds TransactWriteItems, with Put, Delete and ConditionCheck, to a dynalite server.
 *
 * A transaction is one atomic batch of LevelDB. It waits for other writers of its items, whereas
 * DynamoDB would cancel one of them. Client request tokens are kept in memory only.
 */
export function serveTransactions(server: Server, store: Store, streams: DynamoDbStreams): void {
  const tokens = new Map<string, { readonly hash: string; readonly response: Promise<Response> }>();
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers['x-amz-target'] === TARGET) respond(request, response);
    else for (const listener of listeners) listener.call(server, request, response);
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await buffer(request)
      .then((text) => handle(text.toString()))
      .catch(errorResponse);
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': randomUUID(),
    });
    response.end(JSON.stringify(body));
  }

  async function handle(text: string): Promise<Response> {
    const request = parse(text);
    const { ClientRequestToken: token } = request;
    if (token === undefined) return execute(store, streams, request);
    const hash = createHash('sha256').update(text).digest('hex');
    const earlier = tokens.get(token);
    if (earlier?.hash === hash) return earlier.response;
    if (earlier) {
      const message = 'The token belongs to another request.';
      const type = `${ERRORS}IdempotentParameterMismatchException`;
      return { status: 400, body: new ServiceError(type, message).body };
    }
    const response = execute(store, streams, request);
    tokens.set(token, { hash, response });
    const { status } = await response;
    // A failed request may be retried with the same token.
    if (status !== 200) tokens.delete(token);
    else setTimeout(() => tokens.delete(token), TOKEN_LIFETIME_MS).unref();
    return response;
  }
}

/** Executes a transaction. Errors become responses, so that the promise does not reject. */
async function execute(
  store: Store,
  streams: DynamoDbStreams,
  request: TransactWriteItems,
): Promise<Response> {
  try {
    const actions = await validate(store, request);
    return { status: 200, body: await write(store, streams, request, actions) };
  } catch (error) {
    return errorResponse(error);
  }
}

function errorResponse(error: unknown): Response {
  const { statusCode, body } = error as Partial<ServiceError>;
  if (statusCode && body) return { status: statusCode, body };
  console.error(error);
  return { status: 500, body: { __type: `${ERRORS}InternalServerError` } };
}

function parse(text: string): TransactWriteItems {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    throw serializationError();
  }
  if (!isObject(request)) throw serializationError();
  const { TransactItems: items = [] } = request;
  if (!Array.isArray(items) || !items.every(isObject)) throw serializationError();
  if (!items.flatMap((item) => Object.values(item)).every(isObject)) throw serializationError();
  return request;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function validate(
  store: Store,
  { TransactItems = [] }: TransactWriteItems,
): Promise<readonly Action[]> {
  if (TransactItems.length === 0 || TransactItems.length > MAX_ITEMS) {
    throw validationError(`TransactItems must have 1 to ${MAX_ITEMS} members.`);
  }
  const validated = await Promise.all(TransactItems.map((each) => validateItem(store, each)));
  const actions = validated.filter((each) => 'table' in each);
  if (actions.length < validated.length) {
    throw canceled(validated.map((each) => ('table' in each ? undefined : each)));
  }
  const keys = new Set(actions.map(({ table, key }) => `${table.TableName}~${key}`));
  if (keys.size < actions.length) {
    throw validationError('Transaction request cannot include multiple operations on one item');
  }
  return actions;
}

/** Returns the write, or a reason if the item does not have the table's keys. */
async function validateItem(
  store: Store,
  operations: Readonly<Record<string, ItemRequest>>,
): Promise<Action | Reason> {
  const [[operation, sent] = ['', undefined], ...others] = Object.entries(operations);
  if (!sent || others.length > 0 || !['Put', 'Delete', 'ConditionCheck'].includes(operation)) {
    throw validationError('An item of a transaction must be one Put, Delete or ConditionCheck.');
  }
  const { types, custom } = operation === 'Put' ? putItem : deleteItem;
  const request = validations.checkTypes({ ...sent }, types) as unknown as ItemRequest;
  // Adds the parsed condition to the request.
  validations.checkValidations(request, types, custom, store);
  const table = await promisify(store.getTable)(request.TableName);
  const { Item, Key = {} } = request;
  const invalid = Item ? db.validateItem(Item, table) : db.validateKey(Key, table);
  if (invalid) return { Code: 'ValidationError', Message: messageOf(invalid) };
  return {
    request: { ...request, ...onlyReturnValues(sent) },
    table,
    key: db.createKey(Item ?? Key, table),
    item: operation === 'ConditionCheck' ? undefined : (Item ?? null),
  };
}

/** dynalite does not know this member and drops it. */
const onlyReturnValues = ({ ReturnValuesOnConditionCheckFailure }: ItemRequest) => ({
  ...(ReturnValuesOnConditionCheckFailure && { ReturnValuesOnConditionCheckFailure }),
});

/** Writes the items of a transaction atomically. */
async function write(
  store: Store,
  streams: DynamoDbStreams,
  { ReturnConsumedCapacity }: TransactWriteItems,
  actions: readonly Action[],
): Promise<object> {
  const release = await lock(store, actions);
  try {
    const existing = await Promise.all(actions.map((action) => read(store, action)));
    const failures = actions.map(({ request }, index) =>
      db.checkConditional(request, existing[index]) ? reason(request, existing[index]) : undefined,
    );
    if (failures.some(Boolean)) throw canceled(failures);
    const changes = actions.flatMap(({ table, item }, index): ItemChange[] =>
      item === undefined || (item === null && !existing[index])
        ? []
        : [{ table, existing: existing[index], item }],
    );
    const writes = changes.flatMap(({ table, existing, item }) => writesOf(table, existing, item));
    await streams.write(writes, changes);
    if (ReturnConsumedCapacity !== 'TOTAL' && ReturnConsumedCapacity !== 'INDEXES') return {};
    const units = actions.map(({ item }, index) =>
      Math.max(
        ...[item, existing[index]].map((each) => db.capacityUnits(each ?? undefined, false)),
      ),
    );
    const [{ table }] = actions as [Action];
    // Each item is written twice: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    const CapacityUnits = 2 * units.reduce((sum, each) => sum + each, 0);
    const Table = ReturnConsumedCapacity === 'INDEXES' ? { CapacityUnits } : undefined;
    return { ConsumedCapacity: [{ TableName: table.TableName, CapacityUnits, Table }] };
  } finally {
    release();
  }
}

/** Locks the items, as dynalite's own operations do. Returns a function that unlocks them. */
function lock(store: Store, actions: readonly Action[]): Promise<() => void> {
  const [{ table }] = actions as [Action];
  const keys = actions.map(({ key }) => key);
  return new Promise((resolve) => {
    store.getItemDb(table.TableName).lock(keys, (release) => resolve(release(() => {})));
  });
}

function read(store: Store, { table, key }: Action): Promise<StoreItem | undefined> {
  return new Promise((resolve, reject) => {
    store.getItemDb(table.TableName).get(key, (error, item) => {
      if (error && error.name !== 'NotFoundError') reject(error);
      else resolve(item);
    });
  });
}

/** Returns the message of an error of dynalite. */
function messageOf(error: Error): string {
  return (error as Partial<{ body: { message: string } }>).body?.message ?? error.message;
}

function reason(
  { ReturnValuesOnConditionCheckFailure }: ItemRequest,
  existing?: StoreItem,
): Reason {
  return {
    Code: 'ConditionalCheckFailed',
    Message: 'The conditional request failed',
    ...(ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && existing && { Item: existing }),
  };
}

function canceled(failures: readonly (Reason | undefined)[]): ServiceError {
  const reasons = failures.map((failure) => failure ?? { Code: 'None' });
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new ServiceError(
    `${ERRORS}TransactionCanceledException`,
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}
