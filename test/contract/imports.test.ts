import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, create, eventually, isLocal, newMerchant, useApi } from '../support/api.ts';
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

describe('A file that is sent in a request', () => {
  test('is planned at once: what is created, changed and kept, and from what to what', async () => {
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

  test('is applied by the tag of its plan, once, and undone exactly', async () => {
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

  test('is applied once by many calls at once, and no other import at the same time makes a twin', async () => {
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

  test('leaves customers as they are that have changed meanwhile, and undoing those that changed since', async () => {
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

  test('takes a file of the announced size and SHA-256 alone', async () => {
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

  test('is uploaded by an address that promises nothing of the content but its announced SHA-256', async () => {
    const body = { format: 'csv', match: ['customerid'], bytes: 10 };
    const { upload } = (await merchant.call('POST', '/customers/imports', { body })).body;
    // S3 compares each checksum in the address with the file.
    expect(upload.url).not.toMatch(/checksum-(?:crc|sha)/i);
    expect(upload.headers).toEqual({});
  });

  test('of a body that is no UTF-8 is refused, since API Gateway loses its characters', async () => {
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

  test('of a file that cannot be read says why, and keeps nothing of it', async () => {
    const planned = await importFile(merchant, 'a,b\n1,2\n');
    expectProblem(planned, 422, [], '/problems/unreadable-file');
    expect(planned.body.code).toBe('noHeader');
    const { body } = await merchant.call('GET', `/customers/imports/${planned.body.importId}`);
    expect(body).toMatchObject({ state: 'failed', reason: { code: 'noHeader' } });
  });

  test('of thousands of rows is planned and applied in the background, and listed page by page', async () => {
    const prefix = newKey();
    const keys = Array.from({ length: 1_200 }, (_, index) => `${prefix}-${index}`);
    const file = csvOf([['customerid', 'name'], ...keys.map((key) => [key, `Ek ${key}`])]);
    const started = await importFile(merchant, file);
    expect(started.status).toBe(202);
    const planned = await reaching(merchant, started, 'planned');
    expect(planned.body).toMatchObject({ rows: 1_200, rowsDone: 1_200, counts: { create: 1_200 } });
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
    const { body } = await merchant.call('DELETE', pathOf(planned));
    expect(body.state).toBe('canceled');
  }, 60_000);
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
