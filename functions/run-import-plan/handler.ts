import type { DurableContext } from '@aws/durable-execution-sdk-js';
import type { MiddlewareObj } from '@middy/core';
import type { ImportJobInput } from '../../shared/domain/import-job.ts';
import { failureReason, stepsOf } from '../../shared/exports/durable-steps.ts';
import { planImport } from '../../shared/imports/plan-import.ts';
import { getImportJob, moveImportJob } from '../../shared/storage/import-jobs.ts';
import { durableFunction } from '../durable-function.ts';

/**
 * Plans an import of a large file in the background, as a durable function: after a crash it continues
 * after the last files of rows that it has planned. It cannot write customers.
 */
export const handler = durableFunction<ImportJobInput, { rows: number }>()
  .use(failedImport())
  .handler(async ({ merchantId, importId, run }, context) => {
    const step = stepsOf(context, { merchant: merchantId, importId });
    const job = await step('get', async () => (await getImportJob(merchantId, importId)) ?? null);
    const planned = job && (await planImport({ merchantId, job, run, step }));
    return { rows: planned?.plan?.rows ?? 0 };
  });

/** Middleware that stores why an import could not be planned. Its file is kept, for another try. */
function failedImport(): MiddlewareObj<ImportJobInput, unknown, Error, DurableContext> {
  return {
    onError: async ({ event, context, error }) => {
      const { merchantId, importId, run } = event;
      const reason = { code: 'interrupted', detail: failureReason(error) };
      const step = stepsOf(context, { merchant: merchantId, importId });
      await step('note failed', async () => {
        const origin = { states: ['reading'], run } as const;
        await moveImportJob(merchantId, importId, origin, { state: 'failed', reason });
      });
    },
  };
}
