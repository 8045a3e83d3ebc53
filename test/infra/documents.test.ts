import { execFile, spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CAPACITY } from '../../infra/capacity.ts';
import { english } from '../../infra/documents/page/english.ts';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { sampleCustomers } from '../../infra/local/sample-customers.ts';
import { SETTING_NAMES } from '../../infra/stage-settings.ts';
import { FILTERS } from '../../shared/domain/customer-filter.ts';
import { rowFaultCodes } from '../../shared/domain/fault-texts.ts';
import { IMPORT_STATES } from '../../shared/domain/import-job.ts';
import * as limits from '../../shared/domain/limits.ts';
import { PROBLEM_TITLES } from '../../shared/http/problem-details.ts';
import {
  CUSTOMER_INDEX,
  changeLogEntryKey,
  changeLogHeadKey,
  claimKey,
  companyKey,
  customerKey,
  exportJobKey,
  exportLeasesKey,
  HEARTBEAT_KEY,
  idempotencyRecordKey,
  importJobKey,
  importLockKey,
  importRecordKey,
  LOOK_UP_INDEXES,
  lookUpCountKey,
  RECORDER_KEY,
  runningExportsKey,
  sequenceKey,
  snapshotKey,
  storedChunkKey,
} from '../../shared/storage/table.ts';
import { isLocal, newMerchant, useApi } from '../support/api.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

const ROOT = join(import.meta.dirname, '../..');
const README = 'README.md';
const GUIDE = 'functions/README.md';
const INFRA = 'infra/README.md';
const ARCHITECTURE = 'shared/README.md';

const DOCUMENTS = globSync(
  ['*.md', '{functions,infra,shared,test}/*.md', 'shared/decisions/*.md', '.github/*.md'],
  { cwd: ROOT },
).toSorted();

/** Blocks of shell commands that this test does not run, by their first line, and the reason. */
const NOT_RUN: Readonly<Record<string, string>> = {
  // Commands of the repository, which other tests or CI run.
  'npm ci && npm start': 'test/infra/start.test.ts starts the stack; .ci/run installs',
  'npm run --silent token -- --merchant 1002 --scope customers:read':
    'test/infra/start.test.ts runs the command with these options',
  'npm test': 'CI runs the tests and the check; the deployment needs an AWS account',
  'DYNAMODB_ENDPOINT=http://localhost:8000 npm run test:dynamodb-local':
    'needs another DynamoDB server, or a deployed API',
  'npm run test:browser': 'CI runs it',
  'npm run test:spreadsheets':
    'needs LibreOffice and openpyxl; unit tests read the files with hucre',
  'npm run test:clients': 'CI generates the TypeScript client; the others need more tools',
  'npm run fuzz -- --requests 20000 --seed 7':
    'takes minutes; test/contract/fuzz.test.ts sends fewer requests',
  'npm run bench -- --quick': 'takes minutes; test/infra/bench.test.ts tests its parts',
  "SEED=7 npx vitest run --config test/vitest.config.ts --project 'faults*'": 'takes minutes',
  // Commands that need an AWS account. The template of these settings is built and tested.
  'npm ci': 'test/infra/deploy.test.ts runs the commands with a simulated AWS CLI',
  'aws cognito-idp admin-create-user --user-pool-id $UserPoolId --username m@example.com --message-action SUPPRESS --user-attributes Name=email,Value=m@example.com Name=email_verified,Value=true Name=custom:merchant_id,Value=1001':
    'test/stack/stack.test.ts tests the user pool; test/unit tests its trigger',
  'aws cognito-idp admin-add-user-to-group --user-pool-id $UserPoolId --username m@example.com --group-name ReadOnly':
    'test/stack/stack.test.ts tests the group; test/unit tests the scopes of its users',
  'aws secretsmanager create-secret --name customer-register/prod/bolagsverket --secret-string \'{"clientId": "…", "clientSecret": "…"}\'':
    'test/stack/stack.test.ts builds stacks with public registers',
  'npm run access -- --repository owner/name':
    'test/stack/access.test.ts builds the roles; test/infra/workflows.test.ts names the environments',
  'npm run restore -- --stage prod --at 2026-01-31T10:00Z':
    'test/faults/restore.test.ts runs the command',
  'npm run restore -- --stage prod --at 2026-01-31T10:00Z --erase-again customers-restored-20260131T100000Z.erased.jsonl':
    'test/faults/restore.test.ts erases again by an edited list',
  'aws secretsmanager create-secret --name customer-register/prod/smoke --secret-string \'{"first": {"clientId": "…", "username": "…", "password": "…"}, "second": {…}, "readOnly": {…}}\'':
    'test/infra/smoke.test.ts signs in with a secret of this form',
  'npm start -- --browser-origin http://localhost:5173':
    'test/infra/start.test.ts starts the stack; test/infra/gateway.test.ts answers preflights',
  'npx cdk destroy --all -c stage=dev': 'test/stack/stack.test.ts tests what is retained',
};

