import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { useCompileCache } from './compile-cache.ts';
import { DATA_FOLDER, ISSUER_FILE, readDataFile, secureDataFolder } from './data-folder.ts';
import { SAMPLE_MERCHANT } from './sample-customers.ts';
import { HOST } from './server.ts';
import { ISSUER_PORT } from './start-options.ts';

const HELP = `Prints a token for the local API, which need not be running.

  npm run --silent token -- [options]

  --merchant <id>      merchant (default: ${SAMPLE_MERCHANT}, which has the sample customers)
  --scope <scopes>     scopes, such as "customers:read" (default: all)
  --expires <seconds>  lifetime (default: 12 hours)
  --help               shows this text
`;

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      merchant: { type: 'string', default: SAMPLE_MERCHANT },
      scope: { type: 'string' },
      expires: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const { merchant, scope, expires, help } = values;
  if (help) return console.log(HELP);
  if (expires !== undefined && !/^[1-9]\d{0,8}$/.test(expires)) {
    throw new UsageError(`--expires must be an integer from 1 to 999999999; got \`${expires}\`.`);
  }
  await secureDataFolder();
  useCompileCache();
  // An option that is wrong does not wait for it.
  const { loadOrCreateKey, signToken } = await import('./issuer.ts');
  const key = await loadOrCreateKey(DATA_FOLDER);
  const issuer =
    (await readDataFile(DATA_FOLDER, ISSUER_FILE)) ??
    `http://${HOST}:${process.env.ISSUER_PORT || ISSUER_PORT}`;
  const token = await signToken(key, issuer, {
    merchant,
    scopes: scope?.split(/[\s,]+/),
    expiresIn: expires === undefined ? undefined : Number(expires),
  });
  console.log(token);
});
