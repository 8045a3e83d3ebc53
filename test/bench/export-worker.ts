import type { ExportJobInput } from '../../shared/domain/export.ts';

/**
 * Does what the export worker does, in the same order, and without checkpoints.
 *
 * @returns the number of parts, and the size of the file.
 */
export async function runExportWorker(
  job: ExportJobInput,
): Promise<{ readonly parts: number; readonly bytes: number }> {
  // These read the environment as they load.
  const { startUpload, exportPart, completeParts, PageReader, sum } = await import(
    '../../shared/exports/export-parts.ts'
  );
  const { updateExportJob } = await import('../../shared/storage/export-jobs.ts');
  const uploadId = await startUpload(job.file);
  const reader = new PageReader(job);
  const parts: Awaited<ReturnType<typeof exportPart>>[] = [];
  do {
    parts.push(await exportPart(job, uploadId, parts.at(-1), reader));
    await updateExportJob(job.merchantId, job.id, { rowsDone: 0 });
  } while (!parts.at(-1)?.isLast);
  await completeParts(job.file, uploadId, parts);
  await updateExportJob(job.merchantId, job.id, { state: 'ready' });
  return { parts: parts.length, bytes: sum(parts, 'bytes') };
}
