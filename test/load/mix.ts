import { parseIdentityNumber } from '../../shared/domain/identity-number.ts';
import { customerOf } from '../bench/customers.ts';

/** A request as the load generator sends it. */
interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Calls of one endpoint, as a share of the load. */
export interface Part {
  readonly name: string;
  /** Callers of the fifty that make these calls, each one after the other. */
  readonly callers: number;
  /** A request, anew each time. */
  readonly request: () => Request;
  /** Is shown each response. */
  readonly seen?: (status: number, body: string) => void;
}

/** Customers that a merchant has to begin with; they are changed, and never deleted. */
export const KEPT = 1_000;
/** Deleted at once; creations are as many as deletions, so that the register stays as large. */
const DELETED_AT_ONCE = 20;
/** An id that no customer has: a call must name one at least. */
const NOBODY = Number.MAX_SAFE_INTEGER;
const SURNAMES = ['berg', 'ström', 'holm', 'AB', 'Gatan'];

/** What the `nth` customer of a merchant is created with. */
export function textsOf(nth: number): Readonly<Record<string, string>> {
  return customerOf('typical', nth).fields;
}

/** What the fifty callers do. */
export function mix(): readonly Part[] {
  const created: number[] = [];
  const numbers = Array.from({ length: KEPT }, (_, index) => textsOf(index + 1).companyno ?? '');
  const valid = numbers.filter(parseIdentityNumber);
  let turn = 0;
  const next = (count: number) => {
    turn += 1;
    return turn % count;
  };
  const anyKept = () => 1 + next(KEPT);
  const customer = () => textsOf(1 + next(10_000));
  const get = (path: string): Request => ({ method: 'GET', path });
  const send = (method: 'POST' | 'PATCH' | 'DELETE', path: string, body: unknown): Request => ({
    method,
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const search = () =>
    `filter=search&search=${encodeURIComponent(SURNAMES[next(SURNAMES.length)] as string)}`;
  return [
    { name: 'get', callers: 12, request: () => get(`/customers/${anyKept()}`) },
    { name: 'list', callers: 5, request: () => get(`/customers?start=${next(KEPT)}&limit=50`) },
    { name: 'list, search', callers: 4, request: () => get(`/customers?${search()}&limit=20`) },
    { name: 'count, search', callers: 2, request: () => get(`/customers/count?${search()}`) },
    {
      name: 'searchByOrgNumber',
      callers: 4,
      request: () => get(`/customers/searchByOrgNumber/${valid[next(valid.length)]}`),
    },
    {
      name: 'create',
      callers: 8,
      request: () => send('POST', '/customers', customer()),
      seen: (status, body) => {
        if (status === 200) created.push(JSON.parse(body).mexcParamvaluesetsid);
      },
    },
    {
      name: 'update',
      callers: 8,
      request: () =>
        send('PATCH', `/customers/${anyKept()}`, { notes: `Ändrad ${next(1_000_000)}` }),
    },
    {
      name: 'delete',
      callers: 1,
      request: () => {
        const id = created.shift();
        // Before the first is created there is nobody to delete.
        return id ? { method: 'DELETE', path: `/customers/${id}` } : get('/customers?limit=1');
      },
    },
    {
      name: 'delete many',
      callers: 2,
      request: () => send('DELETE', '/customers', [NOBODY, ...created.splice(0, DELETED_AT_ONCE)]),
    },
    { name: 'export csv', callers: 1, request: () => get('/customers/export/csv') },
    { name: 'export xml', callers: 1, request: () => get('/customers/export/xml') },
    {
      name: 'export chosen csv',
      callers: 1,
      request: () => send('POST', '/customers/export/csv', [anyKept(), anyKept()]),
    },
    {
      name: 'export chosen xml',
      callers: 1,
      request: () => send('POST', '/customers/export/xml', [anyKept(), anyKept()]),
    },
  ];
}
