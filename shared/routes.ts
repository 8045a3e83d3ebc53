/** The permission a token must carry in its `scope` claim to call a route. */
export type Scope = 'customers:read' | 'customers:write';

/** One endpoint: where it is called, which function answers, and what it needs. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** API Gateway path; `{name}` is a path parameter. */
  readonly path: string;
  /** Name of the file in `functions/`, without its ending. */
  readonly function: string;
  readonly scope: Scope;
  /** What the function may do with the customer table. */
  readonly table: 'read' | 'write' | 'delete';
  /** What the function does with export files in the bucket. */
  readonly exports: 'write' | 'read' | false;
}

/**
 * Every route of the API. The stack, the local gateway and the OpenAPI document are made from
 * this table; a route exists nowhere else.
 */
export const ROUTES = [
  route('GET', '/customers', 'list-customers', 'read'),
  route('POST', '/customers', 'create-customer', 'write'),
  route('DELETE', '/customers', 'delete-customers', 'delete'),
  route('GET', '/customers/count', 'count-customers', 'read'),
  route('GET', '/customers/{mexcParamvaluesetsid}', 'get-customer', 'read'),
  route('PATCH', '/customers/{mexcParamvaluesetsid}', 'update-customer', 'write'),
  route('DELETE', '/customers/{mexcParamvaluesetsid}', 'delete-customer', 'delete'),
  route('GET', '/customers/searchByOrgNumber/{orgNum}', 'search-by-org-number', 'read'),
  route('GET', '/customers/export/xml', 'export-customers-xml', 'read', 'write'),
  route('POST', '/customers/export/xml', 'export-customers-by-id-xml', 'read', 'write'),
  route('GET', '/customers/export/csv', 'export-customers-csv', 'read', 'write'),
  route('POST', '/customers/export/csv', 'export-customers-by-id-csv', 'read', 'write'),
  route('GET', '/customers/exports/{exportId}', 'get-export', 'read', 'read'),
] as const satisfies readonly Route[];

/**
 * The function behind API Gateway's `$default` route: it answers what no route above does, with
 * 404 or, where the path exists under other methods, 405.
 */
export const DEFAULT_FUNCTION = 'answer-unknown-route';

/** The durable function that goes on with exports too long for the API; no route leads to it. */
export const EXPORT_RUNNER = 'run-export';

/** Names of the thirteen endpoint functions. */
export type FunctionName = (typeof ROUTES)[number]['function'];

function route<const F extends string>(
  method: Route['method'],
  path: string,
  name: F,
  table: Route['table'],
  exports: Route['exports'] = false,
) {
  const scope: Scope = table === 'read' ? 'customers:read' : 'customers:write';
  return { method, path, function: name, scope, table, exports };
}
