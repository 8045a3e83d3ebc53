import type { Model } from './linearizability.ts';

/** The state of a customer; a deleted one is `gone` forever. */
export type CustomerState = 'gone' | { readonly version: number; readonly fields: Fields };

/** The fields that a test writes. */
export type Fields = Readonly<Record<string, string>>;

/** A request to a customer. */
export interface CustomerRequest {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  readonly changes?: Fields;
  readonly ifMatch?: string;
}

/** The parts of a response that the tests compare. */
export interface CustomerResponse {
  readonly status: number;
  readonly etag?: string | undefined;
  readonly fields?: Fields | undefined;
}

/**
 * Returns the sequential specification of one customer.
 *
 * @param fields the fields with which it was created.
 * @param outages whether responses of DynamoDB may be lost. The SDK then retries, and a DELETE may
 * return 200 for a customer that another request deleted meanwhile.
 */
export function customerModel(
  fields: Fields,
  { outages = false }: { outages?: boolean } = {},
): Model<CustomerState, CustomerRequest, CustomerResponse> {
  return {
    initial: { version: 1, fields },
    next: (state, input, output) => {
      const { after, answer } = ask(state, input);
      const isRight = output === undefined || agrees(output, answer);
      if (isRight) return after;
      const wasGone = state === 'gone' && input.method === 'DELETE' && output.status === 200;
      return outages && wasGone ? state : undefined;
    },
    key: (state) => (state === 'gone' ? state : `${state.version}${keyOf(state.fields)}`),
  };
}

function ask(
  state: CustomerState,
  { method, changes = {}, ifMatch }: CustomerRequest,
): { after: CustomerState; answer: CustomerResponse } {
  if (state === 'gone') return { after: state, answer: { status: 404 } };
  const etag = `"${state.version}"`;
  if (method === 'GET') {
    return { after: state, answer: { status: 200, etag, fields: state.fields } };
  }
  if (ifMatch !== undefined && ifMatch !== etag) return { after: state, answer: { status: 412 } };
  if (method === 'DELETE') return { after: 'gone', answer: { status: 200 } };
  const fields = { ...state.fields, ...changes };
  if (keyOf(fields) === keyOf(state.fields)) {
    return { after: state, answer: { status: 200, etag, fields } };
  }
  const version = state.version + 1;
  return {
    after: { version, fields },
    answer: { status: 200, etag: `"${version}"`, fields },
  };
}

/** Whether a response is as expected; parts that it does not have, such as an entity tag, are ignored. */
function agrees({ status, etag, fields }: CustomerResponse, expected: CustomerResponse): boolean {
  return (
    status === expected.status &&
    (etag === undefined || etag === expected.etag) &&
    (fields === undefined || keyOf(fields) === keyOf(expected.fields ?? {}))
  );
}

function keyOf(fields: Fields): string {
  const set = Object.entries(fields).filter(([, text]) => text !== '');
  return JSON.stringify(set.sort(([a], [b]) => (a < b ? -1 : 1)));
}
