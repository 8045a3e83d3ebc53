import { MAX_SORTED_BY_TEXT, MAX_SORTED_BY_UPDATED } from '../../shared/domain/limits.ts';

/** A call whose cost is measured. */
export interface MeasuredCall {
  /** As it is named in the tables. */
  readonly title: string;
  readonly handler: string;
  /** `{start}` and `{end}` stand for tokens of changes, before and after those of a hundred customers. */
  readonly query?: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /**
   * Write units of the indexes, which dynalite does not report: one for each entry that is written
   * or deleted, since entries are smaller than 1 kB.
   */
  readonly indexWrites?: number;
  /** Read units of consistent queries that find nothing: one each, which dynalite does not report. */
  readonly emptyReads?: number;
  readonly isExport?: boolean;
  /** Whether its function has the memory of exports. */
  readonly readsAll?: boolean;
  /** Whether it reads more the more customers there are. */
  readonly grows?: boolean;
  /** Customers of a merchant with more of whom the call is refused. @default - any number */
  readonly maxCustomers?: number;
  /** Whether it reads a snapshot of the customer index, if the merchant has one. */
  readonly readsSnapshot?: boolean;
  /** @default - one with as many customers as asked for */
  readonly merchant?: string;
}

/** A merchant without customers. */
const NEW = 'new';

const id = (mexcParamvaluesetsid: string) => ({ pathParameters: { mexcParamvaluesetsid } });
const hundred = Array.from({ length: 100 }, (_, index) => index + 1_000);
const customer = {
  customerid: '10301',
  name: 'Gläntans Bageri AB',
  address: 'Storgatan 1',
  postcode: '111 20',
  postoffice: 'Stockholm',
  companyno: '556703-7485',
  email: 'faktura@glantans-bageri.example',
  telephone: '070-174 06 05',
  notes: 'x'.repeat(400),
};

/** The calls, in the order in which they are made: a look-up finds what was created. */
export const CALLS = {
  get: { title: 'get', handler: 'get-customer', ...id('3') },
  list: { title: 'list of 100', handler: 'list-customers', query: 'limit=100' },
  create: {
    title: 'create',
    handler: 'create-customer',
    merchant: NEW,
    body: customer,
    // Filters, customerid, email, telephone, companyno.
    indexWrites: 5,
  },
  createWithKey: {
    title: 'create with `Idempotency-Key`',
    handler: 'create-customer',
    body: customer,
    merchant: NEW,
    headers: { 'idempotency-key': 'a' },
    indexWrites: 5,
  },
  put: {
    title: 'create by `customerid`',
    handler: 'put-customer',
    merchant: NEW,
    pathParameters: { customerid: 'K1' },
    body: { ...customer, customerid: 'K1' },
    indexWrites: 5,
  },
  putAgain: {
    title: 'replace by `customerid`',
    handler: 'put-customer',
    merchant: NEW,
    pathParameters: { customerid: 'K1' },
    body: { ...customer, customerid: 'K1', notes: 'x' },
  },
  find: {
    title: 'list by `customerid`',
    handler: 'list-customers',
    merchant: NEW,
    query: 'customerid=K1',
  },
  lookUp: {
    title: 'look-up of an own customer',
    handler: 'search-by-org-number',
    merchant: NEW,
    pathParameters: { orgNum: '5567037485' },
  },
  changeEmail: {
    title: 'change of the e-mail',
    handler: 'update-customer',
    ...id('4'),
    body: { email: 'a@b' },
    // One entry is deleted, and one written.
    indexWrites: 2,
  },
  changeName: {
    title: 'change of the name',
    handler: 'update-customer',
    ...id('5'),
    body: { name: 'Ek' },
    indexWrites: 1,
  },
  delete: { title: 'delete', handler: 'delete-customer', ...id('6'), indexWrites: 7 },
  deleteMany: {
    title: 'delete of 100',
    handler: 'delete-customers',
    body: hundred,
    indexWrites: 700,
  },
  exportById: {
    title: 'export of 100 by id',
    handler: 'export-customers-by-id-csv',
    body: hundred.map((each) => each + 1_000),
    isExport: true,
  },
  poll: {
    title: 'poll of changes, none',
    handler: 'list-changes',
    query: 'after={end}',
    emptyReads: 1,
  },
  pollHundred: {
    title: 'poll of changes, 100 customers',
    handler: 'list-changes',
    query: 'after={start}',
  },
  pollIds: {
    title: 'poll of changes, 100 ids',
    handler: 'list-changes',
    query: 'after={start}&fields=mexcParamvaluesetsid',
  },
  sortByDate: {
    title: 'page of 100 by `-date`',
    handler: 'list-customers',
    query: 'sort=-date',
  },
  sortByName: {
    title: 'page of 100 by `name`',
    handler: 'list-customers',
    query: 'sort=name',
    grows: true,
    maxCustomers: MAX_SORTED_BY_TEXT,
  },
  sortByUpdated: {
    title: 'page of 100 by `updated`',
    handler: 'list-customers',
    query: 'sort=updated',
    grows: true,
    maxCustomers: MAX_SORTED_BY_UPDATED,
  },
  search: {
    title: 'search',
    handler: 'list-customers',
    query: 'filter=search&search=quistg',
    grows: true,
    readsSnapshot: true,
  },
  count: {
    title: 'count with filters',
    handler: 'count-customers',
    query: 'filter=isCompany',
    grows: true,
    readsSnapshot: true,
  },
  digest: {
    title: 'digest of all',
    handler: 'digest-customers',
    readsAll: true,
    grows: true,
  },
  exportAll: {
    title: 'export of all',
    handler: 'export-customers-csv',
    isExport: true,
    grows: true,
  },
  exportFiltered: {
    title: 'export with a filter',
    handler: 'export-customers-csv',
    query: 'filter=isCompany',
    isExport: true,
    grows: true,
  },
} satisfies Record<string, MeasuredCall>;

export type CallName = keyof typeof CALLS;
export const CALL_NAMES = Object.keys(CALLS) as CallName[];
