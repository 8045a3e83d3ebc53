import type { SNSEvent } from 'aws-lambda';
import type { ExportJobInput } from '../../shared/domain/export.ts';
import { discardFile } from '../../shared/exports/discard-file.ts';
import { readExportJob, updateExportJob } from '../../shared/storage/export-jobs.ts';

/** Why an export failed whose worker cannot say so itself, in words for the caller. */
const REASON = 'The export was interrupted and cannot continue. Export again.';

/**
 * Ends long exports whose durable execution is dead: it failed, timed out, was stopped, or did not begin
 * in time. Lambda publishes its input to the dead-letter topic. A job that still runs becomes
 * `failed`; its uploads and its file are deleted.
 *
 * SNS may deliver a message more than once; a repeat changes nothing.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/durable-best-practices.html
 */
export async function handler({ Records }: SNSEvent): Promise<void> {
  for (const { Sns } of Records) await endExport(JSON.parse(Sns.Message));
}

async function endExport({ merchantId, id, file }: ExportJobInput): Promise<void> {
  let job = await readExportJob(merchantId, id);
  if (job?.state === 'running') {
    await updateExportJob(merchantId, id, { state: 'failed', reason: REASON });
    // If it has ended meanwhile, the update has changed nothing.
    job = await readExportJob(merchantId, id);
  }
  if (job?.state === 'ready') return;
  await discardFile(file);
  console.warn({ message: 'Export ended', exportId: id, merchant: merchantId, state: job?.state });
}
