import { createHash } from 'node:crypto';
import { mapAhead, mapConcurrently } from '../concurrency.ts';
import type { Customer } from '../domain/customer.ts';
import { UnreadableFileError } from '../domain/errors.ts';
import { headingOf } from '../domain/field-headings.ts';
import {
  type FileRow,
  type ImportOptions,
  OUTCOMES,
  type Outcome,
  type PlannedRow,
  ROWS_PER_STEP,
} from '../domain/import.ts';
import type { FileFacts, ImportJob, ImportReason, ImportWarning } from '../domain/import-job.ts';
import { IMPORT_PLAN_LIFETIME_S } from '../domain/limits.ts';
import type { Step } from '../exports/durable-steps.ts';
import { escapedBytes } from '../formats/json.ts';
import { shownHeading } from '../formats/reading/columns.ts';
import { readRows } from '../formats/reading/read-rows.ts';
import type { RowsOfFile } from '../formats/reading/rows-of-file.ts';
import { batchesOf, getItems } from '../storage/batch-get.ts';
import { getImportJob, importJobs, moveImportJob } from '../storage/import-jobs.ts';
import { toCustomer } from '../storage/read-customer.ts';
import { rawCustomerKey } from '../storage/table.ts';
import { faultLines, withFaults } from './fault-lines.ts';
import {
  deleteFiles,
  type FileOwner,
  getLines,
  getSentFile,
  isReplaced,
  putFile,
  type SentFile,
} from './import-files.ts';
import { RowMatcher, type RowMatches } from './match-rows.ts';
import { type Pace, paceOf, writeUnits } from './pace.ts';
import {
  countsOf,
  type Manifest,
  manifestFile,
  type PlannedLine,
  type PlanStep,
  planFile,
  sumOfCounts,
} from './plan-files.ts';
import { type KnownCustomers, planRow } from './plan-row.ts';

/** Characters after which a file of rows ends, though it has fewer than {@link ROWS_PER_STEP}. */
const MAX_FILE_LENGTH = 8 * 1024 * 1024;
/** Files of rows that are written, or read ahead, at a time. */
const CONCURRENT_FILES = 2;
/** Rows whose customers are in memory, of each of these files. */
const ROWS_AT_ONCE = 200;
/** Files of rows that are planned between two checkpoints. */
const FILES_PER_STEP = 20;
const CONCURRENT_READS = 4;
/** A partition gives 3,000 read units a second; a third is left to the merchant's other calls. */
const READ_UNITS_PER_SECOND = 2_000;
/** Attempts to read a file that is sent again each time. */
const MAX_READS = 3;
/** How often progress is noted, in milliseconds. */
const PROGRESS_MS = 5_000;
/** Maximum characters of why a file cannot be read, which can name all sheets of a workbook. */
const MAX_DETAIL_LENGTH = 2_000;
/**
 * Maximum bytes of the headings that are reported, and of the sheets, so that a list of imports has room for
 * all.
 */
const MAX_NAMES_BYTES = 24_000;

/** A file takes longer to plan than its caller waits. */
export class TooLongForCallError extends Error {}

/** The import was canceled, or another run has taken over. */
class NotRunningError extends Error {}

/** The run that plans an import. */
export interface PlanRun {
  readonly merchantId: string;
  readonly job: ImportJob;
  readonly run: string;
  /** Runs a part of the work, once even if a run is interrupted and begins again. */
  readonly step: Step;
  /**
   * What can be done while a caller waits: rows, and until when (`Date.now()`). Customers are then read
   * consistently, which takes twice the units. In the background, a plan can lack writes of the last
   * second; applying compares versions and keys with the table. @default - anything
   */
  readonly callLimits?: { readonly maxRows: number; readonly deadlineMs: number };
  /** Seconds after which the run, without progress, has ended. */
  readonly stalledAfterS?: number;
}

/** A file that is read, and its rows stored. */
interface ReadFile {
  readonly sha256: string;
  readonly facts: FileFacts;
  readonly headings: readonly string[];
  /** How many rows each of the files has. */
  readonly files: readonly number[];
}

/**
 * Plans an import: reads its file, finds the customers that its rows name, and stores what is to become
 * of each. No customer is written. May be repeated; the plan of the same customers is the same.
 *
 * @returns the import, `planned` or `failed`, or as another run has left it; undefined if it was canceled.
 * @throws TooLongForCallError if it exceeds `callLimits`.
 */
