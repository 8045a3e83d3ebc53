import {
  dynamodbError,
  type Fault,
  type Faults,
  type Passing,
  s3Error,
  unprocessed,
} from './fault-proxy.ts';
import type { Random } from './random.ts';

/** Faults in front of both servers, until they are ended. */
export interface RandomFaults {
  readonly dynamodb: Faults;
  readonly s3: Faults;
  end(): void;
  /** Resolves when DynamoDB has responded to all writes that are on their way now, such as late ones. */
  settle(): Promise<void>;
  /** How many requests passed, and how many of them had a fault. */
  readonly passed: { requests: number; faults: number };
  /**
   * Keys in the bucket that may be left over: S3 executed a request whose response was lost, or did
   * not receive the abort of an upload.
   */
  readonly loose: ReadonlySet<string>;
}

/** Share of requests that have a fault. */
const SHARE = 0.08;
/** Share of SDK calls of which every attempt has the same fault. */
const DOOMED = 0.04;

const LOST: readonly Fault[] = ['lose the answer', 'cut the answer'];
const DYNAMODB_FAULTS: readonly Fault[] = [
  'hang up',
  ...LOST,
  dynamodbError(500, 'InternalServerError'),
  dynamodbError(400, 'ProvisionedThroughputExceededException'),
  { status: 503, body: '<html>Service Unavailable</html>' },
];
const S3_FAULTS: readonly Fault[] = [
  'hang up',
  ...LOST,
  s3Error(503, 'SlowDown'),
  s3Error(500, 'InternalError'),
];
/** Response to a conditional write that lost a race; the table itself is unchanged. */
const REFUSED = dynamodbError(400, 'ConditionalCheckFailedException');

/** Response to a transaction that conflicts with another one. */
const CONFLICT: Fault = {
  status: 400,
  body: JSON.stringify({
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    message: 'Transaction cancelled',
    CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
  }),
};

/** Share of writes that arrive after the SDK has timed out, at 4 seconds, and retried. */
const LATE = 0.01;
const LATE_MS = 5_000;
const WRITES = ['TransactWriteItems', 'PutItem', 'UpdateItem', 'DeleteItem'];

/** Returns faults that are chosen at random. */
export function randomFaults(random: Random): RandomFaults {
  const passed = { requests: 0, faults: 0 };
  const loose = new Set<string>();
  /** The fault that all attempts of an invocation have, if any. */
  const fates = new Map<string, Fault | undefined>();
  const writes = new Set<Promise<void>>();
  let isOver = false;

  function choose(invocation: string, faults: readonly Fault[]): Fault | undefined {
    // A file that is sent by a presigned URL is no call of the SDK.
    if (!fates.has(invocation) && invocation !== 'undefined') {
      fates.set(invocation, random.chance(DOOMED) ? random.pick(faults) : undefined);
    }
    const fate = fates.get(invocation);
    if (fate) return fate;
    if (random.chance(SHARE)) return random.pick(faults);
    return random.chance(SHARE) ? { delayMs: random.below(20) } : undefined;
  }

  function count(fault: Fault | undefined): Fault | undefined {
    passed.requests += 1;
    if (fault) passed.faults += 1;
    return fault;
  }

  return {
    passed,
    loose,
    end: () => {
      isOver = true;
    },
    settle: async () => {
      await Promise.all(writes);
    },
    dynamodb: ({ operation, body, invocation, done }) => {
      const isWrite = WRITES.includes(operation);
      if (isWrite) {
        writes.add(done);
        done.then(() => writes.delete(done));
      }
      if (isOver) return undefined;
      if (isWrite && random.chance(LATE)) return count({ delayMs: LATE_MS });
      const fault = choose(invocation, DYNAMODB_FAULTS);
      if (fault) return count(fault);
      if (operation === 'BatchGetItem' && random.chance(0.2)) {
        return count({ rewrite: (text) => unprocessed(text, random.pick([0, 1, 50])) });
      }
      const isChange = operation === 'PutItem' && body.includes('"version = :version"');
      if (isChange && random.chance(0.05)) return count(REFUSED);
      const isCreate = operation === 'TransactWriteItems';
      return count(isCreate && random.chance(0.05) ? CONFLICT : undefined);
    },
    s3: (passing) => {
      const request = s3Request(passing);
      // Downloads by the test itself have no faults.
      if (isOver || request.kind === 'read') return undefined;
      const fault = choose(passing.invocation, S3_FAULTS);
      if (fault && isLoose(request.kind, fault)) loose.add(request.key);
      return count(fault);
    },
  };
}

function s3Request({ operation }: Passing): { kind: Kind; key: string } {
  const [method = '', target = ''] = operation.split(' ');
  const { pathname, searchParams } = new URL(target, 'http://s3');
  const key = decodeURIComponent(pathname).split('/').slice(2).join('/');
  return { kind: kindOf(method, searchParams), key };
}

/** What a request to S3 does with a file. */
type Kind = 'read' | 'abort' | 'begin' | 'part' | 'finish';

function kindOf(method: string, query: URLSearchParams): Kind {
  if (method === 'GET' || method === 'HEAD') return 'read';
  if (method === 'DELETE') return 'abort';
  if (query.has('uploads')) return 'begin';
  return query.has('partNumber') ? 'part' : 'finish';
}

function isLoose(kind: Kind, fault: Fault): boolean {
  if (kind === 'abort') return !(typeof fault === 'object' && 'delayMs' in fault);
  return kind !== 'part' && LOST.includes(fault);
}