/** Where a call was made. */
interface CallContext {
  readonly folder: string;
  /** Response of the call before. */
  readonly before: string;
}

/** What each call in the documents must respond, by the comment beside it. */
const SAID: Readonly<Record<string, (response: string, context: CallContext) => void>> = {
  'the first two customers': (response) => expect(JSON.parse(response)).toHaveLength(2),
  'one customer': (response) => expect(JSON.parse(response)).toMatchObject(FIRST),
  'creates one': (response) => expect(JSON.parse(response)).toMatchObject({ name: 'Ek AB' }),
  'creates a customer': (response) => expect(JSON.parse(response)).toMatchObject({ name: 'Ek AB' }),
  'sets one field, clears one': (response) =>
    expect(JSON.parse(response)).toMatchObject({ email: 'post@example.com', fax: '' }),
  'deletes a customer': (response) =>
    expect(JSON.parse(response)).toEqual({ result: 'Removed', mexcParamvaluesetsid: 13 }),
  'deletes two': (response) =>
    expect(JSON.parse(response)).toEqual({ result: 'Removed', count: 2 }),
  'companies without e-invoice': (response) =>
    expect(JSON.parse(response).count).toBeGreaterThan(0),
  'search, case-insensitive': (response) => expect(response).toContain('"name":"Åsa Björklund"'),
  'own customer by its number': (response) =>
    expect(JSON.parse(response)).toMatchObject({ company: 'Ek AB' }),
  'own customer': (response) => expect(JSON.parse(response)).toMatchObject({ company: 'Ek AB' }),
  'company in a public register': (response) =>
    expect(JSON.parse(response)).toMatchObject({ country: 'NO' }),
  'presigned URL of a CSV file': (response) =>
    expect(JSON.parse(response)).toMatchObject({
      url: expect.stringMatching(/^http.+X-Amz-Signature=/),
      count: expect.any(Number),
    }),
  // Its header and the end of its last line count, too.
  'the file itself': (_, { folder, before }) =>
    expect(readFileSync(join(folder, 'customers.csv'), 'utf8').split('\r\n')).toHaveLength(
      JSON.parse(before).count + 2,
    ),
  'how many rows have each outcome': (response) =>
    expect(JSON.parse(response)).toMatchObject({
      state: 'planned',
      rows: 3,
      counts: { create: 1, update: 1, invalid: 1 },
    }),
  'each row, with what changes': (response) =>
    expect(JSON.parse(response).rows[1].changes.name[1]).toBe('Sju AB'),
  'rows to correct, with their errors': (response) => expect(response).toMatch(/^,Utan nummer,4,/m),
  'applies the plan': (response) =>
    expect(JSON.parse(response)).toMatchObject({
      state: 'applied',
      results: { created: 1, updated: 1, leftOut: 1 },
    }),
  'undoes it': (response) =>
    expect(JSON.parse(response)).toMatchObject({
      state: 'undone',
      undone: { removed: 1, restored: 1 },
    }),
  'plan of its import': (response) => {
    const { state, rows, counts } = JSON.parse(response);
    expect([state, counts.unchanged]).toEqual(['planned', rows]);
    expect(rows).toBeGreaterThan(0);
  },
  'no changes, and a token to begin with': (response) =>
    expect(JSON.parse(response)).toMatchObject({ changes: [], next: expect.any(String) }),
  'changes since an export': (response) =>
    expect(JSON.parse(response).changes[0]).toHaveProperty('change'),
  'hashes of ranges of ids': (response) =>
    expect(JSON.parse(response).parts.length).toBeGreaterThan(8),
  'hash of a range': (response) =>
    expect(JSON.parse(response).parts).toMatchObject([{ from: 1, to: 100 }]),
  'the two newest': (response) => {
    const [first, second] = JSON.parse(response);
    expect(first.mexcParamvaluesetsid).toBeGreaterThan(second.mexcParamvaluesetsid);
  },
  'the first two by name': (response) =>
    expect(JSON.parse(response).map(Object.keys)).toEqual(
      Array(2).fill(['mexcParamvaluesetsid', 'name', 'email']),
    ),
  'for a program': (response) => expect(JSON.parse(response).filename).toMatch(/\.csv$/),
  'for Excel in Swedish settings': (response) =>
    expect(JSON.parse(response).filename).toMatch(/\.csv$/),
  'two columns for a bookkeeper': (response) =>
    expect(JSON.parse(response).filename).toMatch(/\.xlsx$/),
  'one customer a line, as JSON': (response) =>
    expect(Object.keys(JSON.parse(response.split('\n')[0] ?? ''))).toContain('customerid'),
  'two customers as XML': (response) => expect(response.match(/<customer>/g)).toHaveLength(2),
  'customers with this customerid': (response) =>
    expect(JSON.parse(response)).toBeInstanceOf(Array),
  'creates or replaces one': (response) =>
    expect(JSON.parse(response)).toMatchObject({ customerid: 'K7', name: 'Alm AB' }),
  'customers with this address': (response) =>
    expect(JSON.parse(response)[0]).toMatchObject({ email: 'post@example.com' }),
  'customers with any of these': (response) => expect(JSON.parse(response)).toBeInstanceOf(Array),
  'how many have this number': (response) =>
    expect(JSON.parse(response).count).toEqual(expect.any(Number)),
  'file of companies with this number': (response) =>
    expect(JSON.parse(response).count).toEqual(expect.any(Number)),
  'no long export yet': (response) => expect(JSON.parse(response)).toEqual([]),
  'link to the next page': (response) =>
    expect(response).toMatch(/^<.+\/customers\?limit=2&cursor=[\w-]+>; rel="next"\n$/),
};
const FIRST = { mexcParamvaluesetsid: 1 };

