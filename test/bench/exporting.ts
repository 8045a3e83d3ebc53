import { EXPORT_NODE_OPTIONS } from '../../infra/node-options.ts';
import type { Bundles } from './bundles.ts';
import type { Shape } from './customers.ts';
import { environmentOf } from './environment.ts';
import { eventOf } from './events.ts';
import { checkSame } from './harness.ts';
import type { ContenderProcess } from './processes.ts';
import { startContender, startServer } from './processes.ts';
import { cannedMerchant } from './servers/canned-table.ts';

/** What an export is written as. */
export type FileType = 'csv' | 'xml';

/** Files, ours and the usual way's, by kind. */
export const USUAL_EXPORTS: Readonly<Record<FileType, readonly string[]>> = {
  csv: ['csv-stringify'],
  xml: ['xmlbuilder2', 'fast-xml-parser'],
};

/** What came of one export. */
export interface Exported {
  readonly rowsPerSecond: number;
  /** The most memory the process had resident until now, in bytes. */
  readonly maxRss: number;
}

/** Where exports read from and write to. */
export interface ExportServers {
  readonly environment: Readonly<Record<string, string>>;
  /** Begins to keep what is uploaded next. */
  keep(): Promise<void>;
  /** What was uploaded since. */
  kept(): Promise<string>;
  stop(): void;
}

/** Starts the canned DynamoDB server and the S3 sink, each in a process of its own. */
export async function startExportServers(): Promise<ExportServers> {
  const dynamodb = await startServer('canned-dynamodb');
  const s3 = await startServer('s3-sink');
  return {
    environment: environmentOf({ dynamodb: dynamodb.endpoint, s3: s3.endpoint }),
    keep: async () => {
      await fetch(`${s3.endpoint}/-/keep`, { method: 'PUT' });
    },
    kept: async () => (await fetch(`${s3.endpoint}/-/last`)).text(),
    stop: () => {
      dynamodb.stop();
      s3.stop();
    },
  };
}

/** Loads an export's handler in a fresh process: ours, or that of an alternative. */
export async function startExporter(
  type: FileType,
  who: string,
  { environment }: ExportServers,
  bundles: Bundles,
): Promise<ContenderProcess> {
  const usual = type === 'csv' ? 'export-csv' : `export-xml-${who}`;
  const module = await (who === 'ours'
    ? bundles.ours(`export-customers-${type}`)
    : bundles.usual(usual));
  return startContender({
    caller: bundles.caller,
    module,
    environment: {
      ...environment,
      // As the stack sets it.
      ...(who === 'ours' && { NODE_OPTIONS: EXPORT_NODE_OPTIONS }),
    },
  });
}

/** Exports a whole register. */
export async function exportAll(
  exporter: ContenderProcess,
  type: FileType,
  shape: Shape,
  rows: number,
): Promise<Exported> {
  const merchant = cannedMerchant(shape, rows);
  const event = eventOf(`export-customers-${type}`, { merchant });
  const { ms, response, maxRss } = await exporter.call({ event });
  const { count } = JSON.parse(response.body ?? 'null') ?? {};
  if (response.statusCode !== 200 || count !== rows) {
    throw new Error(
      `An export of ${rows} rows answered ${response.statusCode} ${response.body ?? ''}; the bench needs the whole file in one go.`,
    );
  }
  return { rowsPerSecond: (rows / ms) * 1_000, maxRss };
}

/**
 * Checks that an alternative's file is ours, byte by byte. Builders of XML may write quotes in
 * texts as entities, which means the same to every reader; those are undone first.
 *
 * @param rows enough that every different customer is among them, and several pages and parts.
 */
export async function checkSameFile(
  servers: ExportServers,
  [ours, theirs]: readonly [ContenderProcess, ContenderProcess],
  { type, shape, rows, who }: { type: FileType; shape: Shape; rows: number; who: string },
): Promise<void> {
  const fileOf = async (exporter: ContenderProcess) => {
    await servers.keep();
    await exportAll(exporter, type, shape, rows);
    const file = await servers.kept();
    return type === 'xml' ? file.replaceAll('&quot;', '"').replaceAll('&apos;', "'") : file;
  };
  const [a, b] = [await fileOf(ours), await fileOf(theirs)];
  if (a.length < rows) throw new Error(`The export of ${rows} rows has ${a.length} characters.`);
  checkSame(`${type} of ${shape} rows by ${who}`, a, b);
}
