import { flushCompileCache } from 'node:module';
import { UsageError } from '../command.ts';
import { prepareSamples, startSampleStack } from './sample-stack.ts';
import type { LocalStack } from './stack.ts';
import { explainStartError, type Ports } from './start-options.ts';

// The part of the stack that `npm run dev` restarts: all but DynamoDB and S3. It exits on the
// first message of its parent, or when the parent exits.

/** Argument of this process, as JSON. */
export interface DevStackOptions {
  readonly ports: Ports;
  readonly dynamodbEndpoint: string;
  readonly s3Endpoint: string;
  readonly browserOrigins: readonly string[];
}

/** Message to the parent: the stack is ready, or cannot start for a reason the user can correct. */
export type DevStackMessage =
  | { readonly welcome: string; readonly url: string }
  | { readonly usageError: string };

const options: DevStackOptions = JSON.parse(process.argv[2] as string);
const send = (message: DevStackMessage) => process.send?.(message);
let stack: LocalStack | undefined;

// The terminal sends signals to the parent as well, which then stops this process.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
process.once('disconnect', () => process.exit());
process.once('message', async () => {
  await stack?.close();
  process.exit();
});

try {
  stack = await startSampleStack(options);
  send({ welcome: await prepareSamples(stack), url: stack.url });
  // The parent may kill this process, which then does not write the cache.
  flushCompileCache();
} catch (error) {
  const explained = explainStartError(error as Error, options.ports, 'npm run dev');
  if (!(explained instanceof UsageError)) throw explained;
  send({ usageError: explained.message });
}
