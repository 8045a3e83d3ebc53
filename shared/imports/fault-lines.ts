import type { RowFault } from '../domain/import.ts';

/** Members of a row that have faults, in the order in which these are numbered. */
const MEMBERS = ['faults', 'doubts', 'errors'] as const;
type RowWithFaults = { readonly [name in (typeof MEMBERS)[number]]?: readonly RowFault[] };
type StoredRow = { [name in (typeof MEMBERS)[number]]?: readonly (RowFault | number)[] };

/**
 * Returns a function that serializes the rows of a file, one a line. A fault (the same object) that the
 * file has already is written as its number, from 0 in order of appearance: if each cell of a file is
 * wrong, the faults would take a hundred times the bytes of the cells.
 *
 * @example
 * const line = faultLines();
 * line({ errors: [fault] }); // {"errors":[{"column":"Namn","code":"tooLong",…}]}
 * line({ errors: [fault] }); // {"errors":[0]}
 */
export function faultLines(): (row: object) => string {
  const numbers = new Map<RowFault, number>();
  const stored = (fault: RowFault) => {
    const number = numbers.get(fault);
    if (number === undefined) numbers.set(fault, numbers.size);
    return number ?? fault;
  };
  return (row) => {
    const members: StoredRow = {};
    for (const name of MEMBERS) {
      const faults = (row as RowWithFaults)[name];
      if (faults) members[name] = faults.map(stored);
    }
    return `${JSON.stringify({ ...row, ...members })}\n`;
  };
}

/** Returns the rows of a file that {@link faultLines} has written, with the faults in place of their numbers. */
export function withFaults<Row>(rows: readonly Row[]): Row[] {
  const known: RowFault[] = [];
  const read = (fault: RowFault | number) => {
    if (typeof fault === 'number') return known[fault] as RowFault;
    known.push(fault);
    return fault;
  };
  return rows.map((row) => {
    const members: StoredRow = {};
    for (const name of MEMBERS) {
      const faults = (row as StoredRow)[name];
      if (faults) members[name] = faults.map(read);
    }
    return { ...row, ...members };
  });
}
