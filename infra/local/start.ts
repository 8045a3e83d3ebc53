import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { explainStartError, portsOf, START_OPTIONS, startHelp } from './options.ts';
import { deleteData } from './reset.ts';
import { prepareSamples, startSampleStack } from './sample-stack.ts';
import type { LocalStack } from './stack.ts';
import { onTermination } from './termination.ts';
import { orExplain } from './usage.ts';

const HELP = startHelp(`Starts the API and all it needs on this machine.

  npm start -- [options]`);

/** How long requests under way may take to complete. */
const END_MS = 3_000;

let stack: LocalStack | undefined;
let isEnding = false;
onTermination(async () => {
  isEnding = true;
  await Promise.race([stack?.close(), wait(END_MS)]);
  process.exit(0);
});

await orExplain(HELP, async () => {
  const { values } = parseArgs({ options: START_OPTIONS });
  const ports = portsOf(values);
  if (values.help) return console.log(HELP);
  try {
    if (values.reset) await deleteData();
    stack = await startSampleStack({ ports });
    console.log(await prepareSamples(stack));
  } catch (error) {
    // A server that fails because all of them end is no failure.
    if (!isEnding) throw explainStartError(error as Error, ports, 'npm start');
  }
});
