import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Capacity } from '../../infra/capacity.ts';

/** What a parent may ask the stack's process. */
export type Question = 'memory' | 'end';

/** What the stack's process tells first. */
export interface Started {
  readonly url: string;
  /** Of each merchant, in their order. */
  readonly tokens: readonly string[];
}

/** Memory in bytes, after the garbage was collected. */
export interface Memory {
  /** Of the gateway's and the functions' objects. */
  readonly heapUsed: number;
  /** Of the whole process, with DynamoDB and S3. */
  readonly rss: number;
}

interface StackOptions {
  readonly dataFolder: string;
  readonly merchants: readonly string[];
  readonly capacity?: Capacity;
}

/** The local stack in a process of its own. */
export interface StackProcess extends Started {
  memory(): Promise<Memory>;
  end(): Promise<void>;
}

/** Starts the local stack in a process of its own, so that load and stack can be told apart. */
export async function startStack(options: StackOptions): Promise<StackProcess> {
  const child = fork(`${import.meta.dirname}/stack.ts`, [JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
  });
  const ended = once(child, 'exit');
  const answer = async <T>(): Promise<T> => {
    const [message] = await Promise.race([
      once(child, 'message'),
      ended.then(() => Promise.reject(new Error('The stack ended by itself.'))),
    ]);
    return message;
  };
  const ask = (question: Question) => child.send(question);
  return {
    ...(await answer<Started>()),
    memory: () => {
      ask('memory');
      return answer<Memory>();
    },
    end: async () => {
      ask('end');
      await ended;
    },
  };
}
