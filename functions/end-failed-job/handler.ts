import type { SNSEvent } from 'aws-lambda';
import type { ExportJobInput } from '../../shared/domain/export.ts';
import type { ImportJobInput } from '../../shared/domain/import-job.ts';
import { discardFile } from '../../shared/exports/discard-file.ts';
import { readExportJob, updateExportJob } from '../../shared/storage/export-jobs.ts';
import { moveImportJob, releaseImportLock } from '../../shared/storage/import-jobs.ts';

/** Why an export failed whose worker cannot say so itself, in words for the caller. */
const REASON = 'The export was interrupted and cannot continue. Export again.';

/** The same of an import, of which nothing is lost. */
const IMPORT_REASON = {
  code: 'interrupted',
  detail: 'The import was interrupted. Send the same request again to continue it.',
};

/**
 * Ends long exports and imports whose durable execution is dead: it failed, timed out, was stopped, or did not begin
 * in time. Lambda publishes its input to the dead-letter topic. An export that still runs becomes
 * `failed`; its uploads and its file are deleted. An import becomes `failed` or `stopped`, from where its
 * caller continues it.
 *
 * SNS may deliver a message more than once; a repeat changes nothing.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/durable-best-practices.html
 */
export async function handler({ Records }: SNSEvent): Promise<void> {
  for (const { Sns } of Records) {
    const input: ExportJobInput | ImportJobInput = JSON.parse(Sns.Message);
    await ('importId' in input ? endImport(input) : endExport(input));
  }
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

async function endImport({ merchantId, importId, run, task }: ImportJobInput): Promise<void> {
  const isPlan = task === 'plan';
  const states = isPlan ? (['reading'] as const) : (['applying', 'undoing'] as const);
  const ended = await moveImportJob(
    merchantId,
    importId,
    { states, run },
    { state: isPlan ? 'failed' : 'stopped', reason: IMPORT_REASON },
  );
  if (!isPlan) await releaseImportLock(merchantId, run);
  console.warn({ message: 'Import ended', importId, merchant: merchantId, state: ended?.state });
}
