/**
 * Loaded before a local server's thread: of the writes to its LevelDB only so many are made as its
 * options say in `writes`; it hangs in the next one, having said 'cut', as whoever is killed there.
 */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

type Method = (...given: unknown[]) => Promise<void>;

const fromDynalite = createRequire(import.meta.resolve('dynalite'));
const level: Record<string, Method> = fromDynalite('level').Level.prototype;
let left: number = workerData.writes;

for (const name of ['put', 'del', 'batch']) {
  const write = level[name] as Method;
  level[name] = function (...given) {
    left -= 1;
    if (left >= 0) return write.apply(this, given);
    parentPort?.postMessage('cut');
    return new Promise(() => {});
  };
}
