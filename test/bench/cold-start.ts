import type { ColdStart } from './child/caller.ts';
import { customerOf } from './customers.ts';
import { environmentOf } from './environment.ts';
import { type Call, eventOf } from './events.ts';
import {
  type Comparison,
  checkSame,
  compare,
  compareRounds,
  interleave,
  statsOf,
} from './harness.ts';
import { measureImportStarts } from './import-cold-starts.ts';
import type { Bench, Measure } from './measure.ts';
import { coldStart, startServer } from './processes.ts';
import { cannedMerchant } from './servers/canned-table.ts';

const MERCHANT = cannedMerchant('typical', 20);
const AGAINST_BARE = { atMost: 0.9 };
const AGAINST_USUAL = { atMost: 0.45 };
const AGAINST_EARLIER = { atMost: 1.02 };

/** The call of one function, and its counterpart in `usual/`. */
interface Case {
  readonly call: Omit<Call, 'merchant'>;
  readonly usual: string;
  readonly exports?: true;
}

const ONE = { mexcParamvaluesetsid: '3' };
/** Functions that have a counterpart. */
const CASES: Readonly<Record<string, Case>> = {
  'get-customer': { call: { pathParameters: ONE }, usual: 'get' },
  'list-customers': { call: { query: 'limit=10' }, usual: 'list' },
  'count-customers': { call: {}, usual: 'count' },
  'search-by-org-number': {
    call: { pathParameters: { orgNum: numberOfCompany() } },
    usual: 'look-up',
  },
  'create-customer': { call: { body: customerOf('typical', 1).fields }, usual: 'create' },
  'update-customer': {
    call: { pathParameters: ONE, body: { name: 'Ek AB', fax: '' } },
    usual: 'update',
  },
  'delete-customer': { call: { pathParameters: ONE }, usual: 'delete' },
  'delete-customers': { call: { body: [4, 5, 6] }, usual: 'delete-many' },
  'export-customers-csv': { call: {}, usual: 'export-csv', exports: true },
  'export-customers-xml': { call: {}, usual: 'export-xml-fast-xml-parser', exports: true },
  'export-customers-xlsx': { call: {}, usual: 'export-xlsx', exports: true },
  'export-customers-jsonl': { call: {}, usual: 'export-jsonl', exports: true },
  'export-customers-by-id-csv': { call: { body: [1, 2, 3] }, usual: 'export-csv', exports: true },
  'export-customers-by-id-xml': {
    call: { body: [1, 2, 3] },
    usual: 'export-xml-fast-xml-parser',
    exports: true,
  },
  'export-customers-by-id-xlsx': { call: { body: [1, 2, 3] }, usual: 'export-xlsx', exports: true },
  'export-customers-by-id-jsonl': {
    call: { body: [1, 2, 3] },
    usual: 'export-jsonl',
    exports: true,
  },
};

/**
 * Measures the cold start of every function, in milliseconds: import of the bundle and first call,
 * each in a new process. With commits it compares with their functions instead, except those of imports.
 */
export const measureColdStarts: Measure = async (bench) => {
  const dynamodb = await startServer('canned-dynamodb');
  const s3 = await startServer('s3-sink');
  const environment = environmentOf({ dynamodb: dynamodb.endpoint, s3: s3.endpoint });
  try {
    const comparisons: Comparison[] = [];
    for (const name of Object.keys(CASES)) {
      const compared = bench.commits.length > 0 ? compareWithEarlier : compareStarts;
      comparisons.push(...(await compared(name, bench, environment)));
    }
    // Imports write: they cannot take turns with those of another commit.
    if (bench.commits.length > 0) return comparisons;
    const ofImport = (name: string, ours: ColdStart[], bare: ColdStart[]) =>
      pairOf(name, ours)('bare SDK', bare);
    comparisons.push(...(await measureImportStarts(bench, ofImport)));
    return comparisons;
  } finally {
    dynamodb.stop();
    s3.stop();
  }
};

