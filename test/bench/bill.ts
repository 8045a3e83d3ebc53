import { parseArgs } from 'node:util';
import { suggestion } from '../../shared/http/validation.ts';
import { CALL_NAMES, type CallName } from './calls.ts';
import { MERCHANTS, type Merchant } from './merchants.ts';
import { type Prices, REGIONS, type Region } from './prices.ts';

/** What calls use of what is paid for. */
export interface Usage {
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly lambdaGbSeconds: number;
  readonly lambdaCalls: number;
  readonly durableOperations: number;
  readonly gatewayCalls: number;
  /** Requests to S3 that write or list, and those that read. */
  readonly puts: number;
  readonly gets: number;
  readonly logBytes: number;
  /** Bytes of responses and of files that are downloaded. */
  readonly sentBytes: number;
}

/** No use of anything. */
export const NOTHING: Usage = {
  readUnits: 0,
  writeUnits: 0,
  lambdaGbSeconds: 0,
  lambdaCalls: 0,
  durableOperations: 0,
  gatewayCalls: 0,
  puts: 0,
  gets: 0,
  logBytes: 0,
  sentBytes: 0,
};

/** Dollars by the lines of a bill. */
export interface Bill {
  readonly 'API Gateway': number;
  readonly Lambda: number;
  readonly 'DynamoDB reads': number;
  readonly 'DynamoDB writes': number;
  readonly 'DynamoDB storage and backup': number;
  readonly S3: number;
  readonly Logs: number;
  readonly 'Data transfer': number;
}

export const BILL_LINES: readonly (keyof Bill)[] = [
  'API Gateway',
  'Lambda',
  'DynamoDB reads',
  'DynamoDB writes',
  'DynamoDB storage and backup',
  'S3',
  'Logs',
  'Data transfer',
];

const GB = 1e9;
/** Bytes of a customer in the table and both indexes: assumed, 1 kB, its index entries and overhead. */
const STORED_BYTES = 1_500;

/** Returns what usage costs, besides storage. */
export function priceOf(usage: Usage, prices: Prices): Bill {
  return {
    'API Gateway': usage.gatewayCalls * prices.gatewayCall,
    Lambda:
      usage.lambdaGbSeconds * prices.lambdaGbSecond +
      usage.lambdaCalls * prices.lambdaCall +
      usage.durableOperations * prices.durableOperation,
    'DynamoDB reads': usage.readUnits * prices.readUnit,
    'DynamoDB writes': usage.writeUnits * prices.writeUnit,
    'DynamoDB storage and backup': 0,
    S3: usage.puts * prices.s3Put + usage.gets * prices.s3Get,
    Logs: (usage.logBytes / GB) * prices.logGb,
    'Data transfer': (usage.sentBytes / GB) * prices.transferGb,
  };
}

/** Returns the monthly bill of a merchant. @param usageOf usage of one call of its. */
export function monthlyBill(
  { customers, calls }: Merchant,
  usageOf: (name: CallName) => Usage,
  prices: Prices,
): Bill {
  const storedGb = (customers * STORED_BYTES) / GB;
  const bills = Object.entries(calls).map(([name, count]) => {
    const bill = priceOf(usageOf(name as CallName), prices);
    return mapBill((line) => bill[line] * count);
  });
  return mapBill(
    (line) =>
      bills.reduce((sum, bill) => sum + bill[line], 0) +
      (line === 'DynamoDB storage and backup' ? storedGb * (prices.storedGb + prices.backupGb) : 0),
  );
}

/** Returns the sum of a bill, or of some of its lines. */
export function totalOf(bill: Bill, lines: readonly (keyof Bill)[] = BILL_LINES): number {
  return lines.reduce((sum, line) => sum + bill[line], 0);
}

function mapBill(dollars: (line: keyof Bill) => number): Bill {
  return Object.fromEntries(BILL_LINES.map((line) => [line, dollars(line)])) as unknown as Bill;
}

/** What is asked of the command. */
export interface CostOptions {
  readonly region: Region;
  /** A merchant of one's own in place of the assumed ones. */
  readonly merchant?: Merchant;
}

/**
 * Reads the arguments of `npm run bench:cost`.
 *
 * @throws Error that lists all faults.
 */
export function parseCostOptions(args: readonly string[]): CostOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      region: { type: 'string', default: 'us-east-1' },
      customers: { type: 'string' },
      calls: { type: 'string' },
    },
  });
  const faults: string[] = [];
  const { region, customers, calls } = values;
  if (!REGIONS.includes(region as Region)) {
    faults.push(`--region must be one of ${REGIONS.join(', ')}; got \`${region}\`.`);
  }
  if (customers !== undefined && !/^[1-9]\d{0,8}$/.test(customers)) {
    faults.push(`--customers must be an integer from 1 to 999999999; got \`${customers}\`.`);
  }
  if (calls !== undefined && customers === undefined) {
    faults.push('--calls needs --customers, the number of customers of that merchant.');
  }
  const counts = (calls?.split(',') ?? []).map((call) => {
    const [, name = '', count = ''] = /^([^=]*)(?:=(\d{1,12}))?$/.exec(call) ?? ['', call];
    const known = CALL_NAMES.includes(name as CallName);
    const similar = known ? undefined : suggestion(name, CALL_NAMES);
    if (!known) {
      const hint = similar ? `; ${similar}` : ` of ${CALL_NAMES.join(', ')}.`;
      faults.push(`--calls: \`${name}\` is not a call${hint}`);
    } else if (count === '') faults.push(`--calls: write \`${name}=<calls in a month>\`.`);
    return [name, Number(count)] as const;
  });
  if (faults.length > 0) throw new Error(faults.join('\n'));
  if (customers === undefined) return { region: region as Region };
  const merchant = {
    customers: Number(customers),
    calls: calls === undefined ? nearest(Number(customers)).calls : Object.fromEntries(counts),
  };
  return { region: region as Region, merchant };
}

/** Returns the assumed merchant whose number of customers is nearest, by its magnitude. */
function nearest(customers: number): Merchant {
  const distance = (merchant: Merchant) => Math.abs(Math.log(merchant.customers / customers));
  return MERCHANTS.toSorted((a, b) => distance(a) - distance(b))[0] as Merchant;
}
