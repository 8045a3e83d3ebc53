import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  paginateScan,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan as paginateDocuments } from '@aws-sdk/lib-dynamodb';
import { ensureTable } from '../../infra/local/ensure-table.ts';
import { type LocalServer, start } from '../../infra/local/server.ts';

/** A call as the server received it. */
export interface TableCall {
  readonly operation: string;
  readonly table: string;
  // biome-ignore lint/suspicious/noExplicitAny: each operation has an input of its own
  readonly input: any;
}

/** What the server does not know of a table, or has otherwise. */
interface TableState {
  timeToLive: string | undefined;
  hasBackups: boolean;
  /** Whether its backups can be enabled: not at once after a restore. */
  canHaveBackups: boolean;
  isProtected: boolean;
  stream: string | undefined;
  streamView: string | undefined;
  readonly tags: Record<string, string>;
  restoredFrom?: { readonly table: string; readonly time: number };
  /** What a description says of the table, as often as `busy`. */
  status: 'CREATING' | 'UPDATING';
  busy: number;
}

type Items = Record<string, AttributeValue>[];

class Refusal extends Error {}

const ARN = 'arn:aws:dynamodb:eu-north-1:111122223333:table/';
/** Changes of tables and items. */
const MUTATION = /^(?:Restore|Update|Tag|Put|Delete|BatchWrite|TransactWrite)/;

/**
 * Starts a server that adds to a DynamoDB server what local ones lack of the control plane: backups of
 * points in time, and the settings of tables. A table that is restored has none of the settings, as on
 * AWS, and refuses calls until it is complete. Other calls are forwarded.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
 */
