/**
 * Sends the API many requests made from its OpenAPI document: valid, nearly valid and hostile.
 * Ends at the first answer that is not as it should be, and shows how to get it again.
 */
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../infra/command.ts';
import { startLocalStack } from '../infra/local/stack.ts';
import { fuzz } from './support/fuzz.ts';

const HELP = `Sends the API many requests made from its OpenAPI document, on servers of its own.

  npm run fuzz -- [options]

  --requests <number>  how many; else 20,000
  --seed <number>      the same seed makes the same requests; else any
  --help               shows this
`;
const PROGRESS_EVERY = 1_000;

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '20000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  for (const name of ['requests', 'seed'] as const) {
    if (!/^\d{1,9}\d?$/.test(values[name])) throw new UsageError(`--${name} takes a number.`);
  }
  await run(Number(values.requests), Number(values.seed));
});

async function run(requests: number, seed: number): Promise<void> {
  const stack = await startLocalStack();
  const statuses = new Map<string, Map<number, number>>();
  let answers = 0;
  const started = Date.now();
  let curl = () => '';
  process.once('uncaughtException', (error) => {
    console.error(error);
    console.log(`Ended by this request, to a stack that runs (npm start):\n  ${curl()}`);
    process.exit(1);
  });
  console.log(`${requests} requests of seed ${seed}`);
  const finding = await fuzz(stack, {
    requests,
    seed,
    onRequest: (request) => {
      curl = request;
    },
    onResponse: (what, status) => {
      const counts = statuses.get(what) ?? new Map<number, number>();
      statuses.set(what, counts.set(status, (counts.get(status) ?? 0) + 1));
      answers += 1;
      if (answers % PROGRESS_EVERY > 0) return;
      console.log(`${answers} answers after ${((Date.now() - started) / 1_000).toFixed()} s`);
    },
  });
  await stack.close();
  console.log(summary(statuses));
  if (!finding) return console.log('All as documented.');
  const { reasons, answer } = finding;
  console.log(`\nFound, after ${answers} answers:\n  ${reasons.join('\n  ')}`);
  console.log(`The answer: ${answer.status} ${JSON.stringify(answer.body).slice(0, 2_000)}`);
  console.log(`At a stack that runs (npm start):\n  ${finding.curl}`);
  console.log(`Or: npm run fuzz -- --requests ${requests} --seed ${seed}`);
  process.exitCode = 1;
}

/** How often each status was answered, a line for each operation. */
function summary(statuses: ReadonlyMap<string, ReadonlyMap<number, number>>): string {
  const width = Math.max(...[...statuses.keys()].map(({ length }) => length));
  return [...statuses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, counts]) => {
      const byStatus = [...counts].sort(([a], [b]) => a - b);
      const cells = byStatus.map(([status, count]) => `${status || 'none'}: ${count}`);
      return `${what.padEnd(width)}  ${cells.join(', ')}`;
    })
    .join('\n');
}
