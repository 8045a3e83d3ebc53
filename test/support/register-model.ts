/** The texts of a customer that are set, by field name. */
type Texts = Readonly<Record<string, string>>;

/** A customer as a register of one merchant alone would hold it. */
interface Held {
  readonly id: number;
  /** Creation time, which only the register knows. */
  readonly date: string;
  readonly texts: Texts;
  readonly version: number;
}

/** What a create is to answer; the date is known only where it is told a second time. */
interface Created {
  readonly status: 200 | 422;
  readonly id: number;
  readonly date: string | undefined;
}

/** What a change or a removal does. */
type Outcome = 200 | 404 | 412;

/** Customers of whom a filter tells. */
export interface Filter {
  readonly query: string;
  readonly selects: (texts: Texts) => boolean;
}

/**
 * The register as it would be if there were one merchant only, in plain data. It knows nothing of
 * others, so that what agrees with it depends on no other.
 */
export class RegisterModel {
  readonly #customers = new Map<number, Held>();
  readonly #keys = new Map<string, { body: string; id: number; date: string | undefined }>();
  #lastId = 0;

  /** Makes a customer; {@link created} then tells it what the register said of its date. */
  create(texts: Texts, key: string | undefined): Created {
    // The id is taken before the key is looked at, and is lost where the key was used before.
    this.#lastId += 1;
    const body = JSON.stringify(Object.entries(texts).sort());
    const known = key === undefined ? undefined : this.#keys.get(key);
    if (known) return { ...known, status: known.body === body ? 200 : 422 };
    const id = this.#lastId;
    if (key !== undefined) this.#keys.set(key, { body, id, date: undefined });
    this.#customers.set(id, { id, date: '', texts, version: 1 });
    return { status: 200, id, date: undefined };
  }

  /** Notes the date of a customer that was made just now. */
  created(id: number, date: string): void {
    this.#customers.set(id, { ...(this.#customers.get(id) as Held), date });
    for (const known of this.#keys.values()) if (known.id === id) known.date = date;
  }

  get(id: number): Held | undefined {
    return this.#customers.get(id);
  }

  /** The customers that a filter selects, by ascending id. */
  select(filter?: Filter): Held[] {
    const all = [...this.#customers.values()].sort((a, b) => a.id - b.id);
    return filter ? all.filter(({ texts }) => filter.selects(texts)) : all;
  }

  change(id: number, changes: Texts, ifMatch: string | undefined): Outcome {
    const held = this.#customers.get(id);
    const outcome = outcomeOf(held, ifMatch);
    if (held && outcome === 200) {
      const texts = { ...held.texts, ...changes };
      const isSame = Object.entries(changes).every(([name, text]) => held.texts[name] === text);
      if (!isSame) this.#customers.set(id, { ...held, texts, version: held.version + 1 });
    }
    return outcome;
  }

  remove(id: number, ifMatch?: string): Outcome {
    const outcome = outcomeOf(this.#customers.get(id), ifMatch);
    if (outcome === 200) this.#customers.delete(id);
    return outcome;
  }
}

/** Whether a version has a tag of the list. */
export function hasTag({ version }: Held, tags: string): boolean {
  return tags === '*' || tags.split(', ').includes(`"${version}"`);
}

/** All that is known of a customer, as texts. */
export function textsOf({ id, date, texts }: Held): Texts {
  return { mexcParamvaluesetsid: String(id), date, ...texts };
}

function outcomeOf(held: Held | undefined, ifMatch: string | undefined): Outcome {
  if (!held) return 404;
  return ifMatch === undefined || hasTag(held, ifMatch) ? 200 : 412;
}
