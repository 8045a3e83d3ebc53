import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeItems } from '../../infra/local/write-items.ts';
import { FIELDS, isWritable } from '../../shared/domain/fields.ts';
import type { ImportJob } from '../../shared/domain/import-job.ts';
import {
  KNOWN_IMPORTS,
  LISTED_IMPORTS,
  MAX_ROWS_PLANNED_IN_CALL,
} from '../../shared/domain/limits.ts';
import { importJobKey } from '../../shared/storage/table.ts';
import {
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { bytesOfImport } from '../support/export-bucket.ts';
import {
  apply,
  csvOf,
  importFile,
  pathOf,
  put,
  reaching,
  rowsOf,
  sendFile,
  undo,
} from '../support/imports.ts';
import { iterations } from '../support/iterations.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

let merchant: Client;
let last = 0;
/** Returns a customerid that no customer has. */
const newKey = () => {
  last += 1;
  return `K${last}`;
};
beforeAll(async () => {
  merchant = await newMerchant();
});

const get = async (id: number) => (await merchant.call('GET', `/customers/${id}`)).body;

async function listed(key: string, client = merchant) {
  const path = `/customers?limit=1000&customerid=${encodeURIComponent(key)}`;
  return (await client.call('GET', path)).body;
}

/** Waits until customers are found by their customerid: indexes follow writes with a delay. */
function indexed(...keys: string[]): Promise<void> {
  return eventually(async () => {
    for (const key of keys) expect(await listed(key)).not.toHaveLength(0);
  });
}

test('The names of a file and of its sheet have at most 255 characters, of whatever UTF-16 length', async () => {
  const post = (names: object) => {
    const body = { format: 'xlsx', bytes: 1, match: ['customerid'], ...names };
    return merchant.call('POST', '/customers/imports', { body });
  };
  const [longest, longer] = ['😀'.repeat(255), 'å'.repeat(256)];
  const created = await post({ filename: longest, sheet: longest });
  expect(created.status).toBe(201);
  await merchant.call('DELETE', pathOf(created));
  const refused = await post({ filename: longer, sheet: longer });
  expect(refused.status).toBe(400);
  expect(refused.body.errors).toEqual([
    { detail: 'must have at most 255 characters', pointer: '/filename' },
    { detail: 'must have at most 255 characters', pointer: '/sheet' },
  ]);
});

describe('A file that is sent in a request', () => {
  test('is planned within the call: which rows create, change or keep customers, with old and new values', async () => {
    const [a, b, c] = [newKey(), newKey(), newKey()];
    const changed = await create(merchant, { customerid: a, name: 'Ek', email: 'ek@example.com' });
    const kept = await create(merchant, { customerid: b, name: 'Alm AB' });
    await indexed(a, b);
    const file = csvOf([
      ['Kundnummer', 'Namn', 'E-post', 'Säljare'],
      [a, 'Ek AB', '', 'Eva'],
      [b, 'Alm AB', '', 'Eva'],
      [c, 'Björk AB', 'bjork@example.com', 'Eva'],
    ]);
    const planned = await importFile(merchant, file);
    expect(planned.status).toBe(201);
    expect(planned.headers.get('location')).toBe(pathOf(planned));
    expect(planned.headers.get('etag')).toBe(`"${planned.body.plan}"`);
    expect(planned.body).toMatchObject({
      state: 'planned',
      rows: 3,
      counts: { create: 1, update: 1, unchanged: 1, ambiguous: 0, invalid: 0, skipped: 0 },
      encoding: 'utf-8',
      delimiter: ',',
      unknownColumns: ['Säljare'],
      warnings: [],
      bytes: Buffer.byteLength(file),
      sha256: createHash('sha256').update(file).digest('base64'),
    });
    expect(await rowsOf(merchant, planned)).toEqual([
      {
        row: 2,
        outcome: 'update',
        id: changed.mexcParamvaluesetsid,
        version: 1,
        name: 'Ek',
        customerid: a,
        changes: { name: ['Ek', 'Ek AB'] },
      },
      {
        row: 3,
        outcome: 'unchanged',
        id: kept.mexcParamvaluesetsid,
        name: 'Alm AB',
        customerid: b,
      },
      {
        row: 4,
        outcome: 'create',
        fields: { customerid: c, name: 'Björk AB', email: 'bjork@example.com' },
        key: { field: 'customerid', value: c },
      },
    ]);
    // Nothing is written yet.
    expect(await get(changed.mexcParamvaluesetsid)).toEqual(changed);
    expect(await listed(c)).toEqual([]);
  });

  test('is applied once, by the tag of its plan, and undone to the state of before', async () => {
    const [a, b] = [newKey(), newKey()];
    const before = await create(merchant, { customerid: a, name: 'Ek', fax: '1' });
    await indexed(a);
    const file = csvOf([
      ['customerid', 'name'],
      [a, 'Ek AB'],
      [b, 'Alm AB'],
    ]);
    const planned = await importFile(merchant, file);
    const applied = await apply(merchant, planned);
    expect(applied.status).toBe(200);
    expect(applied.body).toMatchObject({
      state: 'applied',
      rows: 2,
      results: {
        created: 1,
        updated: 1,
        unchanged: 0,
        changedMeanwhile: 0,
        unclear: 0,
        leftOut: 0,
      },
    });
    const [updatedRow, createdRow] = await rowsOf(merchant, planned);
    expect(updatedRow).toMatchObject({ result: 'updated', id: before.mexcParamvaluesetsid });
    expect(createdRow).toMatchObject({ result: 'created', id: expect.any(Number) });
    expect(await get(updatedRow.id)).toMatchObject({ name: 'Ek AB', fax: '1', customerid: a });
    expect(await get(createdRow.id)).toMatchObject({ name: 'Alm AB', customerid: b });
    const again = await apply(merchant, planned);
    expect([again.status, again.body]).toEqual([200, applied.body]);

    const undone = await undo(merchant, planned);
    expect(undone.status).toBe(200);
    expect(undone.body).toMatchObject({
      state: 'undone',
      undone: { removed: 1, restored: 1, changedMeanwhile: 0, unclear: 0 },
    });
    expect(await get(before.mexcParamvaluesetsid)).toEqual(before);
    expect((await merchant.call('GET', `/customers/${createdRow.id}`)).status).toBe(404);
    expect((await rowsOf(merchant, planned)).map((row: { undone: string }) => row.undone)).toEqual([
      'restored',
      'removed',
    ]);
    expect((await undo(merchant, planned)).body).toEqual(undone.body);
    expectProblem(await apply(merchant, planned), 409, [], '/problems/import-state');
  });
});

describe('A file that is sent to the store', () => {
  test('is planned by a second call, also in the background', async () => {
    const key = newKey();
    const created = await sendFile(
      merchant,
      csvOf([
        ['customerid', 'name'],
        [key, 'Ek AB'],
      ]),
    );
    expect(created.body).toMatchObject({ state: 'awaitingFile', upload: { method: 'PUT' } });
    const planning = await merchant.call('POST', pathOf(created, 'plan'), {
      headers: { prefer: 'respond-async' },
    });
    expect(planning.status).toBe(202);
    expect(planning.headers.get('retry-after')).toBe('2');
    expect(planning.headers.get('location')).toBe(pathOf(created));
    const planned = await reaching(merchant, created, 'planned');
    expect(planned.body).toMatchObject({ rows: 1, counts: { create: 1 } });
    const applying = await apply(merchant, planned, {}, { prefer: 'respond-async' });
    expect(applying.status).toBe(202);
    const applied = await reaching(merchant, created, 'applied');
    expect(applied.body.results).toMatchObject({ created: 1 });
    const undoing = await undo(merchant, planned, { prefer: 'respond-async' });
    expect(undoing.status).toBe(202);
    const undone = await reaching(merchant, created, 'undone');
    expect(undone.body.undone).toMatchObject({ removed: 1 });
  });
});

describe('A row is ambiguous', () => {
  const codesOf = async (file: string, query?: string) => {
    const planned = await importFile(merchant, file, query);
    const rows = await rowsOf(merchant, planned);
    const { counts, rows: count } = planned.body;
    const sum = Object.values<number>(counts).reduce((a, b) => a + b, 0);
    expect(sum).toBe(count);
    return rows.map((row: { outcome: string; code?: string }) => row.code ?? row.outcome);
  };

  test('if several customers have its key, and all are named', async () => {
    const key = newKey();
    const twins = [
      await create(merchant, { customerid: key }),
      await create(merchant, { customerid: key }),
    ];
    const ids = twins.map(({ mexcParamvaluesetsid: id }) => id);
    await eventually(async () => expect(await listed(key)).toHaveLength(2));
    const planned = await importFile(
      merchant,
      csvOf([
        ['customerid', 'name'],
        [key, 'Ek'],
      ]),
    );
    const [row] = await rowsOf(merchant, planned);
    expect(row).toMatchObject({ outcome: 'ambiguous', code: 'severalCustomers' });
    expect(row.candidates.toSorted()).toEqual(ids.toSorted());
  });

  test('if another row has its key, be it for a new customer or for one that exists', async () => {
    const [known, fresh, other] = [newKey(), newKey(), newKey()];
    await create(merchant, { customerid: known });
    await indexed(known);
    const file = csvOf([
      ['customerid', 'name'],
      [known, 'Ek'],
      [fresh, 'Alm'],
      [other, 'Asp'],
      [fresh, 'Alm AB'],
      [known, 'Ek AB'],
    ]);
    expect(await codesOf(file)).toEqual(['repeated', 'repeated', 'create', 'repeated', 'repeated']);
  });

  test('if rows name one customer by different fields, or a later field names another customer', async () => {
    const [a, b] = [newKey(), newKey()];
    const one = await create(merchant, { customerid: a, companyno: '556703-7485' });
    await create(merchant, { customerid: b });
    await indexed(a, b);
    const id = String(one.mexcParamvaluesetsid);
    const head = ['mexcParamvaluesetsid', 'customerid', 'companyno', 'name'];
    const query = 'match=mexcParamvaluesetsid,customerid,companyno';
    const twice = csvOf([head, [id, '', '', 'Ek'], ['', a, '', 'Ek AB']]);
    expect(await codesOf(twice, query)).toEqual(['repeated', 'repeated']);
    const others = csvOf([head, [id, b, '', 'Ek'], ['', b, '5567037485', 'Ek AB']]);
    expect(await codesOf(others, query)).toEqual(['keysDisagree', 'keysDisagree']);
    const agreeing = csvOf([head, [id, a, '16556703-7485', 'Ek']]);
    expect(await codesOf(agreeing, query)).toEqual(['update']);
  });

  test('if it gives a customer the customerid or companyno of another row, so that no two customers end with one', async () => {
    const [a, b, taken, fresh] = [newKey(), newKey(), newKey(), newKey()];
    const one = await create(merchant, { customerid: a });
    const two = await create(merchant, { customerid: b });
    await create(merchant, { customerid: taken });
    await indexed(a, b, taken);
    const [x, y] = [one, two].map(({ mexcParamvaluesetsid: id }) => String(id)) as [string, string];
    const head = ['mexcParamvaluesetsid', 'customerid', 'companyno', 'name'];
    const byId = 'match=mexcParamvaluesetsid,customerid';
    // An existing customer and a new one.
    const both = csvOf([head, [x, fresh, '', 'Ek'], ['', fresh, '', 'Alm']]);
    expect(await codesOf(both, byId)).toEqual(['repeated', 'repeated']);
    expect(await codesOf(both, 'match=mexcParamvaluesetsid&unkeyed=create')).toEqual([
      'repeated',
      'repeated',
    ]);
    // Two existing ones, also if the customerid names no customer in this import.
    const given = csvOf([head, [x, fresh, '', 'Ek'], [y, ` ${fresh}`, '', 'Alm']]);
    for (const query of [byId, 'match=mexcParamvaluesetsid']) {
      expect(await codesOf(given, query)).toEqual(['repeated', 'repeated']);
    }
    // The row that keeps its customerid is not in doubt.
    const kept = csvOf([head, [x, a, '', 'Ek'], [y, a, '', 'Alm']]);
    expect(await codesOf(kept, 'match=mexcParamvaluesetsid')).toEqual(['update', 'keysDisagree']);
    // A customer that the file does not name.
    const others = csvOf([head, [x, taken, '', 'Ek'], ['', taken, '', 'Alm']]);
    const unkeyed = 'match=mexcParamvaluesetsid&unkeyed=create';
    expect(await codesOf(others, unkeyed)).toEqual(['keysDisagree', 'keysDisagree']);
    const newNumber = csvOf([head, ['', taken, '556703-7485', 'Ek']]);
    expect(await codesOf(newNumber, 'match=companyno')).toEqual(['keysDisagree']);
    // What mode leaves out clashes with nothing.
    expect(await codesOf(others, `${unkeyed}&mode=update`)).toEqual(['keysDisagree', 'noCustomer']);
    expect(await codesOf(others, `${unkeyed}&mode=create`)).toEqual([
      'customerExists',
      'keysDisagree',
    ]);
    const numbers = csvOf([
      head,
      [x, '', '556016-0680', 'Ek'],
      [y, '', '16556016-0680', 'Alm'],
      ['', '', '5560160680', 'Asp'],
    ]);
    expect(await codesOf(numbers, 'match=mexcParamvaluesetsid,companyno')).toEqual([
      'repeated',
      'repeated',
      'repeated',
    ]);
    // Several customers of one company are no fault, if it is not what they are matched by.
    expect(await codesOf(numbers, 'match=mexcParamvaluesetsid&unkeyed=create')).toEqual([
      'update',
      'update',
      'create',
    ]);
    const written = csvOf([head, [x, ` ${a} `, '', 'Ek'], [y, b, '', '']]);
    expect(await codesOf(written, byId)).toEqual(['update', 'unchanged']);
  });

  test('only where it gives a customerid anew, so that an export of customers that share one is read back unchanged', async () => {
    const shared = newKey();
    const all: { mexcParamvaluesetsid: number }[] = [];
    for (let twin = 0; twin < 13; twin += 1) {
      all.push(await create(merchant, { customerid: shared, companyno: '556036-0793' }));
    }
    await eventually(async () => expect(await listed(shared)).toHaveLength(13));
    const rows = all.map(({ mexcParamvaluesetsid: id }) => [String(id), shared, '556036-0793']);
    const file = csvOf([['mexcParamvaluesetsid', 'customerid', 'companyno'], ...rows]);
    const query = 'match=mexcParamvaluesetsid,customerid,companyno';
    expect(new Set(await codesOf(file, query))).toEqual(new Set(['unchanged']));
    const ids = all.map(({ mexcParamvaluesetsid: id }) => id);
    await merchant.call('DELETE', '/customers', { body: ids });
  });

  test('and says in Swedish and English with which rows and customers it clashes', async () => {
    const [a, b, fresh] = [newKey(), newKey(), newKey()];
    const one = await create(merchant, { customerid: a, companyno: '556703-7485' });
    const two = await create(merchant, { customerid: b });
    await indexed(a, b);
    const [x, y] = [one, two].map(({ mexcParamvaluesetsid: id }) => String(id)) as [string, string];
    const head = ['Id', 'Kundnummer', 'Organisationsnummer', 'Namn'];
    const file = csvOf([
      head,
      [x, b, '', 'Ek'],
      ['', fresh, '', 'Alm'],
      ['', fresh, '', 'Asp'],
      [y, '', '', 'Al'],
      [y, '', '', 'Lind'],
    ]);
    const planned = await importFile(merchant, file, 'match=mexcParamvaluesetsid,customerid');
    const [first, second, , last] = await rowsOf(merchant, planned);
    expect(first.detail).toBe(
      `mexcParamvaluesetsid ${x} names customer ${x}, but customerid ${b} names customer ${y}`,
    );
    expect(second.detail).toBe(`rows 3 and 4 have customerid ${fresh}; keep one of them`);
    expect(last.detail).toBe(`rows 5 and 6 have mexcParamvaluesetsid ${y}; keep one of them`);
    const errors = async (language: string) => {
      const { body } = await merchant.call('GET', pathOf(planned, 'rejected'), {
        headers: { 'accept-language': language },
      });
      const text = await (await fetch(body.url)).text();
      return text.split('\r\n').slice(1, 3);
    };
    expect(await errors('sv')).toEqual([
      `${x};${b};;Ek;2;;Raden pekar på olika kunder: id ${x} och kundnummer ${b} (id ${y}). Rätta den.`,
      `;${fresh};;Alm;3;;"Raderna 3 och 4 har samma kundnummer ${fresh}. Behåll en av dem, eller rätta den som är fel."`,
    ]);
    expect(await errors('en')).toEqual([
      `${x},${b},,Ek,2,,The row names different customers: id ${x} and customerid ${b} (id ${y}). Correct it.`,
      `,${fresh},,Alm,3,,"Rows 3 and 4 have the same customerid ${fresh}. Keep one of them, or correct the wrong one."`,
    ]);
  });

  test('if a spreadsheet may have dropped zeros of its key', async () => {
    last += 1;
    const digits = `70${last}`;
    const zeros = `000${digits}`;
    const customer = await create(merchant, { customerid: zeros });
    const person = await create(merchant, { companyno: '010101-2391' });
    await indexed(zeros);
    await eventually(async () => {
      const path = '/customers/count?companyno=010101-2391';
      expect((await merchant.call('GET', path)).body.count).toBe(1);
    });
    const file = csvOf([
      ['customerid', 'name'],
      [digits, 'Ek'],
    ]);
    const [row] = await rowsOf(merchant, await importFile(merchant, file));
    expect(row).toMatchObject({ code: 'zerosLost', candidates: [customer.mexcParamvaluesetsid] });
    const numbers = csvOf([
      ['companyno', 'name'],
      ['101012391', 'Åsa'],
    ]);
    const planned = await importFile(merchant, numbers, 'match=companyno');
    const [ofPerson] = await rowsOf(merchant, planned);
    expect(ofPerson).toMatchObject({
      code: 'zerosLost',
      candidates: [person.mexcParamvaluesetsid],
    });
    await merchant.call('DELETE', `/customers/${person.mexcParamvaluesetsid}`);
  });
});

describe('Rows that are not imported', () => {
  test('must be left out by name, and are returned as they were sent, with what is wrong', async () => {
    const [a, b] = [newKey(), newKey()];
    const file = csvOf([
      ['customerid', 'name', 'Säljare'],
      [a, 'x'.repeat(256), 'Eva'],
      [b, 'Alm AB', 'Bo'],
      ['', 'Asp AB', 'Ulf'],
    ]);
    const planned = await importFile(merchant, file);
    expect(planned.body.counts).toMatchObject({ create: 1, invalid: 2 });
    const [row] = await rowsOf(merchant, planned, 'outcome=invalid');
    expect(row.errors).toEqual([
      expect.objectContaining({ column: 'name', field: 'name', code: 'tooLong' }),
    ]);
    expectProblem(await apply(merchant, planned), 409, [], '/problems/rows-to-leave-out');
    const unknown = await apply(merchant, planned, { leaveOut: ['valid'], other: 1 });
    expectProblem(unknown, 400, [{ pointer: '/leaveOut/0' }, { pointer: '/other' }]);
    const noArray = await apply(merchant, planned, { leaveOut: 'invalid' });
    expectProblem(noArray, 400, [{ pointer: '/leaveOut' }]);
    expect(noArray.body.errors[0].detail).toBe('must be an array of ambiguous or invalid');

    const path = pathOf(planned, 'rejected');
    const english = await merchant.call('GET', path);
    expect(english.body).toMatchObject({ count: 2, filename: 'errors.csv' });
    const text = await (await fetch(english.body.url)).text();
    expect(text).toContain(`${a},${'x'.repeat(256)},Eva,2,name,`);
    expect(text).not.toContain(b);
    const swedish = { 'accept-language': 'sv-SE, en;q=0.5' };
    const own = await merchant.call('GET', `${path}?format=xlsx`, { headers: swedish });
    expect(own.body).toMatchObject({ filename: 'fel.xlsx', count: 2 });
    expect((await fetch(own.body.url)).status).toBe(200);
    const redirect = await merchant.call('GET', path, {
      headers: { accept: 'text/csv', ...swedish },
    });
    expect(redirect.status).toBe(303);
    const lines = await (await fetch(redirect.headers.get('location') as string)).text();
    expect(lines).toContain('radnummer;kolumn;fel');

    const applied = await apply(merchant, planned, { leaveOut: ['invalid', 'ambiguous'] });
    expect(applied.body).toMatchObject({
      results: { created: 1, leftOut: 2 },
      leaveOut: ['invalid', 'ambiguous'],
    });
  });

  test.runIf(isLocal)(
    'have all of their errors in a plan that is not much larger than the file, also if each cell is wrong',
    async () => {
      const fields = FIELDS.filter(isWritable).map(({ name }) => name);
      const count = MAX_ROWS_PLANNED_IN_CALL;
      // A control is wrong in any case, and an error of a spreadsheet if no customer has it.
      const rows = Array.from({ length: count }, (_, index) =>
        fields.map((name) =>
          index % 2 === 0 ? `\u0001${index}` : name === 'customerid' ? index : '##',
        ),
      );
      const file = csvOf([fields, ...rows.map((cells) => cells.map(String))]);
      const planned = await importFile(merchant, file);
      expect(planned.body.counts).toMatchObject({ invalid: count });
      expect(await bytesOfImport(planned.body.importId)).toBeLessThan(10 * file.length);

      const seen: number[] = [];
      for (let after = 0; seen.length < count; after = seen.at(-1) ?? 0) {
        const path = `${pathOf(planned, 'rows')}?limit=1000&after=${after}`;
        const { body } = await merchant.call('GET', path);
        expect(body.rows).not.toHaveLength(0);
        for (const { row, errors } of body.rows) {
          seen.push(row);
          const isControl = row % 2 === 0;
          expect(errors).toHaveLength(fields.length - (isControl ? 0 : 1));
          const code = isControl ? 'forbiddenCharacter' : 'spreadsheetError';
          expect(errors.at(-1)).toMatchObject({ column: fields.at(-1), code });
        }
      }
      expect(seen).toEqual(rows.map((_, index) => index + 2));
      expect((await merchant.call('GET', pathOf(planned, 'rejected'))).body).toMatchObject({
        count,
      });
    },
  );

  test('are those that mode leaves out', async () => {
    const [a, b] = [newKey(), newKey()];
    await create(merchant, { customerid: a });
    await indexed(a);
    const file = csvOf([
      ['customerid', 'name'],
      [a, 'Ek'],
      [b, 'Alm'],
    ]);
    const outcomes = async (query: string) =>
      (await rowsOf(merchant, await importFile(merchant, file, query))).map(
        (row: { outcome: string; code?: string }) => row.code ?? row.outcome,
      );
    expect(await outcomes('match=customerid&mode=create')).toEqual(['customerExists', 'create']);
    expect(await outcomes('match=customerid&mode=update')).toEqual(['update', 'noCustomer']);
  });
});

describe('A plan', () => {
  const plan = async () => {
    const key = newKey();
    return {
      key,
      planned: await importFile(
        merchant,
        csvOf([
          ['customerid', 'name'],
          [key, 'Ek'],
        ]),
      ),
    };
  };

  test('is applied by its own tag alone: 428 without one, 412 by another', async () => {
    const { planned } = await plan();
    const path = pathOf(planned, 'apply');
    expectProblem(await merchant.call('POST', path), 428, [{ header: 'If-Match' }]);
    const other = await merchant.call('POST', path, { headers: { 'if-match': '"p-other"' } });
    expectProblem(other, 412, [{ header: 'If-Match' }], '/problems/stale-plan');
    expect((await apply(merchant, planned)).status).toBe(200);
  });

  test('is applied once if many calls apply it, and no other import at the same time creates its customers again', async () => {
    const { key, planned } = await plan();
    const twin = await importFile(
      merchant,
      csvOf([
        ['customerid', 'name'],
        [key, 'Ek'],
      ]),
    );
    const calls = [planned, planned, planned, twin, twin].map((each) => apply(merchant, each));
    const responses = await Promise.all(calls);
    for (const { status, body } of responses) {
      if (status === 409) expect(body.type).toBe('/problems/import-state');
      else expect([200, 202]).toContain(status);
    }
    await reaching(merchant, planned, 'applied', 'planned');
    await indexed(key);
    expect(await listed(key)).toHaveLength(1);
  });

  test('that is stopped is applied or undone if both are called at once, and the other call is 409', async () => {
    const background = { prefer: 'respond-async' };
    // Few customers with large texts: at the pace of imports they take two seconds, and little CPU time.
    const notes = 'x'.repeat(10_000);
    const rounds = iterations({ short: 1, long: 5 });
    let stops = 0;
    for (let attempt = 0; stops < rounds && attempt < rounds + 5; attempt += 1) {
      const rows = Array.from({ length: 24 }, () => [newKey(), notes, notes]);
      const file = csvOf([['customerid', 'notes', 'statuslog'], ...rows]);
      const planned = await importFile(merchant, file);
      await apply(merchant, planned, {}, background);
      // An import that is applied by now is deleted.
      const { body: stopped } = await merchant.call('DELETE', pathOf(planned));
      if (stopped.state !== 'stopped') continue;
      stops += 1;
      const [applied, undone] = await Promise.all([
        apply(merchant, planned, {}, background),
        undo(merchant, planned, background),
      ]);
      if (applied.status < 300) expect(applied.body.state).toMatch(/^appl/);
      else expectProblem(applied, 409, [], '/problems/import-state');
      if (undone.status < 300) expect(undone.body.state).toMatch(/^und/);
      else expectProblem(undone, 409, [], '/problems/import-state');
      await reaching(merchant, planned, 'applied', 'undone');
    }
    expect(stops).toBe(rounds);
  });

  test('leaves customers alone that were changed after it was made, and undoing those changed after the import', async () => {
    const [a, b] = [newKey(), newKey()];
    const first = await create(merchant, { customerid: a, name: 'Ek' });
    const second = await create(merchant, { customerid: b, name: 'Alm' });
    await indexed(a, b);
    const file = csvOf([
      ['customerid', 'name'],
      [a, 'Ek AB'],
      [b, 'Alm AB'],
    ]);
    const planned = await importFile(merchant, file);
    const change = (id: number, body: object) =>
      merchant.call('PATCH', `/customers/${id}`, { body });
    await change(first.mexcParamvaluesetsid, { fax: '1' });
    const applied = await apply(merchant, planned);
    expect(applied.body.results).toMatchObject({ updated: 1, changedMeanwhile: 1 });
    const [row] = await rowsOf(merchant, planned, 'result=changedMeanwhile');
    expect(row).toMatchObject({ row: 2, id: first.mexcParamvaluesetsid });
    expect(await get(first.mexcParamvaluesetsid)).toMatchObject({ name: 'Ek', fax: '1' });
    await change(second.mexcParamvaluesetsid, { fax: '2' });
    const undone = await undo(merchant, planned);
    expect(undone.body.undone).toMatchObject({ restored: 0, changedMeanwhile: 1 });
    expect(await get(second.mexcParamvaluesetsid)).toMatchObject({ name: 'Alm AB', fax: '2' });
  });

  test('of a file that was applied before says so', async () => {
    const { key, planned } = await plan();
    await apply(merchant, planned);
    await indexed(key);
    const again = await importFile(
      merchant,
      csvOf([
        ['customerid', 'name'],
        [key, 'Ek'],
      ]),
    );
    expect(again.body).toMatchObject({
      counts: { unchanged: 1 },
      warnings: [{ code: 'sameFileApplied', import: planned.body.importId }],
    });
  });

  test('that is deleted is gone with its files, for this merchant and any other', async () => {
    const { planned } = await plan();
    const { body } = await merchant.call('GET', pathOf(planned, 'rejected'));
    const deleted = await merchant.call('DELETE', pathOf(planned));
    expect([deleted.status, deleted.body.state]).toEqual([200, 'canceled']);
    expect((await fetch(body.url)).status).toBe(404);
    for (const call of ['', 'rows', 'rejected']) {
      const response = await merchant.call('GET', pathOf(planned, call));
      expectProblem(response, 404, [], '/problems/import-not-found');
    }
    const ids = (await merchant.call('GET', '/customers/imports')).body.map(
      ({ importId }: { importId: string }) => importId,
    );
    expect(ids).not.toContain(planned.body.importId);
  });

  test.runIf(isLocal)('is unknown to another merchant, in every call', async () => {
    const other = await newMerchant(1);
    const { planned } = await plan();
    const headers = { 'if-match': planned.headers.get('etag') ?? '' };
    const calls: [string, string][] = [
      ['GET', ''],
      ['GET', 'rows'],
      ['GET', 'rejected'],
      ['POST', 'plan'],
      ['POST', 'apply'],
      ['POST', 'undo'],
      ['DELETE', ''],
    ];
    for (const [method, call] of calls) {
      const response = await other.call(method, pathOf(planned, call), { headers });
      expectProblem(response, 404, [], '/problems/import-not-found');
    }
    expect((await other.call('GET', '/customers/imports')).body).toEqual([]);
    expect((await merchant.call('GET', pathOf(planned))).body.state).toBe('planned');
  });
});

/** Returns a function that stores imports as they are once they were created and deleted. */
async function storedDeletions(merchantId: string): Promise<(count: number) => Promise<void>> {
  // Loaded when the stack has set the environment.
  const { addImportJob, listImportJobs } = await import('../../shared/storage/import-jobs.ts');
  const { documents } = await import('../../shared/storage/document-client.ts');
  const { newExportId } = await import('../../shared/exports/export-id.ts');
  const [newest] = await listImportJobs(merchantId);
  const { facts, plan, ...job } = newest as ImportJob;
  return async (count) => {
    const id = newExportId();
    await addImportJob(merchantId, { ...job, id, state: 'canceled' });
    const key = { TableName: localStack().table, Key: importJobKey(merchantId, id) };
    const { Item } = await documents.send(new GetCommand(key));
    const copy = () => ({ ...Item, ...importJobKey(merchantId, newExportId()) });
    await writeItems(localStack(), count - 1, copy, localStack().ownsDatabase);
  };
}

describe('An import', () => {
  test('whose options are wrong is refused with all faults', async () => {
    const body = { format: 'ods', bytes: 0, match: ['name'], mode: 'replace', sheat: 'A' };
    const response = await merchant.call('POST', '/customers/imports', { body });
    expectProblem(response, 400, [
      { pointer: '/format' },
      { pointer: '/bytes' },
      { pointer: '/match/0' },
      { pointer: '/mode' },
      { pointer: '/sheat' },
    ]);
    const ofOtherTypes = await merchant.call('POST', '/customers/imports', {
      body: { format: 5, bytes: '9', match: {}, filename: 5, sha256: [], sheet: null, mode: 1 },
    });
    expectProblem(ofOtherTypes, 400, [
      { pointer: '/format' },
      { pointer: '/bytes' },
      { pointer: '/filename' },
      { pointer: '/sha256' },
      { pointer: '/match' },
      { pointer: '/mode' },
      { pointer: '/sheet' },
    ]);
    for (const { detail } of ofOtherTypes.body.errors) expect(detail).toMatch(/^must be /);
    const long = { format: 'csv', bytes: 1, match: ['customerid'], filename: 'a'.repeat(256) };
    const tooLong = await merchant.call('POST', '/customers/imports', { body: long });
    expect(tooLong.body.errors).toEqual([
      { pointer: '/filename', detail: 'must have at most 255 characters' },
    ]);
    const ofPrototype = `{"format":"csv","bytes":1,"match":["customerid"],"__proto__":{},"constructor":1}`;
    expectProblem(await merchant.call('POST', '/customers/imports', { body: ofPrototype }), 400, [
      { pointer: '/__proto__' },
      { pointer: '/constructor' },
    ]);
    const file = await importFile(merchant, 'customerid\n', 'mode=all&unkeyed=drop');
    expectProblem(file, 400, [
      { parameter: 'mode' },
      { parameter: 'unkeyed' },
      { parameter: 'match' },
    ]);
    const both = await merchant.call('POST', '/customers/imports?match=customerid', {
      body: { format: 'csv', bytes: 1, match: ['customerid'] },
    });
    expectProblem(both, 400, [{ parameter: 'match' }]);
  });

  test('takes only a file of the announced size and SHA-256', async () => {
    const text = csvOf([
      ['customerid', 'name'],
      [newKey(), 'Ek'],
    ]);
    const sha256 = createHash('sha256').update(text).digest('base64');
    const body = { format: 'csv', match: ['customerid'], bytes: text.length, sha256 };
    const created = await merchant.call('POST', '/customers/imports', { body });
    const { upload } = created.body;
    expect(await put(upload, Buffer.from(`${text}K,\n`))).toBe(403);
    expectProblem(
      await merchant.call('POST', pathOf(created, 'plan')),
      409,
      [],
      '/problems/import-state',
    );
    const another = Buffer.from(text.replace('Ek', 'EK'));
    // AWS refuses it; the local store does not look at the content.
    if ((await put(upload, another)) === 200) {
      const planned = await merchant.call('POST', pathOf(created, 'plan'));
      expectProblem(planned, 422, [], '/problems/unreadable-file');
      expect(planned.body.code).toBe('digestMismatch');
    }
    const again = await merchant.call('POST', '/customers/imports', { body });
    expect(await put(again.body.upload, Buffer.from(text))).toBe(200);
    const planned = await merchant.call('POST', pathOf(again, 'plan'));
    expect(planned.body).toMatchObject({ state: 'planned', counts: { create: 1 } });
  });

  test('is uploaded to a URL that demands nothing of the content but its announced SHA-256', async () => {
    const body = { format: 'csv', match: ['customerid'], bytes: 10 };
    const { upload } = (await merchant.call('POST', '/customers/imports', { body })).body;
    // S3 compares each checksum in the address with the file.
    expect(upload.url).not.toMatch(/checksum-(?:crc|sha)/i);
    expect(upload.headers).toEqual({});
  });

  test('of a body that is not UTF-8 is refused, since API Gateway loses its characters', async () => {
    const text = csvOf([
      ['customerid', 'name'],
      [newKey(), 'Björk'],
    ]);
    const refused = await importFile(merchant, Buffer.from(text, 'latin1'));
    expectProblem(refused, 400, [{ pointer: '' }]);
    const created = await sendFile(merchant, Buffer.from(text, 'latin1'));
    const { body } = await merchant.call('POST', pathOf(created, 'plan'));
    expect(body).toMatchObject({ encoding: 'windows-1252', counts: { create: 1 } });
  });

  test('reads a file as bookkeepers have it: columns without a title, blank rows, no-break spaces, shortened numbers', async () => {
    const [a, b, c] = [newKey(), newKey(), newKey()];
    const known = await create(merchant, { customerid: a, name: 'Ek' });
    await indexed(a);
    const lines = [
      'Kundnr;Kundnamn;Org.nr;Säljare;;',
      `${a}\u00a0;Ek AB;556703\u00a0-7485;Eva;;`,
      ';;;;;',
      ' ;\u00a0;;;;',
      `${b};Alm AB;1,65567E+11;Bo;;`,
      `${c};Asp AB;16556016-0680;Bo;; `,
      '',
    ];
    const created = await sendFile(merchant, Buffer.from(lines.join('\r\n'), 'latin1'));
    const planned = await merchant.call('POST', pathOf(created, 'plan'));
    expect(planned.body).toMatchObject({
      rows: 3,
      counts: { update: 1, create: 1, invalid: 1 },
      unknownColumns: ['Säljare'],
    });
    const [update, invalid, creation] = await rowsOf(merchant, planned);
    expect(update).toMatchObject({ row: 2, id: known.mexcParamvaluesetsid });
    expect(invalid).toMatchObject({
      row: 5,
      errors: [{ column: 'Org.nr', field: 'companyno', code: 'shortenedNumber' }],
    });
    expect(creation).toMatchObject({ row: 6, fields: { customerid: c, name: 'Asp AB' } });
    const twice = await importFile(merchant, `Kundnr;Kundnummer;Namn\n${a};${b};Ek\n`);
    expectProblem(twice, 422, [], '/problems/unreadable-file');
    expect(twice.body).toMatchObject({
      code: 'duplicateColumn',
      detail: expect.stringContaining('`Kundnr` and `Kundnummer`'),
    });
  });

  test('leaves alone a customer that was deleted meanwhile, when it is applied and when it is undone', async () => {
    const [a, b] = [newKey(), newKey()];
    const customers = [
      await create(merchant, { customerid: a, name: 'Ek' }),
      await create(merchant, { customerid: b, name: 'Alm' }),
    ];
    const [one, two] = customers.map(({ mexcParamvaluesetsid: id }) => `/customers/${id}`);
    await indexed(a, b);
    const fresh = newKey();
    const file = csvOf([
      ['customerid', 'name'],
      [a, 'Ek AB'],
      [b, 'Alm AB'],
      [fresh, 'Asp AB'],
    ]);
    const planned = await importFile(merchant, file);
    await merchant.call('DELETE', one as string);
    const applied = await apply(merchant, planned);
    expect(applied.body.results).toMatchObject({ updated: 1, created: 1, changedMeanwhile: 1 });
    await merchant.call('DELETE', two as string);
    const undone = await undo(merchant, planned);
    expect(undone.body.undone).toMatchObject({ restored: 0, removed: 1, changedMeanwhile: 1 });
    for (const path of [one, two]) {
      expect((await merchant.call('GET', path as string)).status).toBe(404);
    }
    expect(await listed(fresh)).toEqual([]);
  });

  test('that is undone after a later import has changed its customers leaves these as the later one made them', async () => {
    const [a, b] = [newKey(), newKey()];
    const customer = await create(merchant, { customerid: a, name: 'Ek' });
    await indexed(a);
    const importOf = async (name: string) => {
      const planned = await importFile(
        merchant,
        csvOf([
          ['customerid', 'name'],
          [a, name],
          [b, name],
        ]),
      );
      expect((await apply(merchant, planned)).status).toBe(200);
      await indexed(b);
      return planned;
    };
    const first = await importOf('Alm');
    const second = await importOf('Asp');
    expect((await undo(merchant, first)).body.undone).toMatchObject({ changedMeanwhile: 2 });
    const names = async () =>
      [...(await listed(a)), ...(await listed(b))].map(({ name }: { name: string }) => name);
    expect(await names()).toEqual(['Asp', 'Asp']);
    expect((await undo(merchant, second)).body.undone).toMatchObject({ restored: 2 });
    expect(await names()).toEqual(['Alm', 'Alm']);
    expect((await undo(merchant, first)).body.state).toBe('undone');
    expect((await get(customer.mexcParamvaluesetsid)).name).toBe('Alm');
  });

  test('of a file without a column to match is refused, unless each row is to create a customer', async () => {
    const name = `Ek ${newKey()}`;
    const files = [
      ['text/csv', `Namn;Säljare\n${name};Eva\n`],
      ['application/jsonl', `{"name":"${name}"}\n`],
      ['application/xml', `<customers><customer><name>${name}</name></customer></customers>`],
    ] as const;
    for (const [type, file] of files) {
      const headers = { 'content-type': type };
      for (const query of [
        'match=customerid',
        'match=customerid&unkeyed=create',
        'match=companyno,mexcParamvaluesetsid&unkeyed=create&mode=update',
        'match=mexcParamvaluesetsid&mode=create',
      ]) {
        const refused = await importFile(merchant, file, query, headers);
        expectProblem(refused, 422, [], '/problems/unreadable-file');
        expect(refused.body.code).toBe('noKeyColumn');
        const [, field] = /match=(\w+)/.exec(query) ?? [];
        expect(refused.body.detail).toContain(`no column ${field}`);
      }
      const query = 'match=customerid&unkeyed=create&mode=create';
      const planned = await importFile(merchant, file, query, headers);
      expect(planned.body).toMatchObject({ state: 'planned', counts: { create: 1 } });
    }
  });

  test('of a file that cannot be read says why, and keeps nothing of it', async () => {
    const planned = await importFile(merchant, 'a,b\n1,2\n');
    expectProblem(planned, 422, [], '/problems/unreadable-file');
    expect(planned.body.code).toBe('noHeader');
    // Nor can it be planned again.
    const again = await merchant.call('POST', `/customers/imports/${planned.body.importId}/plan`);
    expectProblem(again, 422, [], '/problems/unreadable-file');
    expect([again.body.code, again.body.detail]).toEqual(['noHeader', planned.body.detail]);
    const { body } = await merchant.call('GET', `/customers/imports/${planned.body.importId}`);
    expect(body).toMatchObject({ state: 'failed', reason: { code: 'noHeader' } });
  });

  test('of few rows with large texts is applied and undone in the background, since a call ends before', async () => {
    const prefix = newKey();
    const text = '😀'.repeat(10_000);
    const rows = Array.from({ length: 32 }, (_, index) => [`${prefix}-${index}`, text, text]);
    const created = await sendFile(
      merchant,
      csvOf([['customerid', 'notes', 'statuslog'], ...rows]),
    );
    await merchant.call('POST', pathOf(created, 'plan'));
    const planned = await reaching(merchant, created, 'planned');
    expect(planned.body.counts).toMatchObject({ create: 32 });
    expect((await apply(merchant, planned)).status).toBe(202);
    const applied = await reaching(merchant, planned, 'applied');
    expect(applied.body.results).toMatchObject({ created: 32 });
    expect((await undo(merchant, planned)).status).toBe(202);
    const undone = await reaching(merchant, planned, 'undone');
    expect(undone.body.undone).toMatchObject({ removed: 32 });
  });

  test('of more rows than a call plans is planned and applied in the background, and listed page by page', async () => {
    const prefix = newKey();
    const count = MAX_ROWS_PLANNED_IN_CALL + 1;
    const keys = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
    const file = csvOf([['customerid', 'name'], ...keys.map((key) => [key, `Ek ${key}`])]);
    const started = await importFile(merchant, file);
    expect(started.status).toBe(202);
    const planned = await reaching(merchant, started, 'planned');
    expect(planned.body).toMatchObject({ rows: count, rowsDone: count, counts: { create: count } });
    const seen: number[] = [];
    for (let after = 0, more = true; more; ) {
      const { body } = await merchant.call(
        'GET',
        `${pathOf(planned, 'rows')}?limit=500&after=${after}`,
      );
      seen.push(...body.rows.map(({ row }: { row: number }) => row));
      more = body.next !== undefined;
      after = body.next;
    }
    expect(seen).toEqual(keys.map((_, index) => index + 2));
    expect((await apply(merchant, planned)).status).toBe(202);
    const applied = await reaching(merchant, planned, 'applied');
    expect(applied.body.results).toMatchObject({ created: count });
    const { body } = await merchant.call('DELETE', pathOf(planned));
    expect(body.state).toBe('canceled');
  });

  test('is listed, and warns of the same file, though a hundred were deleted since, and however long their headings are', async () => {
    const name = crypto.randomUUID();
    const client = await newMerchant(0, { merchant: name });
    const headings = Array.from({ length: 199 }, (_, index) => `${index}${'€'.repeat(97)}`);
    const file = csvOf([['customerid', ...headings], ['K1']]);
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      const planned = await importFile(client, index === 0 ? file : `${file}K${index + 2}\n`);
      expect(planned.status).toBe(201);
      expect(JSON.stringify(planned.body).length).toBeLessThan(60_000);
      ids.push(planned.body.importId);
      if (index === 0) expect((await apply(client, planned)).body.state).toBe('applied');
    }
    const body = { format: 'csv', bytes: 1, match: ['customerid'] };
    const deleteOne = async () => {
      const created = await client.call('POST', '/customers/imports', { body });
      expect((await client.call('DELETE', pathOf(created))).body.state).toBe('canceled');
    };
    await deleteOne();
    // Calls take a hundred times the CPU time of storing what they leave.
    if (isLocal) await (await storedDeletions(name))(LISTED_IMPORTS - 1);
    else for (let index = 1; index < LISTED_IMPORTS; index += 1) await deleteOne();
    const list = await client.call('GET', '/customers/imports');
    expect(list.body).toMatchObject(ids.toReversed().map((importId) => ({ importId })));
    expect((await importFile(client, file)).body.warnings).toMatchObject([
      { code: 'sameFileApplied', import: ids[0] },
    ]);
  });

  test.runIf(isLocal)(
    'is neither listed nor warned of behind a thousand later ones, deleted ones included',
    async () => {
      const name = crypto.randomUUID();
      const client = await newMerchant(0, { merchant: name });
      const file = csvOf([['customerid'], ['K1']]);
      const { body } = await apply(client, await importFile(client, file));
      const storeDeletions = await storedDeletions(name);
      const deletions = async (count: number) => {
        await storeDeletions(count);
        const { body: list } = await client.call('GET', '/customers/imports');
        return list.map(({ importId }: { importId: string }) => importId);
      };
      expect(await deletions(KNOWN_IMPORTS - 1)).toEqual([body.importId]);
      expect(await deletions(1)).toEqual([]);
      expect((await importFile(client, file)).body.warnings).toEqual([]);
    },
  );
});

