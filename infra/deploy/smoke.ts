import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { smokeFaults } from './smoke-calls.ts';
import { readTokens } from './tokens.ts';

const HELP = `Calls each endpoint of a deployed API once, as two reserved merchants.

  --api <URL>        address of the API
  --stage <name>     the stage, whose secret has the merchants' logins (default: prod)

API_TOKENS may have tokens instead, separated by commas: of both merchants, and of a user of the
first with the scope customers:read alone.`;

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      api: { type: 'string' },
      stage: { type: 'string', default: 'prod' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (!values.api) throw new UsageError('--api must be the address of the API.');
  const faults = await smokeFaults(values.api, await readTokens(values.stage));
  if (faults.length > 0) {
    throw new UsageError(`${values.api} fails:\n  ${faults.join('\n  ')}`);
  }
  console.log(`${values.api} responds as it should.`);
});
