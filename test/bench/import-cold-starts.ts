import type { ColdStart } from './child/caller.ts';
import { type Comparison, interleave } from './harness.ts';
import { type ImportStack, type Status, startImports } from './importing.ts';
import type { Bench } from './measure.ts';
import { coldStart } from './processes.ts';

const MERCHANT = '1001';
const ROWS = 10;

/** A call of a new process. */
interface Case {
  /** Name of the function. */
  readonly name: string;
  /** What makes the import of the call; by default it is planned. */
  readonly before?: 'nothing' | 'apply';
  /** Whether it calls S3. */
  readonly hasFiles?: boolean;
}

/** Functions of imports; planning a file that was uploaded does what `create-import` does with its body. */
const CASES: readonly Case[] = [
  { name: 'get-import' },
  { name: 'list-imports' },
  { name: 'create-import', before: 'nothing', hasFiles: true },
  { name: 'list-import-rows', hasFiles: true },
  { name: 'get-rejected-rows', hasFiles: true },
  { name: 'apply-import', hasFiles: true },
  { name: 'undo-import', before: 'apply', hasFiles: true },
  { name: 'delete-import', hasFiles: true },
];

/**
 * Measures the cold starts of imports of ten rows, which have no counterpart the usual way, against bare
 * clients that read an item, or read an item and write and read a file.
 *
 * @param compareStarts compares the samples.
 */
export async function measureImportStarts(
  { bundles, quick }: Bench,
  compareStarts: (name: string, ours: ColdStart[], bare: ColdStart[]) => Comparison[],
): Promise<Comparison[]> {
  const stack = await startImports(bundles);
  const start = (module: string, event: object) =>
    coldStart({ caller: bundles.caller, module, environment: stack.environment }, event);
  try {
    const planned = await planFile(stack);
    const comparisons: Comparison[] = [];
    for (const { name, before, hasFiles = false } of CASES) {
      const module = await bundles.ours(name);
      const bare = await bundles.bare(hasFiles ? 'get-object' : 'get-item');
      const [ours = [], theirs = []] = await interleave(
        [
          {
            name: 'ours',
            sample: async () => {
              if (before === 'nothing') return start(module, creation());
              const { importId, plan } = await planFile(stack);
              const call = callOf(importId, plan);
              if (before === 'apply') await stack.respond('apply-import', call);
              const started = await start(module, stack.eventOf(name, call));
              const { statusCode, body } = started.response;
              if (statusCode >= 300) throw new Error(`${name} returned ${statusCode} ${body}`);
              return started;
            },
          },
          {
            name: 'bare',
            sample: () => start(bare, stack.eventOf('get-import', callOf(planned.importId))),
          },
        ],
        { title: `cold ${name}`, rounds: quick ? 3 : 15, unit: 'ms' },
        ({ totalMs }) => totalMs,
      );
      comparisons.push(...compareStarts(name, ours, theirs));
    }
    return comparisons;
  } finally {
    await stack.stop();
  }

  function creation(): object {
    const rows = Array.from({ length: ROWS }, (_, row) => `K${row},Ek ${row} AB\n`);
    const body = `customerid,name\n${rows.join('')}`;
    const event = stack.eventOf('create-import', { merchant: MERCHANT, query: 'match=customerid' });
    const headers = { ...event.headers, 'content-type': 'text/csv' };
    return { ...event, body, headers: { ...headers, 'content-length': String(body.length) } };
  }

  /** Returns an import whose file is planned. */
  async function planFile({ load }: ImportStack): Promise<Status> {
    const { response } = await (await load('create-import')).call({ event: creation() });
    if (response.statusCode >= 300) throw new Error(response.body);
    return JSON.parse(response.body);
  }

  function callOf(importId: string, plan = '') {
    return {
      merchant: MERCHANT,
      pathParameters: { importId },
      headers: { 'if-match': `"${plan}"` },
    };
  }
}
