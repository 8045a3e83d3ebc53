import { AsyncLocalStorage } from 'node:async_hooks';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { isTransient } from '../../shared/aws-errors.ts';
import { applyChanges, type Customer, type CustomerFields } from '../../shared/domain/customer.ts';
import type { AppliedRow, PlannedRow, UndoneRow } from '../../shared/domain/import.ts';
import { lookUpForm } from '../../shared/domain/look-up-forms.ts';
import { iterations } from '../support/iterations.ts';
import { organisationNumber, type Random, randomOf, SEED } from '../support/random.ts';
import { Simulation } from '../support/simulation.ts';

// Runs the code that applies and undoes imports, beside that of other writers, in many histories
// against a simulation of DynamoDB and Lambda that is harsher than AWS: steps that are killed at any
// request, or go on beside their next run, responses that are lost, writes that land minutes late,
// throttling, and indexes that lag.

let simulation: Simulation;
let sendFlawed: (command: Sent) => Promise<unknown>;
vi.mock('../../shared/storage/dynamodb.ts', () => ({
  TABLE_NAME: 'simulated',
  dynamodb: { send: (command: Sent) => sendFlawed(command) },
}));
vi.mock('../../shared/storage/document-client.ts', () => ({
  documents: { send: (command: Sent) => sendFlawed(command) },
}));
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<typeof import('node:timers/promises')>()),
  setTimeout: (ms: number) => simulation.sleep(ms),
}));

/** A command of the SDK. */
interface Sent {
  readonly constructor: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: inputs differ by command
  input: any;
  readonly middlewareStack: {
    resolve(
      handler: () => Promise<unknown>,
      context: object,
    ): (args: { readonly input: unknown }) => Promise<unknown>;
  };
}

let imports: typeof import('../../shared/imports/apply-rows.ts') &
  typeof import('../../shared/imports/undo-rows.ts');
let store: typeof import('../../shared/storage/update-customer.ts') &
  typeof import('../../shared/storage/delete-customers.ts') &
  typeof import('../../shared/storage/create-customer.ts') &
  typeof import('../../shared/storage/put-by-customerid.ts') &
  typeof import('../../shared/storage/customer-item.ts') &
  typeof import('../../shared/storage/read-customer.ts') &
  typeof import('../../shared/storage/table.ts');

