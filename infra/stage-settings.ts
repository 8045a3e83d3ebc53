import * as v from 'valibot';
import { COUNTRIES } from '../shared/domain/identity-number.ts';
import { CHANGES_DAYS, COMPANY_CACHE_DAYS } from '../shared/domain/limits.ts';
import { suggestion } from '../shared/http/validation.ts';
import { CAPACITY } from './capacity.ts';

const text = (pattern: RegExp, meaning: string) =>
  v.pipe(v.string(`must be ${meaning}`), v.regex(pattern, `must be ${meaning}`));
const integer = (min: number, max: number) => {
  const message = `must be an integer from ${min} to ${max}`;
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
};
const flag = v.boolean('must be true or false');
const address = text(/^https:\/\/[^\s?#]+[^\s?#/]$/, 'an https address without a slash at its end');
const claim = text(/^[\w:/.-]{1,128}$/, 'the name of a flat token claim');

/** Schema of an object that has no other entries than these. */
function strict<const E extends v.ObjectEntries>(entries: E) {
  return v.strictObject(entries, (issue) => {
    const key = String(issue.path?.at(-1)?.key);
    if (issue.expected !== 'never') return issue.path ? 'is missing' : 'must be an object';
    const names = Object.keys(entries);
    return `is not a setting; ${suggestion(key, names) ?? `known are ${names.join(', ')}`}`;
  });
}

const hostName = text(
  /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/,
  'a host name in lower case',
);
/** A host name, its certificate and its DNS. */
const host = {
  name: hostName,
  /** ARN of a certificate in ACM; the stack creates one in the hosted zone if it is not given. */
  certificateArn: v.optional(
    text(
      /^arn:aws[\w-]*:acm:[\w-]+:\d{12}:certificate\/[\w-]+$/,
      'the ARN of a certificate in ACM',
    ),
  ),
  /** Hosted zone of Route 53 that gets the records; they are written by hand if it is not given. */
  hostedZone: v.optional(
    strict({ id: text(/^Z[A-Z0-9]{1,31}$/, 'the id of a hosted zone'), name: hostName }),
  ),
};

/** Schema of a stage's settings. */
export const STAGE_SCHEMA = strict({
  /**
   * AWS account and region. Without them, those of the credentials.
   * @default - required for `prod`
   */
  env: v.optional(
    strict({
      account: text(/^\d{12}$/, 'the 12 digits of an AWS account, as a string'),
      region: text(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'an AWS region, such as eu-north-1'),
    }),
  ),
  /**
   * Where accepted tokens come from: an issuer of your own and the `aud` or `client_id` of its
   * tokens, or a Cognito user pool in the stack.
   * @default - `{ kind: 'cognito' }`; required for `prod`
   */
  identity: v.optional(
    v.variant(
      'kind',
      [
        strict({
          kind: v.literal('issuer'),
          issuer: text(/^https:\/\/\S+$/, "the https address in the tokens' iss claim"),
          audience: v.pipe(
            v.array(
              text(/^[^\s,]+$/, "the tokens' aud or client_id"),
              'must be a list of texts: the tokens’ aud or client_id',
            ),
            v.minLength(1, 'must have an element'),
          ),
        }),
        strict({ kind: v.literal('cognito') }),
      ],
      "must have the kind 'issuer' or 'cognito'",
    ),
  ),
  /**
   * Address that alarms are sent to, after its owner has confirmed the subscription. The stack
   * creates the topic.
   * @default - this or `alarmTopicArn` is required for `prod`
   */
  alarmEmail: v.optional(text(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address')),
  /** ARN of an SNS topic that alarms notify, in the stack's region. */
  alarmTopicArn: v.optional(
    text(/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}$/, 'the ARN of an SNS topic'),
  ),
  /** Lambda's quota of concurrent executions in the account and region. */
  concurrencyQuota: v.optional(integer(1, 1_000_000), CAPACITY.concurrency),
  /**
   * Reserved concurrent executions of each function that writes files. Lambda keeps 100 of the
   * account's quota unreserved, which a new account may not have.
   */
  reserveExports: v.optional(integer(0, 10_000), 0),
  /** Names of flat token claims, if not the defaults. */
  claims: v.optional(
    strict({
      /** @default 'merchant_id' */
      merchant: v.optional(claim),
      /** @default 'mm3servicesid' */
      service: v.optional(claim),
      /** @default 'mexcModulesid' */
      module: v.optional(claim),
    }),
    {},
  ),
  /**
   * Public company registers that the deployment queries, and their addresses, such as those of
   * Bolagsverket's test system.
   */
  registers: v.optional(
    strict({
      /** Countries whose register is queried. */
      countries: v.optional(
        v.pipe(
          v.array(
            v.picklist(COUNTRIES, `must be one of ${COUNTRIES.join(', ')}`),
            `must be a list of ${COUNTRIES.join(', ')}`,
          ),
          v.readonly(),
        ),
        [],
      ),
      /** Days for which a register's entry is cached. */
      cacheDays: v.optional(integer(1, 999), COMPANY_CACHE_DAYS),
      bolagsverket: v.optional(address, 'https://gw.api.bolagsverket.se/vardefulla-datamangder/v1'),
      bolagsverketTokens: v.optional(address, 'https://portal.api.bolagsverket.se/oauth2/token'),
      /**
       * Name of the secret with `clientId` and `clientSecret`.
       * @default 'customer-register/<stage>/bolagsverket'
       */
      bolagsverketSecret: v.optional(text(/^[\w/+=.@-]{1,200}$/, "a secret's name")),
      brreg: v.optional(address, 'https://data.brreg.no/enhetsregisteret/api'),
      prh: v.optional(address, 'https://avoindata.prh.fi/opendata-ytj-api/v3'),
    }),
    {},
  ),
  /**
   * Table to use instead of the stack's own, such as one restored from a backup, with the ARN of its
   * stream. The stack then has no table; production retains the one that it had.
   */
  table: v.optional(
    strict({
      name: text(/^[\w.-]{3,255}$/, 'the name of a DynamoDB table'),
      streamArn: text(
        /^arn:aws[\w-]*:dynamodb:[\w-]+:\d{12}:table\/[\w.-]{3,255}\/stream\/[\w:.-]+$/,
        "the ARN of the table's stream, of keys only",
      ),
    }),
  ),
  /** Days for which changes can be read. */
  changesDays: v.optional(integer(1, 3_650), CHANGES_DAYS),
  /**
   * Generation of the change logs. Raise it after a restore, or if the stream was not processed for a
   * day: clients that follow changes then load all customers again.
   */
  changesEpoch: v.optional(integer(0, 1_000_000), 0),
  /** Whether functions that change customers are stopped: their reserved concurrency is 0. */
  closed: v.optional(flag, false),
  /**
   * Origins whose pages may call the API and fetch export files (CORS), such as
   * `https://portal.example.com`.
   */
  browserOrigins: v.optional(
    v.pipe(
      v.array(
        text(
          /^(?:https:\/\/[a-z0-9.-]+|http:\/\/(?:localhost|127\.0\.0\.1))(?::\d{1,5})?$/,
          'an origin in lower case: https://, a host and no path; http:// for localhost',
        ),
        'must be a list of origins',
      ),
      v.readonly(),
    ),
    [],
  ),
  /** The API's own host name; its default address is then disabled. */
  domain: v.optional(strict(host)),
  /**
   * CloudFront with AWS WAF in front of the API, under a name of its own. It needs `env` and
   * `domain`, which is where CloudFront reaches the API: who knows that name passes by the limits.
   */
  edge: v.optional(
    strict({
      ...host,
      /** Requests of one address in a minute, beyond which it gets 429. */
      requestsPerMinute: v.optional(integer(10, 2_000_000_000), 6_000),
    }),
  ),
  /** Whether the deployment has the page at `/app`, by which persons import and export customers. */
  page: v.optional(flag, false),
  /** Whether functions send traces to AWS X-Ray. */
  tracing: v.optional(flag, false),
  /** The least level of the functions' log lines. They log failures as `WARN` and `ERROR`. */
  logLevel: v.optional(
    v.picklist(
      ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'],
      'must be TRACE, DEBUG, INFO, WARN or ERROR',
    ),
    'INFO',
  ),
});

/** The settings of a stage, as `infra/stages.ts` has them. */
export type StageSettings = v.InferInput<typeof STAGE_SCHEMA>;
/** The settings of a stage with defaults. */
export type ParsedSettings = v.InferOutput<typeof STAGE_SCHEMA>;

/** A host name with its certificate or its hosted zone. */
export type NamedHost = NonNullable<ParsedSettings['domain']>;
export type EdgeSettings = NonNullable<ParsedSettings['edge']>;

/** Names of the settings of a stage. */
export const SETTING_NAMES = Object.keys(STAGE_SCHEMA.entries);
