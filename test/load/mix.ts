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
  /** Number of the fifty callers that send these requests, each sequentially. */
  readonly callers: number;
  /** Creates the next request. */
  readonly request: () => Request;
  /** Called with each response. */
  readonly onResponse?: (status: number, body: string) => void;
}

/** Customers that exist at the start; they are updated, but not deleted. */
export const EXISTING = 1_000;
/** Customers of one bulk delete: as many are deleted as created, so that the number is stable. */
const BULK_DELETE_SIZE = 20;
/** An id that no customer has, because a bulk delete needs at least one. */
const UNKNOWN_ID = Number.MAX_SAFE_INTEGER;
const SURNAMES = ['berg', 'ström', 'holm', 'AB', 'Gatan'];

/** Returns the fields of the `nth` customer of a merchant. */
export function fieldsOf(nth: number): Readonly<Record<string, string>> {
  return customerOf('typical', nth).fields;
}

/** Returns the requests of the fifty callers. */
export function mix(): readonly Part[] {
  const created: number[] = [];
  const numbers = Array.from(
    { length: EXISTING },
    (_, index) => fieldsOf(index + 1).companyno ?? '',
  );
  const valid = numbers.filter(parseIdentityNumber);
  let turn = 0;
  const next = (count: number) => {
    turn += 1;
    return turn % count;
  };
  const anyExisting = () => 1 + next(EXISTING);
  const customer = () => fieldsOf(1 + next(10_000));
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
    { name: 'get', callers: 12, request: () => get(`/customers/${anyExisting()}`) },
    { name: 'list', callers: 5, request: () => get(`/customers?start=${next(EXISTING)}&limit=50`) },
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
      onResponse: (status, body) => {
        if (status === 200) created.push(JSON.parse(body).mexcParamvaluesetsid);
      },
    },
    {
      name: 'update',
      callers: 8,
      request: () =>
        send('PATCH', `/customers/${anyExisting()}`, { notes: `Ändrad ${next(1_000_000)}` }),
    },
    {
      name: 'delete',
      callers: 1,
      request: () => {
        const id = created.shift();
        // Before the first creation there is no customer to delete.
        return id ? { method: 'DELETE', path: `/customers/${id}` } : get('/customers?limit=1');
      },
    },
    {
      name: 'delete many',
      callers: 2,
      request: () =>
        send('DELETE', '/customers', [UNKNOWN_ID, ...created.splice(0, BULK_DELETE_SIZE)]),
    },
    { name: 'export csv', callers: 1, request: () => get('/customers/export/csv') },
    { name: 'export xml', callers: 1, request: () => get('/customers/export/xml') },
    {
      name: 'export by ids csv',
      callers: 1,
      request: () => send('POST', '/customers/export/csv', [anyExisting(), anyExisting()]),
    },
    {
      name: 'export by ids xml',
      callers: 1,
      request: () => send('POST', '/customers/export/xml', [anyExisting(), anyExisting()]),
    },
  ];
}
