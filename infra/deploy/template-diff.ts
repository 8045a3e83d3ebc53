import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { STAGES } from '../stages.ts';
import { runCdk } from './cdk.ts';
import { github } from './github.ts';
import { writeSummary } from './summary.ts';

const HELP = `Compares the templates of all stages with those of another checkout.

  --base <path>      the other checkout, with its packages

It fails if a resource would be deleted or replaced, unless the pull request whose number is in
PULL_REQUEST has the label that allows it.`;

const LABEL = 'allows-replacement';
const ROOT = join(import.meta.dirname, '../..');

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: { base: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return console.log(HELP);
  if (!values.base) throw new UsageError('--base must be the folder of another checkout.');
  const base = resolve(values.base);
  const out = mkdtempSync(join(tmpdir(), 'template-diff-'));
  const destructive = Object.keys(STAGES).filter((stage) => {
    const [before, after] = [
      synthesize(base, stage, out, 'base'),
      synthesize(ROOT, stage, out, 'head'),
    ];
    const template = join(before, `CustomerRegister-${stage}.template.json`);
    const options = ['--template', template, '--fail-on', 'destructive', '--no-color', '--ci'];
    const { status, output } = runCdk(ROOT, ['diff', '--app', after, ...options], {
      capture: true,
    });
    writeSummary(`Template of ${stage}`, output);
    return status !== 0;
  });
  if (destructive.length === 0) return;
  const stages = destructive.join(', ');
  if (await isAllowed()) return console.log(`The label ${LABEL} allows the changes of ${stages}.`);
  throw new UsageError(
    `A resource of ${stages} would be deleted or replaced. If that is meant, give the pull request the label ${LABEL} and run this job again.`,
  );
});

function synthesize(folder: string, stage: string, out: string, name: string): string {
  const output = join(out, `${stage}-${name}`);
  const command = ['cdk', 'synth', '--quiet', '-c', `stage=${stage}`, '-o', output];
  const { status } = spawnSync('npx', command, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new UsageError(`${folder} cannot be synthesized for ${stage}.`);
  return output;
}

/** Asks GitHub, since a run that is repeated has the labels of its first attempt. */
async function isAllowed(): Promise<boolean> {
  const number = process.env.PULL_REQUEST;
  if (!number) return false;
  const { labels } = await github<{ labels: { name: string }[] }>(`/pulls/${number}`);
  return labels.some(({ name }) => name === LABEL);
}
