import { beforeAll, vi } from 'vitest';
import {
  type LocalStack,
  type LocalStackOptions,
  startLocalStack,
} from '../../infra/local/stack.ts';
import { databaseOptions } from './database.ts';
import { recordSentTexts } from './logs.ts';
import { sharedKey } from './shared-key.ts';

/** A response of the API. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each test states what it expects
  readonly body: any;
}

interface Call {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A merchant's system that calls the API. */
export interface Client {
  readonly url: string;
  readonly token: string;
  call(method: string, path: string, options?: Call): Promise<ApiResponse>;
}

/** Address of a deployed API to test in place of the local stack. */
const DEPLOYED = process.env.API_URL?.replace(/\/$/, '');
/** Tokens of test merchants there, separated by commas. Their customers are deleted. */
const TOKENS = process.env.API_TOKENS?.split(',') ?? [];

/** Whether the tests run against their own local stack. */
export const isLocal = !DEPLOYED;
/** Maximum number of merchants of one test. */
export const merchantsAvailable = isLocal ? Number.POSITIVE_INFINITY : TOKENS.length;

let stack: LocalStack | undefined;
let merchants = 0;

/**
 * Starts the local stack for the tests of a file, unless they run against a deployed API. The stack
 * ends with the process; files that share a process share the stack.
 */
export function useApi(options: Pick<LocalStackOptions, 'capacity' | 'recordChanges'> = {}): void {
  beforeAll(async () => {
    if (DEPLOYED || stack) return;
    stack = await startLocalStack({ ...options, key: sharedKey(), ...databaseOptions() });
  });
}

/** Returns the running local stack. */
export function localStack(): LocalStack {
  if (!stack) throw new Error('The local stack does not run; has the file called useApi()?');
  return stack;
}

/**
 * Returns a new merchant, which has no customers.
 *
 * @param nth number of the merchant within the test, from 0, which selects the token of a deployed API.
 */
export async function newMerchant(
  nth = 0,
  claims: Record<string, unknown> & { scopes?: readonly string[] } = {},
): Promise<Client> {
  if (DEPLOYED) {
    const token = TOKENS[nth];
    if (!token) throw new Error(`API_TOKENS has no token for merchant ${nth + 1}`);
    const client = clientOf(DEPLOYED, token);
    await empty(client);
    return client;
  }
  merchants += 1;
  const token = await localStack().token({ merchant: `test-${merchants}`, ...claims });
  return clientOf(localStack().url, token);
}

/** Returns a client with a token, or without one if it is empty. */
export function clientOf(url: string, token: string): Client {
  const call = async (method: string, path: string, { body, headers }: Call = {}) => {
    recordSentTexts(path, body);
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw(body) ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && method !== 'HEAD' ? JSON.parse(text) : text,
    };
  };
  return { url, token, call };
}

/** Returns whether a body is sent as it is, and not as JSON. */
function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}

/** Creates a customer and returns the response. */
export async function create(client: Client, body: Record<string, unknown>) {
  const answer = await client.call('POST', '/customers', { body });
  if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as Record<string, string> & { mexcParamvaluesetsid: number };
}

/**
 * Retries an assertion for up to 50 seconds, since a busy machine may take long, and returns what it
 * returns. Filters, digests and the change log are eventually consistent.
 */
export function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assertion, { timeout: 50_000, interval: 100 });
}

async function empty(client: Client): Promise<void> {
  for (;;) {
    const { body } = await client.call('GET', '/customers?limit=1000');
    if (body.length === 0) return;
    const ids = body.map(
      (customer: { mexcParamvaluesetsid: number }) => customer.mexcParamvaluesetsid,
    );
    await client.call('DELETE', '/customers', { body: ids });
  }
}
