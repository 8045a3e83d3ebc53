import { FIELDS } from '../../shared/domain/fields.ts';
import { environmentOf } from './environment.ts';
import { eventOf } from './events.ts';
import { type Comparison, checkSame, compare, interleave, statsOf } from './harness.ts';
import type { Bench, Measure } from './measure.ts';
import { startContender, startServer } from './processes.ts';
import { cannedMerchant } from './servers/canned-table.ts';

const MERCHANT = cannedMerchant('typical', 100_000);
/** Values of fields that an item does not have. */
const UNSET: Readonly<Record<string, unknown>> = Object.fromEntries(
  FIELDS.map(({ name, unset }) => [name, unset]),
);

/** One endpoint, and its counterpart in `bare/`. */
interface Case {
  readonly name: string;
  readonly function: string;
  readonly bare: string;
  readonly call: { readonly query?: string; readonly pathParameters?: Record<string, string> };
  readonly callsPerRound: number;
  readonly target: { readonly atMost: number };
}

const CASES: readonly Case[] = [
  {
    name: 'get',
    function: 'get-customer',
    bare: 'get-document',
    call: { pathParameters: { mexcParamvaluesetsid: '4711' } },
    callsPerRound: 2_000,
    target: { atMost: 1.3 },
  },
  {
    name: 'list of 100',
    function: 'list-customers',
    bare: 'list-documents',
    call: { query: 'limit=100' },
    callsPerRound: 200,
    target: { atMost: 1 },
  },
];

/** Measures warm calls, in milliseconds, against the same call of the document client alone. */
export const measureWarmCalls: Measure = async (bench) => {
  const server = await startServer('canned-dynamodb');
  try {
    const comparisons: Comparison[] = [];
    for (const each of CASES) comparisons.push(await compareCalls(each, bench, server.endpoint));
    return comparisons;
  } finally {
    server.stop();
  }
};

async function compareCalls(
  { name, bare, call, callsPerRound, target, ...rest }: Case,
  { bundles, quick }: Bench,
  dynamodb: string,
): Promise<Comparison> {
  const environment = environmentOf({ dynamodb });
  const event = eventOf(rest.function, { merchant: MERCHANT, ...call });
  const start = async (module: string) =>
    startContender({ caller: bundles.caller, module, environment });
  const ours = await start(await bundles.ours(rest.function));
  const theirs = await start(await bundles.bare(bare));
  try {
    checkFields(
      name,
      (await ours.call({ event })).response.body,
      (await theirs.call({ event })).response.body,
    );
    const times = quick ? callsPerRound / 4 : callsPerRound;
    const contender = (who: string, process: typeof ours) => ({
      name: who,
      sample: async () => {
        const { ms, response } = await process.call({ event, times });
        if (response.statusCode !== 200) throw new Error(`${name} returned ${response.body}`);
        return ms / times;
      },
    });
    const [own = [], others = []] = await interleave(
      [contender('ours', ours), contender('bare', theirs)],
      { title: `warm ${name}`, rounds: quick ? 5 : 15, warmUps: 3, unit: 'ms' },
      (ms) => ms,
    );
    return compare({
      measure: 'warm',
      name,
      against: 'bare document client',
      unit: 'ms',
      ours: statsOf(own),
      theirs: statsOf(others),
      ratioOf: 'ours / theirs',
      target,
    });
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
  }
}

/**
 * Checks that both return the same customers. The bare call returns stored items, so that the bytes
 * differ: each of our fields must equal the item's attribute, or be unset if it has none.
 */
function checkFields(name: string, ours: string, theirs: string): void {
  const [own, items] = [JSON.parse(ours), JSON.parse(theirs)].map((body) =>
    Array.isArray(body) ? body : [body],
  ) as [Record<string, unknown>[], Record<string, unknown>[]];
  const expected = own.map((customer, index) =>
    Object.fromEntries(
      Object.keys(customer).map((field) => [field, items[index]?.[field] ?? UNSET[field]]),
    ),
  );
  checkSame(`warm ${name}`, own, expected);
}
