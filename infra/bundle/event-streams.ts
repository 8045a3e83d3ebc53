/**
 * In place of the SDK's event streams, which none of the operations in use has. The SDK loads them
 * by a dynamic import, for whose sake a bundler wraps half the SDK in functions that run one by
 * one at start.
 */
export class EventStreamSerde {
  constructor() {
    throw new Error('Event streams are left out of the bundle (infra/bundle/bundle.ts).');
  }
}

/** Makes no marshaller, as no operation asks for it. */
export const eventStreamSerdeProvider = () => ({});

/** Adds nothing to a client's configuration. */
export const resolveEventStreamSerdeConfig = <T>(config: T): T => config;
