import { startLocalStack } from '../../infra/local/stack.ts';
import type { Command, Memory, Started } from './process.ts';

// Runs the local stack in its own process, and reports its memory to the parent.

const { dataFolder, merchants, capacity } = JSON.parse(process.argv[2] as string);
const stack = await startLocalStack({ dataFolder, capacity });
process.once('disconnect', () => process.exit());
process.on('message', (command: Command) => {
  if (command !== 'memory') return void stack.close().then(() => process.exit());
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  process.send?.({ heapUsed, rss } satisfies Memory);
});
const tokens = await Promise.all(merchants.map((merchant: string) => stack.token({ merchant })));
process.send?.({ url: stack.url, tokens } satisfies Started);
