import type { ENVIRONMENT, IMPORT_PREFIXES } from '../environment.ts';
import type { Json } from './json-schema.ts';
import type { ProblemType } from './problem-details.ts';
import type { RequestSchemas } from './validation.ts';

/** The permissions that tokens carry in their `scope` claim. */
export const SCOPES = ['customers:read', 'customers:write'] as const;
type Scope = (typeof SCOPES)[number];

/** What a function may do with the table. */
export interface TableAccess {
  /** Actions on the table itself. */
  readonly actions?: readonly TableAction[];
  /** Names of the indexes it queries. */
  readonly indexes?: readonly string[];
  /** Actions on export jobs and leases of exports, and on no other items. */
  readonly exportJobs?: readonly ('PutItem' | 'UpdateItem')[];
  /** Actions on imports and the lock of the one being applied, and on no other items. */
  readonly importJobs?: readonly ('PutItem' | 'UpdateItem')[];
  /** Actions on cached look-ups and their counts, and on no other items. Such a function asks public registers. */
  readonly companies?: readonly ('PutItem' | 'UpdateItem')[];
  /** Actions on the change log, and on no other items. */
  readonly changeLog?: readonly ('PutItem' | 'UpdateItem')[];
  /** Actions on pointers to snapshots, and on no other items. */
  readonly snapshots?: readonly 'UpdateItem'[];
}

type TableAction =
  | 'BatchGetItem'
  | 'ConditionCheckItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PutItem'
  | 'Query'
  | 'UpdateItem';

/** What a function may do with files of imports in the bucket, by what they are for. */
export type ImportFileAccess = Readonly<
  Partial<Record<keyof typeof IMPORT_PREFIXES, readonly ImportFileAction[]>>
>;

type ImportFileAction = 'GetObject' | 'PutObject' | 'AbortMultipartUpload' | 'DeleteObject';

/** The durable functions, by the environment variable that has their ARN. */
type Worker = 'exportWorker' | 'importPlanner' | 'importWorker';

/** A documented response. */
export interface ResponseDescription {
  readonly description: string;
  /** JSON Schema of the body; none for a response without one. */
  readonly schema?: Json;
  /** An example of the body, unless `infra/documents/openapi-examples.ts` has one of its schema. */
  readonly example?: unknown;
  readonly headers?: Readonly<Record<string, Json>>;
}

/** A documented parameter: what it means, and an example of its value. */
export type ParameterDescription = readonly [description: string, example: unknown];

/** A documented error: what it means, and the types that its problem details can have if any. */
export type ErrorDescription = string | readonly [description: string, ...types: ProblemType[]];

/** A documented request body. */
interface RequestBody {
  /** Name of its schema in the document. */
  readonly name: string;
  readonly description: string;
  /** Descriptions of its members, unless they are fields of a customer. */
  readonly members?: Readonly<Record<string, string>>;
  readonly example: unknown;
}

/**
 * All facts of an endpoint but its code. The stack, the permissions, the local gateway and the
 * OpenAPI document are derived from it.
 *
 * A contract is returned by a function, and so is left out of the endpoint's bundle.
 */
export interface Contract<R extends RequestSchemas = RequestSchemas> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path; `{name}` is a path parameter. */
  readonly path: string;
  /** Whether the parameter at the end of the path can have slashes: in API Gateway `{name+}`. */
  readonly hasGreedyPath?: boolean;
  readonly scope: Scope;
  readonly table?: TableAccess;
  /** What the function does with export files in the bucket. */
  readonly files?: 'read' | 'write';
  /** What the function does with snapshots of the customer index. A reader may start their builder. */
  readonly snapshots?: 'read';
  /** Whether a call may read all customers of a merchant, as an export does, and takes seconds. */
  readonly readsAll?: boolean;
  /** What the function does with files of imports. One that deletes may list them as well. */
  readonly importFiles?: ImportFileAccess;
  /** The durable function that it may start. */
  readonly starts?: Worker;
  /** Environment variables that it needs besides those of the table, files and jobs. */
  readonly environment?: readonly (keyof typeof ENVIRONMENT)[];

  readonly summary: string;
  readonly request: R;
  /** Description and example of each parameter of the request. */
  readonly parameters: Readonly<Record<ParameterName<R>, ParameterDescription>>;
  /** The JSON body, if the request has one; its forms as an array of such and as a merge patch. */
  readonly requestBody?: RequestBody & {
    readonly batch?: RequestBody;
    readonly mergePatch?: RequestBody;
  };
  /** Successful responses by status. */
  readonly responses: Readonly<Record<number, ResponseDescription>>;
  /** Errors besides those of every endpoint, by status. */
  readonly errors?: Readonly<Record<number, ErrorDescription>>;
  /** Named schemas that the responses refer to. */
  readonly schemas?: Readonly<Record<string, Json>>;
}

type ParameterName<R extends RequestSchemas> = Extract<
  keyof R['path'] | keyof R['query'] | keyof R['headers'],
  string
>;

/** Returns the contract as it is; checks that each parameter is described. */
export function defineContract<const R extends RequestSchemas>(contract: Contract<R>): Contract<R> {
  return contract;
}
