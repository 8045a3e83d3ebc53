import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runCommand } from '../command.ts';
import { useCompileCache } from './compile-cache.ts';
import { secureDataFolder } from './data-folder.ts';
import type { LocalStack } from './stack.ts';
import {
  browserOriginsOf,
  CUSTOMERS_HELP,
  CUSTOMERS_OPTION,
  checkPorts,
  customersOf,
  explainStartError,
  parsePorts,
  portChoices,
  START_OPTIONS,
  startHelp,
} from './start-options.ts';
import { onTermination } from './termination.ts';

const HELP = startHelp(
  `Starts the API and the servers that it needs on this machine.

  npm start -- [options]`,
  CUSTOMERS_HELP,
);

/** Maximum time for requests in progress to complete. */
const END_MS = 3_000;

let stack: LocalStack | undefined;
let isEnding = false;
onTermination(async () => {
  isEnding = true;
  await Promise.race([stack?.close(), wait(END_MS)]);
  process.exit(0);
});

await runCommand(HELP, async () => {
  const { values } = parseArgs({ options: { ...START_OPTIONS, ...CUSTOMERS_OPTION } });
  const ports = parsePorts(portChoices(values));
  const browserOrigins = browserOriginsOf(values);
  const customers = customersOf(values);
  if (values.help) return console.log(HELP);
  await checkPorts(ports, 'npm start');
  await secureDataFolder();
  try {
    useCompileCache();
    if (values.reset) await (await import('./delete-data.ts')).deleteData();
    // 0.2 s of modules, which an option that is wrong does not wait for.
    const { prepareSamples, startSampleStack } = await import('./sample-stack.ts');
    stack = await startSampleStack({ ports, browserOrigins });
    console.log(await prepareSamples(stack, customers));
  } catch (error) {
    // Closing the servers while they start makes the start fail, which is no error.
    if (!isEnding) throw explainStartError(error as Error, ports, 'npm start');
  }
});
