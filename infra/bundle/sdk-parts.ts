import { randomUUID } from 'node:crypto';

/**
 * Parts of the SDK as functions in Lambda need them. They replace the SDK's modules of the names in
 * `bundle.ts`, which also serve other places.
 */

/** Where the SDK finds a value of its configuration. */
interface Selectors<T> {
  environmentVariableSelector(
    environment: Readonly<Record<string, string | undefined>>,
    options: object,
  ): T | undefined;
  readonly default: T | (() => T | Promise<T>);
}

/**
 * Returns a provider of a value of the configuration: the environment's, otherwise the default. The
 * SDK would look for configuration files as well, which Lambda does not have, and create four errors for
 * each value that the environment does not have: about ten in a client.
 */
export function loadConfig<T>(selectors: Selectors<T>, options: object = {}): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= readConfig(selectors, options);
    return value;
  };
}

async function readConfig<T>(selectors: Selectors<T>, options: object): Promise<T> {
  const { environmentVariableSelector, default: byDefault } = selectors;
  let value: T | undefined;
  try {
    value = environmentVariableSelector(process.env, options);
  } catch {
    // As in the SDK, a variable with an invalid value is as one that is missing.
  }
  if (value !== undefined) return value;
  return byDefault instanceof Function ? byDefault() : byDefault;
}

/**
 * Returns the length of a body in bytes. The SDK's function knows files as well: to compare a body
 * with their class loads the streams of `node:fs`.
 */
export function calculateBodyLength(body: string | Uint8Array | undefined): number {
  return body ? Buffer.byteLength(body) : 0;
}

/** Returns Node's function for random UUIDs. The SDK takes the global `crypto`, which loads Web Crypto. */
export const bindV4 = () => randomUUID;

/** Stands for the headers of event streams, which no operation in use has. */
export class HeaderFormatter {}

/** Refuses the retry mode that no function uses, and whose rate limiter would be in each bundle. */
export class AdaptiveRetryStrategy {
  constructor() {
    throw new Error('AWS_RETRY_MODE=adaptive is left out of the bundle (infra/bundle/bundle.ts).');
  }
}

/** Returns no region: Lambda sets it in the environment, and has no instance metadata. */
export const getInstanceMetadataRegion = async (): Promise<undefined> => undefined;

/** Hashes in JavaScript, for Node without OpenSSL. */
export const Sha1Js = undefined;
export const Sha256Js = undefined;
export const Md5Js = undefined;
