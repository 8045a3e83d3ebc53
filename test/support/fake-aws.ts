import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Json } from './synthesize.ts';

/** What the fake commands share: the account, and what they shall answer. */
export interface FakeAccount {
  /** The deployed stack; null if there is none. */
  readonly stack: { readonly status: string; readonly outputs?: Record<string, string> } | null;
  /** Replies of the AWS CLI by service and command; a text is an error. */
  readonly replies?: Readonly<Record<string, Json | string>>;
  /** Assembly whose deployment fails. */
  readonly failing?: string;
  /** Output of `cdk diff`. */
  readonly diff?: string;
}

/** A call of a fake command: its name and its arguments. */
type Call = readonly string[];

// CommonJS, for which a file without an extension needs no package.json.
const AWS = `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
const FOLDER = __dirname;
const args = process.argv.slice(2);
appendFileSync(FOLDER + '/calls', JSON.stringify(['aws', ...args, process.env.AWS_ACCESS_KEY_ID]) + '\\n');
const account = JSON.parse(readFileSync(FOLDER + '/account.json'));
const command = args.slice(0, 2).join(' ');
const fail = (text) => { console.error(text); process.exit(254); };
const stack = () => account.stack
  ? { Stacks: [{ StackStatus: account.stack.status, Outputs: Object.entries(account.stack.outputs ?? {}).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })) }] }
  : fail('An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id X does not exist');
const replies = {
  'sts get-caller-identity': () => ({ Account: '111122223333', Arn: 'arn:aws:iam::111122223333:user/a' }),
  'sts assume-role': () => ({ Credentials: { AccessKeyId: 'OF-THE-ROLE', SecretAccessKey: 's', SessionToken: 't' } }),
  'cloudformation describe-stacks': stack,
};
const own = (account.replies ?? {})[command];
if (typeof own === 'string') fail(own);
const reply = own ?? replies[command]?.();
if (reply === undefined) fail('No reply to ' + command);
console.log(JSON.stringify(reply));
`;

const CDK = `
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const FOLDER = process.env.FAKE_FOLDER;
const args = process.argv.slice(2);
appendFileSync(FOLDER + '/calls', JSON.stringify(['cdk', ...args]) + '\\n');
const account = JSON.parse(readFileSync(FOLDER + '/account.json'));
if (args[0] === 'diff') {
  console.log(account.diff ?? 'There were no differences');
  process.exit();
}
const assembly = args[args.indexOf('--app') + 1].split('/').at(-1);
const created = account.stack && !/ROLLBACK_COMPLETE|REVIEW/.test(account.stack.status.replace('UPDATE_ROLLBACK', ''));
const fails = account.failing === assembly;
const status = (created ? 'UPDATE_' : '') + (fails ? 'ROLLBACK_COMPLETE' : created ? 'COMPLETE' : 'CREATE_COMPLETE');
const outputs = { ApiAddress: 'https://api.example.com', Build: '2', ...(account.stack?.outputs ?? {}) };
writeFileSync(FOLDER + '/account.json', JSON.stringify({ ...account, stack: { status, outputs } }));
process.exit(fails ? 1 : 0);
`;

/**
 * Creates commands that stand for the AWS CLI, found on the path, and for the CDK's, found in a
 * deployable. They record their calls, and a deployment changes the stack that they describe.
 */
export function createFakeAws(account: FakeAccount) {
  const folder = mkdtempSync(join(tmpdir(), 'fake aws-'));
  const deployable = join(folder, 'deployable');
  mkdirSync(join(deployable, 'cdk/bin'), { recursive: true });
  writeFileSync(join(folder, 'aws'), AWS);
  chmodSync(join(folder, 'aws'), 0o755);
  writeFileSync(join(deployable, 'cdk/bin/cdk'), CDK);
  writeFileSync(join(folder, 'account.json'), JSON.stringify(account));
  writeFileSync(join(folder, 'calls'), '');
  return {
    deployable,
    /** Environment in which the commands are found. */
    environment: {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      FAKE_FOLDER: folder,
      AWS_REGION: 'eu-north-1',
      AWS_ACCESS_KEY_ID: 'OF-THE-CALLER',
      GITHUB_OUTPUT: join(folder, 'github-output'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
    },
    /** Adds a cloud assembly of a stage to the deployable. */
    addAssembly(name: string, stage: string, environment = 'aws://111122223333/eu-north-1') {
      mkdirSync(join(deployable, name));
      const stack = {
        type: 'aws:cloudformation:stack',
        environment,
        displayName: `CustomerRegister-${stage}`,
        properties: {
          lookupRole: {
            // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of the CDK
            arn: 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/lookup-${AWS::Region}',
          },
        },
      };
      writeFileSync(
        join(deployable, name, 'manifest.json'),
        JSON.stringify({ artifacts: { stack } }),
      );
    },
    calls: (): Call[] =>
      readFileSync(join(folder, 'calls'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    read: (name: 'github-output' | 'summary') => readFileSync(join(folder, name), 'utf8'),
  };
}
