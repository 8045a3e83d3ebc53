import { z } from 'zod';
import { FIELDS } from '../../../shared/domain/fields.ts';

// A customer the usual way: an item with the API's field names as attributes.

export type Item = Record<string, unknown>;

const WRITABLE = FIELDS.filter(({ readOnly }) => !readOnly);

export const BodySchema = z.strictObject(
  Object.fromEntries(
    WRITABLE.map(({ name, maxLength }) => [name, z.string().max(maxLength).optional()]),
  ),
);

export const PathSchema = z.object({
  mexcParamvaluesetsid: z.coerce.number().int().positive(),
});

export function idsSchema(maxCount: number) {
  return z.array(z.coerce.number().int().positive()).min(1).max(maxCount);
}

/** Returns the key of a customer. */
export function keyOf(merchant: string, id: number) {
  return { pk: `MERCHANT#${merchant}`, sk: `CUSTOMER#${String(id).padStart(16, '0')}` };
}

/** Returns the customer as in a response: every documented field, also if it is unset. */
export function toResponse(item: Item): Item {
  const response: Item = {};
  for (const { name, always, unset } of FIELDS) {
    if (always || item[name] !== undefined) response[name] = item[name] ?? unset;
  }
  return response;
}

/** Returns the item without empty fields. */
export function withoutEmpty(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== ''));
}
