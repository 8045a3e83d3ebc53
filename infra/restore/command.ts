import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { runCommand, UsageError } from '../command.ts';
import { aws, resolveTarget } from '../deploy/aws.ts';
import { resolveSettings, type Settings } from '../settings.ts';
import { DEFAULTS, STAGES } from '../stages.ts';
import { readErasedCustomers, writeErasedCustomers } from './erased-customers.ts';
import { describeOutcome } from './outcome.ts';
import { restore } from './restore.ts';

const HELP = `Restores the table of a stage into a new one, and prepares that for use. Nothing of the old
table is changed. The command can be repeated, also after it was interrupted.

  npm run restore -- --stage <name> --at <time> [options]

  --stage <name>         the stage
  --at <time>            the time to restore to, such as 2026-01-31T10:00Z
  --erase-again <file>   customers to delete again: the list that an earlier run has written
  --keep-versions        leave the versions of customers, which costs no writes; old entity tags
                         may then match other content
  --table <name>         the table to restore (default: that of the stage)
  --restored <name>      continue with this table, which was restored by other means`;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/;
/** Attempts of a call, as a new table throttles at first. */
const MAX_ATTEMPTS = 12;

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string' },
      at: { type: 'string' },
      'erase-again': { type: 'string' },
      'keep-versions': { type: 'boolean', default: false },
      table: { type: 'string' },
      restored: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const { stage, at, restored } = values;
  const contentMs = at === undefined ? undefined : Date.parse(at);
  const isTime = at === undefined || (TIME.test(at) && !Number.isNaN(contentMs));
  const faults = [
    ...(stage === undefined ? ['--stage is required.'] : []),
    ...(at === undefined && restored === undefined ? ['--at is required.'] : []),
    ...(isTime ? [] : [`--at must be a time such as 2026-01-31T10:00Z; got \`${at}\`.`]),
  ];
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  const settings = resolveSettings(stage, STAGES, DEFAULTS);
  const file = values['erase-again'];
  const erase = file === undefined ? [] : readErasedCustomers(file);
  const region = regionOf(settings);
  const outcome = await restore({
    client: new DynamoDBClient({ region, maxAttempts: MAX_ATTEMPTS, retryMode: 'adaptive' }),
    settings,
    source: values.table ?? settings.table?.name ?? tableOfStack(settings, region),
    contentMs,
    restored,
    keepVersions: values['keep-versions'],
    erase,
    report: (line) => console.log(line),
  });
  const { items, table } = outcome;
  const list = `${table.name}.erased.jsonl`;
  if (file === undefined && items.erased.length > 0) writeErasedCustomers(list, items.erased);
  console.log(describeOutcome(outcome, settings, file === undefined ? list : undefined));
});

/**
 * Returns the region of the stage.
 *
 * @throws UsageError if the credentials are of another account.
 */
function regionOf({ stage, env }: Settings): string {
  const own = resolveTarget();
  const target = resolveTarget(env);
  if (own.account !== target.account) {
    throw new UsageError(
      `The credentials are of account ${own.account}, and ${stage} is of ${target.account}.`,
    );
  }
  return target.region;
}

interface StackResources {
  readonly StackResources: readonly {
    readonly ResourceType: string;
    readonly PhysicalResourceId: string;
  }[];
}

/** Returns the name of the table that the stack of a stage has created. */
function tableOfStack({ stage }: Settings, region: string): string {
  const stack = `CustomerRegister-${stage}`;
  const { StackResources } = aws<StackResources>(
    ['cloudformation', 'describe-stack-resources', '--stack-name', stack],
    { ...process.env, AWS_REGION: region },
  );
  const table = StackResources.find(
    ({ ResourceType }) => ResourceType === 'AWS::DynamoDB::GlobalTable',
  );
  if (!table) throw new UsageError(`${stack} has no table. Name it with --table.`);
  return table.PhysicalResourceId;
}