beforeAll(async () => {
  imports = {
    ...(await import('../../shared/imports/apply-rows.ts')),
    ...(await import('../../shared/imports/undo-rows.ts')),
  };
  store = {
    ...(await import('../../shared/storage/update-customer.ts')),
    ...(await import('../../shared/storage/delete-customers.ts')),
    ...(await import('../../shared/storage/create-customer.ts')),
    ...(await import('../../shared/storage/put-by-customerid.ts')),
    ...(await import('../../shared/storage/customer-item.ts')),
    ...(await import('../../shared/storage/read-customer.ts')),
    ...(await import('../../shared/storage/table.ts')),
  };
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** What is wrong on purpose. */
type Flaw =
  | 'customers are not marked'
  | 'no record is stored with new customers'
  | 'a record is overwritten'
  | 'the same ids are used again in place of a record'
  | 'the begin of a step is not recorded'
  | 'the version is not compared'
  | 'customerids are not claimed'
  | 'a claim is overwritten'
  | 'undoing does not compare the version'
  | 'lost responses are not noticed';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** When the SDK gives an attempt up, and how many it makes. */
const REQUEST_TIMEOUT = 4 * SECOND;
const MAX_ATTEMPTS = 4;
/** How far an index is behind, at most. */
const MAX_LAG = SECOND;
const CUSTOMERS = 6;

/** A run of code that sends requests. */
interface Process {
  readonly import?: Import;
  readonly kind: 'APPLY' | 'UNDO' | 'other';
  isAlive: boolean;
  /** Requests until it is killed. */
  requestsLeft: number;
  readonly kill: () => void;
}
const processes = new AsyncLocalStorage<Process>();

interface Import {
  readonly id: string;
  readonly rows: readonly PlannedRow[];
}

type Item = Readonly<Record<string, unknown>>;

/** A write of a customer. */
interface Written {
  readonly by: Process | undefined;
  readonly at: number;
  readonly id: number;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

let histories = 0;
/** Results that the histories had. */
const results = new Set<string>();

/** Runs a history, and returns what is wrong at its end. */
async function violationsOf(random: Random, flaw?: Flaw): Promise<string[]> {
  histories += 1;
  const merchantId = `m${histories}`;
  const violations: string[] = [];
  const written: Written[] = [];
  const isCalm = random.chance(0.2);
  simulation = new Simulation(random, {
    delayMs: (random) =>
      !isCalm && random.chance(0.01) ? random.below(90 * SECOND) : random.below(20),
    lagMs: (random) => random.below(MAX_LAG),
  });
  sendFlawed = senderOf(random, isCalm, flaw);
  vi.spyOn(performance, 'now').mockImplementation(() => simulation.now);
  vi.spyOn(Math, 'random').mockImplementation(random.next);
  const prefix = `${store.partitionKey(merchantId)}|${store.CUSTOMER_PREFIX}`;
  const customersNow = () =>
    simulation.keys(prefix).flatMap((key): Item[] => {
      const item = simulation.read(key);
      return item ? [item] : [];
    });
  const itemOf = (id: number) => simulation.read(`${prefix}${String(id).padStart(16, '0')}`);

  simulation.onWrite = (key, before, after) => {
    if (!key.startsWith(prefix)) return;
    const id = Number(key.slice(prefix.length));
    const write = { by: processes.getStore(), at: simulation.now, id, before, after };
    violations.push(...faultsOf(write, written));
    written.push(write);
    if (after && !before && write.by?.import) checkTwins(write, after);
  };

  /** A new customer must not have the key of one that had it before the run of the step began. */
  function checkTwins({ id, by }: Written, item: Item): void {
    const planned = by?.import?.rows.find(({ row }) => item.name === `row ${row}`);
    if (planned?.outcome !== 'create' || !planned.key) return;
    const { field, value } = planned.key;
    for (const other of customersNow()) {
      const otherId = Number(other.mexcParamvaluesetsid);
      if (otherId === id || other[field] === undefined) continue;
      if (lookUpForm(field, String(other[field])) !== lookUpForm(field, value)) continue;
      violations.push(`${field} ${value} has two customers, ${otherId} and ${id}`);
    }
  }

  // The register before.
  const numbers = Array.from({ length: 3 }, () => organisationNumber(random));
  const seeded: Customer[] = Array.from({ length: CUSTOMERS }, (_, index) => ({
    system: { mexcParamvaluesetsid: index + 1, date: '2026-01-01T00:00:00.000Z' },
    fields: { customerid: `K${index + 1}`, name: 'before', email: `${index}@example.com` },
    version: 1 + random.below(3),
    updated: '2026-01-01T00:00:00.000Z',
    ...(random.chance(0.5) && { claimed: true as const }),
  }));
  for (const customer of seeded) {
    const { mexcParamvaluesetsid: id } = customer.system;
    const item = store.toItem(merchantId, customer);
    simulation.write(`${item.pk}|${item.sk}`, JSON.parse(JSON.stringify(item)));
    if (!customer.claimed) continue;
    const claim = store.claimKey(merchantId, `K${id}`);
    simulation.write(`${claim.pk}|${claim.sk}`, { ...claim, [store.CLAIM_OWNER]: id });
  }
  const sequence = store.sequenceKey(merchantId);
  simulation.write(`${sequence.pk}|${sequence.sk}`, { ...sequence, lastId: CUSTOMERS });
  violations.length = 0;
  written.length = 0;

  const rows = plan();
  const own: Import = { id: `i${histories}`, rows };
  // A second import of the same customers at the same time, which nothing but the code hinders.
  const rival: Import = {
    id: `j${histories}`,
    rows: rows.filter((row) => row.outcome !== 'create' || row.key?.field === 'customerid'),
  };
  const hasRival = random.chance(0.3);

  const done = (async () => {
    // Between plan and apply others write, too, and the indexes follow.
    for (let count = random.below(3); count > 0; count -= 1) await writeAsOther(true);
    await simulation.sleep(2 * MINUTE);
    const others = Array.from({ length: random.below(4) }, () => writeMeanwhile());
    const [applied] = await Promise.all([
      runStep(own, 'APPLY', () => apply(own)),
      hasRival ? runStep(rival, 'APPLY', () => apply(rival)) : undefined,
      ...others,
    ]);
    if (!applied) return;
    checkApplied(own, applied);
    if (!random.chance(0.7)) return;
    const later = Array.from({ length: random.below(3) }, () => writeMeanwhile());
    const [undone] = await Promise.all([runStep(own, 'UNDO', () => undo(own, applied)), ...later]);
    await simulation.sleep(3 * MINUTE);
    if (undone) checkUndone(own, applied, undone);
  })();
  done.catch(() => {});
  await simulation.run();
  await done;
  checkClaims();
  return violations;

  function apply({ id, rows }: Import) {
    return imports.applyRows(merchantId, id, rows, {
      references: {},
      unitsPerSecond: Number.POSITIVE_INFINITY,
    });
  }

  function undo({ id }: Import, applied: readonly AppliedRow[]) {
    return imports.undoRows(merchantId, id, applied, { unitsPerSecond: Number.POSITIVE_INFINITY });
  }

  function plan(): PlannedRow[] {
    const rows: PlannedRow[] = [];
    for (const { system, fields, version } of seeded) {
      if (random.chance(0.4)) continue;
      const { name = '', customerid = '', email = '' } = fields;
      const row = rows.length + 2;
      rows.push({
        row,
        outcome: 'update',
        id: system.mexcParamvaluesetsid,
        version,
        changes: {
          name: [name, `row ${row}`],
          ...(random.chance(0.2) && { customerid: [customerid, `renamed ${row}`] as const }),
          ...(random.chance(0.3) && { email: [email, ''] as const }),
        },
      });
    }
    for (let count = random.below(5); count > 0; count -= 1) {
      const row = rows.length + 2;
      const fields: CustomerFields = {
        name: `row ${row}`,
        // Large ones are chunks of their own.
        ...(random.chance(0.5) && { notes: 'x'.repeat(60_000) }),
      };
      const dice = random.next();
      const [key, number] = [`N${count}`, numbers[count % 3] as string];
      if (dice < 0.6) {
        rows.push({
          row,
          outcome: 'create',
          fields: { ...fields, customerid: key },
          key: { field: 'customerid', value: key },
        });
      } else if (dice < 0.8 && !rows.some((row) => JSON.stringify(row).includes(number))) {
        rows.push({
          row,
          outcome: 'create',
          fields: { ...fields, companyno: number },
          key: { field: 'companyno', value: number },
        });
      } else rows.push({ row, outcome: 'create', fields });
    }
    // A plan has no two rows of one customer, but nothing may be wrong if one has.
    const twice = random.chance(0.1) ? rows.slice(0, 1) : [];
    for (const planned of twice.filter(({ outcome }) => outcome === 'update')) {
      const row = rows.length + 2;
      rows.push({ ...planned, row, changes: { name: ['before', `row ${row}`] } } as PlannedRow);
    }
    return rows;
  }

  /** A caller that writes from time to time. */
  async function writeMeanwhile(): Promise<void> {
    for (let count = random.below(5); count > 0; count -= 1) {
      await simulation.sleep(random.below(random.chance(0.3) ? 2 * MINUTE : 300));
      await writeAsOther(false);
    }
  }

  /**
   * Writes as another caller.
   *
   * @param creates whether it may create customers of which the import must learn from an index.
   */
  async function writeAsOther(creates: boolean): Promise<void> {
    const ids = customersNow().map((item) => Number(item.mexcParamvaluesetsid));
    const id = random.pick(ids.length > 0 ? ids : [1]);
    const name = `other ${random.below(1e6)}`;
    const customerid = `N${1 + random.below(4)}`;
    const dice = random.next();
    const write = () => {
      if (creates && dice < 0.2) {
        const fields = random.chance(0.5) ? { customerid } : { companyno: random.pick(numbers) };
        return store.createCustomer(merchantId, { name, ...fields }, {});
      }
      if (dice < 0.3) {
        return store.putByCustomerid(merchantId, { customerid, name }, {}, { isNew: false });
      }
      if (dice < 0.55) return store.deleteCustomer(merchantId, id);
      if (dice < 0.6) return store.updateCustomer(merchantId, id, { customerid: 'X' }, () => true);
      return store.updateCustomer(merchantId, id, { name }, () => true);
    };
    const process: Process = { kind: 'other', isAlive: true, requestsLeft: 1e9, kill: () => {} };
    // Conflicts and customers that are gone are their callers' concern.
    await processes.run(process, () => Promise.resolve(write()).catch(() => {}));
  }

  /** Runs a step until a run of it ends. */
  async function runStep<T>(
    of: Import,
    kind: 'APPLY' | 'UNDO',
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    for (let run = 0; run < 30; run += 1) {
      const isKilled = run < 4 && random.chance(0.5);
      let kill = () => {};
      const killed = new Promise<undefined>((resolve) => {
        kill = () => resolve(undefined);
      });
      const process: Process = {
        import: of,
        kind,
        isAlive: true,
        requestsLeft: isKilled ? 1 + random.below(16) : 1e9,
        kill,
      };
      const result = await Promise.race([
        killed,
        processes.run(process, work).catch((error) => {
          if (!isTransient(error)) violations.push(`${kind} failed: ${error.stack}`);
          return undefined;
        }),
      ]);
      if (result) return result;
      await simulation.sleep(random.below(random.pick([20, SECOND, MINUTE])));
    }
    violations.push(`${kind} does not end`);
    return undefined;
  }

  function writesOf(of: Import, kind: Process['kind']) {
    return written.filter(({ by }) => by?.import === of && by.kind === kind);
  }

  function checkApplied(of: Import, applied: readonly AppliedRow[]): void {
    const writes = writesOf(of, 'APPLY');
    expect(applied.map(({ row }) => row)).toEqual(of.rows.map(({ row }) => row));
    for (const [index, result] of applied.entries()) {
      const planned = of.rows[index] as PlannedRow;
      results.add(result.result);
      const wrote = writes.filter(({ after }) => after?.name === `row ${planned.row}`);
      const say = (text: string) =>
        violations.push(`row ${planned.row} (${planned.outcome}) is ${result.result}, but ${text}`);
      if (wrote.length > 1) say(`was written ${wrote.length} times`);
      const [write] = wrote;
      if (result.result === 'unclear') {
        if (planned.outcome !== 'update') say('only updates can be unclear');
        else if (!isChangedByOthers(of, planned)) say('nobody else has written it');
      } else if (result.result === 'changedMeanwhile') {
        if (write) say('the import has written it');
        if (!isChangedByOthers(of, planned)) say('nobody else has');
      } else if (result.result === 'created') {
        if (write?.id !== result.id || write.before) say(`it was ${JSON.stringify(write)}`);
      } else if (result.result === 'updated' && planned.outcome === 'update') {
        const { fields = {} } = seeded[planned.id - 1] ?? {};
        if (write?.id !== result.id || write.after?.version !== result.version) {
          say(`the write was ${JSON.stringify(write)}`);
        }
        const after = Object.entries(planned.changes).map(([name, [, value]]) => [name, value]);
        expect(write && fieldsOf(write.after)).toEqual(
          applyChanges(fields, Object.fromEntries(after)),
        );
      } else say('that cannot be');
    }
  }

  /** Whether another, or another row, has written a row's customer since the plan, or one with its key. */
  function isChangedByOthers(of: Import, planned: PlannedRow): boolean {
    return written.some(({ by, id, after }) => {
      if (by?.import === of && after?.name === `row ${planned.row}`) return false;
      if (planned.outcome === 'update') return id === planned.id;
      if (planned.outcome !== 'create' || !planned.key) return false;
      return after?.[planned.key.field] === planned.key.value;
    });
  }

  function checkUndone(
    of: Import,
    applied: readonly AppliedRow[],
    undone: readonly UndoneRow[],
  ): void {
    const writes = writesOf(of, 'UNDO');
    const byRow = new Map(undone.map(({ row, result }) => [row, result]));
    for (const row of applied) {
      const result = byRow.get(row.row);
      if (result) results.add(`undo: ${result}`);
      const say = (text: string) =>
        violations.push(`row ${row.row} (${row.result}) is ${result}, but ${text}`);
      if (row.result !== 'created' && row.result !== 'updated') {
        if (result) say('there was nothing to undo');
        continue;
      }
      const wrote = writes.filter(({ id }) => id === row.id);
      if (wrote.length > 1) say(`was written ${wrote.length} times`);
      const isForeign = ({ by, id }: Written) => id === row.id && by?.import !== of;
      const isTouched = written.some(isForeign);
      if (result === 'removed') {
        if (itemOf(row.id)) say('it exists');
      } else if (result === 'restored' && row.result === 'updated') {
        if (wrote[0]?.after?.version !== row.version + 1) say('it was not written');
        else expect(fieldsOf(wrote[0].after)).toEqual(seeded[row.id - 1]?.fields);
      } else if (result === 'changedMeanwhile' || result === 'unclear') {
        if (result === 'changedMeanwhile' && wrote.length > 0) say('undoing has written it');
        if (!isTouched) say('nobody else has');
      } else say('that cannot be');
    }
  }

  /** Each customer that has claimed its customerid owns it, and no undone customer does. */
  function checkClaims(): void {
    for (const item of customersNow()) {
      if (item[store.CLAIMED] !== true) continue;
      const claim = store.claimKey(merchantId, String(item.customerid));
      const owner = simulation.read(`${claim.pk}|${claim.sk}`)?.[store.CLAIM_OWNER];
      if (owner !== item.mexcParamvaluesetsid) {
        violations.push(`${item.mexcParamvaluesetsid} has claimed ${item.customerid}, of ${owner}`);
      }
    }
    const removed = written.filter(({ by, after }) => by?.kind === 'UNDO' && !after);
    for (const { id, before } of removed) {
      const claim = store.claimKey(merchantId, String(before?.customerid));
      if (simulation.read(`${claim.pk}|${claim.sk}`)?.[store.CLAIM_OWNER] === id) {
        violations.push(`The claim of ${id}, which is undone, is left.`);
      }
    }
  }
}

/** Returns what is wrong with a write in itself. */
function faultsOf({ by, id, before, after }: Written, earlier: readonly Written[]): string[] {
  const faults: string[] = [];
  const who = by?.kind ?? 'nobody';
  const existed = earlier.some((write) => write.id === id && !write.after);
  if (!before && existed) faults.push(`${who} brought ${id} back`);
  if (!by?.import) {
    if (after?.w !== undefined) faults.push('Another write kept the mark.');
    return faults;
  }
  if (before && after && after.version !== Number(before.version) + 1) {
    faults.push(`${who} wrote version ${after.version} after ${before.version}`);
  }
  if (!before) return faults;
  const last = earlier.findLast((write) => write.id === id);
  if (by.kind === 'UNDO') {
    const isOwn = last?.by?.import === by.import && last.by.kind === 'APPLY';
    if (!isOwn) faults.push(`undoing overwrote ${id}, which others had written`);
  } else if (last) faults.push(`applying overwrote ${id}, which others had written`);
  return faults;
}

function fieldsOf(item: Item = {}): CustomerFields {
  const { name, customerid, email } = item as Record<string, string>;
  const fields = { name, customerid, email };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Returns what sends commands as the SDK does, over a network that loses and delays messages. */
function senderOf(random: Random, isCalm: boolean, flaw?: Flaw) {
  const takenIds = new Map<string, unknown>();
  return async (command: Sent): Promise<unknown> => {
    const process = processes.getStore();
    if (process?.import) makeFlawed(command, flaw);
    const isSequence = command.constructor.name === 'UpdateCommand' && process?.import;
    if (isSequence && flaw === 'the same ids are used again in place of a record') {
      const ids = takenIds.get(isSequence.id) ?? (await sendWithRetries(command));
      takenIds.set(isSequence.id, ids);
      return ids;
    }
    return sendWithRetries(command);
  };

  async function sendWithRetries(command: Sent): Promise<unknown> {
    // Middlewares that a command was given run for each attempt.
    const isWatched = flaw !== 'lost responses are not noticed';
    const handler = isWatched
      ? command.middlewareStack.resolve(() => attempt(command), {})
      : () => attempt(command);
    for (let count = 1; ; count += 1) {
      try {
        return await handler({ input: command.input });
      } catch (error) {
        if (!isTransient(error) || count === MAX_ATTEMPTS) throw error;
        await simulation.sleep(random.below(100));
      }
    }
  }

  async function attempt(command: Sent): Promise<unknown> {
    const process = processes.getStore();
    if (process) {
      process.requestsLeft -= 1;
      if (process.requestsLeft === 0) {
        process.kill();
        // A few live on, unknown to the next run; of others the last request may land.
        process.isAlive = random.chance(0.2);
        if (!process.isAlive && random.chance(0.5)) {
          const delayMs = random.chance(0.5) ? 0 : random.below(MINUTE);
          const landing = simulation.sleep(delayMs).then(() => simulation.send(command as never));
          landing.catch(() => {});
        }
      }
      if (!process.isAlive) return new Promise(() => {});
    }
    const dice = isCalm ? 1 : random.next();
    if (dice < 0.02) throw sdkError('ProvisionedThroughputExceededException', 'client');
    if (dice < 0.03) throw sdkError('ECONNRESET');
    if (dice < 0.04 && command.constructor.name === 'TransactWriteCommand') throw conflict();
    const response = simulation.send(command as never);
    response.catch(() => {});
    const result = await Promise.race([
      response,
      simulation.sleep(REQUEST_TIMEOUT).then(() => Promise.reject(sdkError('TimeoutError'))),
    ]);
    if (dice < 0.07) throw sdkError('ECONNRESET');
    return result;
  }
}

function conflict(): Error {
  return new TransactionCanceledException({
    message: 'Another transaction has an item.',
    $metadata: {},
    CancellationReasons: [{ Code: 'TransactionConflict' }],
  });
}

function sdkError(name: string, $fault?: string): Error {
  return Object.assign(new Error(name), { name, code: name, $fault });
}

/** Changes a command of an import so that it is what wrong code would send. */
function makeFlawed(command: Sent, flaw: Flaw | undefined): void {
  const { input } = command;
  const isPutOf = (record: string) => String(input.Item?.sk).includes(record);
  switch (flaw) {
    case 'customers are not marked':
      if (!input.Item?.w) return;
      delete input.Item.w;
      input.ConditionExpression = 'version = :version';
      return;
    case 'no record is stored with new customers':
    case 'the same ids are used again in place of a record':
      dropItems(command, 'IMPORTED#');
      return;
    case 'a record is overwritten':
      dropConditions(command, 'IMPORTED#');
      return;
    case 'a claim is overwritten':
      dropConditions(command, 'CLAIM#');
      return;
    case 'customerids are not claimed':
      dropItems(command, 'CLAIM#');
      return;
    case 'the begin of a step is not recorded':
      if (isPutOf('#APPLY#')) delete input.ConditionExpression;
      return;
    case 'the version is not compared':
      if (isPutOf('CUSTOMER#')) delete input.ConditionExpression;
      return;
    case 'undoing does not compare the version':
      if (command.constructor.name === 'DeleteCommand') {
        input.ConditionExpression = 'attribute_exists(pk)';
      }
  }
}

function dropItems({ input }: Sent, prefix: string): void {
  if (!input.TransactItems) return;
  input.TransactItems = input.TransactItems.filter(
    ({ Put }: { Put?: { Item: { sk: string } } }) => !Put?.Item.sk.startsWith(prefix),
  );
}

/** Results that the histories must have, so that they say something. */
const EXPECTED = [
  'created',
  'updated',
  'changedMeanwhile',
  'unclear',
  'undo: removed',
  'undo: restored',
  'undo: changedMeanwhile',
  'undo: unclear',
];

function dropConditions({ input }: Sent, prefix: string): void {
  for (const { Put } of input.TransactItems ?? []) {
    if (Put?.Item.sk.startsWith(prefix)) delete Put.ConditionExpression;
  }
}

describe('Histories of an import', () => {
  const total = iterations({ short: 150, long: 2_000 });

  test(`Results are true, and nothing is lost, doubled or brought back, in ${total} histories (SEED=${SEED})`, {
    timeout: 1_800_000,
  }, async () => {
    for (let history = 0; history < total; history += 1) {
      const seed = SEED * 1_000_000 + history;
      expect({ seed, wrong: await violationsOf(randomOf(seed)) }).toEqual({ seed, wrong: [] });
    }
    expect(results).toEqual(new Set(EXPECTED));
  });

  // The short form begins with a history that shows the flaw.
  test.each<readonly [Flaw, RegExp, number]>([
    ['customers are not marked', /the import has written it|has not written/, 3],
    ['no record is stored with new customers', /written \d times/, 2],
    ['a record is overwritten', /written \d times/, 152],
    ['the same ids are used again in place of a record', /brought \d+ back/, 2],
    ['the begin of a step is not recorded', /the import has written it/, 2],
    ['the version is not compared', /overwrote/, 3],
    ['customerids are not claimed', /two customers/, 20],
    ['a claim is overwritten', /two customers/, 20],
    ['undoing does not compare the version', /undoing overwrote/, 5],
    ['lost responses are not noticed', /the import has written it/, 86],
  ])('If %s, some history is wrong', async (flaw, violation, short) => {
    const first = iterations({ short, long: 0 });
    for (let history = first; history < first + 1_000; history += 1) {
      const violations = await violationsOf(randomOf(SEED * 1_000_000 + history), flaw);
      if (violations.some((text) => violation.test(text))) return;
    }
    expect.fail('No history was wrong.');
  });
});

describe('The pace of an import', () => {
  test('A step consumes no more write units in a second than it may', async () => {
    const random = randomOf(SEED);
    simulation = new Simulation(random, {
      delayMs: (random) => 5 + random.below(10),
      lagMs: () => 0,
    });
    sendFlawed = (command) => simulation.send(command as never);
    vi.spyOn(performance, 'now').mockImplementation(() => simulation.now);
    const units: { at: number; units: number }[] = [];
    simulation.onWrite = (key, _, item) => {
      const bytes = Object.entries(item ?? {}).reduce(
        (sum, [name, value]) => sum + name.length + String(value).length,
        0,
      );
      // Creations are transactions here, and so is each claim.
      if (/CUSTOMER|CLAIM/.test(key)) {
        units.push({ at: simulation.now, units: 2 * Math.ceil(bytes / 1_024) });
      }
    };
    const rows = Array.from({ length: 400 }, (_, index): PlannedRow => {
      const value = `K${index}`;
      return {
        row: 2 + index,
        outcome: 'create',
        fields: { customerid: value, notes: 'x'.repeat(500 * (index % 5)) },
        key: { field: 'customerid', value },
      };
    });
    const unitsPerSecond = 500;
    const started = simulation.now;
    const applying = imports.applyRows('paced', 'i', rows, { references: {}, unitsPerSecond });
    await simulation.run();
    expect(new Set((await applying).map(({ result }) => result))).toEqual(new Set(['created']));
    const total = units.reduce((sum, { units }) => sum + units, 0);
    const seconds = (simulation.now - started) / SECOND;
    expect(seconds).toBeGreaterThan((0.9 * total) / unitsPerSecond);
    // Nor is it much slower.
    expect(seconds).toBeLessThan((1.3 * total) / unitsPerSecond + 1);
    for (const { at } of units) {
      const within = units.filter((write) => write.at >= at && write.at < at + SECOND);
      const consumed = within.reduce((sum, { units }) => sum + units, 0);
      // A transaction is written at once, and three can be under way.
      expect(consumed).toBeLessThan(unitsPerSecond + 3 * 25 * 4);
    }
  });
});
