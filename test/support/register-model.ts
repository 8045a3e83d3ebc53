/** The fields of a customer that are set, by field name. */
type Fields = Readonly<Record<string, string>>;

/** A customer in the register of one merchant. */
interface StoredCustomer {
  readonly id: number;
  /** Creation time, which the API assigns. */
  readonly date: string;
  readonly fields: Fields;
  readonly version: number;
}

/** Expected result of a creation; the date is known only for a retry. */
interface Created {
  readonly status: 200 | 422;
  readonly id: number;
  readonly date: string | undefined;
}

/** Status of a change or a deletion. */
type Outcome = 200 | 404 | 412;

/** A filter, and the customers that it selects. */
export interface Filter {
  readonly query: string;
  readonly selects: (fields: Fields) => boolean;
}

/**
 * A register of one merchant in memory. It has no data of others, so that responses that agree with
 * it depend on no other merchant.
 */
export class RegisterModel {
  readonly #customers = new Map<number, StoredCustomer>();
  readonly #keys = new Map<string, { body: string; id: number; date: string | undefined }>();
  #lastId = 0;

  /** Creates a customer; {@link created} then sets its date from the response. */
  create(fields: Fields, key: string | undefined): Created {
    // The id is taken before the key is looked at, and is lost where the key was used before.
    this.#lastId += 1;
    const body = JSON.stringify(Object.entries(fields).sort());
    const known = key === undefined ? undefined : this.#keys.get(key);
    if (known) return { ...known, status: known.body === body ? 200 : 422 };
    const id = this.#lastId;
    if (key !== undefined) this.#keys.set(key, { body, id, date: undefined });
    this.#customers.set(id, { id, date: '', fields, version: 1 });
    return { status: 200, id, date: undefined };
  }

  /** Sets the date of a customer that was just created. */
  created(id: number, date: string): void {
    this.#customers.set(id, { ...(this.#customers.get(id) as StoredCustomer), date });
    for (const known of this.#keys.values()) if (known.id === id) known.date = date;
  }

  get(id: number): StoredCustomer | undefined {
    return this.#customers.get(id);
  }

  /** Returns the customers that a filter selects, by ascending id. */
  select(filter?: Filter): StoredCustomer[] {
    const all = [...this.#customers.values()].sort((a, b) => a.id - b.id);
    return filter ? all.filter(({ fields }) => filter.selects(fields)) : all;
  }

  change(id: number, changes: Fields, ifMatch: string | undefined): Outcome {
    const held = this.#customers.get(id);
    const outcome = outcomeOf(held, ifMatch);
    if (held && outcome === 200) {
      const fields = { ...held.fields, ...changes };
      const isSame = Object.entries(changes).every(([name, text]) => held.fields[name] === text);
      if (!isSame) this.#customers.set(id, { ...held, fields, version: held.version + 1 });
    }
    return outcome;
  }

  remove(id: number, ifMatch?: string): Outcome {
    const outcome = outcomeOf(this.#customers.get(id), ifMatch);
    if (outcome === 200) this.#customers.delete(id);
    return outcome;
  }
}

/** Whether a list of entity tags contains the customer's. */
export function hasTag({ version }: StoredCustomer, tags: string): boolean {
  return tags === '*' || tags.split(', ').includes(`"${version}"`);
}

/** Returns a customer as a row of texts. */
export function rowOf({ id, date, fields }: StoredCustomer): Fields {
  return { mexcParamvaluesetsid: String(id), date, ...fields };
}

function outcomeOf(held: StoredCustomer | undefined, ifMatch: string | undefined): Outcome {
  if (!held) return 404;
  return ifMatch === undefined || hasTag(held, ifMatch) ? 200 : 412;
}
