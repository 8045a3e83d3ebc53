import fc from 'fast-check';
import { FILTERS, type FilterName } from '../../shared/domain/customer-filter.ts';
import { anyCharacter } from './any-character.ts';
import {
  BAD_TOKENS,
  BROKEN_JSON,
  HEADERS,
  HOSTILE_TEXTS,
  KEYS,
  NO_HTTP,
  NUMBERS,
  NUMBERS_OF_A_KIND,
  ODD_PATHS,
  ODD_QUERIES,
} from './fuzz-values.ts';
import { at, document, errorsBy } from './openapi-document.ts';
import type { RawRequest } from './raw-http.ts';

/** The caller: the merchant, the merchant with a read-only token, or a stranger. */
export type Caller = 'owner' | 'reader' | 'stranger';

/** A generated request, and whether it is valid by construction. */
export interface FuzzRequest extends RawRequest {
  readonly caller: Caller;
  /** Whether the whole request is valid by the document. */
  readonly isValid: boolean;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly not?: { readonly pattern: string };
  readonly format?: string;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  /** False for a list in one comma-separated value. */
  readonly explode?: boolean;
  readonly schema: Schema;
}

/** An operation of the document. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** JSON pointer of the schema of its body. */
  readonly body?: string;
  /** Media types of its body. */
  readonly types?: readonly string[];
}

/** Every operation of the document. */
export const OPERATIONS: readonly Operation[] = Object.entries<Record<string, object>>(
  document.paths,
).flatMap(([path, operations]) =>
  Object.keys(operations).map((method): Operation => {
    const operation = ['paths', path, method] as const;
    const { value: parameters = [] } = at(...operation, 'parameters');
    const body = at(...operation, 'requestBody', 'content', 'application/json', 'schema');
    const content = at(...operation, 'requestBody', 'content').value ?? {};
    // A body that is a file has no schema to make it from.
    const types = Object.keys(content).filter((type) => content[type].schema);
    return {
      method: method.toUpperCase(),
      path,
      parameters,
      ...(body.value && { body: body.pointer, types }),
    };
  }),
);

// The parts of a request before it is assembled; mutations change them.

type Pair = readonly [string, string];

interface Draft {
  readonly method: string;
  /** Raw: percent-encoded. */
  readonly path: string;
  /** Raw parts that ampersands join. */
  readonly query: readonly string[];
  readonly headers: readonly Pair[];
  /** Raw JSON: members of an object, elements of an array, or one text. */
  readonly json?:
    | { readonly members: readonly Pair[] }
    | { readonly elements: readonly string[] }
    | undefined;
  /** In place of `json`. */
  readonly body?: Buffer | undefined;
  readonly caller: Caller;
  readonly isValid: boolean;
}

type Mutation = (draft: Draft) => Draft;

