import { readXlsx } from 'hucre/xlsx';
import { FILE_NODE_OPTIONS } from '../../infra/node-options.ts';
import type { Bundles } from './bundles.ts';
import type { Shape } from './customers.ts';
import { environmentOf } from './environment.ts';
import { eventOf } from './events.ts';
import { checkSame } from './harness.ts';
import type { ContenderProcess } from './processes.ts';
import { startContender, startServer } from './processes.ts';
import { cannedMerchant } from './servers/canned-table.ts';

/** Format of an export file. */
export type FileType = 'csv' | 'xml' | 'xlsx' | 'jsonl';

/** Alternatives in `usual/` that write each type of file. */
export const USUAL_EXPORTS: Readonly<Record<FileType, readonly string[]>> = {
  csv: ['csv-stringify'],
  xml: ['xmlbuilder2', 'fast-xml-parser'],
  xlsx: ['exceljs'],
  jsonl: ['JSON.stringify'],
};

/** Measurements of one export. */
export interface Exported {
  readonly rowsPerSecond: number;
  /** Peak resident memory of the process so far, in bytes. */
  readonly maxRss: number;
}

/** Servers that exports read from and write to. */
export interface ExportServers {
  readonly environment: Readonly<Record<string, string>>;
  /** Stores the next upload. */
  storeNextUpload(): Promise<void>;
  /** Returns the stored upload. */
  lastUpload(): Promise<Buffer>;
  stop(): void;
}

/** Starts the canned DynamoDB server and the S3 sink, each in its own process. */
export async function startExportServers(): Promise<ExportServers> {
  const dynamodb = await startServer('canned-dynamodb');
  const s3 = await startServer('s3-sink');
  return {
    environment: environmentOf({ dynamodb: dynamodb.endpoint, s3: s3.endpoint }),
    storeNextUpload: async () => {
      await fetch(`${s3.endpoint}/-/keep`, { method: 'PUT' });
    },
    lastUpload: async () => Buffer.from(await (await fetch(`${s3.endpoint}/-/last`)).arrayBuffer()),
    stop: () => {
      dynamodb.stop();
      s3.stop();
    },
  };
}

/** Loads the handler of an export, ours or an alternative's, in a new process. */
export async function startExporter(
  type: FileType,
  who: string,
  { environment }: ExportServers,
  bundles: Bundles,
): Promise<ContenderProcess> {
  const usual = type === 'xml' ? `export-xml-${who}` : `export-${type}`;
  const module = await (who === 'ours'
    ? bundles.ours(`export-customers-${type}`)
    : bundles.usual(usual));
  return startContender({
    caller: bundles.caller,
    module,
    environment: {
      ...environment,
      // As in the deployed stack.
      ...(who === 'ours' && { NODE_OPTIONS: FILE_NODE_OPTIONS }),
    },
  });
}

/** Exports the customers of a merchant, all or those that a filter finds: at least 95 in 100. */
export async function exportAll(
  exporter: ContenderProcess,
  type: FileType,
  shape: Shape,
  rows: number,
  query = '',
): Promise<Exported> {
  const merchant = cannedMerchant(shape, rows);
  const event = eventOf(`export-customers-${type}`, { merchant, query });
  const { ms, response, maxRss } = await exporter.call({ event });
  const { count } = JSON.parse(response.body ?? 'null') ?? {};
  if (response.statusCode !== 200 || count > rows || count < (query ? 0.95 : 1) * rows) {
    throw new Error(
      `An export of ${rows} rows returned ${response.statusCode} ${response.body ?? ''}; the benchmark needs the whole file in one response.`,
    );
  }
  return { rowsPerSecond: (rows / ms) * 1_000, maxRss };
}

/**
 * Checks that an alternative writes the same bytes as ours, or of a workbook the same cells. XML
 * builders may escape quotes in text, which is equivalent; they are unescaped first.
 *
 * @param rows enough for every different customer, several pages and several parts.
 */
export async function checkSameFile(
  servers: ExportServers,
  [ours, theirs]: readonly [ContenderProcess, ContenderProcess],
  { type, shape, rows, who }: { type: FileType; shape: Shape; rows: number; who: string },
): Promise<void> {
  const fileOf = async (exporter: ContenderProcess) => {
    await servers.storeNextUpload();
    await exportAll(exporter, type, shape, rows);
    const bytes = await servers.lastUpload();
    if (type === 'xlsx') return cellsOf(bytes);
    const file = bytes.toString();
    return type === 'xml' ? file.replaceAll('&quot;', '"').replaceAll('&apos;', "'") : file;
  };
  const [a, b] = [await fileOf(ours), await fileOf(theirs)];
  if (a.length < rows) throw new Error(`The export of ${rows} rows has ${a.length} characters.`);
  checkSame(`${type} of ${shape} rows by ${who}`, a, b);
}

/** Returns the cells of a workbook, a row on each line; empty ones at the end of a row do not count. */
async function cellsOf(file: Buffer): Promise<string> {
  const { sheets } = await readXlsx(file);
  const rows = sheets.flatMap(({ rows }) => rows);
  return rows.map((row) => JSON.stringify(row).replace(/(?:,null)+]$/, ']')).join('\n');
}
