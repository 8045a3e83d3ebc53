import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { reasonOf, type Step, stepsOf } from '../../shared/exports/durable-steps.ts';
import {
  abortParts,
  completeParts,
  type ExportedPart,
  exportPart,
  startParts,
  sum,
} from '../../shared/exports/export-parts.ts';
import type { ExportOrder } from '../../shared/exports/job.ts';
import { updateExportJob } from '../../shared/storage/export-jobs.ts';

/** Parts that one run of the function makes, well inside the 15 minutes it has. */
const PARTS_PER_RUN = 50;

/**
 * Makes the file of a long export, as a durable function: each part of the upload is a step with
 * a checkpoint, so that after whatever ends the function it goes on behind the last one.
 *
 * The code runs anew from its start each time, with the results of the steps that are done; what
 * it does outside of steps must always be the same.
 */
export const handler = withDurableExecution(async (order: ExportOrder, context: DurableContext) => {
  const step = stepsOf(context, order);
  const note = (changes: Parameters<typeof updateExportJob>[2]) =>
    updateExportJob(order.merchant, order.id, changes);
  try {
    const parts = await uploadParts(order, step, context);
    const rowsDone = sum(parts, 'rows');
    await step('note ready', () => note({ state: 'ready', rowsDone, bytes: sum(parts, 'bytes') }));
    return { rows: rowsDone };
  } catch (error) {
    const reason = reasonOf(error);
    await step('note failed', () => note({ state: 'failed', reason }));
    throw error;
  }
});

/** Uploads the file whole. After a failure nothing is left behind. */
async function uploadParts(
  order: ExportOrder,
  step: Step,
  context: DurableContext,
): Promise<readonly ExportedPart[]> {
  const { merchant, id, file } = order;
  const uploadId = await step('start', () => startParts(file));
  try {
    const parts: ExportedPart[] = [];
    do {
      if (parts.length > 0 && parts.length % PARTS_PER_RUN === 0) {
        await context.wait('end this run', { seconds: 1 });
      }
      const part = await step(`part ${parts.length + 1}`, async () => {
        const part = await exportPart(order, uploadId, parts.at(-1));
        await updateExportJob(merchant, id, { rowsDone: sum([...parts, part], 'rows') });
        return part;
      });
      parts.push(part);
    } while (!parts.at(-1)?.isLast);
    await step('complete', () => completeParts(file, uploadId, parts));
    return parts;
  } catch (error) {
    // Where this fails as well, the bucket's lifecycle rule clears the parts away after a day.
    await step('abort', () => abortParts(file, uploadId)).catch(() => {});
    throw error;
  }
}
