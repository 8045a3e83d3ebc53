import { startLocalStack } from '../../infra/local/stack.ts';
import type { Memory, Question, Started } from './process.ts';

// The local stack in a process of its own, which tells its parent how much memory it takes.

const { dataFolder, merchants, capacity } = JSON.parse(process.argv[2] as string);
const stack = await startLocalStack({ dataFolder, capacity });
process.once('disconnect', () => process.exit());
process.on('message', (question: Question) => {
  if (question !== 'memory') return void stack.close().then(() => process.exit());
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  process.send?.({ heapUsed, rss } satisfies Memory);
});
const tokens = await Promise.all(merchants.map((merchant: string) => stack.token({ merchant })));
process.send?.({ url: stack.url, tokens } satisfies Started);