export async function planImport(planRun: PlanRun): Promise<ImportJob | undefined> {
  const { merchantId, job, run } = planRun;
  const files = { merchantId, importId: job.id };
  // An interrupted run may have noted its plan already.
  const origin = { states: ['reading', 'planned'], run } as const;
  try {
    const read = await runStep(planRun, 'read', () => readSentFile(planRun, files));
    if ('reason' in read) {
      const { reason } = read;
      return await runStep(planRun, 'note failed', () => fail(planRun, files, reason));
    }
    const steps = await planSteps(planRun, files, read);
    return await runStep(planRun, 'note planned', async () => {
      const manifest: Manifest = { headings: read.headings, steps };
      await putFile(files, 'plan', manifestFile(run), JSON.stringify(manifest));
      const counts = sumOfCounts(
        OUTCOMES,
        steps.map((each) => each.counts),
      );
      const digest = createHash('sha256').update(steps.map((each) => each.digest).join());
      const rows = steps.reduce((sum, each) => sum + each.rows, 0);
      const planned = await moveImportJob(merchantId, job.id, origin, {
        state: 'planned',
        sha256: read.sha256,
        facts: {
          ...read.facts,
          warnings: [...read.facts.warnings, ...(await sameFile(planRun, read))],
        },
        plan: {
          run,
          tag: `p-${digest.digest('base64url').slice(0, 22)}`,
          rows,
          counts,
          steps: steps.length,
          writeUnits: steps.reduce((sum, each) => sum + each.writeUnits, 0),
        },
        rowsDone: rows,
        expires: new Date(Date.now() + IMPORT_PLAN_LIFETIME_S * 1_000).toISOString(),
        reason: undefined,
      });
      if (!planned) throw new NotRunningError();
      await deleteFiles(files, ['upload']);
      await deleteFiles(files, ['plan'], rowsFile(run));
      return planned;
    });
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    // Another run has these files; those of an import that was canceled are of no use.
    const current = await getImportJob(merchantId, job.id);
    if (!current) await deleteFiles(files, ['upload', 'plan']);
    return current;
  }
}

/**
 * Runs a step. That the import has been canceled, or another run has taken over, is a result of the step, since
 * errors of steps are logged and repeated; whatever fails then fails for want of files.
 *
 * @throws NotRunningError
 */
async function runStep<T extends object>(
  { merchantId, job, run, step }: PlanRun,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const result = await step(name, async () => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotRunningError) return null;
      if (error instanceof TooLongForCallError) throw error;
      const current = await getImportJob(merchantId, job.id);
      if (current?.run !== run) return null;
      throw error;
    }
  });
  if (result === null) throw new NotRunningError();
  return result;
}

/** Returns the name of a file of rows that are read, and not planned yet; what all begin with. */
const rowsFile = (run: string, index?: number) =>
  `${run}/rows-${index === undefined ? '' : `${index}.jsonl`}`;

/** Reads the file that was sent, anew if another one is sent meanwhile, and stores its rows. */
async function readSentFile(
  planRun: PlanRun,
  files: FileOwner,
): Promise<ReadFile | { readonly reason: ImportReason }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readFile(planRun, files);
    } catch (error) {
      if (attempt === MAX_READS || !isReplaced(error)) throw error;
    }
  }
}

async function readFile(
  planRun: PlanRun,
  files: FileOwner,
): Promise<ReadFile | { readonly reason: ImportReason }> {
  const { job } = planRun;
  const sent = await getSentFile(files);
  if (!sent)
    return {
      reason: { code: 'noFile', detail: 'There is no file any more. Create an import again.' },
    };
  const sha256 = await digestOf(sent);
  if (job.sha256 !== undefined && job.sha256 !== sha256) {
    const detail = `The file's SHA-256 is ${sha256}, and not ${job.sha256} as announced. Create an import again.`;
    return { reason: { code: 'digestMismatch', detail } };
  }
  const sizes: number[] = [];
  let rows = 0;
  let noted = Date.now();
  try {
    const file = await readRows(sent, job.options);
    const texts = (async function* () {
      for await (const { text, size } of textsOf(file.rows)) {
        rows += size;
        checkCallLimits(planRun, rows);
        if (Date.now() - noted > PROGRESS_MS) {
          await noteProgress(planRun, rows);
          noted = Date.now();
        }
        yield { text, index: sizes.push(size) - 1 };
      }
    })();
    await mapConcurrently(texts, CONCURRENT_FILES, ({ text, index }) =>
      putFile(files, 'plan', rowsFile(planRun.run, index), text),
    );
    if (rows > 0 && !isKeyed(file, job.options)) return { reason: noKeyColumn(job.options) };
    const headings = file.columns.map(({ heading }) => shownHeading(heading));
    return { sha256, facts: factsOf(file), headings, files: sizes };
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    const { code, where, message } = error;
    const detail = (where ? `${where}: ${message}` : message).slice(0, MAX_DETAIL_LENGTH);
    return { reason: { code, detail: detail.toWellFormed() } };
  }
}

