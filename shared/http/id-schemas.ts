import * as v from 'valibot';

const ID_MESSAGE = `must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}, or its digits as a string`;

/** A customer's id, as a number or as a string of digits. */
export const IdSchema = v.pipe(
  v.union(
    [
      v.pipe(v.number(), v.safeInteger(ID_MESSAGE), v.minValue(1, ID_MESSAGE)),
      v.pipe(
        v.string(),
        v.regex(digitsUpTo(Number.MAX_SAFE_INTEGER), ID_MESSAGE),
        v.transform(Number),
      ),
    ],
    ID_MESSAGE,
  ),
);

/** Body of a call that names customers by id; ids given twice count once. */
export function idsSchema(most: number) {
  return v.pipe(
    v.array(IdSchema, 'must be an array of customer ids'),
    v.minLength(1, 'must name at least one customer'),
    v.maxLength(most, `must name at most ${most} customers`),
    v.transform((ids) => [...new Set(ids)]),
  );
}

/** Digits of a whole number from 1 to `most`, as JSON Schema can say it, too: by a pattern. */
function digitsUpTo(most: number): RegExp {
  const digits = String(most);
  const smaller = [...digits].flatMap((digit, index) => {
    const least = index === 0 ? 1 : 0;
    const rest = `[0-9]{${digits.length - index - 1}}`;
    const isLeast = Number(digit) === least;
    return isLeast ? [] : `${digits.slice(0, index)}[${least}-${Number(digit) - 1}]${rest}`;
  });
  const shorter = `[1-9][0-9]{0,${digits.length - 2}}`;
  return new RegExp(`^0*(?:${[shorter, ...smaller, digits].join('|')})$`);
}
