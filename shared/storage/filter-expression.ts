import type { AttributeValue, QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { Condition, CustomerFilter, SearchAttribute } from '../domain/customer-filter.ts';
import { STORED_NAMES } from './table.ts';

/**
 * Returns the part of a query that filters by the condition. It serves for the customer index and for
 * the table: customers have their search attributes under the same names.
 */
export function filterExpression({ condition }: CustomerFilter): Partial<QueryCommandInput> {
  if (!condition) return {};
  const ExpressionAttributeNames: Record<string, string> = {};
  const ExpressionAttributeValues: Record<string, AttributeValue> = {};
  const FilterExpression = toExpression(
    condition,
    ExpressionAttributeNames,
    ExpressionAttributeValues,
  );
  return { FilterExpression, ExpressionAttributeNames, ExpressionAttributeValues };
}

/** Returns DynamoDB's expression of a condition; adds the names and values it uses. */
function toExpression(
  condition: Condition,
  names: Record<string, string>,
  values: Record<string, AttributeValue>,
): string {
  const inner = (part: Condition) => toExpression(part, names, values);
  const name = (attribute: SearchAttribute) => {
    const stored = STORED_NAMES[attribute];
    names[`#${stored}`] = stored;
    return `#${stored}`;
  };
  const value = (text: string) => {
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = { S: text };
    return placeholder;
  };
  // DynamoDB rejects redundant parentheses, as around a single part.
  const joined = (parts: readonly Condition[], operator: string) =>
    parts.length === 1 ? inner(parts[0] as Condition) : `(${parts.map(inner).join(operator)})`;
  if ('all' in condition) return joined(condition.all, ' AND ');
  if ('any' in condition) {
    // No alternative at all matches nobody; every customer has a kind.
    if (condition.any.length === 0) return `attribute_not_exists(${name('kind')})`;
    return joined(condition.any, ' OR ');
  }
  if ('not' in condition) return `(NOT ${inner(condition.not)})`;
  const attribute = name(condition.attribute);
  if ('exists' in condition) return `attribute_exists(${attribute})`;
  if ('equals' in condition) return `${attribute} = ${value(condition.equals.charAt(0))}`;
  return `contains(${attribute}, ${value(condition.contains)})`;
}
