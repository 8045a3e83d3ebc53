import { KEY } from '../../shared/storage/table.ts';
import type { Passing } from './fault-proxy.ts';

/** A request to DynamoDB, as an IAM policy evaluates it. */
export interface DynamoDbCall {
  /**
   * One, or those of a transaction: it is permitted by the actions of its writes and conditions.
   *
   * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
   */
  readonly actions: readonly string[];
  /** The index where one is queried; undefined for the table itself. */
  readonly index: string | undefined;
  /** Partition keys of all that is read or written. */
  readonly leadingKeys: readonly string[];
  /** Attributes that are written, keys included; none for a call that only reads. */
  readonly written: readonly string[];
}

type Attributes = Record<string, { S?: string }>;

/** The request's own texts, in which expressions name what is theirs. */
interface Body {
  readonly IndexName?: string;
  readonly Key?: Attributes;
  readonly Item?: Attributes;
  readonly RequestItems?: Record<string, { Keys: Attributes[] }>;
  readonly KeyConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Attributes;
  readonly ExclusiveStartKey?: Attributes;
  readonly TransactItems?: { Put?: { Item: Attributes }; ConditionCheck?: { Key: Attributes } }[];
}

/**
 * Reads a request on its way to DynamoDB.
 *
 * @throws Error for an operation, or a form of one, whose keys it cannot tell.
 */
export function readCall({ operation, body }: Passing): DynamoDbCall {
  const request = JSON.parse(body) as Body;
  const keys = keysOf(operation, request).map((key) => key?.[KEY.partition]?.S);
  if (keys.length === 0 || keys.includes(undefined)) {
    throw new Error(`A ${operation} whose keys are not known: ${body}`);
  }
  return {
    actions: actionsOf(operation, request),
    index: request.IndexName,
    leadingKeys: [...new Set(keys as string[])],
    written: writtenBy(operation, request),
  };
}

function actionsOf(operation: string, { TransactItems = [] }: Body): string[] {
  if (operation !== 'TransactWriteItems') return [operation];
  const actions = TransactItems.map(({ Put }) => (Put ? 'PutItem' : 'ConditionCheckItem'));
  return [...new Set(actions)];
}

function keysOf(operation: string, request: Body): (Attributes | undefined)[] {
  switch (operation) {
    case 'GetItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [request.Key];
    case 'PutItem':
      return [request.Item];
    case 'BatchGetItem':
      return Object.values(request.RequestItems ?? {}).flatMap(({ Keys }) => Keys);
    case 'TransactWriteItems':
      return [...putItems(request), ...checkedKeys(request)];
    case 'Query':
      return keysOfQuery(request);
    default:
      return [];
  }
}

/** Items that a transaction puts; undefined for any other write. */
function putItems({ TransactItems = [] }: Body): (Attributes | undefined)[] {
  return TransactItems.flatMap(({ Put, ConditionCheck }) => (ConditionCheck ? [] : [Put?.Item]));
}

/** Keys of the items of which a transaction checks a condition. */
function checkedKeys({ TransactItems = [] }: Body): Attributes[] {
  return TransactItems.flatMap(({ ConditionCheck }) =>
    ConditionCheck ? [ConditionCheck.Key] : [],
  );
}

function keysOfQuery(request: Body): (Attributes | undefined)[] {
  const [, placeholder = ''] =
    /^pk = (:\w+)(?: AND |$)/.exec(request.KeyConditionExpression ?? '') ?? [];
  const value = request.ExpressionAttributeValues?.[placeholder];
  const start = request.ExclusiveStartKey;
  return [value && { [KEY.partition]: value }, ...(start ? [start] : [])];
}

function writtenBy(operation: string, request: Body): string[] {
  const { Item = {}, Key = {}, UpdateExpression = '', ExpressionAttributeNames = {} } = request;
  if (operation === 'PutItem') return Object.keys(Item);
  if (operation === 'TransactWriteItems') {
    return putItems(request).flatMap((item) => Object.keys(item ?? {}));
  }
  if (operation !== 'UpdateItem') return [];
  const names = [...UpdateExpression.matchAll(/(#?\w+) (?:=|:)/g)].map(([, name = '']) => name);
  return [...Object.keys(Key), ...names.map((name) => ExpressionAttributeNames[name] ?? name)];
}
