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

/** Ends of an argument and of a call in the record. */
const UNIT = '\x1f';
const RECORD = '\x1e';

/** A file of the folder has the reply to a command, or its error. A shell starts faster than Node. */
const AWS = `#!/bin/sh
folder="\${0%/*}"
{
  for argument in aws "$@" "$AWS_ACCESS_KEY_ID"; do printf '%s\\037' "$argument"; done
  printf '\\036'
} >> "$folder/calls"
if [ -f "$folder/replies/$1 $2" ]; then exec cat "$folder/replies/$1 $2"; fi
cat "$folder/errors/$1 $2" >&2 || echo "No reply to $1 $2" >&2
exit 254
`;

// CommonJS, for which a file without an extension needs no package.json.
const CDK = `
const { appendFileSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const FOLDER = process.env.FAKE_FOLDER;
const args = process.argv.slice(2);
appendFileSync(FOLDER + '/calls', ['cdk', ...args].map((text) => text + '\x1f').join('') + '\x1e');
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
const stack = { status, outputs };
writeFileSync(FOLDER + '/account.json', JSON.stringify({ ...account, stack }));
rmSync(FOLDER + '/errors/cloudformation describe-stacks', { force: true });
writeFileSync(FOLDER + '/replies/cloudformation describe-stacks', JSON.stringify((${describeStack})(stack)));
process.exit(fails ? 1 : 0);
`;

/** Returns what `describe-stacks` prints. It is also part of the CDK's command, as text. */
function describeStack({ status, outputs = {} }: NonNullable<FakeAccount['stack']>) {
  const list = Object.entries(outputs).map(([OutputKey, OutputValue]) => ({
    OutputKey,
    OutputValue,
  }));
  return { Stacks: [{ StackStatus: status, Outputs: list }] };
}

/** Returns the replies of the AWS CLI by service and command; a text is an error. */
function repliesOf({ stack, replies }: FakeAccount): Readonly<Record<string, Json | string>> {
  return {
    'sts get-caller-identity': {
      Account: '111122223333',
      Arn: 'arn:aws:iam::111122223333:user/a',
    },
    'sts assume-role': {
      Credentials: { AccessKeyId: 'OF-THE-ROLE', SecretAccessKey: 's', SessionToken: 't' },
    },
    'cloudformation describe-stacks': stack
      ? describeStack(stack)
      : 'An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id X does not exist',
    ...replies,
  };
}

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
  mkdirSync(join(folder, 'replies'));
  mkdirSync(join(folder, 'errors'));
  for (const [command, reply] of Object.entries(repliesOf(account))) {
    if (typeof reply === 'string') writeFileSync(join(folder, 'errors', command), reply);
    else writeFileSync(join(folder, 'replies', command), JSON.stringify(reply));
  }
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
        .split(RECORD)
        .slice(0, -1)
        .map((call) => call.split(UNIT).slice(0, -1)),
    read: (name: 'github-output' | 'summary') => readFileSync(join(folder, name), 'utf8'),
  };
}
