/**
 * Replaces the SDK's event streams, which no operation in use has. The SDK imports them dynamically,
 * for which a bundler wraps half of the SDK's modules in functions.
 */
export class EventStreamSerde {
  constructor() {
    throw new Error('Event streams are left out of the bundle (infra/bundle/bundle.ts).');
  }
}

/** Returns no marshaller: no operation in use needs one. */
export const eventStreamSerdeProvider = () => ({});

/** Returns the client's configuration unchanged. */
export const resolveEventStreamSerdeConfig = <T>(config: T): T => config;
