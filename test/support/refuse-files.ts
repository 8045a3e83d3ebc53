import { IMPORT_FORMATS } from '../../shared/domain/import.ts';
import { countRows } from './reading.ts';
import { REFUSED_FILES, type RefusedFileResult } from './refused-files.ts';

// Reads each of the files that are refused, and prints how, as JSON. A process of its own, of which all
// memory is that of reading.

const results: Record<string, RefusedFileResult> = {};
// Loads the readers.
for (const format of IMPORT_FORMATS) await countRows([Buffer.from('a')], format).catch(() => {});
const before = process.memoryUsage().rss;
for (const [why, { format, pieces }] of Object.entries(REFUSED_FILES)) {
  const code = await countRows(pieces(), format).then(
    () => undefined,
    (error) => error.code,
  );
  // In kilobytes.
  const peakMegabytes = (process.resourceUsage().maxRSS * 1024 - before) / 1e6;
  results[why] = { code, peakMegabytes };
}
console.log(JSON.stringify(results));
