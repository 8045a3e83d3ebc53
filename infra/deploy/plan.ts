import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { runCdk } from './cdk.ts';
import { writeSummary } from './summary.ts';

const HELP = `Shows what a deployment from a folder that npm run package has written would change.

  --stage <name>     the stage (default: prod)
  --folder <path>    the folder (default: that of this script)`;

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'prod' },
      folder: { type: 'string', default: import.meta.dirname },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const { stage, folder } = values;
  // Compares templates, with the bootstrap's role that reads: a change set would need the one that
  // deploys.
  const { status, output } = runCdk(
    folder,
    ['diff', '--app', join(folder, stage), '--method', 'template', '--no-color', '--ci'],
    { capture: true },
  );
  writeSummary(`Changes of ${stage}`, output);
  if (status !== 0) throw new UsageError('cdk diff failed; its output has why.');
});