/**
 * Returns whether a file's rows can name customers. If they cannot, the file creates all its customers,
 * and again when it is sent again, which its sender must have asked for by both options.
 */
function isKeyed({ columns }: RowsOfFile, { match, mode, unkeyed }: ImportOptions): boolean {
  const hasColumn = columns.some(({ field }) => match.some((each) => each === field));
  return hasColumn || (mode === 'create' && unkeyed === 'create');
}

function noKeyColumn({ match }: ImportOptions): ImportReason {
  const fields = match.map((field) => `${field} (${headingOf(field, 'sv')})`).join(' or ');
  const detail =
    `The file has no column ${fields}, by which its customers are found. Add one, or match by ` +
    'another field. To create a customer of each row, set both mode and unkeyed to create.';
  return { code: 'noKeyColumn', detail };
}

/** @throws TooLongForCallError */
function checkCallLimits({ callLimits }: PlanRun, rows = 0): void {
  if (!callLimits) return;
  const { maxRows, deadlineMs } = callLimits;
  if (rows > maxRows || Date.now() > deadlineMs) throw new TooLongForCallError();
}

async function digestOf(file: SentFile): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of file.read()) hash.update(chunk);
  return hash.digest('base64');
}

/** Yields rows as texts of files. */
async function* textsOf(batches: AsyncIterable<readonly FileRow[]>) {
  let lines: string[] = [];
  let length = 0;
  let lineOfRow = faultLines();
  for await (const batch of batches) {
    for (const row of batch) {
      const line = lineOfRow(row);
      lines.push(line);
      length += line.length;
      if (lines.length < ROWS_PER_STEP && length < MAX_FILE_LENGTH) continue;
      yield { text: lines.join(''), size: lines.length };
      lines = [];
      length = 0;
      lineOfRow = faultLines();
    }
  }
  if (lines.length > 0) yield { text: lines.join(''), size: lines.length };
}

function factsOf(file: RowsOfFile): FileFacts {
  return {
    encoding: file.encoding,
    delimiter: file.delimiter,
    unknownColumns: reported(file.unknownColumns),
    sheetsNotRead: reported(file.sheetsNotRead),
    warnings: file.warnings,
  };
}

/** Returns the first of some names, as many as are reported. */
function reported(names: readonly string[]): readonly string[] {
  const cut = names.map(shownHeading);
  let bytes = 0;
  const end = cut.findIndex((name) => {
    bytes += escapedBytes(Buffer.from(`${JSON.stringify(name)},`));
    return bytes > MAX_NAMES_BYTES;
  });
  return end === -1 ? cut : cut.slice(0, end);
}

/** Plans the rows, some files of them between two checkpoints. */
async function planSteps(
  planRun: PlanRun,
  files: FileOwner,
  { files: sizes }: ReadFile,
): Promise<PlanStep[]> {
  const rows = sizes.reduce((sum, size) => sum + size, 0);
  const starts = sizes.map((_, index) =>
    sizes.slice(0, index).reduce((sum, size) => sum + size, 0),
  );
  const pace = paceOf(READ_UNITS_PER_SECOND);
  let matcher: Promise<RowMatcher> | undefined;
  const planned: PlanStep[] = [];
  for (let from = 0; from < sizes.length; from += FILES_PER_STEP) {
    const indexes = sizes.map((_, index) => index).slice(from, from + FILES_PER_STEP);
    const some = await runStep(planRun, `plan ${from}`, async () => {
      await noteProgress(planRun, rows);
      matcher ??= matchRows(planRun, files, sizes);
      const found = await matcher;
      return mapConcurrently(indexes, CONCURRENT_FILES, (index) =>
        planFileOfRows({ planRun, files, matcher: found, pace }, index, starts[index] as number),
      );
    });
    planned.push(...some);
  }
  return planned;
}

async function matchRows(
  { merchantId, job, run }: PlanRun,
  files: FileOwner,
  sizes: readonly number[],
): Promise<RowMatcher> {
  const matcher = new RowMatcher(job.options.match);
  for await (const rows of mapAhead(sizes.keys(), CONCURRENT_FILES, (index) =>
    rowsOf(files, run, index),
  )) {
    for (const row of rows) matcher.add(row);
  }
  await matcher.find(merchantId);
  return matcher;
}

async function rowsOf(files: FileOwner, run: string, index: number): Promise<FileRow[]> {
  const rows = await getLines<FileRow>(files, 'plan', rowsFile(run, index));
  if (!rows) throw new NotRunningError();
  return withFaults(rows);
}

interface Planning {
  readonly planRun: PlanRun;
  readonly files: FileOwner;
  readonly matcher: RowMatcher;
  readonly pace: Pace;
}

