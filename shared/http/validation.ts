import type { MiddlewareObj } from '@middy/core';
import * as v from 'valibot';
import type { HttpEvent } from './event.ts';
import { FileBody, MERGE_PATCH_TYPE, parseMediaType } from './media-type.ts';
import { badRequest, type Fault, MAX_FAULTS } from './problem-details.ts';

/**
 * A parameter of a path, query or header.
 *
 * Its schema is made only for requests that send the parameter: to make all schemas of the list at
 * start costs 2 to 3 % of its cold start (`shared/decisions/`).
 */
export interface Parameter<T = unknown> {
  /** Whether one value, repeated values or comma-separated values reach the schema. */
  readonly style: 'single' | 'repeated' | 'comma-separated';
  // biome-ignore lint/suspicious/noExplicitAny: a text or a list of texts, by the style
  readonly schema: () => v.GenericSchema<any, T>;
  /** Value of a request that does not send the parameter. */
  readonly default?: T;
}

/** Parameters by name. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** What a request may contain. */
export interface RequestSchemas {
  readonly path?: Parameters;
  readonly query?: Parameters;
  readonly headers?: Parameters;
  /** Returns the schema of the JSON body; a request without one has its body ignored. */
  readonly body?: () => v.GenericSchema;
  /** Returns the schema of an array as body, if the endpoint takes one in place of an object. */
  readonly batch?: () => v.GenericSchema;
  /** Returns the schema of the body as a merge patch (RFC 7396), if the endpoint takes one. */
  readonly mergePatch?: () => v.GenericSchema;
  /** Media types of files that the endpoint takes in place of JSON; the handler gets a `FileBody`. */
  readonly files?: readonly string[];
  /** Whether the body may be left out, which its schema then gets as undefined. */
  readonly isBodyOptional?: boolean;
  /** Checks that concern several parts of a request. */
  readonly rules?: readonly Rule[];
}

/** Returns the faults of a request whose parts may be valid each. */
// biome-ignore lint/suspicious/noExplicitAny: a rule knows the parameters it is about
type Rule = (values: any, sent: SentNames) => readonly Fault[];

/** Names of the query parameters that a request sends, whether their values are valid or not. */
export type SentNames = ReadonlySet<string>;

type Output<P> = P extends Parameter<infer T> ? T : never;
type Defaulted<P> = {
  [K in keyof P]: P[K] extends { readonly default: unknown } ? K : never;
}[keyof P];

/** Values of path parameters, which are always there. */
type PathValues<P> = { readonly [K in keyof P]: Output<P[K]> };
/** Values of other parameters: those without default may be missing. */
export type ParameterValues<P> = { readonly [K in Defaulted<P>]: Output<P[K]> } & {
  readonly [K in Exclude<keyof P, Defaulted<P>>]?: Output<P[K]>;
};

/** The parsed members of an event. */
export interface ParsedRequest<R extends RequestSchemas> {
  readonly pathParameters: PathValues<R['path']>;
  readonly queryStringParameters: ParameterValues<R['query']>;
  readonly body:
    | Body<R['body']>
    | (R['batch'] extends () => v.GenericSchema ? Body<R['batch']> : never)
    | (R['files'] extends readonly string[] ? FileBody : never);
}

type Body<S> = S extends () => v.GenericSchema ? v.InferOutput<ReturnType<S>> : undefined;

/** Returns a parameter that may be sent once. */
export function single<T>(schema: () => v.GenericSchema<string, T>): Parameter<T>;
/** Returns a parameter that may be sent once, with the value that applies if it is not. */
export function single<const T>(
  schema: () => v.GenericSchema<string, T>,
  defaultValue: T,
): Parameter<T> & { readonly default: T };
export function single<T>(schema: () => v.GenericSchema<string, T>, defaultValue?: T) {
  const parameter: Parameter<T> = { style: 'single', schema };
  return defaultValue === undefined ? parameter : { ...parameter, default: defaultValue };
}

/** Returns a parameter that may be repeated, each time with one value. */
export function repeated<T>(schema: () => v.GenericSchema<string[], T>): Parameter<T> {
  return { style: 'repeated', schema };
}

