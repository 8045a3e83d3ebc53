/** A filter expression over whole items, for those of our filters that the bench uses. */
export function filterOf({
  filter,
  search,
}: {
  filter?: string | undefined;
  search?: string | undefined;
}): {
  FilterExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
} {
  if (!filter) return {};
  const conditions: string[] = [];
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  for (const name of filter.split(',')) {
    if (name === 'isCompany') {
      conditions.push('#kind = :kind');
      names['#kind'] = 'kind';
      values[':kind'] = 'company';
    } else if (name === '!isEFaktura') {
      conditions.push('attribute_not_exists(eInvoice)');
    } else if (name === 'search' && search) {
      conditions.push('(contains(nameText, :text) OR contains(addressText, :text))');
      values[':text'] = search.toUpperCase();
    } else {
      throw new Error(`The usual way has no filter ${name}.`);
    }
  }
  return {
    FilterExpression: conditions.join(' AND '),
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ExpressionAttributeValues: values,
  };
}
