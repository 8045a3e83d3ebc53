import { createServer } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { start } from '../../infra/local/server.ts';
import {
  monthlyBill,
  NOTHING,
  parseCostOptions,
  priceOf,
  totalOf,
  type Usage,
} from '../bench/bill.ts';
import { CALL_NAMES } from '../bench/calls.ts';
import { longestChain, startCountingProxy } from '../bench/counting-proxy.ts';
import { checkSame, compare, compareRounds, interleave, statsOf } from '../bench/harness.ts';
import { MERCHANTS } from '../bench/merchants.ts';
import { PRICES } from '../bench/prices.ts';
import { createCannedTable } from '../bench/servers/canned-table.ts';
import { toSvg } from '../bench/svg.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('statistics', () => {
  test('median, least and most', () => {
    expect(statsOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9, samples: [9, 1, 5] });
    expect(statsOf([4, 1, 3, 100]).median).toBe(3.5);
    expect(() => statsOf([])).toThrow('no samples');
  });

  const of = { measure: 'm', name: 'n', against: 'a', unit: 'ms' };
  const ours = statsOf([2, 2, 10]);
  const theirs = statsOf([8, 8, 9]);

  test('ratio of medians, and whether it reaches its target', () => {
    const share = compare({
      ...of,
      ours,
      theirs,
      ratioOf: 'ours / theirs',
      target: { atMost: 0.25 },
    });
    expect(share).toMatchObject({ ratio: 0.25, reached: true });
    const times = compare({
      ...of,
      ours,
      theirs,
      ratioOf: 'theirs / ours',
      target: { atLeast: 4.1 },
    });
    expect(times).toMatchObject({ ratio: 4, reached: false });
    expect(compare({ ...of, ours, theirs, ratioOf: 'ours / theirs' }).reached).toBeUndefined();
  });

  test('median ratio of rounds, which a machine that is slow half of the time does not move', () => {
    const slow = statsOf([2, 2, 10]);
    const fast = statsOf([8, 40, 40]);
    const compared = compareRounds({ ...of, ours: slow, theirs: fast, target: { atMost: 0.25 } });
    expect(compared).toMatchObject({ ratio: 0.25, reached: true, ratioOf: 'ours / theirs' });
  });

  test('contenders take turns, another one first in each round; warm-ups do not count', async () => {
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const calls: string[] = [];
    const contender = (name: string) => ({
      name,
      sample: async () => calls.push(name),
    });
    const samples = await interleave(
      [contender('a'), contender('b')],
      { title: 'test', rounds: 2, warmUps: 1, unit: 'calls' },
      (sample) => sample,
    );
    expect(calls.join('')).toBe('abbaab');
    expect(told).toHaveBeenLastCalledWith('test, round 2 of 2: a 5, b 6 calls\n');
    expect(samples).toEqual([
      [4, 5],
      [3, 6],
    ]);
  });

  test('round trips in sequence are the longest chain', () => {
    expect(longestChain([])).toBe(0);
    const parallel = [0, 1, 2].map((from) => ({ from, to: from + 10 }));
    expect(longestChain(parallel)).toBe(1);
    expect(longestChain([...parallel, { from: 10, to: 20 }, { from: 25, to: 26 }])).toBe(3);
  });

  test('a difference between outputs is an error that shows the place', () => {
    expect(() => checkSame('file', 'same', 'same')).not.toThrow();
    expect(() => checkSame('file', 'abc', 'abd')).toThrow(
      'file: the outputs differ at character 2',
    );
  });

  test('the chart has a bar for each target', () => {
    const svg = toSvg([
      compare({ ...of, ours, theirs, ratioOf: 'theirs / ours', target: { atLeast: 8 } }),
      compare({ ...of, ours, theirs, ratioOf: 'ours / theirs' }),
    ]);
    expect(svg.match(/<rect/g)).toHaveLength(1);
    expect(svg).toContain('class="missed"');
  });
});