/** Returns a parameter that has several values, separated by commas or repeated. */
export function commaSeparated<T>(schema: () => v.GenericSchema<string[], T>): Parameter<T> {
  return { style: 'comma-separated', schema };
}

/** Returns the schema of an integer in digits. */
export function integer(min: number, max: number) {
  const message = instead(`must be an integer from ${min} to ${max}`);
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, message),
    v.transform(Number),
    v.number(),
    v.integer(),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

/**
 * Returns a check in code, with the keywords by which the OpenAPI document expresses it.
 *
 * @param message says what would be right.
 */
export function checked<T>(
  requirement: (value: T) => boolean,
  message: v.ErrorMessage<v.CheckIssue<T>>,
  jsonSchema: Readonly<Record<string, unknown>>,
) {
  return { ...v.check(requirement, message), jsonSchema };
}

/**
 * Checks the elements of a list before its schema does, and stops once {@link MAX_FAULTS} are wrong:
 * valibot would check all, and collect an issue of each.
 *
 * @param isTooLong says why the list is not looked at, if it is not.
 */
export function elementsCheck<T>(
  element: v.GenericSchema,
  isTooLong: (length: number) => string | undefined = () => undefined,
) {
  return v.rawCheck<T[]>(({ dataset: { value: list }, addIssue }) => {
    if (!Array.isArray(list)) return;
    const tooLong = isTooLong(list.length);
    if (tooLong) return addIssue({ message: tooLong });
    let found = 0;
    for (const [key, value] of list.entries()) {
      const [issue] = v.safeParse(element, value, { abortEarly: true }).issues ?? [];
      if (!issue) continue;
      found += 1;
      if (found === MAX_FAULTS) {
        return addIssue({ message: `has more than ${MAX_FAULTS - 1} elements that are not valid` });
      }
      const path = [{ type: 'array', origin: 'value', input: list, key, value }] as const;
      addIssue({ message: issue.message, path: [...path] });
    }
  });
}

/**
 * Parses each element of a list, and stops at {@link MAX_FAULTS}: schemas of arrays would collect the
 * issues of all elements.
 */
export function eachElement<T>(element: v.GenericSchema<unknown, T>) {
  return v.rawTransform<unknown[], T[]>(({ dataset: { value: list }, addIssue, NEVER }) => {
    const parsed: T[] = [];
    let found = 0;
    for (const [key, value] of list.entries()) {
      const { success, output, issues = [] } = v.safeParse(element, value);
      if (success) parsed.push(output);
      for (const { message, path = [] } of issues) {
        found += 1;
        if (found === MAX_FAULTS) {
          addIssue({ message: `has more errors than these ${MAX_FAULTS - 1}` });
          return NEVER;
        }
        const ofElement = { type: 'array', origin: 'value', input: list, key, value } as const;
        addIssue({ message, path: [ofElement, ...path] });
      }
    }
    return parsed;
  });
}

/** Returns the schema of a text that is one of a few. */
export function oneOf<const T extends readonly string[]>(options: T) {
  return v.picklist(options, instead(`must be ${anyOf(options)}`));
}

