import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '../shared/http/contract.ts';
import { PAGE_PATH } from '../shared/http/document-index.ts';

/** An endpoint: its contract, and the name of its folder in `functions/` and of its function. */
export interface Endpoint extends Contract {
  readonly function: string;
}

/** A method of a route: that of a contract, or HEAD, which each GET has beside it. */
type Method = Contract['method'] | 'HEAD';

/** A route of API Gateway. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly function: string;
  /** Scope that it requires; none if a token of any scope will do. */
  readonly scope?: Endpoint['scope'];
  /** Whether it needs no token. */
  readonly isPublic?: boolean;
}

const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const FUNCTIONS = join(import.meta.dirname, '../functions');

/** Every endpoint of the API: the folders in `functions/` that have a contract. */
export const ENDPOINTS: readonly Endpoint[] = (await loadEndpoints()).toSorted(byPathAndMethod);

/** The function behind API Gateway's `$default` route: requests that match no endpoint. */
export const DEFAULT_FUNCTION = 'answer-unknown-route';

/** The function of the API reference and the documents that describe the API. */
export const DOCUMENTS_FUNCTION = 'answer-documents';

const DOCUMENT_PATHS = [
  '/',
  '/docs',
  '/docs/{file}',
  '/openapi.json',
  '/customers.xsd',
  '/favicon.ico',
] as const;

/** Routes of the documents, which need no token. */
export const DOCUMENT_ROUTES: readonly Route[] = DOCUMENT_PATHS.flatMap(documentRoutes);

/**
 * Routes of the page for persons, which itself needs no token; it asks for the one of its calls. A
 * deployment has them if its settings say so.
 */
export const PAGE_ROUTES: readonly Route[] = [PAGE_PATH, `${PAGE_PATH}/{file}`].flatMap(
  documentRoutes,
);

function documentRoutes(path: string): Route[] {
  return (['GET', 'HEAD'] as const).map((method) => ({
    method,
    path,
    function: DOCUMENTS_FUNCTION,
    isPublic: true,
  }));
}

/** The durable function that continues long exports. */
export const EXPORT_WORKER = 'run-export';

/** The durable function that plans imports of large files. */
export const IMPORT_PLANNER = 'run-import-plan';

/** The durable function that applies and undoes large imports. */
export const IMPORT_WORKER = 'run-import';

/** The function that ends long exports and imports whose worker is dead. */
export const END_FAILED_JOB = 'end-failed-job';

/** The function that appends the changes in the table's stream to the change logs. */
export const CHANGE_RECORDER = 'record-changes';

/** The function that builds snapshots of the customer index. */
export const SNAPSHOT_BUILDER = 'build-snapshot';

/**
 * Returns the routes of an endpoint. That of a GET has a HEAD beside it, for the same function
 * (RFC 9110, section 9.3.2): HTTP APIs of API Gateway match the method as it is. API Gateway sends
 * the function's response to a HEAD without its body.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export function routesOf({
  method,
  path,
  hasGreedyPath,
  function: name,
  scope,
}: Endpoint): Route[] {
  const methods: readonly Method[] = method === 'GET' ? ['GET', 'HEAD'] : [method];
  const template = hasGreedyPath ? path.replace(/\}$/, '+}') : path;
  return methods.map((each) => ({ method: each, path: template, function: name, scope }));
}

/**
 * Returns a route for each method that a path does not have, but a path with parameters in place of
 * its segments has: `PATCH /customers/count` would reach `PATCH /customers/{mexcParamvaluesetsid}`
 * with `count` for an id. The default function responds to them, with 405.
 */
export function refusingRoutes(endpoints: readonly Endpoint[] = ENDPOINTS): Route[] {
  const routes = endpoints.flatMap(routesOf);
  const paths = [...new Set(routes.map(({ path }) => path))];
  return paths.flatMap((path) => {
    const own = routes.filter((route) => route.path === path).map(({ method }) => method);
    const others = routes.filter((route) => covers(route.path, path)).map(({ method }) => method);
    return [...new Set(others)]
      .filter((method) => !own.includes(method))
      .map((method) => ({ method, path, function: DEFAULT_FUNCTION }));
  });
}

/** Returns whether a path template matches whatever another one does. */
function covers(template: string, path: string): boolean {
  const segments = path.split('/');
  const parts = template.split('/');
  return (
    parts.length === segments.length &&
    parts.every((part, index) => part.startsWith('{') || part === segments[index])
  );
}

/** Every route of the API but `$default`, and those of the page. */
export const ROUTES: readonly Route[] = [
  ...ENDPOINTS.flatMap(routesOf),
  ...refusingRoutes(),
  ...DOCUMENT_ROUTES,
];

/**
 * Returns the value of the environment variable `ROUTES`: method and path of each route.
 *
 * @param hasPage whether there are those of the page.
 */
export function routesVariable(
  endpoints: readonly Endpoint[] = ENDPOINTS,
  hasPage = false,
): string {
  const pageRoutes = hasPage ? PAGE_ROUTES : [];
  return [...endpoints.flatMap(routesOf), ...DOCUMENT_ROUTES, ...pageRoutes]
    .map(({ method, path }) => `${method} ${path}`)
    .join(',');
}

async function loadEndpoints(): Promise<Endpoint[]> {
  const names = readdirSync(FUNCTIONS).filter((name) =>
    existsSync(join(FUNCTIONS, name, 'contract.ts')),
  );
  return Promise.all(
    names.map(async (name) => {
      const { contract } = await import(`../functions/${name}/contract.ts`);
      return { function: name, ...(contract() as Contract) };
    }),
  );
}

function byPathAndMethod(a: Endpoint, b: Endpoint): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return METHODS.indexOf(a.method) - METHODS.indexOf(b.method);
}
