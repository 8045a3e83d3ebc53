import { CAPACITY } from '../capacity.ts';
import { createSampleCustomers } from './create-sample-customers.ts';
import { DATA_FOLDER, ISSUER_FILE, readDataFile, writeDataFile } from './data-folder.ts';
import { SAMPLE_MERCHANT, SAMPLE_NAME } from './sample-customers.ts';
import { HOST } from './server.ts';
import { type LocalStack, type LocalStackOptions, startLocalStack } from './stack.ts';

/** The service and the module that the sample customers belong to. */
const REFERENCES = { mm3servicesid: 1001, mexcModulesid: 12 };
const SAMPLES = { merchantId: SAMPLE_MERCHANT, references: REFERENCES };
/** Content of the token of the sample merchant. */
const SAMPLE_USER = { merchant: SAMPLE_MERCHANT, ...REFERENCES };

/**
 * Starts the stack on the data folder, with a token for the API reference and the page, and the capacity of a deployment.
 *
 * @throws what startLocalStack throws.
 */
export async function startSampleStack(
  options: Pick<LocalStackOptions, 'ports' | 'dynamodbEndpoint' | 's3Endpoint' | 'browserOrigins'>,
): Promise<LocalStack> {
  const stack = await startLocalStack({
    ...options,
    dataFolder: DATA_FOLDER,
    sampleToken: SAMPLE_USER,
    capacity: CAPACITY,
  });
  await writeDataFile(DATA_FOLDER, ISSUER_FILE, stack.issuer);
  return stack;
}

/**
 * Creates the sample customers, unless the data folder has them, and writes the header file with a
 * token of their merchant.
 *
 * @param customers id up to which to add varied customers. Default: none are added.
 * @returns a text for the terminal: addresses, the token and first calls.
 */
export async function prepareSamples(stack: LocalStack, customers?: number): Promise<string> {
  const token = await stack.token(SAMPLE_USER);
  await createSampleCustomers(DATA_FOLDER, stack, REFERENCES);
  if (customers || (await readDataFile(DATA_FOLDER, 'customers-to-add'))) {
    await addVariedCustomers(stack, customers);
  }
  const header = await writeDataFile(
    DATA_FOLDER,
    'authorization',
    `Authorization: Bearer ${token}\n`,
  );
  return welcome(stack, token, header);
}

/** Says what it adds, since it may take a minute. */
async function addVariedCustomers(stack: LocalStack, customers?: number): Promise<void> {
  const startMs = performance.now();
  console.log('Adding customers to those of the sample merchant …');
  // Other starts do without it.
  const { addCustomers } = await import('./add-customers.ts');
  const register = { stack, dataFolder: DATA_FOLDER, ...SAMPLES };
  const added = await stack.whileOpen(addCustomers(register, customers));
  const seconds = Math.ceil((performance.now() - startMs) / 1_000);
  console.log(
    added > 0
      ? `Added ${added.toLocaleString('en')} customers in ${seconds} s.`
      : `Added none: ids up to ${customers?.toLocaleString('en')} were given before.`,
  );
}

function welcome({ url }: LocalStack, token: string, headerFile: string): string {
  const api = url.replace(HOST, 'localhost');
  const curl = `curl -H "@${headerFile}"`;
  return `
API        ${api}
Reference  ${api}/docs
Page       ${api}/app (imports and exports customers)
Data       ${DATA_FOLDER} (npm start -- --reset deletes it)

Token of merchant ${SAMPLE_MERCHANT} with all scopes, valid for 12 hours (npm run token prints others):

${token}

First calls (the header file contains the token):

  ${curl} "${api}/customers?limit=3"
  ${curl} -G "${api}/customers" -d filter=search --data-urlencode "search=${SAMPLE_NAME}"
  ${curl} -H "Accept: text/csv" -L -o customers.csv "${api}/customers/export/csv"

Press Ctrl-C to stop.`;
}