/** Returns names as a choice: `a, b or c`. */
export function anyOf(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

/** Returns a message that says what would be right, and what was sent in its place. */
export function instead(right: string) {
  return ({ received }: { readonly received: string }) => {
    // valibot puts texts into double quotes, as they are.
    const sent = cut(received.replace(/^"(.*)"$/s, '$1'), MAX_SENT).replaceAll(/\p{Cc}/gu, ' ');
    return sent === '' ? `${right}; got an empty text` : `${right}; got \`${sent}\``;
  };
}

/** Maximum UTF-16 code units of a value that a fault repeats. */
const MAX_SENT = 50;

/**
 * Middleware that validates a request and replaces `event.pathParameters`,
 * `event.queryStringParameters` and `event.body` by the parsed values. Responds 400 that lists all
 * faults of the request. Unknown query parameters are faults, so that a misspelt one is noticed.
 *
 * The event has the types that it has from then on.
 */
export function validation<R extends RequestSchemas>(
  request: R,
): MiddlewareObj<HttpEvent & ParsedRequest<R>> {
  const bodySchema = request.body && once(request.body);
  const batchSchema = request.batch && once(request.batch);
  const mergePatchSchema = request.mergePatch && once(request.mergePatch);
  return {
    before: ({ event }) => {
      const faults: Fault[] = [];
      const report = (fault: Fault) => {
        if (faults.length < MAX_FAULTS) faults.push(fault);
      };
      const { path = {}, query = {}, headers = {}, rules = [] } = request;
      const sent = queryValues(event.rawQueryString);
      const parameterFault = (parameter: string, detail: string) => report({ parameter, detail });
      const inPath = event.pathParameters as Readonly<Record<string, string>> | undefined;
      reportUndecodable(sent, parameterFault);
      reportUnknown([...sent.keys()], Object.keys(query), parameterFault);
      const parsed = {
        pathParameters: parse(path, (name) => [inPath?.[name] ?? ''], parameterFault),
        queryStringParameters: parse(query, (name) => sent.get(name) ?? [], parameterFault),
        body: undefined as unknown,
      };
      const header = (name: string) => event.headers[name.toLowerCase()];
      parse(
        headers,
        (name) => [header(name) ?? []].flat(),
        (name, detail) => report({ header: name, detail }),
      );
      const isMergePatch = parseMediaType(event.headers['content-type'])?.type === MERGE_PATCH_TYPE;
      const schema =
        (isMergePatch && mergePatchSchema) ||
        (Array.isArray(event.body) && batchSchema) ||
        bodySchema;
      if (event.body instanceof FileBody) parsed.body = event.body;
      else if (schema) {
        const { success, output, issues = [] } = v.safeParse(schema(), event.body);
        if (success) parsed.body = output;
        for (const issue of issues) {
          const keys = (issue.path ?? []).map(({ key }) => key);
          report({ pointer: pointerTo(keys), detail: cut(issue.message) });
        }
      }
      for (const rule of rules) rule(parsed, new Set(sent.keys())).forEach(report);
      if (faults.length > 0) throw badRequest(faults);
      Object.assign(event, parsed);
    },
  };
}

/** PHP sends a list as `name[0]=a&name[1]=b` or `name[]=a`. */
const PHP_INDEX = /\[\d*\]$/;

/**
 * Returns the values of each query parameter, in order. API Gateway's parsed form joins repeated
 * parameters with commas, which destroys values that contain one.
 */
export function queryValues(rawQueryString: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(rawQueryString)) {
    const name = key.replace(PHP_INDEX, '');
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  return values;
}

function parse(
  parameters: Parameters,
  valuesOf: (name: string) => readonly string[],
  report: (name: string, detail: string) => void,
): Record<string, unknown> {
  const parsed: Record<string, unknown> = {};
  for (const [name, { style, schema, default: defaultValue }] of Object.entries(parameters)) {
    const values = valuesOf(name);
    if (values.length === 0) {
      if (defaultValue !== undefined) parsed[name] = defaultValue;
      continue;
    }
    if (style === 'single' && values.length > 1) {
      report(name, 'may be given only once');
      continue;
    }
    const input = {
      single: () => values[0],
      repeated: () => values,
      'comma-separated': () => values.flatMap((text) => text.split(',')).map((text) => text.trim()),
    }[style]();
    const { success, output, issues = [] } = v.safeParse(schema(), input, { abortPipeEarly: true });
    if (success) parsed[name] = output;
    for (const { message } of issues) report(name, cut(message));
  }
  return parsed;
}

/**
 * A query is percent-encoded UTF-8; bytes in another encoding become U+FFFD. Like a body with that
 * character, it is refused: a search for it would find nobody, and its inverse everyone.
 */
function reportUndecodable(
  sent: ReadonlyMap<string, readonly string[]>,
  report: (name: string, detail: string) => void,
): void {
  for (const [name, values] of sent) {
    if (![name, ...values].some((text) => text.includes('\ufffd'))) continue;
    report(name, 'has characters that are not UTF-8; send UTF-8, percent-encoded');
  }
}

function reportUnknown(
  sent: readonly string[],
  known: readonly string[],
  report: (name: string, detail: string) => void,
): void {
  const list = known.length > 0 ? `known are ${known.join(', ')}` : 'none is known';
  const unknown = sent.filter((name) => !known.includes(name));
  for (const name of unknown.slice(0, MAX_FAULTS)) {
    const similar = suggestion(name, known);
    report(name, `is not a parameter of this call; ${similar ?? list}`);
  }
}

/** Words for the members that an object may have. */
interface MemberWords {
  /** One of them, with its article. */
  readonly one: string;
  readonly many: string;
  /** What to say of a name that resembles none of them. */
  readonly hint?: string;
}

/**
 * Returns the schema of an object that has these members and no others, of which it reports each; a
 * strict object reports only the first. If there are more than {@link MAX_FAULTS}, the last fault says
 * how many are left out.
 *
 * @param message returns what is wrong with another value than an object, or with a missing member.
 */
export function closedObject<const E extends v.ObjectEntries>(
  entries: E,
  words: MemberWords,
  message: (issue: v.LooseObjectIssue) => string,
) {
  return v.pipe(
    v.unknown(),
    // An array is an object too, and an empty one would pass as an object without members.
    v.check((body) => !Array.isArray(body), 'must be an object, not an array'),
    // Schemas of objects pass over names of prototypes, and copy members, however many they are.
    otherMembersCheck(
      entries,
      words,
      (others) =>
        others.length > MAX_FAULTS || others.some((name) => PROTOTYPE_NAMES.includes(name)),
    ),
    v.looseObject(entries, message),
    otherMembersCheck(entries, words),
  );
}

const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype'];

/** @param isDue whether to report these names here. Default: always. */
function otherMembersCheck<T>(
  entries: v.ObjectEntries,
  { one, many, hint }: MemberWords,
  isDue: (others: readonly string[]) => boolean = () => true,
) {
  return v.rawCheck<T>(({ dataset: { value }, addIssue }) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const others = Object.keys(value).filter((name) => !Object.hasOwn(entries, name));
    if (!isDue(others)) return;
    const reported = others.length > MAX_FAULTS ? MAX_FAULTS - 1 : others.length;
    for (const name of others.slice(0, reported)) {
      const next = suggestion(name, Object.keys(entries)) ?? hint;
      addIssue({
        message: `is not ${one}${next ? `; ${next}` : ''}`,
        path: [{ type: 'unknown', origin: 'key', input: value, key: name, value: undefined }],
      });
    }
    const more = others.length - reported;
    if (more > 0) addIssue({ message: `has ${more} more members that are not ${many}` });
  });
}

/** Returns the question whether a known name was meant, if one is nearly the same. */
export function suggestion(name: string, known: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const wanted = plain(name.slice(0, MAX_TEXT_IN_FAULT));
  const similar = [...known].find((each) => isSimilar(plain(each), wanted));
  return similar && `did you mean \`${similar}\`?`;
}

/** Returns whether one edit, or an exchange of neighbours, makes the texts equal. */
function isSimilar(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1) return false;
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  const [a, b] = [one.slice(start), other.slice(start)];
  return (
    a === b ||
    a.slice(1) === b.slice(1) ||
    a.slice(1) === b ||
    a === b.slice(1) ||
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2))
  );
}

/** Maximum UTF-16 code units of what a fault says, and of a name that it repeats. */
const MAX_TEXT_IN_FAULT = 200;

/** Returns a text that ends after so many UTF-16 code units, without half a character. */
function cut(text: string, max = MAX_TEXT_IN_FAULT): string {
  return text.length > max ? `${text.slice(0, max).toWellFormed()}…` : text;
}

/** Returns the JSON pointer (RFC 6901) to a member, cut to what a fault repeats. */
export function pointerTo(path: readonly unknown[]): string {
  return cut(
    path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
  );
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
