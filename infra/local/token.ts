import { parseArgs } from 'node:util';
import { DATA_FOLDER, kept } from './data-folder.ts';
import { ISSUER_FILE, ISSUER_PORT, keptKey, signToken } from './issuer.ts';
import { SAMPLE_MERCHANT } from './sample-customers.ts';
import { HOST } from './server.ts';
import { orExplain, UsageError } from './usage.ts';

const HELP = `Prints a token for the API on this machine, also before its first start.

  npm run --silent token -- [options]

  --merchant <name>    whose customers; else ${SAMPLE_MERCHANT}, which has the sample customers
  --scope <scopes>     what it allows, such as "customers:read"; else everything
  --expires <seconds>  how long; else 12 hours
  --help               shows this
`;

await orExplain(HELP, async () => {
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
    throw new UsageError(`--expires: ${expires} is no number of seconds.`);
  }
  const key = await keptKey(DATA_FOLDER);
  const issuer =
    (await kept(DATA_FOLDER, ISSUER_FILE)) ??
    `http://${HOST}:${process.env.ISSUER_PORT || ISSUER_PORT}`;
  const token = await signToken(key, issuer, {
    merchant,
    scopes: scope?.split(/[\s,]+/),
    expiresIn: expires === undefined ? undefined : Number(expires),
  });
  console.log(token);
});
