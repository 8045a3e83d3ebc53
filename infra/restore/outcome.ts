import type { Settings } from '../settings.ts';
import type { Restored } from './restore.ts';

/**
 * Returns what a restore has done, and what the operator does next.
 *
 * @param list file with the customers that were deleted since; undefined if it was read, and they were
 * deleted again.
 */
export function describeOutcome(
  { items, table, changesEpoch }: Restored,
  { stage }: Settings,
  list?: string,
): string {
  const { customers, merchants, raised, erased, erasedAgain, kept } = items;
  const back = erased.length - erasedAgain;
  const lines = [
    `The restored table has ${customers} customers. The ids of ${merchants} merchants continue after the last ones given out; ${raised} versions were raised.`,
  ];
  if (list === undefined) {
    lines.push(
      `${erasedAgain} customers were deleted again. Customers that had been deleted since and are back: ${back}.`,
      ...kept.map(
        (customer) =>
          `  not deleted, since the old table has it as well: ${JSON.stringify(customer)}`,
      ),
    );
  } else if (back > 0) {
    lines.push(
      `Customers that had been deleted since and are back: ${back}. ${list} lists them. Remove the lines of those to keep, and run the command again with --erase-again ${list}`,
    );
  } else {
    lines.push('No customer that had been deleted since is back.');
  }
  lines.push(
    `
Write into infra/stages.ts, at ${stage}:

  table: {
    name: '${table.name}',
    streamArn: '${table.streamArn}',
  },
  changesEpoch: ${changesEpoch},

Keep closed: true and deploy; then remove it, and deploy again, each time with --no-watch.`,
  );
  return lines.join('\n');
}
