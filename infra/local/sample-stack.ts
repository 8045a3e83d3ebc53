import { CAPACITY } from '../capacity.ts';
import { DATA_FOLDER, keep } from './data-folder.ts';
import { ISSUER_FILE } from './issuer.ts';
import { SAMPLE_MERCHANT, SAMPLE_NAME } from './sample-customers.ts';
import { createSampleCustomers } from './seed.ts';
import { HOST } from './server.ts';
import { type LocalStack, type LocalStackOptions, startLocalStack } from './stack.ts';

/** Service and module of the merchant that creates the sample customers. */
const SAMPLE_USER = { merchant: SAMPLE_MERCHANT, mm3servicesid: 1001, mexcModulesid: 12 };

/**
 * Starts the stack on the data folder, with the explore page and the capacity of a deployment.
 *
 * @throws what startLocalStack throws.
 */
export async function startSampleStack(
  options: Pick<LocalStackOptions, 'ports' | 'dynamodbEndpoint' | 's3Endpoint'>,
): Promise<LocalStack> {
  const stack = await startLocalStack({
    ...options,
    dataFolder: DATA_FOLDER,
    explorer: SAMPLE_USER,
    capacity: CAPACITY,
  });
  await keep(DATA_FOLDER, ISSUER_FILE, stack.issuer);
  return stack;
}

/**
 * Creates the sample customers, unless the data folder has them, and writes the header file with a
 * token of their merchant.
 *
 * @returns a text for the terminal: addresses, the token and first calls.
 */
export async function prepareSamples(stack: LocalStack): Promise<string> {
  const token = await stack.token(SAMPLE_USER);
  await createSampleCustomers(DATA_FOLDER, stack.url, token);
  const header = await keep(DATA_FOLDER, 'authorization', `Authorization: Bearer ${token}\n`);
  return welcome(stack, token, header);
}

function welcome({ url }: LocalStack, token: string, headerFile: string): string {
  const api = url.replace(HOST, 'localhost');
  const curl = `curl -H "@${headerFile}"`;
  return `
The API      ${api}
to explore   ${api}/
its data     ${DATA_FOLDER} (npm start -- --reset begins again)

A token of merchant ${SAMPLE_MERCHANT} with all rights, for 12 hours (npm run token makes others):

${token}

To begin with (the same token is in that file):

  ${curl} "${api}/customers?limit=3"
  ${curl} -G "${api}/customers" -d filter=search --data-urlencode "search=${SAMPLE_NAME}"
  ${curl} -H "Accept: text/csv" -L -o customers.csv "${api}/customers/export/csv"

Ctrl-C ends it.`;
}
