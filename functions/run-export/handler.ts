import type { DurableContext } from '@aws/durable-execution-sdk-js';
import type { MiddlewareObj } from '@middy/core';
import type { ExportJobInput } from '../../shared/domain/export.ts';
import { abortParts } from '../../shared/exports/discard-file.ts';
import { failureReason, type Step, stepsOf } from '../../shared/exports/durable-steps.ts';
import {
  completeParts,
  type ExportedPart,
  exportPart,
  PageReader,
  startUpload,
  sum,
} from '../../shared/exports/export-parts.ts';
import { updateExportJob } from '../../shared/storage/export-jobs.ts';
import { durableFunction } from '../durable-function.ts';

/** Parts that one run of the function exports, well within the 15 minutes that it has. */
const PARTS_PER_RUN = 50;

/**
 * The export worker: exports a file in the background, as a durable function. Each part of the
 * upload is a checkpointed step, so that after a crash or a time-out the export continues after the
 * last one.
 */
export const handler = durableFunction<ExportJobInput, { rows: number }>()
  .use(failedJobStatus())
  .handler(async (input, context) => {
    const { merchantId, id } = input;
    const step = stepsOf(context, loggedJob(input));
    const parts = await uploadParts(input, step, context);
    if (!parts) return { rows: 0 };
    const rowsDone = sum(parts, 'rows');
    const bytes = sum(parts, 'bytes');
    await step('note ready', () =>
      updateExportJob(merchantId, id, { state: 'ready', rowsDone, bytes }),
    );
    return { rows: rowsDone };
  });

function loggedJob({ merchantId, id }: ExportJobInput) {
  return { merchant: merchantId, exportId: id };
}

/** Middleware that stores why a job failed. */
function failedJobStatus(): MiddlewareObj<ExportJobInput, unknown, Error, DurableContext> {
  return {
    onError: async ({ event, context, error }) => {
      const { merchantId, id } = event;
      const reason = failureReason(error);
      await stepsOf(context, loggedJob(event))('note failed', () =>
        updateExportJob(merchantId, id, { state: 'failed', reason }),
      );
    },
  };
}

/**
 * Uploads the whole file. Aborts the upload if that fails.
 *
 * @returns undefined if the job does not run any more, since it is canceled or has stalled; the upload
 * is aborted then. Each part finds out as it notes its progress, without a read.
 */
async function uploadParts(
  input: ExportJobInput,
  step: Step,
  context: DurableContext,
): Promise<readonly ExportedPart[] | undefined> {
  const { merchantId, id, file } = input;
  const uploadId = await step('start', async () =>
    (await updateExportJob(merchantId, id, {})) ? startUpload(file) : null,
  );
  if (uploadId === null) return undefined;
  const abort = () => step('abort', () => abortParts(file, uploadId));
  const reader = new PageReader(input);
  try {
    const parts: ExportedPart[] = [];
    do {
      if (parts.length > 0 && parts.length % PARTS_PER_RUN === 0) {
        await reader.close();
        await context.wait('end this run', { seconds: 1 });
      }
      const part = await step(`part ${parts.length + 1}`, async () => {
        const part = await exportPart(input, uploadId, parts.at(-1), reader);
        const rowsDone = sum([...parts, part], 'rows');
        return (await updateExportJob(merchantId, id, { rowsDone })) ? part : null;
      });
      if (part === null) {
        await abort();
        return undefined;
      }
      parts.push(part);
    } while (!parts.at(-1)?.isLast);
    await step('complete', () => completeParts(file, uploadId, parts));
    return parts;
  } catch (error) {
    // If this fails too, the bucket's lifecycle rule deletes the parts.
    await abort().catch(() => {});
    throw error;
  } finally {
    await reader.close();
  }
}