async function compareStarts(
  name: string,
  { bundles, quick }: Bench,
  environment: Record<string, string>,
): Promise<Comparison[]> {
  const { call, usual, exports } = CASES[name] as Case;
  const event = eventOf(name, { merchant: MERCHANT, ...call });
  const get = eventOf('get-customer', { merchant: MERCHANT, pathParameters: ONE });
  const contender = (who: string, module: string, sent: object) => ({
    name: who,
    sample: () => coldStart({ caller: bundles.caller, module, environment }, sent),
  });
  const contenders = [
    contender('ours', await bundles.ours(name), event),
    contender('usual', await bundles.usual(usual), event),
    // The bare client has no S3: functions that use it have nothing to compare with.
    ...(exports ? [] : [contender('bare', await bundles.bare('get-item'), get)]),
  ];
  const [ours = [], theirs = [], bare = []] = await interleave(
    contenders,
    { title: `cold ${name}`, rounds: quick ? 3 : 15, unit: 'ms' },
    ({ totalMs }) => totalMs,
  );
  for (const [index, start] of ours.entries()) {
    checkSame(
      `${name}, first response`,
      comparableBody(start),
      comparableBody(theirs[index] as ColdStart),
    );
  }
  const pair = pairOf(name, ours);
  return [
    ...(exports ? [] : pair('bare SDK', bare, AGAINST_BARE)),
    ...pair('usual way', theirs, AGAINST_USUAL),
  ];
}

/** Returns a function that compares cold starts, and their parts, with those of another contender. */
function pairOf(name: string, ours: ColdStart[]) {
  return (against: string, samples: ColdStart[], target?: { atMost: number }): Comparison[] => {
    const part = (key: keyof Omit<ColdStart, 'response'>, what: string) =>
      compare({
        measure: 'cold',
        name: `${name}${what}`,
        against,
        unit: 'ms',
        ours: statsOf(ours.map((start) => start[key])),
        theirs: statsOf(samples.map((start) => start[key])),
        ratioOf: 'ours / theirs',
        ...(target && key === 'totalMs' && { target }),
      });
    return [
      part('totalMs', ''),
      part('importMs', ', import'),
      part('firstCallMs', ', first call'),
      part('cpuMs', ', processor time'),
    ];
  };
}

/** Compares a function with those of earlier commits that have it. */
async function compareWithEarlier(
  name: string,
  { bundles, quick, commits }: Bench,
  environment: Record<string, string>,
): Promise<Comparison[]> {
  const event = eventOf(name, { merchant: MERCHANT, ...CASES[name]?.call });
  const modules = new Map([['ours', await bundles.ours(name)]]);
  for (const commit of commits) {
    const module = await bundles.earlier(commit, name);
    if (module) modules.set(commit, module);
  }
  if (modules.size === 1) return [];
  const contenders = [...modules].map(([who, module]) => ({
    name: who,
    sample: () => coldStart({ caller: bundles.caller, module, environment }, event),
  }));
  const [ours = [], ...earlier] = await interleave(
    contenders,
    { title: `cold ${name}`, rounds: quick ? 10 : 60, unit: 'ms' },
    ({ totalMs }) => totalMs,
  );
  for (const start of [...ours, ...earlier.flat()]) comparableBody(start);
  return earlier.flatMap((samples, index) =>
    (['totalMs', 'cpuMs'] as const).map((key) =>
      compareRounds({
        measure: 'cold',
        name: key === 'cpuMs' ? `${name}, processor time` : name,
        against: contenders[index + 1]?.name ?? '',
        unit: 'ms',
        ours: statsOf(ours.map((start) => start[key])),
        theirs: statsOf(samples.map((start) => start[key])),
        target: AGAINST_EARLIER,
      }),
    ),
  );
}

/**
 * Returns the response without the parts that differ each time: URL, name and expiry of a file; and
 * without the size of a file, since workbooks are packed in other ways, and the token of changes.
 */
function comparableBody({ response: { statusCode, body } }: ColdStart): string {
  const parsed = JSON.parse(body);
  if (statusCode !== 200) throw new Error(`A first call returned ${statusCode} ${body}`);
  if (parsed.url) parsed.url = parsed.expires = parsed.filename = parsed.bytes = '';
  delete parsed.changesFrom;
  return JSON.stringify(parsed);
}

/** Returns the identity number of one of the companies. */
function numberOfCompany(): string {
  for (let id = 1; ; id += 1) {
    const { companyno = '', vatregno = '', name } = customerOf('typical', id).fields;
    if (name?.endsWith(' AB') && vatregno.includes(companyno.replace('-', ''))) return companyno;
  }
}
