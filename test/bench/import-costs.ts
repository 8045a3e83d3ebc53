import type { CustomerFields } from '../../shared/domain/customer.ts';
import type { ImportOptions } from '../../shared/domain/import.ts';
import type { ImportJob, ImportJobInput } from '../../shared/domain/import-job.ts';
import type { Step } from '../../shared/exports/durable-steps.ts';
import type { CountingProxy } from './counting-proxy.ts';
import { customerOf } from './customers.ts';
import { writeCustomers } from './filters.ts';

/** Rows of a plan, and customers of the register that it is for. */
export const PLANNED_ROWS = 10_000;
/** Rows that are applied: those of one step, since steps cost the same. */
const APPLIED_ROWS = 1_000;
const MERCHANT = 'imports';
/** Assumed round trip to DynamoDB in the same region. */
const ROUND_TRIP_MS = 5;
/** CPU time of a plan, for each row: `npm run bench -- imports`. Applying has less of it than its pace takes. */
const PLAN_CPU_MS = 0.22;
/** The pace of imports: units of the table. */
const READ_UNITS_PER_SECOND = 2_000;
const WRITE_UNITS_PER_SECOND = 500;

/** An import whose cost is measured. */
interface ImportCase {
  readonly title: string;
  readonly options: Pick<ImportOptions, 'match'> & Partial<ImportOptions>;
  /** Fields of the row with an id; by default those that the customer has. */
  readonly fieldsOf: (id: number) => CustomerFields;
  readonly result: 'created' | 'updated' | 'unchanged';
  /**
   * Write units of the indexes for a row, which dynalite does not report: one for each entry that is
   * written or deleted.
   */
  readonly indexWrites?: number;
  /** Read units of a row's query that finds nothing, which dynalite does not report. */
  readonly emptyReads?: number;
}

/** The customer of the register with an id, as {@link MERCHANT} has it. */
function registered(id: number) {
  const customer = customerOf('typical', id);
  return { ...customer, fields: { ...customer.fields, customerid: `K${id}` } };
}

/** Fields of a new customer of about 1 kB with the item's other attributes, none of them looked up. */
function newCustomer(id: number): CustomerFields {
  return { name: `Gläntans Bageri ${id} AB`, address: 'Storgatan 1', notes: 'x'.repeat(500) };
}

const companyno = (id: number) => String(5_560_000_000 + id);
const fieldsOf = (id: number) => registered(id).fields;

const CASES: readonly ImportCase[] = [
  {
    title: 'unchanged, by id',
    options: { match: ['mexcParamvaluesetsid'] },
    fieldsOf,
    result: 'unchanged',
  },
  {
    title: 'unchanged, by `customerid`',
    options: { match: ['customerid'] },
    fieldsOf,
    result: 'unchanged',
  },
  {
    title: 'change of the notes',
    options: { match: ['mexcParamvaluesetsid'] },
    fieldsOf: (id) => ({ ...fieldsOf(id), notes: 'x' }),
    result: 'updated',
  },
  {
    title: 'change of the e-mail',
    options: { match: ['mexcParamvaluesetsid'] },
    fieldsOf: (id) => ({ ...fieldsOf(id), email: `${id}@example.com` }),
    result: 'updated',
    // One entry is deleted, and one written.
    indexWrites: 2,
  },
  {
    title: 'create, without a key',
    options: { match: ['customerid'], mode: 'create', unkeyed: 'create' },
    fieldsOf: newCustomer,
    result: 'created',
    // Filters.
    indexWrites: 1,
  },
  {
    title: 'create by `companyno`',
    options: { match: ['companyno'] },
    fieldsOf: (id) => ({ ...newCustomer(id), companyno: companyno(id) }),
    result: 'created',
    // Filters, companyno.
    indexWrites: 2,
    emptyReads: 0.5,
  },
  {
    title: 'create by `customerid`, four look-ups',
    options: { match: ['customerid'] },
    fieldsOf: (id) => ({
      ...newCustomer(id),
      customerid: `N${id}`,
      companyno: companyno(id),
      email: `${id}@example.com`,
      telephone: `08-${4_000_000 + id}`,
    }),
    result: 'created',
    // Filters, customerid, email, telephone, companyno.
    indexWrites: 5,
    emptyReads: 0.5,
  },
];

/** What a part of an import took, for {@link PLANNED_ROWS}. */
export interface ImportPart {
  readonly readUnits: number;
  /** Of the table, by which applying is paced; and of the indexes. */
  readonly tableWrites: number;
  readonly indexWrites: number;
  /** Requests to S3 that write or list, and those that read. */
  readonly puts: number;
  readonly gets: number;
  readonly durableOperations: number;
  /** Of the function. */
  readonly seconds: number;
}

/** What an import took. */
export interface ImportCost {
  readonly title: string;
  readonly plan: ImportPart;
  readonly apply: ImportPart;
  readonly undo: ImportPart;
}

/** What the measurement needs of the command. */
interface Environment {
  /** URL of the DynamoDB server, past the counting. */
  readonly dynamodb: string;
  readonly table: CountingProxy;
  /** Takes the input with which a durable function was started last. */
  readonly takeJob: () => ImportJobInput;
}

