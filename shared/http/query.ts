import { badParameter, badRequest } from './problem-details.ts';

/** PHP writes a list as `name[0]=a&name[1]=b` or `name[]=a`. */
const PHP_INDEX = /\[\d*\]$/;

/** A request's query parameters, each with all its values in order. */
export class Query {
  /** The query string as it was sent. */
  readonly text: string;
  readonly #values = new Map<string, string[]>();

  /**
   * Reads the query string as it was sent. API Gateway's own parsed form joins repeated
   * parameters with commas, which destroys values that contain one.
   */
  constructor(rawQueryString: string) {
    this.text = rawQueryString;
    for (const [key, value] of new URLSearchParams(rawQueryString)) {
      const name = key.replace(PHP_INDEX, '');
      const values = this.#values.get(name);
      if (values) values.push(value);
      else this.#values.set(name, [value]);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Every value of a parameter; none where it is not given. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /**
   * The value of a parameter that may be given once.
   *
   * @throws Problem 400 where it is given several times.
   */
  one(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1) throw badParameter(name, 'may be given only once');
    return values[0];
  }

  /**
   * A parameter that is a whole number in digits.
   *
   * @throws Problem 400 where it is none, or outside `min` to `max`.
   */
  integer(name: string, { min, max }: { min: number; max: number }): number | undefined {
    const text = this.one(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw badParameter(name, `must be a whole number from ${min} to ${max}`);
    }
    return value;
  }

  /**
   * A parameter that is one of a few words.
   *
   * @throws Problem 400 where it is another.
   */
  word<const W extends string>(name: string, words: readonly W[]): W | undefined {
    const text = this.one(name);
    if (text === undefined) return undefined;
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw badParameter(name, `must be ${words.join(' or ')}`);
    return word;
  }

  /**
   * Refuses parameters that mean nothing here, so that a misspelt one is never passed over.
   *
   * @throws Problem 400 that names each.
   */
  allowOnly(names: readonly string[]): void {
    const unknown = [...this.#values.keys()].filter((name) => !names.includes(name));
    if (unknown.length === 0) return;
    const known = names.length > 0 ? `known are ${names.join(', ')}` : 'none is known';
    throw badRequest(
      unknown.map((parameter) => ({
        parameter,
        detail: `is not a parameter of this call; ${known}`,
      })),
    );
  }
}