/** Words that claim something of all cases. */
const ABSOLUTE =
  /\b(?:never|always|nobody|no one|cannot|exactly|at most|only|every|guarantees?|impossible)\b/i;

/** What shows that an absolute sentence is true: a folder of tests and the behaviour, or a source. */
const PROOFS: Readonly<Record<string, string>> = {
  'only `prod` has reviewers':
    'test/infra/workflows.test.ts: the environments; GitHub keeps the rules',
  "Only CloudFormation's own answer that a stack does not exist counts":
    'test/infra/deploy.test.ts: another error while the stack is looked up',
  'Each function may call only what its code calls': 'test/infra: permissions',
  'Every call needs `Authorization:': 'test/settings: tokens on each route; test/infra: routes',
  'are returned only if they are set': 'test/contract: creating a customer',
  'A text has at most 255 characters': 'test/contract: the longest texts',
  'since XML cannot': 'XML 1.0, section 2.2; test/contract: characters that are refused',
  'it cannot be given together with `cursor`': 'test/contract: wrong queries of the list',
  'customers with every given text': 'test/contract: properties of filters',
  'the same at every deployment': 'test/contract: types of errors are texts of the code',
  'the path cannot be decoded': 'test/infra: routes of the gateway',
  'every documented field in order': 'test/contract: creating a customer',
};

const text = (document: string) => readFileSync(join(ROOT, document), 'utf8');
/** A document without its blocks of code. */
const prose = (document: string) => text(document).replaceAll(/^```[\s\S]*?^```$/gm, '');
const codeOf = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** Returns the rows of all tables whose header begins with this cell. */
function table(document: string, firstCell: string): string[][] {
  const header = new RegExp(`^\\| ${firstCell} +\\|.*\\n\\|[-| ]+\\n`, 'm');
  return text(document)
    .split(header)
    .slice(1)
    .flatMap((rows) => {
      const lines = rows.split('\n');
      return lines.slice(
        0,
        lines.findIndex((line) => !line.startsWith('|')),
      );
    })
    .map((line) => line.split(/ *\| */).slice(1, -1));
}

/** Returns the blocks of code in a language. */
function blocks(document: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text(document).matchAll(fence)].map(([, code = '']) => code);
}

