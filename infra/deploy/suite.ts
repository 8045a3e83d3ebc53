import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { readTokens } from './tokens.ts';

const HELP = `Runs the tests of the HTTP API against a deployed stage, as its two reserved merchants.
They delete all customers of these merchants.

  npx node infra/deploy/suite.ts [options] [files]

  --api <URL>        address of the API
  --stage <name>     the stage, whose secret has the merchants' logins (default: dev)`;

const ROOT = join(import.meta.dirname, '../..');

await runCommand(HELP, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      api: { type: 'string' },
      stage: { type: 'string', default: 'dev' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (!values.api) throw new UsageError('--api must be the address of the API.');
  // The suite deletes the customers of these merchants.
  if (values.stage === 'prod') throw new UsageError('--stage must be another than prod.');
  const [first, second] = await readTokens(values.stage);
  const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run'];
  const files = ['--project', 'contract', ...positionals];
  const { status } = spawnSync(
    process.execPath,
    [...vitest, '--config', 'test/vitest.config.ts', ...files],
    {
      cwd: ROOT,
      // Without the credentials of the role: the tests need none.
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        CI: process.env.CI,
        API_URL: values.api,
        API_TOKENS: `${first},${second}`,
      },
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
});