const hostileTexts = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: anyCharacter, maxLength: 20 }),
  fc.string({ unit: fc.integer({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
);

const nested = (open: string, close: string, depth: number) =>
  `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Raw JSON that a schema is unlikely to allow. */
const hostileJson = fc.oneof(
  hostileTexts.map((text) => JSON.stringify(text)),
  fc.constantFrom(
    ...['1e309', '-1e309', '-0', '0', '0.99999999999999999999', '1e-400', '1E2', '1.0', '-1'],
    ...['9007199254740991', '9007199254740993', '123456789012345678901234567890', '1.5'],
    ...['null', 'true', 'false', '""', '[]', '{}', '[null]', '[[]]', '{"":""}', '["1"]'],
    ...['"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\uFFFF"', '"\\/"', '"\\u005f_proto__"'],
    ...['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}'],
    ...['{"toString":1,"valueOf":1}', '{"toJSON":1}', '{"length":1e9}', '{"then":1}'],
    nested('[', ']', 2_000),
    nested('{"a":', '}', 2_000),
    nested('[', ']', 50_000),
  ),
  fc.json({ maxDepth: 3 }),
);

/** Header values, a byte each; HTTP trims white space at their ends. */
const headerTexts = fc
  .oneof(
    fc.constantFrom(...['', ',', ';', '"', '*', '\xe5', '\xff\xfe', 'a\tb', '__proto__', '%00']),
    fc.string({
      unit: fc
        .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }))
        .map((byte) => String.fromCharCode(byte)),
      maxLength: 30,
    }),
  )
  .map((text) => text.trim());

// Values that a schema allows.

function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  const { $ref, type, anyOf, oneOf, minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
  if ($ref) return valuesOf(at(...$ref.slice(2).split('/')).value);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const alternatives = anyOf ?? oneOf;
  if (alternatives) return fc.oneof(...alternatives.map(valuesOf));
  if (type === 'integer') {
    const near = fc.integer({ min: minimum, max: Math.min(maximum, minimum + 5) });
    return fc.oneof(
      { weight: 4, arbitrary: near },
      { weight: 1, arbitrary: fc.integer({ min: minimum, max: maximum }) },
    );
  }
  if (type === 'string') return textsOf(schema);
  if (type === 'array') {
    const { items = {}, minItems = 0, maxItems = 10_000, uniqueItems } = schema;
    const length = { minLength: minItems, maxLength: Math.min(12, maxItems) };
    return uniqueItems
      ? fc.uniqueArray(valuesOf(items), length)
      : fc.array(valuesOf(items), length);
  }
  if (type === 'object') {
    const { properties = {}, required = [] } = schema;
    const members = new Map(Object.entries(properties).map(([name, of]) => [name, valuesOf(of)]));
    // Few at a time: all of sixty members would take most of the time.
    const maxLength = Math.min(8, members.size);
    return fc.subarray([...members.keys()], { maxLength }).chain((chosen) => {
      const names = [...new Set([...required, ...chosen])];
      return fc.record(
        Object.fromEntries(names.map((name) => [name, members.get(name) as fc.Arbitrary<unknown>])),
      );
    });
  }
  return fc.jsonValue({ maxDepth: 2 });
}

function textsOf(schema: Schema): fc.Arbitrary<string> {
  const { pattern, not, format, minLength = 0, maxLength = pattern ? 100 : 40 } = schema;
  const regExp = pattern ? new RegExp(pattern, 'u') : /^/;
  const excluded = not && new RegExp(not.pattern, 'u');
  const fits = (text: string) =>
    text.isWellFormed() &&
    regExp.test(text) &&
    !excluded?.test(text) &&
    [...text].length >= minLength &&
    [...text].length <= maxLength;
  if (format === 'uuid') return fc.oneof(fc.uuid(), fc.mixedCase(fc.uuid())).filter(fits);
  // Nearly any text matches a pattern that excludes characters; few match others.
  const isLoose = fits('a') && fits('å 1');
  const made = isLoose
    ? fc.string({ unit: anyCharacter, minLength, maxLength: Math.min(maxLength, 20) })
    : fc.stringMatching(regExp);
  const known = HOSTILE_TEXTS.filter(fits);
  return fc.oneof(made, ...(known.length > 0 ? [fc.constantFrom(...known)] : [])).filter(fits);
}

// Valid requests.

const daysAndInstants = fc
  .tuple(
    fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    fc.constantFrom('', '', 'Z', '+02:00', '-05:30'),
  )
  .map(([date, offset]) =>
    offset ? date.toISOString().replace('Z', offset) : date.toISOString().slice(0, 10),
  );

/** Values of parameters whose schema says less than their description. */
const OF_NAMES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  from: daysAndInstants,
  to: daysAndInstants,
  timezone: fc.constantFrom('UTC', 'Europe/Stockholm', 'Pacific/Kiritimati'),
};

function validDrafts(operation: Operation): fc.Arbitrary<Draft> {
  const { method, path, parameters, body, types = [] } = operation;
  const values = Object.fromEntries(
    parameters.map(({ name, schema, in: where }) => [
      name,
      OF_NAMES[name] ??
        (where === 'header'
          ? fc.oneof(valuesOf(schema), fc.constantFrom('*', '"1"')).filter(isHeaderValue)
          : name === 'orgNum'
            ? fc.oneof(fc.constantFrom(...NUMBERS), valuesOf(schema))
            : valuesOf(schema)),
    ]),
  );
  // Options of an import are parameters if the body is a file, and otherwise members of the body.
  const isImport = method === 'POST' && path === '/customers/imports';
  const queryNames = parameters
    .filter((p) => p.in === 'query' && !isImport)
    .map(({ name }) => name);
  const headerNames = parameters.filter((p) => p.in === 'header').map(({ name }) => name);
  const accept = path.includes('/export/')
    ? ['application/json', '*/*', 'text/csv, application/xml, */*;q=0.1']
    : ['application/json', '*/*', 'application/*;q=0.5, text/html'];
  return fc
    .record({
      values: fc.record(values),
      query: fc.subarray(queryNames),
      headers: fc.subarray(headerNames),
      more: fc.record(
        {
          Accept: fc.constantFrom(...accept),
          'Accept-Encoding': fc.constantFrom('gzip', 'identity', 'gzip, br'),
        },
        { requiredKeys: [] },
      ),
      type: fc.constantFrom('application/json; charset=utf-8', 'application/json', ...types),
      body: body ? valuesOf(at(...keysOf(body)).value) : fc.constant(undefined),
    })
    .map(({ values, query, headers, more, type, body }): Draft => {
      const chosen = coherent(
        Object.fromEntries(query.map((name) => [name, values[name]])),
        values,
      );
      return {
        method,
        path: path.replace(/\{(.*)\}/, (_, name) => encodeURIComponent(String(values[name]))),
        query: Object.entries(chosen).flatMap(([name, value]) => queryParts(name, value)),
        headers: [
          ...headers.map((name): Pair => [name, String(values[name])]),
          ...Object.entries(more),
          ...(body === undefined ? [] : [['Content-Type', type] as const]),
        ],
        json: body === undefined ? undefined : inPieces(withId(body, values)),
        caller: 'owner',
        isValid: true,
      };
    });
}

/** Returns the keys in a pointer of {@link at}. */
function keysOf(pointer: string): string[] {
  const unescaped = (key: string) => key.replaceAll('~1', '/').replaceAll('~0', '~');
  return pointer
    .slice(1)
    .split('/')
    .map((key) => unescaped(decodeURIComponent(key)));
}

const isHeaderValue = (value: unknown) => {
  const text = String(value);
  return /^[\x20-\x7e\x80-\xff]*$/.test(text) && text === text.trim();
};

/** Parameters of filters are sent with their filters; cursors and tokens come from responses only. */
function coherent(query: Record<string, unknown>, values: Readonly<Record<string, unknown>>) {
  const { cursor: _, after: __, ...chosen } = query;
  const filters = [chosen.filter ?? []].flat().map((name) => String(name).replace('!', ''));
  for (const { parameters } of Object.values(FILTERS)) {
    for (const parameter of parameters) delete chosen[parameter];
  }
  for (const name of filters) {
    for (const parameter of parametersOf(name)) {
      const value = values[parameter];
      chosen[parameter] = Array.isArray(value) && value.length === 0 ? ['a'] : value;
    }
  }
  if (chosen.from && chosen.to) {
    [chosen.from, chosen.to] = [chosen.from, chosen.to].map(String).toSorted();
  }
  return chosen;
}

function queryParts(name: string, value: unknown): string[] {
  if (name === 'filter') return [`filter=${(value as string[]).map(encodeURIComponent).join(',')}`];
  return [value].flat().map((one) => `${name}=${encodeURIComponent(String(one))}`);
}

/** A change that contains an id contains that of its path. */
function withId(body: unknown, { mexcParamvaluesetsid }: Readonly<Record<string, unknown>>) {
  if (mexcParamvaluesetsid === undefined || !Object.hasOwn(body as object, 'mexcParamvaluesetsid'))
    return body;
  return { ...(body as object), mexcParamvaluesetsid };
}

function inPieces(body: unknown): NonNullable<Draft['json']> {
  const json = (value: unknown) => JSON.stringify(value);
  if (Array.isArray(body)) return { elements: body.map(json) };
  return {
    members: Object.entries(body as object).map(([key, value]) => [json(key), json(value)]),
  };
}

function bodyOf({ json, body }: Draft): Buffer | undefined {
  if (body || !json) return body;
  return Buffer.from(
    'members' in json
      ? `{${json.members.map(([key, value]) => `${key}:${value}`).join(',')}}`
      : `[${json.elements.join(',')}]`,
  );
}

// Mutations of valid requests.

const encodedText = hostileTexts.map((text) => encodeURIComponent(text.toWellFormed()));

const jsonMutations: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...KEYS).map((key) => JSON.stringify(key)),
      hostileTexts.map((key) => JSON.stringify(key)),
      fc.constantFrom('"name"', '"notes"', '"mexcParamvaluesetsid"', '"date"', '"companyno"'),
    ),
    hostileJson,
    fc.nat(8),
    fc.boolean(),
  )
  .map(([key, value, index, replace]) => ({ json, ...draft }) => {
    if (!json) return { ...draft, json };
    if ('members' in json) {
      const member: Pair =
        replace && json.members[index] ? [json.members[index][0], value] : [key, value];
      return { ...draft, json: { members: [...json.members, member] } };
    }
    return { ...draft, json: { elements: json.elements.toSpliced(index, replace ? 1 : 0, value) } };
  });

const bodyMutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.oneof(hostileJson, fc.constantFrom(...BROKEN_JSON)).map(
    (text): Mutation =>
      (draft) => ({
        ...draft,
        body: Buffer.from(text),
      }),
  ),
  fc
    .tuple(fc.nat(), fc.constantFrom('', '"', ',', '\\', '\0', '}', '\xff', '\xc3', '\xed\xa0\x80'))
    .map(
      ([position, bytes]): Mutation =>
        (draft) => {
          const body = bodyOf(draft) ?? Buffer.alloc(0);
          const cut = position % (body.length + 1);
          const rest = bytes ? body.subarray(cut) : Buffer.alloc(0);
          return {
            ...draft,
            body: Buffer.concat([body.subarray(0, cut), Buffer.from(bytes, 'latin1'), rest]),
          };
        },
    ),
  fc.constantFrom<Mutation>(
    (draft) => ({ ...draft, body: Buffer.from((bodyOf(draft) ?? '').toString(), 'utf16le') }),
    (draft) => ({ ...draft, body: Buffer.from(`\ufeff${bodyOf(draft) ?? ''}`) }),
    (draft) => ({ ...draft, body: Buffer.from(`\n\t ${bodyOf(draft) ?? ''}\r\n`) }),
    (draft) => ({ ...draft, body: Buffer.from((bodyOf(draft) ?? '').toString(), 'latin1') }),
    (draft) => ({ ...draft, body: undefined, json: undefined }),
  ),
);

/** Rare, since it is slow. */
const hugeBodies: fc.Arbitrary<Mutation> = fc
  .constantFrom(
    ...[' '.repeat(1_100_000), `{"notes":"${'x'.repeat(1_048_600)}"}`, `[${'1,'.repeat(10_001)}1]`],
    ...[`[${'"1",'.repeat(60_000)}"x"]`, `{${'"a":1,'.repeat(20_000)}"b":1}`, '['.repeat(300_000)],
  )
  .map((text) => (draft) => ({ ...draft, body: Buffer.from(text) }));

const queryMutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constantFrom(...ODD_QUERIES).map(
    (part): Mutation =>
      (draft) => ({
        ...draft,
        query: [...draft.query, part],
      }),
  ),
  fc.tuple(fc.constantFrom(...KEYS), encodedText).map(
    ([name, text]): Mutation =>
      (draft) => ({ ...draft, query: [...draft.query, `${name}=${text}`] }),
  ),
  fc.tuple(encodedText, encodedText).map(
    ([name, text]): Mutation =>
      (draft) => ({
        ...draft,
        query: [...draft.query, `${name}=${text}`],
      }),
  ),
  fc.tuple(fc.nat(6), fc.option(encodedText)).map(
    ([index, text]): Mutation =>
      (draft) => {
        const part = draft.query[index];
        if (part === undefined) return draft;
        // Repeated, or with another value.
        if (text === null) return { ...draft, query: [...draft.query, part] };
        return {
          ...draft,
          query: draft.query.with(
            index,
            part.replace(/=.*/s, () => `=${text}`),
          ),
        };
      },
  ),
  fc.nat(6).map(
    (index): Mutation =>
      (draft) => ({
        ...draft,
        query: draft.query.toSpliced(index, 1),
      }),
  ),
);

const pathMutations: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom(...ODD_PATHS).map(
      (path): Mutation =>
        (draft) => ({ ...draft, path }),
    ),
  },
  {
    weight: 3,
    arbitrary: encodedText.map(
      (text): Mutation =>
        (draft) => ({
          ...draft,
          path: draft.path.replace(/[^/]*$/, () => text),
        }),
    ),
  },
  {
    weight: 1,
    arbitrary: encodedText.map(
      (text): Mutation =>
        (draft) => ({ ...draft, path: `${draft.path}/${text}` }),
    ),
  },
);

const headerMutations: fc.Arbitrary<Mutation> = fc
  .constantFrom(...Object.keys(HEADERS))
  .chain((name) => {
    const known = HEADERS[name] ?? [];
    const values =
      known.length > 0 ? fc.oneof(fc.constantFrom(...known), headerTexts) : headerTexts;
    return fc.tuple(values, fc.boolean()).map(
      ([value, add]): Mutation =>
        (draft) => {
          const others = draft.headers.filter(
            ([key]) => add || key.toLowerCase() !== name.toLowerCase(),
          );
          return { ...draft, headers: [...others, [name, value]] };
        },
    );
  });

const methodMutations: fc.Arbitrary<Mutation> = fc
  .constantFrom(
    ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND'],
  )
  .map((method) => (draft) => ({ ...draft, method }));

const callerMutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constant<Mutation>((draft) => ({ ...draft, caller: 'reader' })),
  fc.constantFrom(...BAD_TOKENS).map(
    (token): Mutation =>
      (draft) => ({
        ...draft,
        caller: 'stranger',
        headers: [...draft.headers, ['Authorization', token]],
      }),
  ),
  fc.constant<Mutation>((draft) => ({ ...draft, caller: 'stranger' })),
);

const mutations = fc.oneof(
  { weight: 6, arbitrary: jsonMutations },
  { weight: 4, arbitrary: bodyMutations },
  { weight: 6, arbitrary: queryMutations },
  { weight: 4, arbitrary: pathMutations },
  { weight: 6, arbitrary: headerMutations },
  { weight: 1, arbitrary: methodMutations },
  { weight: 1, arbitrary: callerMutations },
);

const noHttp = fc.constantFrom(...NO_HTTP).map(
  (text): FuzzRequest => ({
    method: '',
    target: '',
    headers: [],
    bytes: Buffer.from(text, 'latin1'),
    caller: 'stranger',
    isValid: false,
  }),
);

function finished(draft: Draft): FuzzRequest {
  const { method, path, query, headers, caller, isValid } = draft;
  const target = [path || '/', ...(query.length > 0 ? [query.join('&')] : [])].join('?');
  return { method, target, headers, body: bodyOf(draft), caller, isValid };
}

const DRAFTS = OPERATIONS.map(validDrafts);
/** A HEAD is checked by the code of its GET, and so gets fewer requests. */
const valid = fc.oneof(
  ...DRAFTS.map((arbitrary, operation) => ({
    weight: OPERATIONS[operation]?.method === 'HEAD' ? 1 : 4,
    arbitrary,
  })),
);

/** Parameters by operation, with a filter that takes them where one must be there. */
const QUERY_PARAMETERS = OPERATIONS.flatMap(({ method, parameters }, operation) =>
  parameters
    .filter((parameter) => parameter.in === 'query' && method !== 'HEAD')
    .map(({ name }) => {
      const [taker] =
        Object.entries(FILTERS).find(([filter]) => parametersOf(filter).includes(name)) ?? [];
      return { name, draft: DRAFTS[operation] as fc.Arbitrary<Draft>, taker };
    }),
);

/** A request with one invalid parameter; each parameter has its turn. */
const oneParameter: fc.Arbitrary<Draft> = fc
  .tuple(
    fc.constantFrom(...QUERY_PARAMETERS),
    fc.oneof(encodedText, fc.constantFrom(...KEYS), fc.constantFrom(...NUMBERS_OF_A_KIND)),
  )
  .chain(([{ name, draft, taker }, text]) =>
    draft.map((begun) => {
      const others = begun.query.filter((part) => !part.startsWith(`${name}=`));
      const query = taker ? [`filter=${taker}`] : others;
      return { ...begun, isValid: false, query: [...query, `${name}=${text}`] };
    }),
  );

const changed = (most: number) =>
  fc
    .tuple(
      valid,
      fc.array(mutations, { minLength: 1, maxLength: most }),
      fc.oneof(
        { weight: 100, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: hugeBodies },
      ),
    )
    .map(([draft, changes, huge]) => {
      const begun: Draft = { ...draft, isValid: false };
      const done = changes.reduce((result, change) => change(result), begun);
      return huge && !done.method.match(/GET|HEAD|TRACE/) ? huge(done) : done;
    });

/** Requests of every kind: valid, nearly valid, hostile, and not HTTP. */
export const fuzzRequests: fc.Arbitrary<FuzzRequest> = fc.oneof(
  { weight: 30, arbitrary: valid.map(finished) },
  { weight: 25, arbitrary: oneParameter.map(finished) },
  { weight: 25, arbitrary: changed(1).map(finished) },
  { weight: 18, arbitrary: changed(5).map(finished) },
  { weight: 2, arbitrary: noHttp },
);

/** Whether a parameter is valid by its schema, from the text of its value or the texts of its list. */
export function fitsParameter(
  { method, path, parameters }: Operation,
  index: number,
  given: string | readonly string[],
): boolean {
  const { schema } = parameters[index] as Parameter;
  const isDigits = typeof given === 'string' && /^\d+$/.test(given);
  const value = schema.type === 'integer' && isDigits ? Number(given) : given;
  const where = ['paths', path, method.toLowerCase(), 'parameters', index, 'schema'] as const;
  return errorsBy(at(...where).pointer, value).length === 0;
}

/** Returns the names of a filter's parameters; empty if there is no such filter. */
function parametersOf(filter: string): readonly string[] {
  return Object.hasOwn(FILTERS, filter) ? FILTERS[filter as FilterName].parameters : [];
}
