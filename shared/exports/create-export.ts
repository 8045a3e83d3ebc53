import { before, until } from '../deadline.ts';
import type { Selection } from '../domain/customer-filter.ts';
import { required, requiredNumber } from '../environment.ts';
import type { Format } from '../formats/export-format.ts';
import type { Answer, Request } from '../http/endpoint.ts';
import { estimateSelected } from '../storage/estimate.ts';
import { selectedRows } from '../storage/export-pages.ts';
import { rowWriter } from '../storage/serialized-items/item-serializer.ts';
import { answerExport } from './export.ts';

const EXPORT_RUNNER = required('exportRunner');
const LONG_EXPORT_ROWS = requiredNumber('longExportRows');
/** What handing over needs of a function's time: an upload is aborted, a job written, one call. */
const HAND_OVER_MS = 5_000;

/** Ends an export that should take longer than its caller can wait. */
class LongExport extends Error {}

/**
 * Exports the selected customers. What should take longer than the caller can wait, or turns out
 * to, is handed over to a durable function: the answer is then 202 with where to ask for it.
 */
export async function answerSelectedExport(
  request: Request,
  format: Format,
  selection: Selection,
): Promise<Answer> {
  const { merchant, remainingMs } = request;
  const deadline = AbortSignal.timeout(Math.max(0, remainingMs() - HAND_OVER_MS));
  let expected: number | undefined;
  /** Nothing is uploaded before there are some pages, so that to end at the first costs little. */
  async function* rows() {
    for await (const page of until(
      deadline,
      selectedRows(merchant, selection, rowWriter(format)),
    )) {
      expected ??= page.isWhole
        ? page.count
        : await before(deadline, estimateSelected(merchant, selection, LONG_EXPORT_ROWS));
      if (expected > LONG_EXPORT_ROWS) throw new LongExport();
      yield page;
    }
  }
  try {
    return await answerExport(request, format, rows(), { deadline });
  } catch (error) {
    if (!(deadline.aborted || error instanceof LongExport)) throw error;
  }
  // Most exports are short: a cold start of theirs does without what this takes.
  const { handOver } = await import('./start-export-job.ts');
  return handOver(EXPORT_RUNNER, request, format, expected ?? LONG_EXPORT_ROWS);
}
