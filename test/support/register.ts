import type { Model } from './linearizability.ts';

/** A customer as those see it who get it; `gone` once it is removed, for good. */
export type Register = 'gone' | { readonly version: number; readonly texts: Texts };

/** The fields that are set, of those that a test writes. */
export type Texts = Readonly<Record<string, string>>;

/** What is asked of a customer. */
export interface Asked {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  readonly changes?: Texts;
  readonly ifMatch?: string;
}

/** What is answered, as far as the test looks at it. */
export interface Answered {
  readonly status: number;
  readonly etag?: string | undefined;
  readonly texts?: Texts | undefined;
}

/**
 * One customer, as the README has it.
 *
 * @param texts with which it was created.
 * @param outages whether answers of DynamoDB are lost. The SDK then asks again, and who finds a
 * customer gone that another has removed meanwhile may be told that it was removed.
 */
export function registerOf(
  texts: Texts,
  { outages = false }: { outages?: boolean } = {},
): Model<Register, Asked, Answered> {
  return {
    initial: { version: 1, texts },
    next: (state, input, output) => {
      const { after, answer } = ask(state, input);
      const isRight = output === undefined || agrees(output, answer);
      if (isRight) return after;
      const wasGone = state === 'gone' && input.method === 'DELETE' && output.status === 200;
      return outages && wasGone ? state : undefined;
    },
    key: (state) => (state === 'gone' ? state : `${state.version}${keyOf(state.texts)}`),
  };
}

function ask(
  state: Register,
  { method, changes = {}, ifMatch }: Asked,
): { after: Register; answer: Answered } {
  if (state === 'gone') return { after: state, answer: { status: 404 } };
  const etag = `"${state.version}"`;
  if (method === 'GET') {
    return { after: state, answer: { status: 200, etag, texts: state.texts } };
  }
  if (ifMatch !== undefined && ifMatch !== etag) return { after: state, answer: { status: 412 } };
  if (method === 'DELETE') return { after: 'gone', answer: { status: 200 } };
  const texts = { ...state.texts, ...changes };
  if (keyOf(texts) === keyOf(state.texts)) {
    return { after: state, answer: { status: 200, etag, texts } };
  }
  const version = state.version + 1;
  return {
    after: { version, texts },
    answer: { status: 200, etag: `"${version}"`, texts },
  };
}

/** Whether all that was answered is as it should be; a list, say, has no entity tags. */
function agrees({ status, etag, texts }: Answered, expected: Answered): boolean {
  return (
    status === expected.status &&
    (etag === undefined || etag === expected.etag) &&
    (texts === undefined || keyOf(texts) === keyOf(expected.texts ?? {}))
  );
}

function keyOf(texts: Texts): string {
  const set = Object.entries(texts).filter(([, text]) => text !== '');
  return JSON.stringify(set.sort(([a], [b]) => (a < b ? -1 : 1)));
}