/** Measures imports of each kind, by the code of the functions. */
export async function measureImportCosts(environment: Environment): Promise<ImportCost[]> {
  await writeCustomers(environment.dynamodb, PLANNED_ROWS, MERCHANT, registered);
  const modules = {
    ...(await import('../../shared/imports/create-import.ts')),
    ...(await import('../../shared/imports/import-files.ts')),
    ...(await import('../../shared/imports/plan-import.ts')),
    ...(await import('../../shared/imports/run-import.ts')),
    ...(await import('../../shared/imports/apply-import.ts')),
    ...(await import('../../shared/storage/import-jobs.ts')),
  };
  const takeRequests = await countRequests();
  const costs: ImportCost[] = [];
  for (const each of CASES) costs.push(await measureImport(each));
  return costs;

  async function measureImport(importCase: ImportCase): Promise<ImportCost> {
    const { title, result, indexWrites = 0, emptyReads = 0 } = importCase;
    const { part: plan } = await planRows(importCase, PLANNED_ROWS);
    const { id } = await planRows(importCase, APPLIED_ROWS);
    const apply = await run('apply', id);
    if (apply.job.results?.[result] !== APPLIED_ROWS) {
      throw new Error(`${title}: ${JSON.stringify(apply.job.results)}`);
    }
    const undo = await run('undo', id);
    const ofAll = (part: ImportPart, empty: number): ImportPart => {
      const factor = PLANNED_ROWS / APPLIED_ROWS;
      return {
        readUnits: (part.readUnits + empty * APPLIED_ROWS) * factor,
        tableWrites: part.tableWrites * factor,
        indexWrites: indexWrites * PLANNED_ROWS,
        puts: part.puts * factor,
        gets: part.gets * factor,
        durableOperations: part.durableOperations * factor,
        seconds: part.seconds * factor,
      };
    };
    return { title, plan, apply: ofAll(apply.part, emptyReads), undo: ofAll(undo.part, 0) };
  }

  /** Sends a file of rows and plans it. */
  async function planRows({ options, fieldsOf }: ImportCase, rows: number) {
    const lines = Array.from({ length: rows }, (_, index) => {
      const isKnown = options.match[0] === 'mexcParamvaluesetsid';
      // Whose customerid it is would be looked up besides.
      const key = isKnown ? { mexcParamvaluesetsid: index + 1, customerid: undefined } : {};
      return `${JSON.stringify({ ...fieldsOf(index + 1), ...key })}\n`;
    });
    const file = Buffer.from(lines.join(''));
    const all = { mode: 'upsert', empty: 'keep', unkeyed: 'invalid', ...options } as const;
    const { id } = await modules.createImport(
      MERCHANT,
      { format: 'jsonl', ...all },
      { bytes: file.length },
    );
    const owner = { merchantId: MERCHANT, importId: id };
    await modules.putFile(owner, 'upload', modules.SENT, file);
    const planned = await measured(id, async (step) => {
      const job = await modules.planFileOf(MERCHANT, id, { inBackground: true });
      await modules.planImport({ merchantId: MERCHANT, job, run: environment.takeJob().run, step });
    });
    const seconds = planned.part.seconds + (rows * PLAN_CPU_MS) / 1_000;
    return { ...planned, part: { ...planned.part, seconds } };
  }

  /** Applies or undoes an import. */
  function run(task: 'apply' | 'undo', id: string) {
    return measured(id, async (step) => {
      const options = { isExpected: () => true, inBackground: true, references: {} };
      const job = await (task === 'apply'
        ? modules.applyPlan(MERCHANT, id, { ...options, leaveOut: [] })
        : modules.undoPlan(MERCHANT, id, options));
      const execute = task === 'apply' ? modules.applyImport : modules.undoImport;
      const { run } = environment.takeJob();
      await execute({ merchantId: MERCHANT, job, run, step, references: {} });
    });
  }

  /** Returns what work took of the table and of S3, by the durable function's steps. */
  async function measured(id: string, work: (step: Step) => Promise<void>) {
    environment.table.take();
    takeRequests();
    let durableOperations = 1;
    await work((_name, execute) => {
      durableOperations += 1;
      return execute();
    });
    const { units, writeUnits, inSequence } = environment.table.take();
    // What the pace lets through, or the round trips.
    const seconds = Math.max(
      (inSequence * ROUND_TRIP_MS) / 1_000,
      units / READ_UNITS_PER_SECOND,
      writeUnits / WRITE_UNITS_PER_SECOND,
    );
    const job = (await modules.getImportJob(MERCHANT, id)) as ImportJob;
    const part: ImportPart = {
      readUnits: units,
      tableWrites: writeUnits,
      indexWrites: 0,
      ...takeRequests(),
      durableOperations,
      seconds,
    };
    return { id, part, job };
  }
}

/** Counts requests of the functions to S3; returns a function that takes what was counted. */
async function countRequests(): Promise<() => { puts: number; gets: number }> {
  const { s3 } = await import('../../shared/exports/multipart-upload.ts');
  let counts = { puts: 0, gets: 0 };
  s3.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        if (/^(?:Put|List)/.test(commandName)) counts.puts += 1;
        if (/^(?:Get|Head)/.test(commandName)) counts.gets += 1;
        return next(args);
      },
    { step: 'initialize' },
  );
  return () => {
    const taken = counts;
    counts = { puts: 0, gets: 0 };
    return taken;
  };
}