export async function startTableRestores(dynamodbEndpoint: string) {
  const client = new DynamoDBClient({ endpoint: dynamodbEndpoint });
  const documents = DynamoDBDocumentClient.from(client);
  const backups = new Map<string, Items>();
  const states = new Map<string, TableState>();
  const calls: TableCall[] = [];
  let watch: (call: TableCall) => void = () => {};

  const stateOf = (table: string): TableState => {
    const state = states.get(table) ?? {
      ...NEW_TABLE,
      tags: {},
      hasBackups: true,
      canHaveBackups: true,
    };
    states.set(table, state);
    return state;
  };

  const forward = async (request: IncomingMessage, body: string) => {
    const headers = Object.entries(request.headers).filter(
      ([name]) => !['host', 'connection', 'content-length'].includes(name),
    ) as [string, string][];
    const response = await fetch(dynamodbEndpoint, { method: 'POST', headers, body });
    return { status: response.status, body: await response.text() };
  };

  const describe = async (request: IncomingMessage, table: string, body: string) => {
    const response = await forward(request, body);
    if (response.status !== 200) return response;
    const { Table } = JSON.parse(response.body);
    const state = stateOf(table);
    state.busy = Math.max(0, state.busy - 1);
    const { restoredFrom, stream, streamView } = state;
    const isRestoring = isBeingCreated(state);
    const described = {
      ...Table,
      TableArn: ARN + table,
      TableStatus: state.busy > 0 ? state.status : Table.TableStatus,
      DeletionProtectionEnabled: state.isProtected,
      // Not those of the server's table: a restored one has none at first.
      LatestStreamArn: stream,
      StreamSpecification: stream && { StreamEnabled: true, StreamViewType: streamView },
      ...(restoredFrom && {
        RestoreSummary: {
          SourceTableArn: ARN + restoredFrom.table,
          RestoreDateTime: restoredFrom.time,
          RestoreInProgress: isRestoring,
        },
      }),
    };
    return { status: 200, body: JSON.stringify({ Table: described }) };
  };

  const restore = async (source: string, target: string, time: number) => {
    const items = backups.get(`${source} ${time}`);
    if (!items) throw new Refusal('InvalidRestoreTimeException');
    await ensureTable(dynamodbEndpoint, target);
    for (let from = 0; from < items.length; from += 25) {
      const puts = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [target]: puts } }));
    }
    states.set(target, {
      ...NEW_TABLE,
      tags: {},
      restoredFrom: { table: source, time },
      busy: 2,
    });
  };

  /** Executes an operation of the control plane; undefined for others. */
  const execute = async ({ operation, table, input }: TableCall) => {
    const state = stateOf(table);
    switch (operation) {
      case 'RestoreTableToPointInTime':
        await restore(input.SourceTableName, input.TargetTableName, input.RestoreDateTime);
        return {};
      case 'DescribeTimeToLive':
        return {
          TimeToLiveDescription: {
            TimeToLiveStatus: state.timeToLive ? 'ENABLED' : 'DISABLED',
            AttributeName: state.timeToLive,
          },
        };
      case 'UpdateTimeToLive':
        if (state.timeToLive) throw new Refusal('ValidationException');
        state.timeToLive = input.TimeToLiveSpecification.AttributeName;
        return {};
      case 'DescribeContinuousBackups':
        return {
          ContinuousBackupsDescription: {
            ContinuousBackupsStatus: 'ENABLED',
            PointInTimeRecoveryDescription: state.hasBackups
              ? {
                  PointInTimeRecoveryStatus: 'ENABLED',
                  EarliestRestorableDateTime: EARLIEST_S,
                  LatestRestorableDateTime: Math.floor(Date.now() / 1_000),
                }
              : { PointInTimeRecoveryStatus: 'DISABLED' },
          },
        };
      case 'UpdateContinuousBackups':
        if (!state.canHaveBackups) {
          state.canHaveBackups = true;
          throw new Refusal('ContinuousBackupsUnavailableException');
        }
        state.hasBackups = input.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled;
        return {};
      case 'TagResource':
        for (const { Key, Value } of input.Tags) state.tags[Key] = Value;
        return {};
      case 'UpdateTable': {
        if (state.busy > 0) throw new Refusal('ResourceInUseException');
        state.status = 'UPDATING';
        state.busy = 2;
        const { DeletionProtectionEnabled, StreamSpecification } = input;
        if (DeletionProtectionEnabled !== undefined) state.isProtected = DeletionProtectionEnabled;
        if (StreamSpecification?.StreamEnabled) {
          state.stream = `${ARN}${table}/stream/2026-01-31T12:00:00.000`;
          state.streamView = StreamSpecification.StreamViewType;
        }
        return {};
      }
      default:
        return undefined;
    }
  };

  const respond = async (request: IncomingMessage) => {
    const body = (await buffer(request)).toString();
    const [service, operation = ''] = String(request.headers['x-amz-target']).split('.');
    if (service !== 'DynamoDB_20120810') return forward(request, body);
    const input = JSON.parse(body);
    const table: string =
      input.TableName ?? input.TargetTableName ?? input.ResourceArn?.split('/')[1] ?? '';
    if (operation === 'DescribeTable') return describe(request, table, body);
    const call = { operation, table, input };
    if (isBeingCreated(stateOf(table))) throw new Refusal('ResourceInUseException');
    const isMutation = MUTATION.test(operation);
    if (isMutation) watch({ ...call, operation: `before ${operation}` });
    const output = await execute(call);
    const response = output
      ? { status: 200, body: JSON.stringify(output) }
      : await forward(request, body);
    if (isMutation) {
      calls.push(call);
      watch(call);
    }
    return response;
  };

  const server: LocalServer = await start(
    createServer((request, response) => {
      respond(request).then(
        ({ status, body }) =>
          response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body),
        (error: Error) =>
          response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(
            JSON.stringify({
              __type: `com.amazonaws.dynamodb.v20120810#${error.message}`,
              message: 'refused',
            }),
          ),
      );
    }),
    0,
  );

  return {
    endpoint: server.endpoint,
    /** Calls that changed a table or its items, in their order. */
    calls,
    /** What was set for a table. */
    stateOf,
    /**
     * Keeps a backup of a table as it is, and returns its time, in milliseconds since 1970.
     *
     * @param name the table whose backup it is, if that is another.
     */
    async backUp(table: string, name = table): Promise<number> {
      const seconds = Math.floor(Date.now() / 1_000);
      backups.set(`${name} ${seconds}`, await itemsOf(table));
      return seconds * 1_000;
    },
    /** Deletes a table. Its backups can still be restored by {@link restoreBackup}. */
    async deleteTable(table: string): Promise<void> {
      await client.send(new DeleteTableCommand({ TableName: table }));
      await waitUntilTableNotExists(
        { client, maxWaitTime: 30, minDelay: 0.1 },
        { TableName: table },
      );
    },
    /** Restores a backup as the console does. */
    restoreBackup: (source: string, target: string, timeMs: number) =>
      restore(source, target, timeMs / 1_000),
    itemsOf: async (table: string) => {
      // biome-ignore lint/suspicious/noExplicitAny: items have many forms
      const items: Record<string, any>[] = [];
      const pages = paginateDocuments({ client: documents }, { TableName: table });
      for await (const { Items = [] } of pages) items.push(...Items);
      return items;
    },
    /** Has a function called before and after each call that changes something. */
    watch(watcher: (call: TableCall) => void) {
      watch = watcher;
    },
    async close() {
      await server.close();
      client.destroy();
    },
  };

  async function itemsOf(table: string): Promise<Items> {
    const items: Items = [];
    for await (const page of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
      items.push(...(page.Items ?? []));
    }
    return items;
  }
}

export type TableRestores = Awaited<ReturnType<typeof startTableRestores>>;

const EARLIEST_S = Date.parse('2026-01-01T00:00:00Z') / 1_000;

const NEW_TABLE = {
  timeToLive: undefined,
  hasBackups: false,
  canHaveBackups: false,
  isProtected: false,
  stream: undefined,
  streamView: undefined,
  status: 'CREATING',
  busy: 0,
} satisfies Partial<TableState>;

function isBeingCreated({ status, busy }: TableState): boolean {
  return status === 'CREATING' && busy > 0;
}