test('Rows with long texts are listed in pages that a response has room for', async () => {
  const client = await newMerchant();
  // Quotes are doubled in the file, and escaped twice on their way through Lambda.
  const text = `"${'""'.repeat(10_000)}"`;
  const keys = Array.from({ length: 80 }, (_, index) => `L${index}`);
  const file = csvOf([
    ['customerid', 'notes', 'statuslog'],
    ...keys.map((key) => [key, text, text]),
  ]);
  const sent = await sendFile(client, file);
  await client.call('POST', pathOf(sent, 'plan'));
  const planned = await reaching(client, sent, 'planned');
  const seen: string[] = [];
  let pages = 0;
  for (let after = 0, more = true; more; pages += 1) {
    const query = `limit=1000&after=${after}`;
    const { status, body } = await client.call('GET', `${pathOf(planned, 'rows')}?${query}`);
    expect(status).toBe(200);
    expect(Buffer.byteLength(JSON.stringify(JSON.stringify(body)))).toBeLessThan(6 * 1024 ** 2);
    seen.push(...body.rows.map((row: { key: { value: string } }) => row.key.value));
    more = body.next !== undefined;
    after = body.next;
  }
  expect(seen).toEqual(keys);
  expect(pages).toBe(2);
});

describe.runIf(isLocal)('The import of the API guide', () => {
  const folder = mkdtempSync(join(tmpdir(), 'import-client-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('creates, plans and applies', async () => {
    const guide = readFileSync(join(import.meta.dirname, '../../functions/README.md'), 'utf8');
    const [, source = ''] =
      /^```ts\n([\s\S]*?export async function importCustomers[\s\S]*?)^```$/m.exec(
        guide.slice(guide.indexOf('## Imports')),
      ) ?? [];
    const file = join(folder, 'client.mjs');
    writeFileSync(file, (await transform(source, { loader: 'ts' })).code);
    const { importCustomers } = await import(/* @vite-ignore */ file);
    const key = newKey();
    const text = Buffer.from(`Kundnummer;Namn\n${key};Bj\xf6rk AB\n`, 'latin1');
    const applied = await importCustomers(
      merchant.url,
      merchant.token,
      text,
      { format: 'csv', match: ['customerid'] },
      ({ counts }: { counts: { create: number } }) => counts.create === 1,
    );
    expect(applied).toMatchObject({
      state: 'applied',
      encoding: 'windows-1252',
      results: { created: 1 },
    });
    await indexed(key);
    expect(await listed(key)).toMatchObject([{ name: 'Björk AB' }]);
  });
});