describe('the canned table', () => {
  const answer = createCannedTable();
  const ask = (operation: string, input: object) => JSON.parse(answer(operation, input).toString());
  const key = (id: number) => `CUSTOMER#${String(id).padStart(16, '0')}`;
  const query = (more: object, from = key(1), to = 'CUSTOMER#~') => ({
    TableName: 'customers',
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': { S: 'MERCHANT#full-1000' },
      ':from': { S: from },
      ':to': { S: to },
    },
    ...more,
  });
  const idsOf = (items: { mexcParamvaluesetsid: { N: string } }[]) =>
    items.map((item) => Number(item.mexcParamvaluesetsid.N));

  test('pages of 1 MB lead through all customers, forwards and backwards', () => {
    for (const ScanIndexForward of [true, false]) {
      const ids: number[] = [];
      let ExclusiveStartKey: object | undefined;
      let pages = 0;
      do {
        const page = ask('Query', query({ ScanIndexForward, ExclusiveStartKey }));
        ids.push(...idsOf(page.Items));
        ExclusiveStartKey = page.LastEvaluatedKey;
        pages += 1;
      } while (ExclusiveStartKey);
      const all = Array.from({ length: 1_000 }, (_, index) => index + 1);
      expect(ids).toEqual(ScanIndexForward ? all : all.reverse());
      expect(pages).toBe(2);
    }
  });

  test('ranges and limits', () => {
    const page = ask('Query', query({ Limit: 2 }, key(299), key(900)));
    expect(idsOf(page.Items)).toEqual([299, 300]);
    expect(page.LastEvaluatedKey).toEqual({ pk: { S: 'MERCHANT#full-1000' }, sk: { S: key(300) } });
    expect(ask('Query', query({ Select: 'COUNT' }, key(5), key(7)))).toEqual({
      Count: 3,
      ScannedCount: 3,
    });
    expect(ask('Query', query({}, key(1_001))).Items).toEqual([]);
  });

  test('A filter leaves out items, and counts those that it has evaluated', () => {
    const filtered = {
      ...query({}, key(1), key(100)),
      FilterExpression: '#k = :kind',
      ExpressionAttributeNames: { '#k': 'k' },
    };
    const values = filtered.ExpressionAttributeValues;
    const countOf = (kind: string) =>
      ask('Query', {
        ...filtered,
        ExpressionAttributeValues: { ...values, ':kind': { S: kind } },
      });
    const [companies, others] = [countOf('c'), countOf('p')];
    expect(companies.Items).toHaveLength(companies.Count);
    expect(companies.Count + others.Count).toBe(100);
    expect([companies.ScannedCount, others.ScannedCount]).toEqual([100, 100]);
    expect(companies.Count).toBeGreaterThan(50);
  });

  test('get gives the item that a query gives', () => {
    const [item] = ask('Query', query({ Limit: 1 }, key(301))).Items;
    const Key = { pk: { S: 'MERCHANT#full-1000' }, sk: { S: key(301) } };
    const got = ask('GetItem', { Key }).Item;
    expect(got).toEqual(item);
    expect(ask('GetItem', { Key: { ...Key, sk: { S: key(1_001) } } })).toEqual({});
  });

  test('fails on what it does not know', () => {
    expect(() => ask('Scan', {})).toThrow('not support Scan');
    expect(() => ask('Query', query({ FilterExpression: 'a = :b' }))).toThrow('FilterExpression');
    expect(() => ask('Query', query({}, key(1), '~'))).toThrow('more than customers');
  });
});

