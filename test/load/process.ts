import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Capacity } from '../../infra/capacity.ts';

/** Messages to the process of the stack. */
export type Command = 'memory' | 'end';

/** First message of the process of the stack. */
export interface Started {
  readonly url: string;
  /** Token of each merchant, in their order. */
  readonly tokens: readonly string[];
}

/** Memory after garbage collection, in bytes. */
export interface Memory {
  /** Heap of the gateway and the functions. */
  readonly heapUsed: number;
  /** Resident memory of the process, including DynamoDB and S3. */
  readonly rss: number;
}

interface StackOptions {
  readonly dataFolder: string;
  readonly merchants: readonly string[];
  readonly capacity?: Capacity;
}

/** The local stack in its own process. */
export interface StackProcess extends Started {
  memory(): Promise<Memory>;
  end(): Promise<void>;
}

/** Starts the local stack in its own process, so that its memory can be measured apart. */
export async function startStack(options: StackOptions): Promise<StackProcess> {
  const child = fork(`${import.meta.dirname}/stack.ts`, [JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
  });
  const exited = once(child, 'exit');
  const nextMessage = async <T>(): Promise<T> => {
    const [message] = await Promise.race([
      once(child, 'message'),
      exited.then(() => Promise.reject(new Error('The stack exited unexpectedly.'))),
    ]);
    return message;
  };
  const send = (command: Command) => child.send(command);
  return {
    ...(await nextMessage<Started>()),
    memory: () => {
      send('memory');
      return nextMessage<Memory>();
    },
    end: async () => {
      send('end');
      await exited;
    },
  };
}