/** Plans the rows of a file, and stores what is to become of them. */
async function planFileOfRows(
  { planRun, files, matcher, pace }: Planning,
  index: number,
  start: number,
): Promise<PlanStep> {
  const { job, run } = planRun;
  const rows = await rowsOf(files, run, index);
  const outcomes: Outcome[] = [];
  let units = 0;
  let text = '';
  const lineOfRow = faultLines();
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const some = rows.slice(from, from + ROWS_AT_ONCE);
    const matches = some.map((row, at) => matcher.matchesOf(row, start + from + at));
    const customers = await readCustomers(planRun, matches.flatMap(candidatesOf), pace);
    for (const [at, row] of some.entries()) {
      const planned = planRow(row, matches[at] as RowMatches, customers, job.options);
      outcomes.push(planned.outcome);
      units += unitsToApply(planned, customers);
      text += lineOfRow(storedRow(planned, row, customers));
    }
  }
  await putFile(files, 'plan', planFile(run, index), text);
  return {
    first: rows[0]?.row ?? 0,
    last: rows.at(-1)?.row ?? 0,
    rows: rows.length,
    counts: countsOf(OUTCOMES, outcomes),
    writeUnits: units,
    digest: createHash('sha256').update(text).digest('base64url'),
  };
}

/** Returns what is stored of a row. */
function storedRow(planned: PlannedRow, row: FileRow, customers: KnownCustomers): PlannedLine {
  if (planned.outcome === 'create') return planned;
  const isOfCustomer = planned.outcome === 'update' || planned.outcome === 'unchanged';
  const { name, customerid } = (isOfCustomer && customers.get(planned.id)?.fields) || row.fields;
  return { ...planned, name, customerid, ...(!isOfCustomer && { cells: row.cells }) };
}

/** Returns about how many write units of the table applying a row consumes. */
function unitsToApply(row: PlannedRow, customers: KnownCustomers): number {
  if (row.outcome === 'create') {
    const claim = row.key?.field === 'customerid' ? 1 : 0;
    // A transaction consumes twice as many.
    return 2 * (writeUnits(row.fields) + claim);
  }
  if (row.outcome !== 'update') return 0;
  // The whole customer is written, and has about its present size.
  return writeUnits([customers.get(row.id)?.fields, row.changes]);
}

/** Returns the customers that the outcome of a row depends on. */
function candidatesOf({ keys, customerid, withZeros }: RowMatches): number[] {
  const ofKeys = keys.flatMap(({ customers }) => customers);
  return [...ofKeys, ...(customerid?.customers ?? []), ...withZeros];
}

async function readCustomers(
  planRun: PlanRun,
  ids: readonly number[],
  pace: Pace,
): Promise<Map<number, Customer>> {
  const batches = batchesOf([...new Set(ids)]);
  const isConsistent = planRun.callLimits !== undefined;
  const customers = await mapConcurrently(batches, CONCURRENT_READS, async (batch) => {
    checkCallLimits(planRun);
    await pace(isConsistent ? batch.length : batch.length / 2);
    const keys = batch.map((id) => rawCustomerKey(planRun.merchantId, id));
    const items = await getItems(keys, isConsistent);
    return items.map(toCustomer);
  });
  return new Map(
    customers.flat().map((customer) => [customer.system.mexcParamvaluesetsid, customer]),
  );
}

async function noteProgress(
  { merchantId, job, run, stalledAfterS }: PlanRun,
  rowsDone: number,
): Promise<void> {
  const origin = { states: ['reading'], run } as const;
  const noted = await moveImportJob(merchantId, job.id, origin, { rowsDone }, stalledAfterS);
  if (!noted) throw new NotRunningError();
}

/** Returns a warning if the same file was applied before. */
async function sameFile(
  { merchantId, job }: PlanRun,
  { sha256 }: ReadFile,
): Promise<ImportWarning[]> {
  for await (const { id, ...other } of importJobs(merchantId)) {
    if (id === job.id || other.sha256 !== sha256 || !other.results || other.undone) continue;
    const detail = `The same file was applied by the import ${id}`;
    return [{ code: 'sameFileApplied', detail, import: id }];
  }
  return [];
}

async function fail(
  { merchantId, job, run }: PlanRun,
  files: FileOwner,
  reason: ImportReason,
): Promise<ImportJob> {
  // An interrupted run may have noted it already.
  const origin = { states: ['reading', 'failed'], run } as const;
  const failed = await moveImportJob(merchantId, job.id, origin, { state: 'failed', reason });
  // The files are those of another run.
  if (!failed) throw new NotRunningError();
  await deleteFiles(files, ['upload', 'plan']);
  return failed;
}