describe('the counting proxy', () => {
  test('throttles the partition of a merchant that has given its units, and no other', async () => {
    const consumed = JSON.stringify({ ConsumedCapacity: { CapacityUnits: 50_000 } });
    const server = createServer((_, response) => response.end(consumed));
    const dynamodb = await start(server, 0);
    const proxy = await startCountingProxy(dynamodb.endpoint, {
      limits: { readUnits: 600, writeUnits: 500 },
    });
    const statusOf = async (operation: string, merchant: string) => {
      const headers = { 'x-amz-target': `DynamoDB_20120810.${operation}` };
      const body = JSON.stringify({ Item: { pk: { S: `MERCHANT#${merchant}` } } });
      return (await fetch(proxy.endpoint, { method: 'POST', headers, body })).status;
    };
    try {
      expect(await statusOf('PutItem', 'a')).toBe(200);
      expect(await statusOf('PutItem', 'a')).toBe(400);
      expect(await statusOf('PutItem', 'b')).toBe(200);
      expect(await statusOf('GetItem', 'a')).toBe(200);
      expect(proxy.throttled()).toBe(1);
      expect(proxy.take()).toMatchObject({ units: 50_000, writeUnits: 100_000, requests: 3 });
    } finally {
      await proxy.close();
      await dynamodb.close();
    }
  });
});

describe('the bill', () => {
  const prices = PRICES['us-east-1'];

  test('prices each thing that calls use', () => {
    const million = 1_000_000;
    const usage: Usage = {
      readUnits: million,
      writeUnits: million,
      lambdaGbSeconds: million,
      lambdaCalls: million,
      durableOperations: million,
      gatewayCalls: million,
      puts: million,
      gets: million,
      logBytes: 1e9,
      sentBytes: 1e9,
    };
    const bill = priceOf(usage, prices);
    expect(bill).toMatchObject({
      'API Gateway': 1,
      'DynamoDB reads': 0.125,
      'DynamoDB writes': 0.625,
      'DynamoDB storage and backup': 0,
      S3: 5.4,
      Logs: 0.5,
      'Data transfer': 0.09,
    });
    expect(bill.Lambda).toBeCloseTo(13.3334 + 0.2 + 8);
    expect(totalOf(bill)).toBeCloseTo(1 + 0.125 + 0.625 + 5.4 + 0.5 + 0.09 + bill.Lambda);
    expect(totalOf(priceOf(NOTHING, prices))).toBe(0);
  });

  test('of a month adds the calls, and the storage of the customers', () => {
    const merchant = { customers: 1_000_000, calls: { get: 2_000_000, create: 1_000_000 } };
    const bill = monthlyBill(
      merchant,
      (name) => (name === 'get' ? { ...NOTHING, readUnits: 1 } : { ...NOTHING, writeUnits: 5 }),
      prices,
    );
    expect(bill['DynamoDB reads']).toBeCloseTo(0.25);
    expect(bill['DynamoDB writes']).toBeCloseTo(5 * 0.625);
    // 1.5 kB of each customer, in the table and in its backup.
    expect(bill['DynamoDB storage and backup']).toBeCloseTo(1.5 * (0.25 + 0.2));
    expect(bill.Logs).toBe(0);
  });

  test('is of three merchants, unless the arguments give another', () => {
    expect(MERCHANTS.map(({ customers }) => customers)).toEqual([50, 10_000, 1_000_000]);
    expect(parseCostOptions([])).toEqual({ region: 'us-east-1' });
    expect(parseCostOptions(['--region', 'eu-north-1', '--customers', '20000'])).toEqual({
      region: 'eu-north-1',
      merchant: { customers: 20_000, calls: MERCHANTS[1]?.calls },
    });
    expect(parseCostOptions(['--customers', '7', '--calls', 'get=9000,search=400'])).toEqual({
      region: 'us-east-1',
      merchant: { customers: 7, calls: { get: 9_000, search: 400 } },
    });
  });

  test('names all faults of its arguments at once', () => {
    expect(() => parseCostOptions(['--region', 'mars', '--calls', 'serach=1,get,fly=2'])).toThrow(
      [
        '--region must be one of us-east-1, eu-west-1, eu-north-1; got `mars`.',
        '--calls needs --customers, the number of customers of that merchant.',
        '--calls: `serach` is not a call; did you mean `search`?',
        '--calls: write `get=<calls in a month>`.',
        `--calls: \`fly\` is not a call of ${CALL_NAMES.join(', ')}.`,
      ].join('\n'),
    );
    expect(() => parseCostOptions(['--customers', '-1'])).toThrow();
    expect(() => parseCostOptions(['--customers', '0'])).toThrow('integer from 1');
  });
});
