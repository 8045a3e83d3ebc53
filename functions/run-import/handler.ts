import type { DurableContext } from '@aws/durable-execution-sdk-js';
import type { MiddlewareObj } from '@middy/core';
import type { ImportJobInput } from '../../shared/domain/import-job.ts';
import { failureReason, stepsOf } from '../../shared/exports/durable-steps.ts';
import { applyImport, stop, undoImport } from '../../shared/imports/apply-import.ts';
import { getImportJob } from '../../shared/storage/import-jobs.ts';
import { durableFunction } from '../durable-function.ts';

/** Steps that one run of the function takes: each some seconds, of the 15 minutes that it has. */
const STEPS_PER_RUN = 20;

/**
 * Applies or undoes a large import in the background, as a durable function: after a crash it continues
 * with the step that was interrupted, of which each row is applied once.
 */
export const handler = durableFunction<ImportJobInput, object>()
  .use(stoppedImport())
  .handler(async ({ merchantId, importId, run, task, references = {} }, context) => {
    const step = stepsOf(context, { merchant: merchantId, importId });
    const job = await step('get', async () => (await getImportJob(merchantId, importId)) ?? null);
    // Another run has taken over, or the import was deleted.
    if (job?.run !== run) return {};
    const execute = task === 'apply' ? applyImport : undoImport;
    const endRun = async (index: number) => {
      if ((index + 1) % STEPS_PER_RUN === 0) await context.wait('end this run', { seconds: 1 });
    };
    await execute({ merchantId, job, run, step, references, afterStep: endRun });
    return {};
  });

/** Middleware that stores why an import has stopped, so that it can be continued. */
function stoppedImport(): MiddlewareObj<ImportJobInput, unknown, Error, DurableContext> {
  return {
    onError: async ({ event, context, error }) => {
      const { merchantId, importId, run } = event;
      const reason = { code: 'interrupted', detail: failureReason(error) };
      const step = stepsOf(context, { merchant: merchantId, importId });
      await step('note stopped', () => stop({ merchantId, importId, run }, reason));
    },
  };
}
