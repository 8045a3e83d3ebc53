import { STORED_NAMES } from '../../../shared/storage/table.ts';

/** Returns a filter expression over whole items, for the filters that the benchmark uses. */
export function filterOf({
  filter,
  search,
}: {
  filter?: string | undefined;
  search?: string | undefined;
}): {
  FilterExpression?: string;
  ExpressionAttributeValues?: Record<string, unknown>;
} {
  if (!filter) return {};
  const conditions: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of filter.split(',')) {
    if (name === 'isCompany') {
      conditions.push(`${STORED_NAMES.kind} = :kind`);
      values[':kind'] = 'c';
    } else if (name === '!isEFaktura') {
      conditions.push(`attribute_not_exists(${STORED_NAMES.eInvoice})`);
    } else if (name === 'search' && search) {
      conditions.push(
        `(contains(${STORED_NAMES.nameText}, :text) OR contains(${STORED_NAMES.addressText}, :text))`,
      );
      values[':text'] = search.toUpperCase();
    } else {
      throw new Error(`The usual way has no filter ${name}.`);
    }
  }
  return {
    FilterExpression: conditions.join(' AND '),
    ExpressionAttributeValues: values,
  };
}
