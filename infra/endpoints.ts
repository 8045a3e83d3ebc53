import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '../shared/http/contract.ts';

/** An endpoint: its contract, and the name of its folder in `functions/` and of its function. */
export interface Endpoint extends Contract {
  readonly function: string;
}

const METHODS: readonly Contract['method'][] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const FUNCTIONS = join(import.meta.dirname, '../functions');

/** Every endpoint of the API: the folders in `functions/` that have a contract. */
export const ENDPOINTS: readonly Endpoint[] = (await loadEndpoints()).toSorted(byPathAndMethod);

/** The function behind API Gateway's `$default` route: requests that match no endpoint. */
export const DEFAULT_FUNCTION = 'answer-unknown-route';

/** The durable function that continues long exports. */
export const EXPORT_WORKER = 'run-export';

/** Returns the value of the environment variable `ROUTES`: method and path of each endpoint. */
export function routesVariable(endpoints: readonly Endpoint[] = ENDPOINTS): string {
  return endpoints.map(({ method, path }) => `${method} ${path}`).join(',');
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