/** Returns the anchors of a document's headings, as GitHub makes them. */
function anchors(document: string, headings = /^#+ (.+)$/gm): string[] {
  return [...prose(document).matchAll(headings)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('the README has at most 150 lines', () => {
  expect(text(README).split('\n').length).toBeLessThanOrEqual(150);
});

describe.each(DOCUMENTS)('in %s', (document) => {
  test('every linked file and heading exists', () => {
    const links = [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = join(path ? join(dirname(document), path) : document);
      if (!existsSync(join(ROOT, target))) return true;
      if (anchor === undefined) return false;
      const page = statSync(join(ROOT, target)).isDirectory() ? join(target, README) : target;
      return !anchors(page).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('the list of contents, if there is one, has each section', () => {
    const listed = [...prose(document).matchAll(/^- \[.+\]\(#(.+)\)$/gm)].map(
      ([, anchor]) => anchor,
    );
    if (listed.length > 0) expect(listed).toEqual(anchors(document, /^## (.+)$/gm));
  });

  test('every file that is named exists', () => {
    const named = codeOf(prose(document)).filter((code) =>
      /^(?:\.?[\w-]+\/)+[\w.-]*\.(?:ts|json|md|xsd|yml)$/.test(code),
    );
    const folders = ['', dirname(document), 'functions'];
    expect(
      named.filter((path) => !folders.some((folder) => existsSync(join(ROOT, folder, path)))),
    ).toEqual([]);
  });

  test('every npm script that is named exists', () => {
    const { scripts } = JSON.parse(text('package.json'));
    const named = [...text(document).matchAll(/npm run (?:--silent )?([\w:-]+)/g)];
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named.map(([, name]) => name)));
  });

  test('every script is run by the Node that npm ci installs, as others do not run TypeScript', () => {
    expect(text(document).match(/(?<!npx )\bnode [\w./-]+\.ts\b/g) ?? []).toEqual([]);
  });

  test('every context in a command is the stage', () => {
    const named = [...text(document).matchAll(/ -c (\w+)=/g)].map(([, name]) => name);
    expect(named.filter((name) => name !== 'stage')).toEqual([]);
  });

  test('every block of shell commands is run by a test, or says why not', () => {
    const unknown = blocks(document, 'sh').filter(
      (block) => !isCurl(block) && !Object.hasOwn(NOT_RUN, firstLine(block)),
    );
    expect(unknown).toEqual([]);
  });

  test('every absolute sentence has its proof', () => {
    const sentences = prose(document)
      .replaceAll(/^\|/gm, '.\n\n|')
      .replaceAll(/\s*\n(?=\S)(?![-#|*\d])/g, ' ')
      .split(/(?<=[.;:])\s|\n/)
      .filter((sentence) => ABSOLUTE.test(sentence));
    expect(
      sentences.filter((sentence) => !Object.keys(PROOFS).some((part) => sentence.includes(part))),
    ).toEqual([]);
  });
});

test('no reason or proof is left over', () => {
  const all = DOCUMENTS.map((document) => text(document)).join('\n');
  const plain = all.replaceAll(/\s+/g, ' ');
  expect(Object.keys(NOT_RUN).filter((line) => !all.includes(line))).toEqual([]);
  expect(Object.keys(PROOFS).filter((part) => !plain.includes(part))).toEqual([]);
  const named = [...Object.values(NOT_RUN), ...Object.values(PROOFS)].join(' ');
  const paths = named.match(/test\/[\w./-]*\w/g) ?? [];
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test.each(globSync('shared/decisions/*.md', { cwd: ROOT }))(
  '%s has a date, and says context, decision, alternatives and consequences',
  (document) => {
    const [, date] = /(\d{4}-\d{2}-\d{2})-[a-z-]+\.md$/.exec(document) ?? [];
    expect(text(document)).toMatch(new RegExp(`^# .+\\n\\n${date}\\n`));
    expect(anchors(document).slice(1)).toEqual([
      'context',
      'decision',
      'alternatives',
      'consequences',
    ]);
  },
);

test('each file that a comment names exists', () => {
  const files = globSync('{infra,functions,shared,test}/**/*.{ts,md}', {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules'),
  });
  const names = new Set(files.map((file) => basename(file)));
  const missing = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      (text(file).match(/^\s*(?:\/\/|\/?\*).*$/gm) ?? [])
        .flatMap((comment) => comment.match(/(?<=`|@see )[\w./-]+\.(?:ts|md)\b/g) ?? [])
        .filter((named) => !names.has(basename(named)))
        .map((named) => `${file}: ${named}`),
    );
  expect(missing).toEqual([]);
});

describe('the tables', () => {
  test('of endpoints are those of the contracts', () => {
    const rows = table(README, 'call').map(([call, , scope]) => [
      ...codeOf(call),
      ...codeOf(scope),
    ]);
    const expected = ENDPOINTS.map(({ method, path, scope }) => [`${method} ${path}`, scope]);
    expect(rows.toSorted()).toEqual(expected.toSorted());
  });

  test('of the API guide contain each endpoint', () => {
    const calls = new Set(table(GUIDE, 'call').flatMap(([call]) => codeOf(call)));
    const missing = ENDPOINTS.map(({ method, path }) => `${method} ${path}`).filter(
      (call) => !calls.has(call),
    );
    expect(missing).toEqual([]);
  });

  test('of functions without a contract are the other folders with a handler', () => {
    const folders = globSync('functions/*/handler.ts', { cwd: ROOT }).map(dirname);
    const others = folders.filter((folder) => !existsSync(join(ROOT, folder, 'contract.ts')));
    const rows = table(ARCHITECTURE, 'function').flatMap(([name]) => codeOf(name));
    expect(rows.toSorted()).toEqual(others.map((folder) => basename(folder)).toSorted());
  });

  test('of filters are those of the code', () => {
    expect(
      table(GUIDE, 'filter').map(([name, parameters]) => [...codeOf(name), codeOf(parameters)]),
    ).toEqual(Object.entries(FILTERS).map(([name, { parameters }]) => [name, parameters]));
  });

  test('of errors have each status that the API or the gateway responds with', () => {
    const [own, gateway] = ['title', 'message'].map((second) =>
      [...text(GUIDE).matchAll(new RegExp(`^\\| status \\| ${second} [^]*?\\n\\n`, 'gm'))]
        .flatMap(([rows]) => [...rows.matchAll(/^\| (\d+) +\| `([^`]+)`/gm)])
        .map(([, status, title]) => [Number(status), title]),
    );
    expect(own).toEqual(problemStatuses().map((status) => [status, STATUS_CODES[status]]));
    expect(gateway?.map(([status]) => status)).toEqual(
      expect.arrayContaining(documentedStatuses('application/json')),
    );
  });

  test('of problem types are those of the code', () => {
    const rows = table(GUIDE, 'type').flatMap(([type]) => codeOf(type));
    expect(rows).toEqual(Object.keys(PROBLEM_TITLES));
  });

  test('of settings are those that the stack reads', () => {
    const rows = table(INFRA, 'setting').flatMap(([names]) => codeOf(names));
    expect(rows).toEqual(SETTING_NAMES);
  });

  test('of capacity have the numbers of the code', () => {
    const rows = table(INFRA, 'limit').map((cells) => cells.join(' '));
    const { api, exportRoute, documentRoute, exportConcurrency, concurrency } = CAPACITY;
    expect(rows[0]).toContain(`${api.rateLimit} requests a second, burst ${api.burstLimit}`);
    expect(rows[1]).toContain(
      `${exportRoute.rateLimit} requests a second, burst ${exportRoute.burstLimit}`,
    );
    expect(rows[2]).toContain(
      `${documentRoute.rateLimit} requests a second, burst ${documentRoute.burstLimit}`,
    );
    const exportRoutes = ENDPOINTS.filter(({ path }) => path.startsWith('/customers/export/'));
    const aDay = (rate: number) => Math.floor((rate * 86_400) / 10_000);
    const given = rows.map((row) => Number(/([\d,]+) \w+ a day/.exec(row)?.[1]?.replace(',', '')));
    expect(Math.abs((given[0] ?? 0) - aDay(api.rateLimit))).toBeLessThan(100);
    expect(
      Math.abs((given[1] ?? 0) - aDay(exportRoutes.length * exportRoute.rateLimit)),
    ).toBeLessThan(10);
    expect(rows[3]).toContain(`${exportConcurrency} reserved executions`);
    expect(rows[3]).toContain(`of ${concurrency.toLocaleString('en')} for all others`);
  });

  test('of limits have the numbers of the code', () => {
    const values = Object.fromEntries(table(GUIDE, 'limit').map(([name, value]) => [name, value]));
    expect(values).toMatchObject({
      'numbers a minute looked up in public registers': String(limits.MAX_LOOK_UPS_PER_MINUTE),
      'slow exports and digests of a merchant that run': String(limits.CONCURRENT_EXPORTS),
      'long exports of a merchant that run': String(limits.CONCURRENT_LONG_EXPORTS),
      'customers sorted by name or customerid': limits.MAX_SORTED_BY_TEXT.toLocaleString('en'),
      'customers sorted by updated': limits.MAX_SORTED_BY_UPDATED.toLocaleString('en'),
      'imports that are listed; known': `${limits.LISTED_IMPORTS}; ${limits.KNOWN_IMPORTS.toLocaleString('en')}, deleted ones included`,
      'parts of a digest; ids of each': `${limits.MAX_DIGEST_PARTS}; ${limits.MAX_DIGEST_PART.toLocaleString('en')}`,
      'ids of an export': limits.MAX_IDS_EXPORTED.toLocaleString('en'),
      'search texts of a filter; characters of each': `${limits.MAX_SEARCH_TEXTS}; ${limits.MAX_SEARCH_LENGTH}`,
      'values of a field that are looked up at once': String(limits.MAX_LOOK_UP_VALUES),
    });
  });

  test('of codes have those of rows, files and interruptions of imports', () => {
    const [ofRows, ofImports] = ['what is wrong with a row', 'what is wrong with an import'].map(
      (heading) =>
        [
          ...text(GUIDE).matchAll(
            new RegExp(`^\\| code +\\| ${heading} +\\|\\n([^]*?)\\n\\n`, 'gm'),
          ),
        ]
          .flatMap(([, rows = '']) => rows.split('\n'))
          .flatMap((row) => codeOf(row.split('|')[1]))
          .toSorted(),
    );
    // The rest has a table of its own, of ambiguous rows.
    const ambiguous = table(GUIDE, '`code` of an ambiguous row').flatMap(([code]) => codeOf(code));
    expect(ambiguous).toHaveLength(4);
    expect([...(ofRows ?? []), ...ambiguous].toSorted()).toEqual(rowFaultCodes().toSorted());
    expect(ofImports).toEqual(Object.keys(english.reasons).toSorted());
  });

  test('of states of imports are those of the code', () => {
    expect(table(GUIDE, 'state of an import').flatMap(([state]) => codeOf(state))).toEqual([
      ...IMPORT_STATES,
    ]);
  });

  test('of test projects are the folders with tests', () => {
    const folders = globSync('test/*/*.test.ts', { cwd: ROOT }).map((path) => path.split('/')[1]);
    const rows = table('test/README.md', 'project').flatMap(([name]) => codeOf(name));
    expect(rows.toSorted()).toEqual([...new Set(folders)].toSorted());
  });

  test('of middlewares have the order of the chain', () => {
    const chain = [...text('shared/http/api.ts').matchAll(/\.use\((\w+)\(/g)].map(
      ([, name]) => name,
    );
    expect(table(ARCHITECTURE, 'middleware').flatMap(([name]) => codeOf(name))).toEqual(chain);
  });

  test('of items and indexes are those of the storage', () => {
    const keys = [
      customerKey('m', 1),
      sequenceKey('m'),
      idempotencyRecordKey('m', 'k'),
      storedChunkKey('m', 'k', 1),
      companyKey('m', '1'),
      lookUpCountKey('m', 1),
      exportJobKey('m', '1'),
      importJobKey('m', '1'),
      importLockKey('m'),
      exportLeasesKey('m'),
      runningExportsKey('m'),
      changeLogEntryKey('m', 0),
      changeLogHeadKey('m'),
      claimKey('m', '1'),
      importRecordKey('m', 'i', 'APPLY', 1),
      importRecordKey('m', 'i', 'CREATE', 1),
      snapshotKey('m'),
      HEARTBEAT_KEY,
      RECORDER_KEY,
    ];
    const rows = table(ARCHITECTURE, 'item').map(([, pk, sk]) => [...codeOf(pk), ...codeOf(sk)]);
    const prefix = (key = '') => key.split('#')[0];
    expect(rows.map((row) => row.map(prefix))).toEqual(
      keys.map(({ pk, sk }) => [pk, sk].map(prefix)),
    );
    expect(
      table(ARCHITECTURE, 'index').map(([name, , sort]) => [...codeOf(name), codeOf(sort)[0]]),
    ).toEqual(
      [CUSTOMER_INDEX, ...Object.values(LOOK_UP_INDEXES)].map(({ name, sortKey }) => [
        name,
        sortKey,
      ]),
    );
  });
});

test.runIf(isLocal)('the example of an error is a real response', async () => {
  const merchant = await newMerchant();
  const { body } = await merchant.call('POST', '/customers', { body: { nmae: 'Ek' } });
  const example = blocks(GUIDE, 'json').find((block) => block.includes('"title"')) ?? '{}';
  expect(JSON.parse(example)).toEqual({ ...body, requestId: expect.any(String) });
});

test.runIf(isLocal).each([
  ['an export', '"bytes"', '/customers/export/csv'],
  ['a digest', '"hash"', '/customers/digest'],
  ['changes', '"change"', '/customers/changes'],
])('the example of %s has the members of a real response', async (_, member, path) => {
  const merchant = await newMerchant();
  const { body } = await merchant.call('GET', path);
  const example = blocks(GUIDE, 'json').find((block) => block.includes(member)) ?? '{}';
  expect(Object.keys(JSON.parse(example))).toEqual(Object.keys(body));
});

const hasCurl = !spawnSync('curl', ['--version']).error;
const WITH_CALLS = DOCUMENTS.filter((document) => blocks(document, 'sh').some(isCurl));

describe.runIf(isLocal && hasCurl).each(WITH_CALLS)('the calls by curl in %s', (document) => {
  const script = blocks(document, 'sh').filter(isCurl).join('');
  const calls = [...script.matchAll(/^(?:type=\S+ )?(?:api|status) .*?(?: +# (.*))?$/gm)];
  let folder: string;
  let responses: string[];

  beforeAll(async () => {
    const samples = sampleCustomers();
    const { merchant } = await newMerchantWith(40, (index) => samples[index] ?? {});
    folder = mkdtempSync(join(tmpdir(), 'documents-'));
    mkdirSync(join(folder, '.local'));
    writeFileSync(
      join(folder, '.local/authorization'),
      `Authorization: Bearer ${merchant.token}\n`,
    );
    const commands = script
      .replace('http://localhost:3000', merchant.url)
      .replace('curl -s', 'curl -s --fail-with-body')
      .replace(/^(status\(\).*); }$/m, '$1 || true; }')
      .replaceAll(/^((?:type=\S+ )?(?:api|status) .*)$/gm, '$1\nprintf "\\0"');
    // The stack runs in this process, which must not wait for curl.
    const { stdout } = await promisify(execFile)('sh', ['-ec', commands], { cwd: folder });
    responses = stdout.split('\0').slice(0, -1);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('respond as it is said beside them', () => {
    expect(responses).toHaveLength(calls.length);
    for (const [index, [call, comment = '']] of calls.entries()) {
      const response = responses[index] as string;
      if (/^\d{3}$/.test(comment)) expect([call, response]).toEqual([call, `${comment}\n`]);
      else if (SAID[comment])
        SAID[comment](response, { folder, before: responses[index - 1] ?? '' });
      else expect.fail(`Nothing is expected of: ${call}`);
    }
  });
});

function firstLine(block: string): string {
  return block.split('\n')[0] as string;
}

/** Whether a block has calls to the API, or defines the functions for them. */
function isCurl(block: string): boolean {
  return /^(?:api|status)(?:\(\)| )|\$\(api /m.test(block);
}

/** Returns the statuses of all problem details: those of the document, and those in the code. */
function problemStatuses(): number[] {
  const sources = globSync(['{shared,functions}/**/*.ts'], { cwd: ROOT }).map(text).join('\n');
  const inCode = [...sources.matchAll(/new Problem\(\s*(\d{3})/g)].map(([, status]) =>
    Number(status),
  );
  return [...new Set([...documentedStatuses('application/problem+json'), ...inCode])].toSorted();
}

/** Returns the statuses of documented errors with a media type. */
function documentedStatuses(mediaType: string): number[] {
  const { paths, components } = JSON.parse(text('shared/openapi.json'));
  const statuses = Object.values<Record<string, { responses: object }>>(paths)
    .flatMap((path) => Object.values(path))
    .flatMap(({ responses }) => Object.entries(responses))
    .map(
      ([status, response]) =>
        [Number(status), '$ref' in response ? components.responses[status] : response] as const,
    )
    .filter(([status, { content = {} }]) => status >= 400 && mediaType in content);
  return [...new Set(statuses.map(([status]) => status))].toSorted();
}
